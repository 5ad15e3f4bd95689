#include "names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RUN_DIGITS = 8 };
static const char mark[] = "-spanbridge-demo-";

void names_make(const char *name, uint32_t run, char ret[NAMES_LEN])
{
    snprintf(ret, NAMES_LEN, "%s%s%08" PRIx32, name, mark, run);
}

void names_shorten(char *text)
{
    char *at = strstr(text, mark);
    if (at == NULL)
        return;
    char *after = at + strlen(mark);
    if (strspn(after, "0123456789abcdef") < RUN_DIGITS)
        return; /* a name of somebody else */
    after += RUN_DIGITS;
    memmove(at, after, strlen(after) + 1);
}
