#include "demo/demo.h"

#include <string.h>

#include "capture.h"
#include "cli/cli.h"
#include "command.h"
#include "support/test.h"

/* The command is the demo's own, and the help names it. */
static void test_command(void **state)
{
    (void)state;
    struct capture capture;
    assert_true(command_demo.run == demo_main);
    capture_run(&capture, cli_main, WORDS("spanbridge", "--help"));
    assert_non_null(strstr(capture.out, "\n  demo "));
    assert_non_null(strstr(capture.out, "\n  run "));
    capture_clear(&capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
