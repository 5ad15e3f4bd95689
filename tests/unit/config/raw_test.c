#include "raw.h"

#include <stdlib.h>

#include "memory_files.h"
#include "support/test.h"

/* Numbers and switches may come from variables. */
static void test_variables(void **state)
{
    (void)state;
    setenv("SPANBRIDGE_TEST_NUMBER", "7", 1);
    setenv("SPANBRIDGE_TEST_SWITCH", "True", 1);
    struct settings *settings =
        memory_load_lines("workers = \"${SPANBRIDGE_TEST_NUMBER}\";\n"
                          "repair = { queue_span = \"${SPANBRIDGE_TEST_SWITCH}\"; };\n"
                          "window = { wait = \"${SPANBRIDGE_TEST_NUMBER}s\"; "
                          "hold_ms = \"${SPANBRIDGE_TEST_NUMBER}0000\"; };\n");
    assert_int_equal(settings->workers, 7);
    assert_true(settings->repair.queue_span);
    assert_int_equal(settings->window.wait_ns, UINT64_C(7000000000));
    assert_int_equal(settings->window.hold_ns, UINT64_C(70000000000));
    settings_free(settings);
}

static void test_shares_from_variables(void **state)
{
    (void)state;
    setenv("SPANBRIDGE_TEST_SHARE", "12.5", 1);
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(
        memory_load("kafka = { bootstrap = \"a\"; };\n"
                    "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://a\"; "
                    "} );\n"
                    "sampling = { policies = ( { name = \"p\"; type = \"probabilistic\"; "
                    "percentage = \"${SPANBRIDGE_TEST_SHARE}\"; } ); };\n",
                    TOPIC, &report, &settings),
        SB_OK);
    assert_true(settings->sampling.policies[0].probabilistic.percentage == 12.5);
    settings_free(settings);
    config_report_clear(&report);
}

/* Long integers are integers; 64 bits do not wrap. */
static void test_integers(void **state)
{
    (void)state;
    struct settings *settings =
        memory_load_lines("workers = 7L; limits = { depth = 0x10; spans = 0x20L; };");
    assert_int_equal(settings->workers, 7);
    assert_int_equal(settings->limits.depth_max, 16);
    assert_int_equal(settings->limits.spans_max, 32);
    settings_free(settings);
    memory_expect_errors("workers = 4294967297L;",
                         "worker.conf:1: error: workers is out of range: 4294967297\n"
                         "  help: from 0 to 256\n");
}

static void test_invalid_utf8_by_escape(void **state)
{
    (void)state;
    memory_expect_errors("group = \"\\xff\";",
                         "worker.conf:1: error: group is not valid UTF-8\n");
    struct settings *settings = memory_load_lines("group = \"caf\\xc3\\xa9\";");
    assert_string_equal(settings->group, "caf\xc3\xa9");
    settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_shares_from_variables),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_invalid_utf8_by_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
