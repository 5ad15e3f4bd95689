#include "policies.h"

#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

/* A worker file with those policies must give exactly this report. */
static void expect(const char *policies, const char *report)
{
    char worker[4096];
    int len =
        snprintf(worker, sizeof(worker),
                 "sampling = { policies = ( %s ); };\n"
                 "kafka = { bootstrap = \"a\"; };\n"
                 "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://a\"; "
                 "} );\n",
                 policies);
    assert_true(len > 0 && (size_t)len < sizeof(worker));
    memory_expect_report(worker, TOPIC, report);
}

static void test_thresholds(void **state)
{
    (void)state;
    static const char help[] =
        "  help: no trace takes longer than one and not longer than the other\n";
    char report[256];
    expect(
        "{ name = \"a\"; type = \"latency\"; threshold = \"1s\"; upper_threshold = \"2s\"; }",
        "");
    expect(
        "{ name = \"a\"; type = \"latency\"; threshold = \"1s\"; upper_threshold = \"0s\"; }",
        "");
    expect("{ name = \"a\"; type = \"latency\"; threshold = \"0s\"; }", "");
    snprintf(
        report, sizeof(report),
        "worker.conf:1: error: sampling.policies[0].upper_threshold is not above threshold: "
        "1s, 2s\n%s",
        help);
    expect(
        "{ name = \"a\"; type = \"latency\"; threshold = \"2s\"; upper_threshold = \"1s\"; }",
        report);
    snprintf(
        report, sizeof(report),
        "worker.conf:1: error: sampling.policies[0].upper_threshold is not above threshold: "
        "2s, 2s\n%s",
        help);
    expect(
        "{ name = \"a\"; type = \"latency\"; threshold = \"2s\"; upper_threshold_ms = 2000; }",
        report);
}

static void test_percentages(void **state)
{
    (void)state;
    expect("{ name = \"a\"; type = \"probabilistic\"; percentage = 0; }", "");
    expect("{ name = \"a\"; type = \"probabilistic\"; percentage = 100.0; }", "");
    expect("{ name = \"a\"; type = \"probabilistic\"; percentage = 1e-3; }", "");
    expect("{ name = \"a\"; type = \"probabilistic\"; percentage = 100.0001; }",
           "worker.conf:1: error: sampling.policies[0].percentage is out of range: 100\n"
           "  help: from 0 to 100\n");
    expect("{ name = \"a\"; type = \"probabilistic\"; percentage = -0.5; }",
           "worker.conf:1: error: sampling.policies[0].percentage is out of range: -0.5\n"
           "  help: from 0 to 100\n");
    expect("{ name = \"a\"; type = \"probabilistic\"; percentage = \"5\"; }",
           "worker.conf:1: error: sampling.policies[0].percentage takes a number, not \"5\"\n"
           "  help: write percentage = 5;\n");
}

static void test_empty(void **state)
{
    (void)state;
    expect("", "worker.conf:1: error: sampling.policies is empty\n");
    expect("{ name = \"a\"; type = \"string_attribute\"; key = \"k\"; values = [ ]; }",
           "worker.conf:1: error: sampling.policies[0].values is empty\n");
    expect("{ name = \"a\"; type = \"status_code\"; status_codes = [ ]; }",
           "worker.conf:1: error: sampling.policies[0].status_codes is empty\n");
    expect("{ name = \"a\"; type = \"string_attribute\"; key = \"k\"; values = [ \"\" ]; }",
           "");
}

static void test_names(void **state)
{
    (void)state;
    expect("{ name = \"a\"; type = \"always_sample\"; },\n"
           "{ name = \"a\"; type = \"always_sample\"; }",
           "worker.conf:2: error: two policies are called \"a\"\n"
           "  help: the first one is in worker.conf:1\n");
}

static void test_regex(void **state)
{
    (void)state;
    expect("{ name = \"a\"; type = \"string_attribute\"; key = \"k\"; regex = true; "
           "values = [ \"^a+$\", \"\\\\d{2}\", \"caf\xc3\xa9\" ]; }",
           "");
    expect("{ name = \"a\"; type = \"string_attribute\"; key = \"k\"; regex = true; "
           "values = [ \"a\", \"x(\" ]; }",
           "worker.conf:1: error: sampling.policies[0].values[1] is no regular expression: "
           "missing closing parenthesis\n  help: at character 3 of \"x(\"\n");
    expect("{ name = \"a\"; type = \"string_attribute\"; key = \"k\"; regex = true; "
           "values = [ \"\\\\C\" ]; }",
           "worker.conf:1: error: sampling.policies[0].values[0] is no regular expression: "
           "using \\C is disabled by the application\n  help: at character 3 of \"\\C\"\n");
    /* The same text is no expression without the switch. */
    expect("{ name = \"a\"; type = \"string_attribute\"; key = \"k\"; values = [ \"x(\" ]; }",
           "");
}

/* Policies of later versions nest; what is in them is looked at all the same. */
static void nest(char *out, size_t room, int depth)
{
    size_t len = 0;
    for (int i = 0; i < depth; i++)
        len += (size_t)snprintf(out + len, room - len,
                                "{ name = \"n\"; type = \"and\"; policies = ( ");
    len +=
        (size_t)snprintf(out + len, room - len, "{ name = \"n\"; type = \"always_sample\"; }");
    for (int i = 0; i < depth; i++)
        len += (size_t)snprintf(out + len, room - len, " ); }");
    assert_true(len < room);
}

static unsigned count_of(const char *text, const char *word)
{
    unsigned count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        count++;
    return count;
}

static void test_depth(void **state)
{
    (void)state;
    for (int depth = 1; depth < 12; depth++) {
        char policies[2048];
        char worker[4096];
        struct config_report report;
        struct settings *settings = NULL;
        struct text shown;
        nest(policies, sizeof(policies), depth);
        snprintf(worker, sizeof(worker), "sampling = { policies = ( %s ); };\n", policies);
        config_report_init(&report);
        text_init(&shown, 1 << 16);
        assert_int_equal(memory_load(worker, TOPIC, &report, &settings), SB_ERR_CONFIG);
        config_report_text(&report, false, &shown);
        assert_int_equal(count_of(text_string(&shown), "= \"and\" is not available"),
                         (unsigned)depth);
        assert_int_equal(count_of(text_string(&shown), "nest more than 8 levels deep"),
                         depth >= POLICIES_DEPTH_MAX);
        text_clear(&shown);
        config_report_clear(&report);
    }
}

static void test_too_many(void **state)
{
    (void)state;
    struct text worker;
    text_init(&worker, 1 << 20);
    text_append_text(&worker, "sampling = { policies = (\n");
    for (int i = 0; i < 65; i++)
        text_printf(&worker, "%s{ name = \"p%d\"; type = \"always_sample\"; }",
                    i == 0 ? "" : ",", i);
    text_append_text(&worker,
                     " ); };\nkafka = { bootstrap = \"a\"; };\nsinks = ( { name = \"s\"; "
                     "type = \"otlp_http\"; endpoint = \"http://a\"; } );\n");
    memory_expect_report(text_string(&worker), TOPIC,
                         "worker.conf:1: error: sampling.policies has more than 64 elements\n");
    text_clear(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thresholds), cmocka_unit_test(test_percentages),
        cmocka_unit_test(test_empty),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_regex),      cmocka_unit_test(test_depth),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
