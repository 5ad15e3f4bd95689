#include "config/load.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/print.h"
#include "core/memory.h"
#include "memory_files.h"
#include "support/temp_dir.h"
#include "support/test.h"

enum { NAME_LEN = 300, TOPICS_MAX = 16 };

/* ---- the table of bad files: tests/data/config/bad ---- */

/* Every case of bad/ is NAME.conf, a worker file; topic_NAME.conf; or a folder of topic files.
 * What must be reported, to the letter, is in NAME.txt beside it. */
struct bad_case {
    char worker[NAME_LEN];
    char topics[TOPICS_MAX][NAME_LEN];
    uint32_t topic_count;
    char expected[NAME_LEN];
};

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static void add_folder(struct bad_case *bad, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    assert_true(count > 2);
    for (int i = 0; i < count; i++) {
        if (ends_with(entries[i]->d_name, ".conf")) {
            assert_true(bad->topic_count < TOPICS_MAX);
            snprintf(bad->topics[bad->topic_count++], NAME_LEN, "%.40s/%.250s", folder,
                     entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
}

/* False: the entry is no case. */
static bool make_case(const char *name, struct bad_case *ret)
{
    struct stat status;
    *ret = (struct bad_case){.topic_count = 0};
    assert_int_equal(stat(name, &status), 0);
    bool folder = S_ISDIR(status.st_mode) && name[0] != '.';
    if (!folder && !ends_with(name, ".conf"))
        return false;
    size_t stem = folder ? strlen(name) : strlen(name) - strlen(".conf");
    snprintf(ret->expected, NAME_LEN, "%.*s.txt", (int)stem, name);
    snprintf(ret->worker, NAME_LEN, "%s", "../ok/worker.conf");
    if (folder) {
        add_folder(ret, name);
        return true;
    }
    bool topic = strncmp(name, "topic_", strlen("topic_")) == 0;
    snprintf(topic ? ret->topics[0] : ret->worker, NAME_LEN, "%.*s.conf", (int)stem, name);
    if (!topic)
        snprintf(ret->topics[0], NAME_LEN, "%s", "../ok/topic.conf");
    ret->topic_count = 1;
    return true;
}

static void read_expected(const char *path, struct text *out)
{
    FILE *file = fopen(path, "rb");
    char step[4096];
    size_t got;
    if (file == NULL)
        fail_msg("%s is missing", path);
    while ((got = fread(step, 1, sizeof(step), file)) > 0)
        text_append(out, bytes_of(step, got));
    fclose(file);
}

/* With SPANBRIDGE_UPDATE the expectation is written instead of compared: read it, then. */
static void compare(const char *path, const struct text *shown)
{
    if (getenv("SPANBRIDGE_UPDATE") != NULL) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fputs(text_string(shown), file);
        fclose(file);
        return;
    }
    struct text expected;
    text_init(&expected, 1 << 20);
    read_expected(path, &expected);
    if (strcmp(text_string(shown), text_string(&expected)) != 0)
        fail_msg("%s differs, found:\n%s", path, text_string(shown));
    text_clear(&expected);
}

static void run_case(const struct bad_case *bad)
{
    const char *topics[TOPICS_MAX];
    for (uint32_t i = 0; i < bad->topic_count; i++)
        topics[i] = bad->topics[i];
    struct config_sources sources = {
        .worker = bad->worker, .topics = topics, .topic_count = bad->topic_count};
    struct config_report report;
    struct settings *settings = NULL;
    struct text shown;
    config_report_init(&report);
    text_init(&shown, 1 << 20);
    enum sb_err err = config_load(&sources, &report, &settings);
    config_report_text(&report, false, &shown);
    if (err != SB_ERR_CONFIG)
        fail_msg("%s: loaded, or failed otherwise: %d", bad->expected, (int)err);
    assert_null(settings);
    assert_true(report.errors > 0);
    assert_null(strstr(text_string(&shown), "hunter2")); /* the password in all of them */
    compare(bad->expected, &shown);
    text_clear(&shown);
    config_report_clear(&report);
}

static void test_bad_files(void **state)
{
    (void)state;
    char back[1024];
    assert_non_null(getcwd(back, sizeof(back)));
    assert_int_equal(chdir(CONFIG_DATA "/bad"), 0);
    unsetenv("SPANBRIDGE_TEST_UNSET");
    unsetenv("SPANBRIDGE_TEST_UNSET_PASSWORD");
    setenv("SPANBRIDGE_TEST_WORD", "many", 1);
    setenv("SPANBRIDGE_TEST_TOKEN", "hunter2", 1);
    struct dirent **entries;
    int count = scandir(".", &entries, NULL, alphasort);
    unsigned cases = 0;
    for (int i = 0; i < count; i++) {
        struct bad_case bad;
        if (make_case(entries[i]->d_name, &bad)) {
            run_case(&bad);
            cases++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(cases >= 35);
    assert_int_equal(chdir(back), 0);
}

/* ---- what loads ---- */

static void test_least(void **state)
{
    (void)state;
    struct settings *settings = memory_load_lines("");
    assert_string_equal(settings->group, "spanbridge");
    assert_null(settings->instance);
    assert_int_equal(settings->workers, 0);
    assert_int_equal(settings->memory_bytes, UINT64_C(2) << 30);
    assert_string_equal(settings->kafka.bootstrap, "localhost:9092");
    assert_int_equal(settings->window.wait_ns, UINT64_C(30000000000));
    assert_int_equal(settings->window.after_root_ns, 0);
    assert_int_equal(settings->window.idle_ns, 0);
    assert_int_equal(settings->window.hold_ns, UINT64_C(120000000000));
    assert_int_equal(settings->window.spans_per_trace_max, 20000);
    assert_int_equal(settings->window.bytes_per_trace_max, 16 << 20);
    assert_int_equal(settings->decided.memory_bytes, 64 << 20);
    assert_int_equal(settings->repair.mode, SETTINGS_REPAIR_AUTO);
    assert_false(settings->repair.queue_span);
    assert_int_equal(settings->repair.unseen, SETTINGS_UNSEEN_AUTO);
    assert_int_equal(settings->repair.ttl_ns, UINT64_C(3600000000000));
    assert_int_equal(settings->repair.replay_ns, UINT64_C(90000000000));
    assert_int_equal(settings->repair.lateness_ns, UINT64_C(5000000000));
    assert_int_equal(settings->repair.links_max, 128);
    assert_int_equal(settings->sampling.policy_count, 1);
    assert_int_equal(settings->log.level, SETTINGS_LOG_INFO);
    assert_int_equal(settings->shutdown.timeout_ns, UINT64_C(60000000000));
    assert_int_equal(settings->shutdown.drain, SETTINGS_DRAIN_LEAVE);
    settings_free(settings);
}

static void test_sink_defaults(void **state)
{
    (void)state;
    struct settings *settings = memory_load_lines("");
    assert_int_equal(settings->sink_count, 1);
    const struct settings_sink *sink = &settings->sinks[0];
    assert_string_equal(sink->name, "s");
    assert_int_equal(sink->type, SETTINGS_SINK_OTLP_HTTP);
    assert_int_equal(sink->endpoint_count, 1);
    assert_string_equal(sink->endpoints[0], "http://localhost:4318");
    assert_int_equal(sink->compression, SETTINGS_COMPRESSION_NONE);
    assert_int_equal(sink->batch.spans_max, 8192);
    assert_int_equal(sink->batch.bytes_max, 4 << 20);
    assert_int_equal(sink->batch.linger_ns, 200000000);
    assert_int_equal(sink->queue_bytes_max, 64 << 20);
    assert_int_equal(sink->in_flight_max, 4);
    assert_int_equal(sink->timeout_ns, UINT64_C(10000000000));
    assert_int_equal(sink->retry.initial_ns, UINT64_C(1000000000));
    assert_int_equal(sink->retry.max_ns, UINT64_C(30000000000));
    assert_int_equal(sink->on_full, SETTINGS_SINK_BLOCK);
    settings_free(settings);
}

static void test_topic_defaults(void **state)
{
    (void)state;
    struct settings *settings = memory_load_lines("");
    assert_int_equal(settings->topic_count, 1);
    const struct settings_topic *topic = &settings->topics[0];
    assert_string_equal(topic->file, "topic.conf");
    assert_string_equal(topic->name, "otlp_spans");
    assert_string_equal(topic->topic, "otlp_spans");
    assert_int_equal(topic->role, SETTINGS_ROLE_SPANS);
    assert_int_equal(topic->encoding, SETTINGS_ENCODING_OTLP_PROTO);
    assert_int_equal(topic->start, SETTINGS_START_COMMITTED);
    assert_int_equal(topic->isolation, SETTINGS_READ_COMMITTED);
    assert_int_equal(topic->errors.tolerance, SETTINGS_TOLERANCE_NONE);
    assert_null(topic->errors.deadletterqueue);
    assert_true(topic->errors.context_headers);
    assert_int_equal(topic->repair.mode, SETTINGS_REPAIR_AUTO);
    settings_free(settings);
}

/* The worker's errors and repair, as far as the topic file does not say otherwise. */
static void test_inheritance(void **state)
{
    (void)state;
    static const char worker[] =
        "repair = { mode = \"link\"; queue_span = true; replay = \"10m\"; };\n"
        "errors = { deadletterqueue = \"all.dlq\"; context_headers = false; };\n" WORKER_REST;
    static const char topic[] = TOPIC "repair = { mode = \"off\"; ttl = \"2h\"; };\n";
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(memory_load(worker, topic, &report, &settings), SB_OK);
    const struct settings_topic *loaded = &settings->topics[0];
    assert_int_equal(settings->repair.mode, SETTINGS_REPAIR_LINK);
    assert_int_equal(loaded->repair.mode, SETTINGS_REPAIR_OFF);
    assert_true(loaded->repair.queue_span);
    assert_int_equal(loaded->repair.replay_ns, UINT64_C(600000000000));
    assert_int_equal(loaded->repair.ttl_ns, UINT64_C(7200000000000));
    assert_int_equal(settings->repair.ttl_ns, UINT64_C(3600000000000));
    assert_string_equal(loaded->errors.deadletterqueue, "all.dlq");
    assert_int_equal(loaded->errors.tolerance, SETTINGS_TOLERANCE_ALL);
    assert_false(loaded->errors.context_headers);
    settings_free(settings);
    config_report_clear(&report);
}

struct tolerance_example {
    const char *worker;
    const char *topic;
    enum settings_tolerance expected;
};

static void test_tolerance_rule(void **state)
{
    (void)state;
    static const struct tolerance_example examples[] = {
        {"", "", SETTINGS_TOLERANCE_NONE},
        {"", "deadletterqueue = \"d\";", SETTINGS_TOLERANCE_ALL},
        {"", "deadletterqueue = \"d\"; tolerance = \"none\";", SETTINGS_TOLERANCE_NONE},
        {"", "tolerance = \"all\";", SETTINGS_TOLERANCE_ALL},
        {"deadletterqueue = \"d\";", "", SETTINGS_TOLERANCE_ALL},
        {"deadletterqueue = \"d\"; tolerance = \"none\";", "", SETTINGS_TOLERANCE_NONE},
        {"tolerance = \"none\";", "deadletterqueue = \"d\";", SETTINGS_TOLERANCE_NONE},
        {"tolerance = \"none\";", "tolerance = \"all\";", SETTINGS_TOLERANCE_ALL},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        char worker[1024];
        char topic[1024];
        struct config_report report;
        struct settings *settings = NULL;
        snprintf(worker, sizeof(worker), "errors = { %s };\n" WORKER_REST, examples[i].worker);
        snprintf(topic, sizeof(topic), TOPIC "errors = { %s };\n", examples[i].topic);
        config_report_init(&report);
        assert_int_equal(memory_load(worker, topic, &report, &settings), SB_OK);
        assert_int_equal(settings->topics[0].errors.tolerance, examples[i].expected);
        settings_free(settings);
        config_report_clear(&report);
    }
}

static void test_overrides(void **state)
{
    (void)state;
    const struct memory_file list[] = {
        {"w", "log = { level = \"error\"; };\n" WORKER_REST}, {"t", TOPIC}, {NULL, NULL}};
    struct config_files files = memory_files(list);
    const char *topics[] = {"t"};
    const struct config_override overrides[] = {{"log.level", "debug", "--log-level"},
                                                {"log.format", "json", "--log-format"}};
    struct config_sources sources = {.files = &files,
                                     .worker = "w",
                                     .topics = topics,
                                     .topic_count = 1,
                                     .overrides = overrides,
                                     .override_count = 2};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(config_load(&sources, &report, &settings), SB_OK);
    assert_int_equal(settings->log.level, SETTINGS_LOG_DEBUG);
    assert_int_equal(settings->log.format, SETTINGS_LOG_JSON);
    settings_free(settings);
    config_report_clear(&report);
}

static void test_bad_override(void **state)
{
    (void)state;
    const struct memory_file list[] = {{"w", WORKER_REST}, {"t", TOPIC}, {NULL, NULL}};
    struct config_files files = memory_files(list);
    const char *topics[] = {"t"};
    const struct config_override override = {"log.level", "debgu", "--log-level"};
    struct config_sources sources = {.files = &files,
                                     .worker = "w",
                                     .topics = topics,
                                     .topic_count = 1,
                                     .overrides = &override,
                                     .override_count = 1};
    struct config_report report;
    struct settings *settings = NULL;
    struct text shown;
    config_report_init(&report);
    text_init(&shown, 4096);
    assert_int_equal(config_load(&sources, &report, &settings), SB_ERR_CONFIG);
    config_report_text(&report, false, &shown);
    assert_string_equal(
        text_string(&shown),
        "--log-level: error: --log-level: unknown value \"debgu\"\n"
        "  help: did you mean \"debug\"? known: debug, info, warn, error, off\n");
    text_clear(&shown);
    config_report_clear(&report);
}

/* Files of topics_dir come after those of the command line, and none twice. */
static void test_topics_dir(void **state)
{
    (void)state;
    const struct memory_file list[] = {
        {"etc/worker.conf", "topics_dir = \"t\";\n" WORKER_REST},
        {"etc/t/a.conf", "topic = \"a\"; role = \"messages\";"},
        {"etc/t/b.conf", "topic = \"b\"; role = \"spans\";"},
        {"etc/t/c.txt", "this is no topic file"},
        {NULL, NULL},
    };
    struct config_files files = memory_files(list);
    const char *topics[] = {"etc/t/b.conf"};
    struct config_sources sources = {
        .files = &files, .worker = "etc/worker.conf", .topics = topics, .topic_count = 1};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(config_load(&sources, &report, &settings), SB_OK);
    assert_int_equal(settings->topic_count, 2);
    assert_string_equal(settings->topics[0].topic, "b");
    assert_string_equal(settings->topics[1].topic, "a");
    assert_string_equal(settings->topics_dir, "etc/t");
    settings_free(settings);
    config_report_clear(&report);
}

static void test_empty_topics_dir(void **state)
{
    (void)state;
    const struct memory_file list[] = {{"w", "topics_dir = \"t\";\n" WORKER_REST},
                                       {NULL, NULL}};
    struct config_files files = memory_files(list);
    struct config_sources sources = {.files = &files, .worker = "w"};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(config_load(&sources, &report, &settings), SB_ERR_CONFIG);
    assert_int_equal(report.count, 1);
    assert_string_equal(report.items[0].text, "topics_dir has no topic files");
    config_report_clear(&report);
}

static void test_no_topics(void **state)
{
    (void)state;
    const struct memory_file list[] = {{"w", WORKER_REST}, {NULL, NULL}};
    struct config_files files = memory_files(list);
    struct config_sources sources = {.files = &files, .worker = "w"};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(config_load(&sources, &report, &settings), SB_ERR_CONFIG);
    assert_int_equal(report.count, 1);
    assert_string_equal(report.items[0].text, "there is no topic file");
    config_report_clear(&report);
}

/* Fifty errors are told, the others counted. */
static void test_many_errors(void **state)
{
    (void)state;
    struct text lines;
    struct text shown;
    struct config_report report;
    struct settings *settings = NULL;
    text_init(&lines, 1 << 20);
    text_init(&shown, 1 << 20);
    for (int i = 0; i < 70; i++)
        text_printf(&lines, "xyzzy%d = 1;\n", i);
    config_report_init(&report);
    assert_int_equal(memory_load(text_string(&lines), TOPIC, &report, &settings),
                     SB_ERR_CONFIG);
    assert_int_equal(report.count, CONFIG_ERRORS_MAX);
    assert_true(report.errors > 70);
    config_report_text(&report, false, &shown);
    assert_non_null(strstr(text_string(&shown), "xyzzy49"));
    assert_null(strstr(text_string(&shown), "xyzzy50"));
    assert_non_null(strstr(text_string(&shown), "... and "));
    config_report_clear(&report);
    text_clear(&shown);
    text_clear(&lines);
}

#define NO_KAFKA(type, lines)                                                                  \
    "sampling = { policies = ( { name = \"all\"; type = \"always_sample\"; } ); };\n"          \
    "sinks = ( { name = \"s\"; type = \"" type "\"; " lines "; } );\n"

/* ---- files on disk ---- */

static void unset_variables(void)
{
    unsetenv("KAFKA_BOOTSTRAP");
    unsetenv("OTLP_ENDPOINT");
    unsetenv("RABBITMQ_PASSWORD");
    unsetenv("RABBITMQ_HOST");
}

static void test_samples(void **state)
{
    (void)state;
    struct config_sources sources = {.worker = CONFIG_SAMPLES "/worker.conf"};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    unset_variables();
    assert_int_equal(config_load(&sources, &report, &settings), SB_OK);
    assert_int_equal(report.warnings, 0);
    assert_int_equal(settings->topic_count, 2);
    assert_int_equal(settings->sampling.policy_count, 4);
    assert_string_equal(settings->kafka.bootstrap, "localhost:9092");
    settings_free(settings);
    config_report_clear(&report);
}

/* They stand beside topics_dir, so that nobody connects to RabbitMQ unasked. */
static void test_rabbitmq_samples(void **state)
{
    (void)state;
    static const char *const topics[] = {CONFIG_SAMPLES "/rabbitmq/notify.conf",
                                         CONFIG_SAMPLES "/rabbitmq/otlp_queue.conf"};
    struct config_sources sources = {
        .worker = CONFIG_SAMPLES "/worker.conf", .topics = topics, .topic_count = 2};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    unset_variables();
    assert_int_equal(config_load(&sources, &report, &settings), SB_OK);
    assert_int_equal(report.warnings, 0);
    assert_int_equal(settings->topic_count, 4);
    assert_string_equal(settings->rabbitmq.url, "amqp://guest:guest@localhost:5672/");
    const struct settings_topic *notify = &settings->topics[0];
    const struct settings_topic *spans = &settings->topics[1];
    assert_int_equal(notify->source, SETTINGS_SOURCE_RABBITMQ);
    assert_int_equal(notify->role, SETTINGS_ROLE_MESSAGES);
    assert_string_equal(notify->rabbitmq.queue, "spanbridge.notify");
    assert_string_equal(notify->rabbitmq.exchange, "notify");
    assert_int_equal(spans->role, SETTINGS_ROLE_SPANS);
    assert_string_equal(spans->rabbitmq.queue, "otlp_spans");
    assert_int_equal(spans->rabbitmq.consumers, 4);
    assert_string_equal(spans->errors.deadletterexchange, "");
    assert_string_equal(spans->errors.deadletterkey, "otlp_spans.dlq");
    assert_int_equal(spans->errors.tolerance, SETTINGS_TOLERANCE_ALL);
    settings_free(settings);
    config_report_clear(&report);
}

/* Kafka's brokers are named where something uses Kafka, and need not be elsewhere. */
static void test_no_kafka(void **state)
{
    (void)state;
    static const char queue[] = "source = \"rabbitmq\"; role = \"spans\"; queue = \"q\";\n";
    static const char letters[] = "source = \"rabbitmq\"; role = \"spans\"; queue = \"q\";\n"
                                  "errors = { deadletterqueue = \"dead\"; };\n";
    static const char missing[] = "worker.conf: error: kafka.bootstrap is missing\n"
                                  "  help: Brokers to start from, as host:port,host:port.\n";
    memory_expect_report(NO_KAFKA("otlp_http", "endpoint = \"http://h:4318\""), queue, "");
    memory_expect_report(NO_KAFKA("otlp_http", "endpoint = \"http://h:4318\""), TOPIC, missing);
    memory_expect_report(NO_KAFKA("otlp_http", "endpoint = \"http://h:4318\""), letters,
                         missing);
    memory_expect_report(NO_KAFKA("kafka", "topic = \"kept\""), queue, missing);
    memory_expect_report(NO_KAFKA("kafka", "topic = \"t\"; kafka = { bootstrap = \"b\"; }"),
                         queue, "");
}

/* Brokers and topics will do for a look. */
static void test_who_only_looks_needs_less(void **state)
{
    (void)state;
    static const struct memory_file list[] = {
        {"worker.conf", "kafka = { bootstrap = \"localhost:9092\"; };\n"},
        {"topic.conf", TOPIC},
        {NULL, NULL}};
    struct config_files files = memory_files(list);
    const char *topics[] = {"topic.conf"};
    struct config_sources sources = {
        .files = &files, .worker = "worker.conf", .topics = topics, .topic_count = 1};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(config_load(&sources, &report, &settings), SB_ERR_CONFIG);
    assert_int_equal(report.errors, 2);
    config_report_clear(&report);
    sources.looks_only = true;
    config_report_init(&report);
    assert_int_equal(config_load(&sources, &report, &settings), SB_OK);
    assert_int_equal(report.errors, 0);
    assert_int_equal(settings->sink_count, 0);
    assert_int_equal(settings->sampling.policy_count, 0);
    settings_free(settings);
    config_report_clear(&report);
}

static void test_folder_instead_of_file(void **state)
{
    (void)state;
    struct config_sources sources = {.worker = CONFIG_SAMPLES};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(config_load(&sources, &report, &settings), SB_ERR_CONFIG);
    assert_string_equal(report.items[0].text, "can not be read: Is a directory");
    config_report_clear(&report);
}

/* ---- want of memory ---- */

static enum sb_err load_with_fault(uint64_t nth, const char *worker, const char *topic)
{
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    memory_fail_at(nth);
    enum sb_err err = memory_load(worker, topic, &report, &settings);
    memory_fail_at(0);
    assert_true((settings != NULL) == (err == SB_OK));
    settings_free(settings);
    config_report_clear(&report);
    return err;
}

/* Fails the 1st, 2nd, ... allocation until none is left to fail. */
static void sweep(const char *worker, const char *topic, enum sb_err whole)
{
    uint64_t nth = 1;
    enum sb_err err = SB_ERR_MEMORY;
    for (; err == SB_ERR_MEMORY && nth < 10000; nth++)
        err = load_with_fault(nth, worker, topic);
    assert_int_equal(err, whole);
    assert_true(nth > 10);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    setenv("SPANBRIDGE_TEST_WORD", "many", 1);
    sweep("group = \"${SPANBRIDGE_TEST_WORD}\";\n"
          "topics_dir = \"nothing\";\n" WORKER_REST,
          TOPIC "exclude = [ \"a\" ];\nerrors = { deadletterqueue = \"x\"; };\n", SB_OK);
    sweep("instance = \"${SPANBRIDGE_TEST_WORD}\";\n"
          "rabbitmq = { url = \"amqps://u:${SPANBRIDGE_TEST_WORD}@h/\"; tls = { ca = \"c\"; }; "
          "};\nerrors = { deadletterexchange = \"\"; };\n" WORKER_REST,
          "source = \"rabbitmq\"; role = \"messages\"; queue = \"q\"; exchange = \"e\"; "
          "declare = true; x = 1;\n",
          SB_ERR_CONFIG);
    sweep("workres = 1;\ngroup = yes;\n@include \"none\"\n" WORKER_REST, TOPIC, SB_ERR_CONFIG);
    sweep("workres = 1;\ngroup = yes;\n" WORKER_REST, "a = {", SB_ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_sink_defaults),
        cmocka_unit_test(test_topic_defaults),
        cmocka_unit_test(test_inheritance),
        cmocka_unit_test(test_tolerance_rule),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_bad_override),
        cmocka_unit_test(test_topics_dir),
        cmocka_unit_test(test_empty_topics_dir),
        cmocka_unit_test(test_no_topics),
        cmocka_unit_test(test_many_errors),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_rabbitmq_samples),
        cmocka_unit_test(test_no_kafka),
        cmocka_unit_test(test_who_only_looks_needs_less),
        cmocka_unit_test(test_folder_instead_of_file),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
