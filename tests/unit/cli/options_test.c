#include "options.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "capture.h"
#include "support/test.h"

enum { OPTION_ALPHA = 1, OPTION_VALUE };

static const struct option options[] = {
    {"alpha", no_argument, NULL, OPTION_ALPHA},
    {"value", required_argument, NULL, OPTION_VALUE},
    {"future", no_argument, NULL, OPTIONS_LATER},
    {"help", no_argument, NULL, OPTIONS_HELP},
    {NULL, 0, NULL, 0},
};

static const struct command command = {.name = "x", .summary = "", .help = "the help\n"};

/* Prints what it finds. */
static int run(int argc, char **argv)
{
    options_begin();
    for (;;) {
        int option = options_next(argc, argv, options, &command);
        switch (option) {
        case OPTIONS_END:
            for (int i = optind; i < argc; i++)
                printf("operand %s\n", argv[i]);
            return 0;
        case OPTION_ALPHA:
            printf("alpha\n");
            break;
        case OPTION_VALUE:
            printf("value %s\n", optarg);
            break;
        case OPTIONS_HELP:
            return 0;
        default:
            return EX_USAGE;
        }
    }
}

static void test_right(void **state)
{
    (void)state;
    capture_expect(run, WORDS("x"), 0, "", "");
    capture_expect(run, WORDS("x", "a", "--alpha", "b", "--value", "5", "--value=6"), 0,
                   "alpha\nvalue 5\nvalue 6\noperand a\noperand b\n", "");
    capture_expect(run, WORDS("x", "--", "--alpha"), 0, "operand --alpha\n", "");
    capture_expect(run, WORDS("x", "-"), 0, "operand -\n", "");
    capture_expect(run, WORDS("x", "--help"), 0, "the help\n", "");
    capture_expect(run, WORDS("x", "-h", "--alpha"), 0, "the help\n", "");
}

static void test_wrong(void **state)
{
    (void)state;
    capture_expect(run, WORDS("x", "--alhpa"), EX_USAGE, "",
                   "spanbridge x: unknown option --alhpa\n  help: did you mean --alpha?\n");
    capture_expect(run, WORDS("x", "--xyzzy=5"), EX_USAGE, "",
                   "spanbridge x: unknown option --xyzzy=5\n  help: spanbridge x --help\n");
    capture_expect(run, WORDS("x", "-z"), EX_USAGE, "",
                   "spanbridge x: unknown option -z\n  help: spanbridge x --help\n");
    capture_expect(run, WORDS("x", "--value"), EX_USAGE, "",
                   "spanbridge x: --value needs a value\n");
    capture_expect(run, WORDS("x", "--future"), EX_USAGE, "",
                   "spanbridge x: --future is not available in this version\n");
}

/* What is to come is not proposed. */
static void test_later_is_not_proposed(void **state)
{
    (void)state;
    capture_expect(run, WORDS("x", "--futuer"), EX_USAGE, "",
                   "spanbridge x: unknown option --futuer\n  help: spanbridge x --help\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_later_is_not_proposed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
