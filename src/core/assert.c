#include "core/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void sb_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "spanbridge: assertion failed: %s (%s:%d)\n", condition, file, line);
    abort();
}
