#include "walk.h"

#include <string.h>

#include "config/settings.h"
#include "memory_files.h"
#include "support/test.h"

static void test_config_text(void **state)
{
    (void)state;
    static const char *const examples[][2] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"a\nb\tc\x01", "\"a\\nb\\x09c\\x01\""},
        {"${X} $Y", "\"$${X} $Y\""},
        {"caf\xc3\xa9", "\"caf\xc3\xa9\""},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        struct text out;
        text_init(&out, 1000);
        config_text(&out, examples[i][0]);
        assert_string_equal(text_string(&out), examples[i][1]);
        text_clear(&out);
    }
}

/* What config_text writes is read back as it was. */
static void test_round_trip(void **state)
{
    (void)state;
    static const char value[] = "a\"b\\c\nd\x01 ${X} $${Y} caf\xc3\xa9 \\d";
    struct text lines;
    text_init(&lines, 1000);
    text_append_text(&lines, "group = ");
    config_text(&lines, value);
    text_append_text(&lines, ";");
    struct settings *settings = memory_load_lines(text_string(&lines));
    assert_string_equal(settings->group, value);
    settings_free(settings);
    text_clear(&lines);
}

struct value_example {
    const char *lines;
    const char *path;
    const char *text;
    const char *json;
};

static void test_values(void **state)
{
    (void)state;
    static const struct value_example examples[] = {
        {"", "group", "\"spanbridge\"", "\"spanbridge\""},
        {"", "workers", "0", "0"},
        {"", "memory", "\"2GiB\"", "\"2GiB\""},
        {"", "window.wait", "\"30s\"", "\"30s\""},
        {"", "repair.queue_span", "false", "false"},
        {"", "repair.mode", "\"auto\"", "\"auto\""},
        {"", "limits.key_bytes", "\"1KiB\"", "\"1KiB\""},
        {"window = { wait_ms = 1500; };", "window.wait", "\"1500ms\"", "\"1500ms\""},
        {"group = \"${file:worker.conf}\";", "group", "\"(redacted)\"", "\"(redacted)\""},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        struct settings *settings = memory_load_lines(examples[i].lines);
        struct shown_group group = shown_group_of(settings, &schema_worker, settings);
        const struct schema_key *key = schema_find(&schema_worker, examples[i].path);
        for (int json = 0; json < 2; json++) {
            struct text out;
            text_init(&out, 1000);
            shown_value(&group, key, json != 0, &out);
            assert_string_equal(text_string(&out),
                                json != 0 ? examples[i].json : examples[i].text);
            text_clear(&out);
        }
        settings_free(settings);
    }
}

static void test_origins(void **state)
{
    (void)state;
    struct settings *settings = memory_load_lines("\ngroup = \"g\";");
    struct shown_group group = shown_group_of(settings, &schema_worker, settings);
    static const char *const examples[][2] = {
        {"group", "worker.conf:2"}, {"memory", "default"}, {"repair.replay", "derived"}};
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        struct text out;
        text_init(&out, 1000);
        shown_origin(&group, schema_find(&schema_worker, examples[i][0]), &out);
        assert_string_equal(text_string(&out), examples[i][1]);
        text_clear(&out);
    }
    settings_free(settings);
}

static void test_which_keys(void **state)
{
    (void)state;
    struct settings *settings = memory_load_lines("");
    struct shown_group policy =
        shown_group_of(settings, &schema_policy, &settings->sampling.policies[0]);
    assert_true(shown_key(&policy, schema_find(&schema_policy, "name")));
    assert_false(shown_key(&policy, schema_find(&schema_policy, "threshold")));
    struct shown_group sink = shown_group_of(settings, &schema_sink, &settings->sinks[0]);
    assert_true(shown_key(&sink, schema_find(&schema_sink, "endpoints")));
    assert_false(shown_key(&sink, schema_find(&schema_sink, "endpoint")));
    assert_false(shown_key(&sink, schema_find(&schema_sink, "profile")));
    assert_true(shown_is_unset(&sink, schema_find(&schema_sink, "headers")));
    assert_true(shown_is_unset(&sink, schema_find(&schema_sink, "tls.ca")));
    assert_false(shown_is_unset(&sink, schema_find(&schema_sink, "queue")));
    settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_text), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_values),      cmocka_unit_test(test_origins),
        cmocka_unit_test(test_which_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
