#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/print.h"
#include "memory_files.h"
#include "support/test.h"

static struct settings *load(const char *worker, const char *topic)
{
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    enum sb_err err = memory_load(worker, topic, &report, &settings);
    if (err != SB_OK)
        fail_msg("%s", report.count > 0 ? report.items[0].text : "?");
    config_report_clear(&report);
    return settings;
}

static void expect_line(const struct text *shown, const char *line)
{
    if (strstr(text_string(shown), line) == NULL)
        fail_msg("no line: %s", line);
}

static void test_lines(void **state)
{
    (void)state;
    struct settings *settings =
        load("group = \"g\"; window = {\n wait = \"5s\"; };\n" WORKER_REST,
             TOPIC "repair = { mode = \"off\"; };");
    struct text shown;
    text_init(&shown, 1 << 20);
    config_show(settings, &shown);
    expect_line(&shown, "# worker file worker.conf\n");
    expect_line(&shown, "\ngroup = \"g\";                                            # "
                        "worker.conf:1\n");
    expect_line(&shown, "\n# instance: not set\n");
    expect_line(&shown,
                "\nwindow = {\n    wait = \"5s\";                                        # "
                "worker.conf:2\n");
    expect_line(&shown,
                "    replay = \"65s\";                                     # derived\n");
    expect_line(&shown, "\n            type = \"always_sample\";");
    expect_line(&shown, "\n# topic file topic.conf\n");
    expect_line(&shown, "    mode = \"off\";                                       # "
                        "topic.conf:2\n");
    assert_int_equal(shown.error, SB_OK);
    text_clear(&shown);
    settings_free(settings);
}

/* Each group that is opened is closed, those within groups too, and JSON nests alike. */
static void test_groups_in_groups(void **state)
{
    (void)state;
    struct settings *settings = load(
        "log = { level = \"warn\"; levels = { worker = \"debug\"; }; };\n" WORKER_REST, TOPIC);
    struct text shown;
    text_init(&shown, 1 << 20);
    config_show(settings, &shown);
    expect_line(&shown, "    levels = {\n        admin = \"warn\";");
    expect_line(&shown, "        worker = \"debug\";                               # "
                        "worker.conf:1\n    };\n};\nshutdown = {\n");
    text_reset(&shown);
    config_show_json(settings, &shown);
    json_t *json = json_loads(text_string(&shown), 0, NULL);
    const char *app = NULL;
    const char *worker = NULL;
    assert_int_equal(json_unpack(json, "{s:{s:{s:{s:{s:s},s:{s:s}}}}}", "worker", "log",
                                 "levels", "app", "value", &app, "worker", "value", &worker),
                     0);
    assert_string_equal(app, "warn");
    assert_string_equal(worker, "debug");
    json_decref(json);
    text_clear(&shown);
    settings_free(settings);
}

#define SECRETS                                                                                \
    "kafka = { bootstrap = \"${SPANBRIDGE_TEST_SECRET}\"; properties = (\n"                    \
    "{ name = \"sasl.password\"; value = \"hunter2\"; },\n"                                    \
    "{ name = \"client.id\"; value = \"shown\"; } ); };\n"                                     \
    "group = \"${file:worker.conf}\";\n"                                                       \
    "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n"          \
    "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://a\"; headers = (\n"   \
    "{ name = \"authorization\"; value = \"Bearer hunter2\"; } ); } );\n"

static void expect_both(const struct settings *settings, const char *text, const char *json)
{
    struct text shown;
    text_init(&shown, 1 << 20);
    config_show(settings, &shown);
    expect_line(&shown, text);
    assert_null(strstr(text_string(&shown), "hunter2"));
    text_reset(&shown);
    config_show_json(settings, &shown);
    expect_line(&shown, json);
    assert_null(strstr(text_string(&shown), "hunter2"));
    text_clear(&shown);
}

/* Of a URL the password alone is hidden, wherever it came from; where more of it comes from a
 * secret place, all of it. */
