#include "sink/rabbitmq.h"

#include <string.h>

#include "rabbitmq_rig.h"

static void test_messages(void **state)
{
    (void)state;
    enum { TRACES = 100 };
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rig.options.routing_key = "kept.{trace_id}";
    rabbitmq_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, TRACES, 3, 0);
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), TRACES * 3);
    struct sink_counters counters = rig_counters(&rig.base);
    assert_int_equal(counters.spans_exported, TRACES * 3);
    assert_int_equal(counters.requests, TRACES);
    assert_int_equal(counters.retries, 0);
    assert_int_equal(rig.taken, TRACES);
    for (uint32_t i = 0; i < TRACES; i++) {
        const struct rabbitmq_message *message = &rig.messages[i];
        struct trace_id trace;
        char hex[TRACE_ID_HEX_LEN + 1];
        assert_int_equal(rabbitmq_rig_spans_of(message, &trace), 3);
        trace_id_format(trace, hex);
        assert_string_equal(message->exchange, "kept");
        assert_memory_equal(message->key, "kept.", 5);
        assert_string_equal(message->key + 5, hex);
        assert_string_equal(message->content_type, "application/x-protobuf");
        assert_true(message->mandatory);
        assert_int_equal(message->delivery_mode, 2);
        assert_true(i == 0 || strcmp(message->id, rig.messages[i - 1].id) != 0);
    }
    sink_batch_free(batch);
    rabbitmq_rig_clear(&rig);
}

static void test_transient_and_not_mandatory(void **state)
{
    (void)state;
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rig.options.persistent = false;
    rig.options.mandatory = false;
    rig.options.exchange = "";
    rig.options.routing_key = "a.queue";
    rabbitmq_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 1, 1, 0);
    rig_send(&rig.base, batch);
    assert_string_equal(rig.messages[0].exchange, "");
    assert_string_equal(rig.messages[0].key, "a.queue");
    assert_false(rig.messages[0].mandatory);
    assert_int_equal(rig.messages[0].delivery_mode, 1);
    sink_batch_free(batch);
    rabbitmq_rig_clear(&rig);
}

static void test_many_batches_at_once(void **state)
{
    (void)state;
    enum { BATCHES = 50 };
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_start(&rig);
    for (int i = 0; i < BATCHES; i++)
        sink_submit(rig.base.sink, rig_fill(&rig.base, 20, 3, 100));
    sink_submit(rig.base.sink, rig_new_batch(1)); /* an empty one comes back as well */
    for (int i = 0; i < BATCHES + 1; i++) {
        struct sink_batch *batch = rig_take(&rig.base);
        assert_int_equal(rig_count(batch, SINK_EXPORTED), batch->span_count);
        sink_batch_free(batch);
    }
    assert_int_equal(rig_counters(&rig.base).spans_exported, BATCHES * 60);
    assert_int_equal(rig.connections, 1);
    rabbitmq_rig_clear(&rig);
}

static void spoil_in_flight(struct sink_rabbitmq_options *options)
{
    options->in_flight_max = 0;
}

static void spoil_heartbeat(struct sink_rabbitmq_options *options)
{
    options->heartbeat_ns = NS_PER_MS;
}

static void spoil_timeout(struct sink_rabbitmq_options *options)
{
    options->timeout_ns = 0;
}

static void spoil_key(struct sink_rabbitmq_options *options)
{
    options->routing_key = "{span_id}";
}

static void spoil_exchange(struct sink_rabbitmq_options *options)
{
    static char name[AMQP_SHORT_TEXT_MAX + 2];
    memset(name, 'x', sizeof(name) - 1);
    options->exchange = name;
}

static void spoil_url(struct sink_rabbitmq_options *options)
{
    options->url = "http://guest:secret@localhost";
}

static void test_bad_options(void **state)
{
    (void)state;
    void (*const spoils[])(struct sink_rabbitmq_options *) = {
        spoil_in_flight, spoil_heartbeat, spoil_timeout, spoil_key, spoil_exchange, spoil_url};
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        struct rabbitmq_rig rig;
        struct sink *sink = NULL;
        rabbitmq_rig_init(&rig);
        spoils[i](&rig.options);
        assert_int_equal(sink_rabbitmq_new(&rig.options, &sink), SB_ERR_CONFIG);
        assert_null(sink);
        assert_int_equal(rig_logged(&rig.base, "sink_config"), 1);
        assert_int_equal(rig_logged(&rig.base, "secret"), 0);
        rabbitmq_rig_clear(&rig);
    }
}

static void test_reach(void **state)
{
    (void)state;
    enum { WAIT_MS = 20000 };
    struct rabbitmq_rig rig;
    char why[SINK_WHY_LEN];
    /* The broker serves one connection at a time: the sink's own must wait. */
    struct rabbitmq_rig own;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_init(&own);
    rabbitmq_rig_start(&own);
    struct rabbitmq_sink *sink = (struct rabbitmq_sink *)own.base.sink;
    struct rabbitmq_sink asked = {.options = sink->options};
    asked.options.url = rig.url;
    const struct sink *base = &asked.inlet.base;
    assert_true(sink_rabbitmq_reach(base, WAIT_MS, why));
    assert_string_equal(why, "");
    rig.no_exchange = true;
    assert_false(sink_rabbitmq_reach(base, WAIT_MS, why));
    assert_non_null(strstr(why, "exchange kept: NOT_FOUND - no exchange (404)"));
    rig.refusals = 1;
    assert_false(sink_rabbitmq_reach(base, WAIT_MS, why));
    assert_non_null(strstr(why, "ACCESS_REFUSED"));
    rabbitmq_rig_clear(&own);
    rabbitmq_rig_clear(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_transient_and_not_mandatory),
        cmocka_unit_test(test_many_batches_at_once),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
