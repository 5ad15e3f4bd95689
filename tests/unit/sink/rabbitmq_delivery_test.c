#include <string.h>

#include "rabbitmq_rig.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static struct sink_batch *send_traces(struct rabbitmq_rig *rig, uint32_t traces)
{
    struct sink_batch *batch = rig_fill(&rig->base, traces, 2, 0);
    rig_send(&rig->base, batch);
    return batch;
}

/* How often a trace came. */
static uint32_t times_taken(const struct rabbitmq_rig *rig, uint32_t number)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rig->taken; i++) {
        struct trace_id trace;
        (void)rabbitmq_rig_spans_of(&rig->messages[i], &trace);
        count += trace_id_equal(trace, rig_trace(number));
    }
    return count;
}

static void test_confirms_of_many_at_once(void **state)
{
    (void)state;
    static const enum rabbitmq_act plan[] = {RABBITMQ_KEEP,    RABBITMQ_KEEP, RABBITMQ_ACK,
                                             RABBITMQ_KEEP,    RABBITMQ_ACK,  RABBITMQ_KEEP,
                                             RABBITMQ_ACK_ALL, RABBITMQ_ACK};
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_plan(&rig, plan, COUNT_OF(plan));
    rabbitmq_rig_start(&rig);
    struct sink_batch *batch = send_traces(&rig, COUNT_OF(plan));
    assert_int_equal(rig_count(batch, SINK_EXPORTED), batch->span_count);
    assert_int_equal(rig.taken, COUNT_OF(plan));
    sink_batch_free(batch);
    rabbitmq_rig_clear(&rig);
}

/* What was nacked, and nothing else, comes again. */
static void test_nacked(void **state)
{
    (void)state;
    static const enum rabbitmq_act plan[] = {RABBITMQ_ACK, RABBITMQ_NACK, RABBITMQ_ACK,
                                             RABBITMQ_NACK};
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_plan(&rig, plan, COUNT_OF(plan));
    rabbitmq_rig_start(&rig);
    struct sink_batch *batch = send_traces(&rig, 3);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 6);
    assert_int_equal(rig.taken, 5);
    assert_int_equal(times_taken(&rig, 0), 1);
    assert_int_equal(times_taken(&rig, 1), 3);
    assert_int_equal(times_taken(&rig, 2), 1);
    assert_int_equal(rig_counters(&rig.base).retries, 2);
    assert_int_equal(rig_logged(&rig.base, "error=nacked"), 1);
    rig_wait_logged(&rig.base, "sink_recovered", 1);
    assert_int_equal(rig.connections, 1);
    sink_batch_free(batch);
    rabbitmq_rig_clear(&rig);
}

/* Its ack is no success; it comes again, and the others do not. */
static void test_returned(void **state)
{
    (void)state;
    static const enum rabbitmq_act plan[] = {RABBITMQ_ACK,    RABBITMQ_RETURN, RABBITMQ_ACK,
                                             RABBITMQ_RETURN, RABBITMQ_RETURN, RABBITMQ_RETURN};
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_plan(&rig, plan, COUNT_OF(plan));
    rabbitmq_rig_start(&rig);
    struct sink_batch *batch = send_traces(&rig, 4);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 8);
    assert_int_equal(times_taken(&rig, 0), 1);
    assert_int_equal(times_taken(&rig, 1), 3);
    assert_int_equal(times_taken(&rig, 2), 1);
    assert_int_equal(times_taken(&rig, 3), 3);
    assert_int_equal(rig_logged(&rig.base, "error=returned"), 1);
    assert_int_equal(rig_logged(&rig.base, "nowhere: NO_ROUTE (312)"), 1);
    rig_wait_logged(&rig.base, "sink_recovered", 1);
    assert_int_equal(rig.connections, 1);
    sink_batch_free(batch);
    rabbitmq_rig_clear(&rig);
}