static void test_broker_urls(void **state)
{
    (void)state;
    setenv("SPANBRIDGE_TEST_SECRET", "hunter2", 1);
    struct settings *settings =
        load("rabbitmq = { url = \"amqp://u:${SPANBRIDGE_TEST_SECRET}@h/\"; };\n" WORKER_REST,
             "source = \"rabbitmq\"; role = \"spans\"; queue = \"q\";\n");
    assert_string_equal(settings->rabbitmq.url, "amqp://u:hunter2@h/");
    expect_both(settings, "url = \"amqp://u:(redacted)@h/\";",
                "\"url\":{\"value\":\"amqp://u:(redacted)@h/\",\"origin\":\"worker.conf:1\"}");
    settings_free(settings);
    settings = load("rabbitmq = { url = \"amqp://u:hunter2@h/\"; };\n" WORKER_REST, TOPIC);
    expect_both(settings, "url = \"amqp://u:(redacted)@h/\";",
                "\"value\":\"amqp://u:(redacted)@h/\"");
    settings_free(settings);
    settings =
        load("rabbitmq = { url = \"amqp://${SPANBRIDGE_TEST_SECRET}:p@h/\"; };\n" WORKER_REST,
             "source = \"rabbitmq\"; role = \"spans\"; queue = \"q\";\n");
    expect_both(settings, "url = \"(redacted)\";", "\"value\":\"(redacted)\"");
    settings_free(settings);
}

/* What a topic or a sink takes over shows where it stands; what exists has no type. */
static void test_queues(void **state)
{
    (void)state;
    struct settings *settings =
        load("rabbitmq = { url = \"amqps://h/\";\ntls = { ca = \"a.pem\"; }; };\n" WORKER_REST,
             "source = \"rabbitmq\"; role = \"spans\";\nqueue = \"q\"; url = \"amqps://i/\";\n"
             "errors = { deadletterexchange = \"\"; deadletterkey = \"d\"; };\n");
    struct text shown;
    text_init(&shown, 1 << 20);
    config_show(settings, &shown);
    const char *topic = strstr(text_string(&shown), "# topic file");
    assert_non_null(topic);
    assert_non_null(strstr(topic, "queue = \"q\";"));
    assert_non_null(strstr(topic, "# topic.conf:2\n"));
    assert_non_null(strstr(topic, "# queue_type: with declare"));
    assert_non_null(strstr(topic, "# exchange_type: not declared"));
    assert_non_null(strstr(topic, "# deadletterqueue: not set"));
    assert_non_null(strstr(topic, "deadletterexchange = \"\";"));
    assert_null(strstr(topic, "a.pem")); /* the other broker's */
    assert_null(strstr(topic, "isolation"));
    text_clear(&shown);
    settings_free(settings);
    settings =
        load("rabbitmq = { url = \"amqps://h/\";\ntls = { ca = \"a.pem\"; }; };\n" WORKER_REST,
             "source = \"rabbitmq\"; role = \"spans\"; queue = \"q\";\n");
    text_init(&shown, 1 << 20);
    config_show(settings, &shown);
    topic = strstr(text_string(&shown), "# topic file");
    assert_non_null(topic);
    topic = strstr(topic, "    ca = \"a.pem\";");
    assert_non_null(topic);
    assert_non_null(strstr(topic, "# worker.conf:2\n"));
    text_clear(&shown);
    settings_free(settings);
}

/* A worker's place of dead letters that a topic does not take is not where its none is from. */
static void test_letters(void **state)
{
    (void)state;
    struct settings *settings = load("errors = { deadletterqueue = \"d\"; };\n" WORKER_REST,
                                     TOPIC "errors = { deadletterexchange = \"x\"; };\n");
    expect_both(settings, "deadletterkey = \"otlp_spans\";",
                "\"deadletterqueue\":{\"value\":null,\"origin\":\"default\"},"
                "\"deadletterexchange\":{\"value\":\"x\",\"origin\":\"topic.conf:2\"}");
    settings_free(settings);
}

static void test_redaction(void **state)
{
    (void)state;
    setenv("SPANBRIDGE_TEST_SECRET", "hunter2", 1);
    struct settings *settings = load(SECRETS, TOPIC);
    assert_string_equal(settings->kafka.properties[0].value, "hunter2");
    assert_string_equal(settings->kafka.bootstrap, "hunter2");
    for (int json = 0; json < 2; json++) {
        struct text shown;
        text_init(&shown, 1 << 20);
        if (json != 0)
            config_show_json(settings, &shown);
        else
            config_show(settings, &shown);
        assert_null(strstr(text_string(&shown), "hunter2"));
        expect_line(&shown, "(redacted)");
        expect_line(&shown, "\"shown\"");
        text_clear(&shown);
    }
    settings_free(settings);
}

