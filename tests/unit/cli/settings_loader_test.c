#include "settings_loader.h"

#include <sysexits.h>

#include "capture.h"
#include "config_files.h"
#include "core/memory.h"
#include "support/test.h"

static const struct command command = {.name = "x", .summary = "", .help = ""};
static uint64_t fail_at;

/* Prints nothing itself; the code says how the load went. */
static int load(int argc, char **argv)
{
    struct settings_request request = {
        .command = &command, .files = argv + 1, .file_count = argc - 1};
    const struct config_override override = {"log.level", "debug", "--log-level"};
    request.overrides = &override;
    request.override_count = 1;
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    memory_fail_at(fail_at);
    int code = settings_loader_load(&request, &report, &settings);
    memory_fail_at(0);
    assert_true((code == 0) == (settings != NULL));
    if (code == 0) {
        assert_int_equal(settings->log.level, SETTINGS_LOG_DEBUG);
        assert_int_equal(settings->topic_count, (unsigned)argc - 2);
    }
    settings_free(settings);
    config_report_clear(&report);
    return code;
}

static void test_codes(void **state)
{
    (void)state;
    struct config_folder folder;
    config_folder_make(&folder);
    capture_expect(load, WORDS("x"), EX_USAGE, "",
                   "spanbridge x: a worker file is missing\n  help: spanbridge x --help\n");
    capture_expect(load, WORDS("x", folder.worker, folder.topic), 0, "", "");
    capture_expect(load, WORDS("x", folder.worker), EX_CONFIG, "", "");
    capture_expect(load, WORDS("x", folder.bad, folder.topic), EX_CONFIG, "", "");
    fail_at = 1;
    capture_expect(load, WORDS("x", folder.worker, folder.topic), EX_OSERR, "", NULL);
    fail_at = 0;
    temp_dir_remove(&folder.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
