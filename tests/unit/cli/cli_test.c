#include "cli/cli.h"

#include <string.h>
#include <sysexits.h>

#include "capture.h"
#include "support/test.h"

static void test_usage(void **state)
{
    (void)state;
    capture_expect(cli_main, WORDS("spanbridge"), EX_USAGE, "",
                   "spanbridge: a command is missing\n  help: spanbridge --help\n");
    capture_expect(cli_main, WORDS("spanbridge", "chekc"), EX_USAGE, "",
                   "spanbridge: unknown command chekc\n"
                   "  help: did you mean spanbridge check?\n");
    capture_expect(cli_main, WORDS("spanbridge", "xyzzy"), EX_USAGE, "",
                   "spanbridge: unknown command xyzzy\n  help: spanbridge --help\n");
    capture_expect(cli_main, WORDS("spanbridge", "--hlep"), EX_USAGE, "",
                   "spanbridge: unknown option --hlep\n  help: spanbridge --help\n");
    capture_expect(cli_main, WORDS("spanbridge", "worker.conf"), EX_USAGE, "",
                   "spanbridge: unknown command worker.conf\n"
                   "  help: spanbridge run worker.conf\n");
    capture_expect(cli_main, WORDS("spanbridge", "top"), EX_USAGE, "",
                   "spanbridge: top is not available in this version\n");
}

static void test_help(void **state)
{
    (void)state;
    static const char *const words[] = {"--help", "-h", "help"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        struct capture capture;
        capture_run(&capture, cli_main, WORDS("spanbridge", words[i]));
        assert_int_equal(capture.code, 0);
        assert_non_null(strstr(capture.out, "\n  check "));
        assert_non_null(strstr(capture.out, "\n  config "));
        assert_string_equal(capture.err, "");
        capture_clear(&capture);
    }
}

static void test_version(void **state)
{
    (void)state;
    struct capture capture;
    capture_run(&capture, cli_main, WORDS("spanbridge", "--version"));
    assert_int_equal(capture.code, 0);
    assert_int_equal(strncmp(capture.out, "spanbridge ", 11), 0);
    assert_non_null(strstr(capture.out, "\n  librdkafka"));
    capture_clear(&capture);
    capture_run(&capture, cli_main, WORDS("spanbridge", "--version", "--json"));
    assert_int_equal(capture.code, 0);
    assert_int_equal(capture.out[0], '{');
    capture_clear(&capture);
    capture_expect(cli_main, WORDS("spanbridge", "--version", "-x"), EX_USAGE, "",
                   "spanbridge: --version takes --json or nothing\n");
}

/* The command gets the words from its name on. */
static void test_dispatch(void **state)
{
    (void)state;
    capture_expect(cli_main, WORDS("spanbridge", "check"), EX_USAGE, "",
                   "spanbridge check: a worker file is missing\n"
                   "  help: spanbridge check --help\n");
    capture_expect(cli_main, WORDS("spanbridge", "config"), EX_USAGE, "",
                   "spanbridge config: show, docs or init?\n"
                   "  help: spanbridge config --help\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_dispatch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