/* Without the comments, which name places. */
static void strip_comments(char *text)
{
    char *out = text;
    for (char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        size_t keep = strcspn(line, "#");
        keep = keep > len ? len : keep;
        while (keep > 0 && line[keep - 1] == ' ')
            keep--;
        size_t step = line[len] == '\n' ? len + 1 : len;
        memmove(out, line, keep);
        out += keep;
        *out++ = '\n';
        line += step;
    }
    *out = '\0';
}

/* What is shown is configuration: loaded again it shows the same. */
static void test_round_trip(void **state)
{
    (void)state;
    static const char worker[] =
        "instance = \"i\"; tenant = \"t\"; workers = 3;\n"
        "kafka = { bootstrap = \"a:1,b:2\"; properties = ( { name = \"x\"; value = \"\"; } ); "
        "};\n"
        "sampling = { dry_run = true; policies = (\n"
        "{ name = \"e\"; type = \"status_code\"; status_codes = [ \"OK\", \"ERROR\" ]; },\n"
        "{ name = \"l\"; type = \"latency\"; threshold_ms = 1500; },\n"
        "{ name = \"a\"; type = \"string_attribute\"; key = \"k\"; values = [ \"a\\\"b\", \"\" "
        "]; },\n"
        "{ name = \"p\"; type = \"probabilistic\"; percentage = 12.5; } ); };\n"
        "sinks = ( { name = \"s\"; type = \"otlp_grpc\"; endpoints = [ \"http://a\", "
        "\"http://b\" "
        "]; headers = ( { name = \"h\"; file = \"/f\"; } ); },\n"
        "{ name = \"t\"; type = \"otlp_http\"; endpoint = \"http://a\"; } );\n";
    struct text first;
    struct text second;
    text_init(&first, 1 << 20);
    text_init(&second, 1 << 20);
    struct settings *settings =
        load(worker, "topic = \"^a\\\\..*\"; role = \"spans\"; exclude = [ \"a.b\" ];");
    config_show(settings, &first);
    settings_free(settings);
    strip_comments(first.at);
    char *topic = strstr(first.at, "\nname = \"^a");
    assert_non_null(topic);
    char *worker_again = strndup(first.at, (size_t)(topic - first.at));
    settings = load(worker_again, topic);
    config_show(settings, &second);
    settings_free(settings);
    strip_comments(second.at);
    assert_string_equal(first.at, second.at);
    free(worker_again);
    text_clear(&first);
    text_clear(&second);
}

static json_t *member(json_t *object, const char *name)
{
    json_t *found = json_object_get(object, name);
    if (found == NULL)
        fail_msg("no member %s", name);
    return found;
}

static void test_json(void **state)
{
    (void)state;
    struct settings *settings = load(WORKER_REST, TOPIC);
    struct text shown;
    json_error_t error;
    text_init(&shown, 1 << 20);
    config_show_json(settings, &shown);
    json_t *root = json_loads(text_string(&shown), JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail_msg("%s", error.text);
    json_t *worker = member(root, "worker");
    json_t *wait = member(member(worker, "window"), "wait");
    assert_string_equal(json_string_value(member(wait, "value")), "30s");
    assert_string_equal(json_string_value(member(wait, "origin")), "default");
    json_t *sink = json_array_get(member(member(worker, "sinks"), "value"), 0);
    assert_string_equal(json_string_value(member(member(sink, "name"), "value")), "s");
    assert_string_equal(json_string_value(member(member(sink, "name"), "origin")),
                        "worker.conf:3");
    assert_true(json_is_null(member(member(worker, "instance"), "value")));
    assert_int_equal(json_integer_value(member(member(worker, "workers"), "value")), 0);
    json_t *topic = json_array_get(member(root, "topics"), 0);
    assert_string_equal(json_string_value(member(topic, "file")), "topic.conf");
    json_t *role = member(member(topic, "settings"), "role");
    assert_string_equal(json_string_value(member(role, "value")), "spans");
    json_decref(root);
    text_clear(&shown);
    settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),      cmocka_unit_test(test_groups_in_groups),
        cmocka_unit_test(test_redaction),  cmocka_unit_test(test_broker_urls),
        cmocka_unit_test(test_queues),     cmocka_unit_test(test_letters),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
