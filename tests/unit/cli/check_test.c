#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "capture.h"
#include "command.h"
#include "config_files.h"
#include "support/test.h"

static void test_codes(void **state)
{
    (void)state;
    struct config_folder folder;
    char report[TEMP_DIR_PATH_LEN + 200];
    config_folder_make(&folder);
    capture_expect(command_check.run, WORDS("check", folder.worker, folder.topic), 0,
                   "ok: 1 topic file, 1 sink, 1 policy\n", "");
    snprintf(report, sizeof(report),
             "%s:1: error: unknown key workres\n  help: did you mean workers?\n"
             "1 error, 0 warnings\n",
             folder.bad);
    capture_expect(command_check.run, WORDS("check", folder.bad, folder.topic), EX_CONFIG, "",
                   report);
    snprintf(report, sizeof(report),
             "%s:1: warning: window.idle is not below window.wait, so that it has no effect\n"
             "0 errors, 1 warning\n",
             folder.odd);
    capture_expect(command_check.run, WORDS("check", folder.odd, folder.topic), 0,
                   "ok: 1 topic file, 1 sink, 1 policy\n", report);
    capture_expect(command_check.run,
                   WORDS("check", "--deny-warnings", folder.odd, folder.topic), EX_CONFIG, "",
                   report);
    temp_dir_remove(&folder.dir);
}

static void expect_json(const char *const *words, int code, int errors, int warnings)
{
    struct capture capture;
    json_error_t error;
    capture_run(&capture, command_check.run, words);
    assert_int_equal(capture.code, code);
    assert_string_equal(capture.err, "");
    json_t *root = json_loads(capture.out, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "errors")), errors);
    assert_int_equal(json_integer_value(json_object_get(root, "warnings")), warnings);
    assert_int_equal(json_array_size(json_object_get(root, "diagnostics")),
                     (size_t)(errors + warnings));
    json_decref(root);
    capture_clear(&capture);
}

static void test_json(void **state)
{
    (void)state;
    struct config_folder folder;
    config_folder_make(&folder);
    expect_json(WORDS("check", "--json", folder.worker, folder.topic), 0, 0, 0);
    expect_json(WORDS("check", folder.bad, folder.topic, "--json"), EX_CONFIG, 1, 0);
    expect_json(WORDS("check", folder.odd, folder.topic, "--json"), 0, 0, 1);
    temp_dir_remove(&folder.dir);
}

/* What passes is told with the rate that it can pass, and no note fails a check. */
static void test_notes(void **state)
{
    (void)state;
    struct config_folder folder;
    char queue[TEMP_DIR_PATH_LEN];
    char report[TEMP_DIR_PATH_LEN + 200];
    config_folder_make(&folder);
    config_folder_write(&folder, "queue.conf",
                        "source = \"rabbitmq\"; role = \"spans\"; queue = \"q\";\n", queue);
    snprintf(report, sizeof(report),
             "%s:1: note: \"q\": at most 333 records per second pass: 10000 prefetch * 1 "
             "consumers / 30s window.wait\n",
             queue);
    capture_expect(command_check.run, WORDS("check", "--deny-warnings", folder.worker, queue),
                   0, "ok: 1 topic file, 1 sink, 1 policy\n", report);
    struct capture capture;
    capture_run(&capture, command_check.run, WORDS("check", "--json", folder.worker, queue));
    assert_int_equal(capture.code, 0);
    json_t *root = json_loads(capture.out, 0, NULL);
    const char *severity = NULL;
    assert_int_equal(json_unpack(root, "{s:[{s:s}]}", "diagnostics", "severity", &severity), 0);
    assert_string_equal(severity, "note");
    assert_int_equal(json_integer_value(json_object_get(root, "notes")), 1);
    json_decref(root);
    capture_clear(&capture);
    temp_dir_remove(&folder.dir);
}

static void test_usage(void **state)
{
    (void)state;
    capture_expect(command_check.run, WORDS("check"), EX_USAGE, "",
                   "spanbridge check: a worker file is missing\n"
                   "  help: spanbridge check --help\n");
    capture_expect(command_check.run, WORDS("check", "--connect", "x"), EX_USAGE, "",
                   "spanbridge check: --connect is not available in this version\n");
    capture_expect(command_check.run, WORDS("check", "--help"), 0, command_check.help, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
