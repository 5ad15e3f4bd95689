#include <stdio.h>
#include <sysexits.h>

#include "capture.h"
#include "command.h"
#include "config_files.h"
#include "support/test.h"

/* What is decided before the service starts; the service itself: tests/scenario. */
static void test_usage(void **state)
{
    (void)state;
    capture_expect(command_run.run, WORDS("run"), EX_USAGE, "",
                   "spanbridge run: a worker file is missing\n  help: spanbridge run --help\n");
    capture_expect(command_run.run, WORDS("run", "--for", "10m", "x"), EX_USAGE, "",
                   "spanbridge run: --for is for --observe\n"
                   "  help: spanbridge run --help\n");
    static const char wants[] = "spanbridge run: --for takes a duration, such as 10m\n"
                                "  help: spanbridge run --help\n";
    capture_expect(command_run.run, WORDS("run", "--for", "soon"), EX_USAGE, "", wants);
    capture_expect(command_run.run, WORDS("run", "--for", "0s"), EX_USAGE, "", wants);
    capture_expect(command_run.run, WORDS("run", "--for", "10"), EX_USAGE, "", wants);
    capture_expect(command_run.run, WORDS("run", "--drian", "x"), EX_USAGE, "",
                   "spanbridge run: unknown option --drian\n  help: did you mean --drain?\n");
    capture_expect(command_run.run, WORDS("run", "--log-level"), EX_USAGE, "",
                   "spanbridge run: --log-level needs a value\n");
    capture_expect(command_run.run, WORDS("run", "--help"), 0, command_run.help, "");
}

static void test_configuration(void **state)
{
    (void)state;
    struct config_folder folder;
    char report[TEMP_DIR_PATH_LEN + 200];
    config_folder_make(&folder);
    snprintf(report, sizeof(report),
             "%s:1: error: unknown key workres\n  help: did you mean workers?\n"
             "1 error, 0 warnings\n",
             folder.bad);
    capture_expect(command_run.run, WORDS("run", "--drain", folder.bad, folder.topic),
                   EX_CONFIG, "", report);
    capture_expect(command_run.run,
                   WORDS("run", "--log-level", "debug", "--log-level", "lout", "--log-format",
                         "xml", folder.worker, folder.topic),
                   EX_CONFIG, "",
                   "--log-level: error: --log-level: unknown value \"lout\"\n"
                   "  help: known: debug, info, warn, error, off\n"
                   "--log-format: error: --log-format: unknown value \"xml\"\n"
                   "  help: known: logfmt, json\n"
                   "2 errors, 0 warnings\n");
    temp_dir_remove(&folder.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
