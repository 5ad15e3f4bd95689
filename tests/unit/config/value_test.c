#include "value.h"

#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

struct bound {
    const char *line;
    bool fits;
};

/* Both ends of a range belong to it. */
static void test_bounds(void **state)
{
    (void)state;
    static const struct bound bounds[] = {
        {"workers = 0;", true},
        {"workers = 256;", true},
        {"workers = 257;", false},
        {"workers = -1;", false},
        {"memory = \"4TiB\";", true},
        {"memory = \"4097GiB\";", false},
        {"window = { wait = \"1ms\"; };", true},
        {"window = { wait = \"999us\"; };", false},
        {"window = { wait_ms = 1; };", true},
        {"window = { wait_ms = 0; };", false},
        {"repair = { ttl = \"30d\"; };", true},
        {"repair = { ttl = \"30.000001d\"; };", false},
        {"limits = { record_bytes = \"1GiB\"; };", true},
        {"limits = { record_bytes = \"1073741825\"; };", false},
        {"repair = { lateness = \"1.5s\"; };", true},
        {"repair = { ttl_ms = 9223372036854775807L; };", false},
        {"repair = { ttl_ms = -1; };", false},
    };
    for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
        char worker[1024];
        struct config_report report;
        struct settings *settings = NULL;
        snprintf(worker, sizeof(worker), "%s\n" WORKER_REST, bounds[i].line);
        config_report_init(&report);
        enum sb_err err = memory_load(worker, TOPIC, &report, &settings);
        if ((err == SB_OK) != bounds[i].fits)
            fail_msg("%s", bounds[i].line);
        if (!bounds[i].fits)
            assert_non_null(strstr(report.items[0].text, "is out of range: "));
        settings_free(settings);
        config_report_clear(&report);
    }
}

static void test_switches(void **state)
{
    (void)state;
    struct settings *settings = memory_load_lines(
        "repair = { queue_span = TRUE; }; errors = { context_headers = False; };");
    assert_true(settings->repair.queue_span);
    assert_false(settings->errors.context_headers);
    settings_free(settings);
    memory_expect_errors("repair = { queue_span = \"on\"; };",
                         "worker.conf:1: error: repair.queue_span takes true or false, not "
                         "\"on\"\n  help: write queue_span = true;\n");
    memory_expect_errors("repair = { queue_span = 0; };",
                         "worker.conf:1: error: repair.queue_span takes true or false, not 0\n"
                         "  help: write queue_span = false;\n");
}

/* Paths are relative to the file that names them. */
static void test_paths(void **state)
{
    (void)state;
    const struct memory_file list[] = {
        {"d/w",
         "kafka = { bootstrap = \"a\"; };\n"
         "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n"
         "@include \"e/sinks\"\n"},
        {"d/e/sinks",
         "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"https://a\"; "
         "tls = { ca = \"ca.pem\"; certificate = \"/c\"; key = \"../k\"; }; } );"},
        {"t", TOPIC},
        {NULL, NULL}};
    struct config_files files = memory_files(list);
    const char *topics[] = {"t"};
    struct config_sources sources = {
        .files = &files, .worker = "d/w", .topics = topics, .topic_count = 1};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(config_load(&sources, &report, &settings), SB_OK);
    assert_string_equal(settings->sinks[0].tls.ca, "d/e/ca.pem");
    assert_string_equal(settings->sinks[0].tls.certificate, "/c");
    assert_string_equal(settings->sinks[0].tls.key, "d/e/../k");
    settings_free(settings);
    config_report_clear(&report);
}

static void test_later_words(void **state)
{
    (void)state;
    memory_expect_errors(
        "repair = { mode = \"split\"; };",
        "worker.conf:1: error: repair.mode = \"split\" is not available in this "
        "version\n  help: known: off, report, link, parent, auto\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_switches),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_later_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