/* One key that no queue is bound to holds its own batch up, and no other. */
static void test_others_pass_what_is_returned(void **state)
{
    (void)state;
    static const enum rabbitmq_act plan[] = {RABBITMQ_RETURN};
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_plan(&rig, plan, COUNT_OF(plan));
    rig.options.backoff_initial_ns = 3600 * NS_PER_S;
    rig.options.backoff_max_ns = 3600 * NS_PER_S;
    rabbitmq_rig_start(&rig);
    struct sink_batch *held = rig_fill(&rig.base, 1, 2, 0);
    sink_submit(rig.base.sink, held);
    rig_wait_logged(&rig.base, "error=returned", 1);
    for (int i = 0; i < 10; i++) {
        struct sink_batch *batch = send_traces(&rig, 5);
        assert_int_equal(rig_count(batch, SINK_EXPORTED), 10);
        sink_batch_free(batch);
    }
    assert_int_equal(rabbitmq_rig_state(&rig), SINK_BACKING_OFF);
    assert_int_equal(rig_logged(&rig.base, "sink_recovered"), 0);
    rig_stop(&rig.base);
    assert_ptr_equal(rig_take(&rig.base), held);
    assert_int_equal(rig_count(held, SINK_PENDING), 2);
    sink_batch_free(held);
    rabbitmq_rig_clear(&rig);
}

/* A broker that confirms or returns what never was is left, and all is sent again. */
static void test_words_that_make_no_sense(void **state)
{
    (void)state;
    static const enum rabbitmq_act acts[] = {RABBITMQ_ACK_UNKNOWN, RABBITMQ_RETURN_UNKNOWN};
    for (size_t i = 0; i < COUNT_OF(acts); i++) {
        struct rabbitmq_rig rig;
        rabbitmq_rig_init(&rig);
        rabbitmq_rig_plan(&rig, &acts[i], 1);
        rabbitmq_rig_start(&rig);
        struct sink_batch *batch = send_traces(&rig, 1);
        assert_int_equal(rig_count(batch, SINK_EXPORTED), 2);
        assert_int_equal(rig.taken, 2);
        assert_int_equal(rig.connections, 2);
        assert_int_equal(rig_logged(&rig.base, "error=closed"), 1);
        sink_batch_free(batch);
        rabbitmq_rig_clear(&rig);
    }
}

/* 200 spans of 400 bytes, where the broker takes 5,000 bytes: it says so only by refusing. */
static void test_the_broker_takes_less(void **state)
{
    (void)state;
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rig.body_bytes_max = 5000;
    rabbitmq_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 1, 200, 400);
    rig_add(&rig.base, batch, 0, 20000);
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 200);
    assert_int_equal(batch->spans[200].outcome, SINK_TOO_LARGE);
    assert_int_equal(rig_logged(&rig.base, "record_too_large"), 1);
    assert_true(rig_counters(&rig.base).bisections >= 4);
    assert_int_equal(rig_counters(&rig.base).spans_too_large, 1);
    assert_int_equal(rig_logged(&rig.base, "sink_waits"), 0);
    sink_batch_free(batch);
    /* It has learnt, and sends the next at once. */
    uint32_t connections = rig.connections;
    batch = rig_fill(&rig.base, 1, 200, 400);
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 200);
    assert_int_equal(rig.connections, connections);
    sink_batch_free(batch);
    rabbitmq_rig_clear(&rig);
}

/* Beyond 16 MiB a trace has several messages, each of many frames. */
static void test_large_traces_are_split(void **state)
{
    (void)state;
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 1, 40, 500000);
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 40);
    assert_int_equal(rig.taken, 2);
    uint32_t spans = 0;
    for (uint32_t i = 0; i < rig.taken; i++) {
        struct trace_id trace;
        assert_true(rig.messages[i].body.len <= 16 << 20);
        assert_string_equal(rig.messages[i].key, rig.messages[0].key);
        spans += rabbitmq_rig_spans_of(&rig.messages[i], &trace);
    }
    assert_int_equal(spans, 40);
    sink_batch_free(batch);
    rabbitmq_rig_clear(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_confirms_of_many_at_once),
        cmocka_unit_test(test_nacked),
        cmocka_unit_test(test_returned),
        cmocka_unit_test(test_others_pass_what_is_returned),
        cmocka_unit_test(test_words_that_make_no_sense),
        cmocka_unit_test(test_the_broker_takes_less),
        cmocka_unit_test(test_large_traces_are_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
