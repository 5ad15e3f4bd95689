#include "derive.h"

#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

#define SPANS "source = \"rabbitmq\"; role = \"spans\"; "
#define TAP   "source = \"rabbitmq\"; role = \"messages\"; declare = true; exchange = \"e\"; "

/* The worker file with `lines` in front, and two topic files; the second may be NULL. */
static struct settings *load(const char *lines, const char *first, const char *second)
{
    static const char *const names[] = {"first", "second"};
    char worker[4096];
    snprintf(worker, sizeof(worker), "%s\n" WORKER_REST, lines);
    struct memory_file list[] = {{"w", worker}, {"first", first}, {"second", second}, {0}};
    struct config_files files = memory_files(list);
    struct config_sources sources = {
        .files = &files, .worker = "w", .topics = names, .topic_count = second ? 2 : 1};
    struct config_report report;
    struct settings *settings = NULL;
    struct text shown;
    config_report_init(&report);
    text_init(&shown, 1 << 16);
    enum sb_err err = config_load(&sources, &report, &settings);
    config_report_text(&report, false, &shown);
    assert_string_equal(text_string(&shown), "");
    assert_int_equal(err, SB_OK);
    text_clear(&shown);
    config_report_clear(&report);
    return settings;
}

static void test_queue_defaults(void **state)
{
    (void)state;
    struct settings *settings =
        load("instance = \"pod-7\";", SPANS "queue = \"q\"; declare = true; exchange = \"e\";",
             TAP "queue = \"tap\";");
    const struct settings_queue *spans = &settings->topics[0].rabbitmq;
    const struct settings_queue *tap = &settings->topics[1].rabbitmq;
    assert_string_equal(settings->topics[0].name, "q");
    assert_string_equal(spans->queue, "q");
    assert_int_equal(spans->queue_type, SETTINGS_QUEUE_QUORUM);
    assert_int_equal(spans->exchange_type, SETTINGS_EXCHANGE_EXISTS);
    assert_int_equal(spans->binding_count, 1);
    assert_string_equal(spans->bindings[0], "#");
    assert_int_equal(spans->consumers, 1);
    assert_int_equal(spans->prefetch, 10000);
    assert_int_equal(spans->format, SETTINGS_FORMAT_PLAIN);
    assert_null(spans->offsets);
    assert_string_equal(settings->topics[1].name, "tap");
    assert_string_equal(tap->queue, "tap.pod-7");
    assert_string_equal(tap->queue_configured, "tap");
    assert_int_equal(tap->queue_type, SETTINGS_QUEUE_CLASSIC);
    settings_free(settings);
}

/* Of what exists nothing is made up, and Kafka topics have nothing of RabbitMQ. */
static void test_existing_queue(void **state)
{
    (void)state;
    struct settings *settings = load("instance = \"pod-7\";", SPANS "queue = \"q\";",
                                     "topic = \"orders\"; role = \"messages\";");
    const struct settings_queue *queue = &settings->topics[0].rabbitmq;
    assert_string_equal(queue->queue, "q");
    assert_null(queue->exchange);
    assert_int_equal(queue->binding_count, 0);
    assert_int_equal(queue->queue_type, SETTINGS_QUEUE_AS_IS);
    assert_null(settings->topics[0].topic);
    static const struct settings_queue none = {0};
    assert_memory_equal(&settings->topics[1].rabbitmq, &none, sizeof(none));
    settings_free(settings);
}

static void test_exchanges(void **state)
{
    (void)state;
    struct settings *settings =
        load("",
             SPANS "queue = \"q\"; exchange = \"h\"; exchange_type = \"x-consistent-hash\"; "
                   "declare = true; queue_type = \"classic\";",
             "source = \"rabbitmq\"; role = \"messages\"; declare = true; queue = \"fire\"; "
             "format = \"firehose\"; binding = \"publish.#\";");
    assert_string_equal(settings->topics[0].rabbitmq.bindings[0], "1");
    assert_int_equal(settings->topics[0].rabbitmq.queue_type, SETTINGS_QUEUE_CLASSIC);
    const struct settings_queue *fire = &settings->topics[1].rabbitmq;
    assert_string_equal(fire->exchange, "amq.rabbitmq.trace");
    assert_string_equal(fire->queue, "fire"); /* no instance, no suffix */
    assert_int_equal(fire->binding_count, 1);
    assert_string_equal(fire->bindings[0], "publish.#");
    settings_free(settings);
}

static void test_worker_broker(void **state)
{
    (void)state;
    struct settings *settings = load("", SPANS "queue = \"q\";", NULL);
    assert_string_equal(settings->rabbitmq.url, "amqp://guest:guest@localhost:5672/");
    assert_int_equal(settings->rabbitmq.heartbeat_ns, 30 * UINT64_C(1000000000));
    assert_string_equal(settings->topics[0].rabbitmq.broker.url, settings->rabbitmq.url);
    settings_free(settings);
    settings = load("rabbitmq = { url = \"amqps://a/\"; heartbeat = \"5s\"; "
                    "tls = { ca = \"ca\"; certificate = \"c\"; key = \"k\"; }; };",
                    SPANS "queue = \"q\";",
                    SPANS "queue = \"r\"; tls = { ca = \"mine\"; }; heartbeat = \"7s\";");
    const struct settings_rabbitmq *first = &settings->topics[0].rabbitmq.broker;
    const struct settings_rabbitmq *second = &settings->topics[1].rabbitmq.broker;
    assert_string_equal(first->url, "amqps://a/");
    assert_int_equal(first->heartbeat_ns, 5 * UINT64_C(1000000000));
    assert_string_equal(first->tls.ca, "ca");
    assert_string_equal(first->tls.certificate, "c");
    assert_string_equal(first->tls.key, "k");
    assert_int_equal(second->heartbeat_ns, 7 * UINT64_C(1000000000));
    assert_string_equal(second->tls.ca, "mine");
    assert_string_equal(second->tls.key, "k");
    settings_free(settings);
}

