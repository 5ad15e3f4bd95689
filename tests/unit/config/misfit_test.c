#include "misfit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

/* Of each type: what it takes, what it is not, and how one is written. */
static void test_values_of_another_type(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *said;
        const char *help;
    } cases[] = {
        {"group = 7;", "group takes text, not 7", "write group = \"7\";"},
        {"group = { };", "group takes text, not a group", NULL},
        {"workers = \"many\";", "workers takes a whole number, not \"many\"", NULL},
        {"workers = \"8\";", "workers takes a whole number, not \"8\"", "write workers = 8;"},
        {"workers = 1.5;", "workers takes a whole number, not 1.5", NULL},
        {"window = { wait = 30; };", "window.wait takes a duration with a unit, not 30",
         "write wait = \"30s\"; or wait_ms = 30;"},
        {"window = { wait = true; };", "window.wait takes a duration with a unit, not true",
         "write wait = \"30s\"; units: ns us ms s m h d"},
        {"memory = 5;", "memory takes a size with a unit, not 5", NULL},
        {"repair = { queue_span = \"yes\"; };",
         "repair.queue_span takes true or false, not \"yes\"", "write queue_span = true;"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct config_report report;
        struct settings *settings = NULL;
        char worker[1024];
        snprintf(worker, sizeof(worker), "%s\n" WORKER_REST, cases[i].line);
        config_report_init(&report);
        assert_int_equal(memory_load(worker, TOPIC, &report, &settings), SB_ERR_CONFIG);
        assert_string_equal(report.items[0].text, cases[i].said);
        if (cases[i].help != NULL)
            assert_string_equal(report.items[0].help, cases[i].help);
        config_report_clear(&report);
    }
}

/* In the units of the key. */
static void test_bounds_are_told(void **state)
{
    (void)state;
    memory_expect_errors("workers = 257;",
                         "worker.conf:1: error: workers is out of range: 257\n"
                         "  help: from 0 to 256\n");
    memory_expect_errors("repair = { ttl = \"31d\"; };",
                         "worker.conf:1: error: repair.ttl is out of range: \"31d\"\n"
                         "  help: from 1s to 30d\n");
    memory_expect_errors("limits = { record_bytes = \"2GiB\"; };",
                         "worker.conf:1: error: limits.record_bytes is out of range: \"2GiB\"\n"
                         "  help: from 1KiB to 1GiB\n");
}

/* What comes out of a secret place is not shown where it does not fit. */
static void test_secrets_are_not_shown(void **state)
{
    (void)state;
    setenv("SPANBRIDGE_TEST_PASSWORD", "hush-hush", 1);
    struct config_report report;
    struct settings *settings = NULL;
    struct text shown;
    text_init(&shown, 1 << 16);
    config_report_init(&report);
    assert_int_equal(memory_load("workers = \"${SPANBRIDGE_TEST_PASSWORD}\";\n" WORKER_REST,
                                 TOPIC, &report, &settings),
                     SB_ERR_CONFIG);
    config_report_text(&report, false, &shown);
    assert_null(strstr(text_string(&shown), "hush"));
    assert_non_null(strstr(text_string(&shown), "(redacted)"));
    text_clear(&shown);
    config_report_clear(&report);
}

/* A long value is cut in messages. */
static void test_long_value(void **state)
{
    (void)state;
    char line[600] = "repair = { mode = \"";
    memset(line + strlen(line), 'x', 500);
    strncat(line, "\"; };", 10);
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(memory_load(line, TOPIC, &report, &settings), SB_ERR_CONFIG);
    bool cut = false;
    for (uint32_t i = 0; i < report.count; i++) {
        assert_true(strlen(report.items[i].text) < 300);
        cut = cut || strstr(report.items[i].text, "xxx...") != NULL;
    }
    assert_true(cut);
    config_report_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_of_another_type),
        cmocka_unit_test(test_bounds_are_told),
        cmocka_unit_test(test_secrets_are_not_shown),
        cmocka_unit_test(test_long_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
