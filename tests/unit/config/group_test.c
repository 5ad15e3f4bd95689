#include "group.h"

#include <string.h>

#include "memory_files.h"
#include "support/test.h"

#define HEAD "kafka = { bootstrap = \"a\"; };\n"
#define SAMPLING                                                                               \
    "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n"
#define SINKS "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://a\"; } );\n"

static struct settings *load(const char *worker, const char *topic)
{
    struct config_report report;
    struct settings *settings = NULL;
    struct text shown;
    text_init(&shown, 1 << 16);
    config_report_init(&report);
    enum sb_err err = memory_load(worker, topic, &report, &settings);
    config_report_text(&report, false, &shown);
    assert_string_equal(text_string(&shown), "");
    assert_int_equal(err, SB_OK);
    text_clear(&shown);
    config_report_clear(&report);
    return settings;
}

static void test_policies(void **state)
{
    (void)state;
    struct settings *settings =
        load(HEAD SINKS "sampling = { policies = (\n"
                        "{ name = \"e\"; type = \"status_code\"; status_codes = [ \"ERROR\", "
                        "\"UNSET\" ]; },\n"
                        "{ type = \"latency\"; threshold_ms = 2000; name = \"l\"; "
                        "upper_threshold = \"1m\"; },\n"
                        "{ name = \"a\"; type = \"string_attribute\"; key = \"k\"; "
                        "values = ( \"x\", \"\" ); invert = true; cache_size = 10; },\n"
                        "{ name = \"p\"; type = \"probabilistic\"; percentage = 5; "
                        "hash_salt = \"\"; } ); };\n",
             TOPIC);
    const struct settings_policy *policies = settings->sampling.policies;
    assert_int_equal(settings->sampling.policy_count, 4);
    assert_int_equal(policies[0].type, SETTINGS_POLICY_STATUS_CODE);
    assert_int_equal(policies[0].status_code.codes,
                     SETTINGS_STATUS_ERROR | SETTINGS_STATUS_UNSET);
    assert_int_equal(policies[1].type, SETTINGS_POLICY_LATENCY);
    assert_int_equal(policies[1].latency.threshold_ns, UINT64_C(2000000000));
    assert_int_equal(policies[1].latency.upper_threshold_ns, UINT64_C(60000000000));
    assert_string_equal(policies[2].string_attribute.key, "k");
    assert_int_equal(policies[2].string_attribute.value_count, 2);
    assert_string_equal(policies[2].string_attribute.values[0], "x");
    assert_string_equal(policies[2].string_attribute.values[1], "");
    assert_true(policies[2].string_attribute.invert);
    assert_false(policies[2].string_attribute.regex);
    assert_int_equal(policies[2].string_attribute.cache_size, 10);
    assert_true(policies[3].probabilistic.percentage == 5.0);
    assert_string_equal(policies[3].probabilistic.hash_salt, "");
    assert_int_equal(policies[3].policy_count, 0);
    settings_free(settings);
}

static void test_sinks(void **state)
{
    (void)state;
    struct settings *settings = load(
        HEAD SAMPLING
        "sinks = ( { name = \"a\"; type = \"otlp_grpc\"; endpoints = [ \"https://a:1\", "
        "\"https://b\" ]; headers = ( { name = \"x\"; value = \"1\"; },\n"
        "{ name = \"y\"; file = \"token\"; } ); compression = \"zstd\"; tls = { ca = \"/ca\"; "
        "certificate = \"c\"; key = \"k\"; insecure = true; }; batch = { spans = 5; "
        "bytes = \"1MiB\"; linger_ms = 5; }; queue = \"2MiB\"; in_flight = 2; "
        "timeout = \"1s\"; retry = { initial = \"5ms\"; max = \"6ms\"; }; } );\n",
        TOPIC);
    const struct settings_sink *sink = &settings->sinks[0];
    assert_int_equal(sink->type, SETTINGS_SINK_OTLP_GRPC);
    assert_int_equal(sink->endpoint_count, 2);
    assert_string_equal(sink->endpoints[1], "https://b");
    assert_int_equal(sink->header_count, 2);
    assert_string_equal(sink->headers[0].value, "1");
    assert_null(sink->headers[0].file);
    assert_null(sink->headers[1].value);
    assert_string_equal(sink->headers[1].file, "token");
    assert_int_equal(sink->compression, SETTINGS_COMPRESSION_ZSTD);
    assert_string_equal(sink->tls.ca, "/ca");
    assert_true(sink->tls.insecure);
    assert_int_equal(sink->batch.spans_max, 5);
    assert_int_equal(sink->batch.bytes_max, 1 << 20);
    assert_int_equal(sink->batch.linger_ns, 5000000);
    assert_int_equal(sink->queue_bytes_max, 2 << 20);
    assert_int_equal(sink->in_flight_max, 2);
    assert_int_equal(sink->retry.max_ns, 6000000);
    settings_free(settings);
}

static void test_topic(void **state)
{
    (void)state;
    struct settings *settings =
        load(WORKER_REST,
             "name = \"n\"; source = \"kafka\"; topic = \"^a\\\\..*\"; exclude = [ \"a.b\", "
             "\"^a\\\\.c\" ]; role = \"spans\"; encoding = \"otlp_json\"; start = \"latest\"; "
             "isolation = \"read_uncommitted\"; "
             "kafka = { properties = ( { name = \"p\"; value = \"\"; } ); };");
    const struct settings_topic *topic = &settings->topics[0];
    assert_string_equal(topic->name, "n");
    assert_string_equal(topic->topic, "^a\\..*");
    assert_int_equal(topic->exclude_count, 2);
    assert_string_equal(topic->exclude[1], "^a\\.c");
    assert_int_equal(topic->encoding, SETTINGS_ENCODING_OTLP_JSON);
    assert_int_equal(topic->start, SETTINGS_START_LATEST);
    assert_int_equal(topic->isolation, SETTINGS_READ_UNCOMMITTED);
    assert_int_equal(topic->property_count, 1);
    assert_string_equal(topic->properties[0].value, "");
    settings_free(settings);
}

static void test_deep_path(void **state)
{
    (void)state;
    struct text lines;
    text_init(&lines, 1 << 16);
    for (int i = 0; i < 500; i++)
        text_append_char(&lines, 'x');
    text_append_text(&lines, " = 1;");
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(memory_load(text_string(&lines), TOPIC, &report, &settings),
                     SB_ERR_CONFIG);
    config_report_clear(&report);
    text_clear(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_sinks),
        cmocka_unit_test(test_topic),
        cmocka_unit_test(test_deep_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