/* What opens one broker is not shown to another. */
static void test_other_broker(void **state)
{
    (void)state;
    struct settings *settings =
        load("rabbitmq = { url = \"amqps://a/\"; heartbeat = \"5s\"; tls = { ca = \"ca\"; "
             "certificate = \"c\"; key = \"k\"; insecure = true; }; };",
             SPANS "queue = \"q\"; url = \"amqps://b/\";", NULL);
    const struct settings_rabbitmq *broker = &settings->topics[0].rabbitmq.broker;
    assert_string_equal(broker->url, "amqps://b/");
    assert_null(broker->tls.ca);
    assert_null(broker->tls.certificate);
    assert_null(broker->tls.key);
    assert_false(broker->tls.insecure);
    assert_int_equal(broker->heartbeat_ns, 5 * UINT64_C(1000000000));
    settings_free(settings);
}

static void test_sink_broker(void **state)
{
    (void)state;
    struct settings *settings = NULL;
    struct config_report report;
    config_report_init(&report);
    assert_int_equal(
        memory_load(
            "rabbitmq = { url = \"amqps://a/v\"; tls = { ca = \"ca\"; }; };\n"
            "sampling = { policies = ( { name = \"a\"; type = \"always_sample\"; } ); };\n"
            "sinks = ( { name = \"s\"; type = \"rabbitmq\"; exchange = \"x\"; } );\n",
            SPANS "queue = \"q\";", &report, &settings),
        SB_OK);
    const struct settings_sink *sink = &settings->sinks[0];
    assert_string_equal(sink->broker.url, "amqps://a/v");
    assert_string_equal(sink->broker.tls.ca, "ca");
    assert_string_equal(sink->tls.ca, "ca");
    assert_int_equal(sink->broker.heartbeat_ns, 30 * UINT64_C(1000000000));
    assert_string_equal(sink->exchange, "x");
    assert_string_equal(sink->routing_key, "{trace_id}");
    assert_true(sink->persistent);
    assert_true(sink->mandatory);
    assert_null(settings->kafka.bootstrap); /* nothing uses it */
    settings_free(settings);
    config_report_clear(&report);
}

struct letters_example {
    const char *worker;
    const char *topic;
    const char *queue;
    const char *exchange;
    const char *key;
};

/* A place of the topic's own stands for the worker's, whatever the kind of either. */
static void test_dead_letters(void **state)
{
    (void)state;
    static const struct letters_example examples[] = {
        {"", "", NULL, NULL, NULL},
        {"deadletterqueue = \"q\";", "", "q", NULL, NULL},
        {"deadletterqueue = \"q\";", "deadletterexchange = \"x\";", NULL, "x", "n"},
        {"deadletterexchange = \"x\";", "", NULL, "x", "n"},
        {"deadletterexchange = \"x\"; deadletterkey = \"k\";", "", NULL, "x", "k"},
        {"deadletterexchange = \"x\"; deadletterkey = \"k\";", "deadletterexchange = \"\";",
         NULL, "", "n"},
        {"deadletterexchange = \"x\";", "deadletterkey = \"l\";", NULL, "x", "l"},
        {"deadletterexchange = \"x\"; deadletterkey = \"k\";", "deadletterqueue = \"q\";", "q",
         NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        char worker[256];
        char topic[256];
        snprintf(worker, sizeof(worker), "errors = { %s };", examples[i].worker);
        snprintf(topic, sizeof(topic), TOPIC "name = \"n\"; errors = { %s };",
                 examples[i].topic);
        struct settings *settings = load(worker, topic, NULL);
        const struct settings_errors *errors = &settings->topics[0].errors;
        const char *const found[] = {errors->deadletterqueue, errors->deadletterexchange,
                                     errors->deadletterkey};
        const char *const expected[] = {examples[i].queue, examples[i].exchange,
                                        examples[i].key};
        for (size_t j = 0; j < 3; j++) {
            assert_int_equal(found[j] == NULL, expected[j] == NULL);
            if (found[j] != NULL)
                assert_string_equal(found[j], expected[j]);
        }
        bool place = expected[0] != NULL || expected[1] != NULL;
        assert_int_equal(errors->tolerance,
                         place ? SETTINGS_TOLERANCE_ALL : SETTINGS_TOLERANCE_NONE);
        settings_free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_defaults), cmocka_unit_test(test_existing_queue),
        cmocka_unit_test(test_exchanges),      cmocka_unit_test(test_worker_broker),
        cmocka_unit_test(test_other_broker),   cmocka_unit_test(test_sink_broker),
        cmocka_unit_test(test_dead_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
