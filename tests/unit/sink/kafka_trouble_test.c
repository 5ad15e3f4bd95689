#include "kafka_rig.h"

/* An error that passes is said once, however often it comes, and so is its end. */
static void test_said_once(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    kafka_rig_start(&rig);
    for (int round = 1; round <= 2; round++) {
        kafka_rig_fail(&rig, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 2);
        struct sink_batch *batch = rig_fill(&rig.base, 1, 2, 0);
        rig_send(&rig.base, batch);
        assert_int_equal(rig_count(batch, SINK_EXPORTED), 2);
        assert_int_equal(rig_logged(&rig.base, "sink_waits"), round);
        assert_int_equal(rig_logged(&rig.base, "sink_recovered"), round);
        sink_batch_free(batch);
    }
    assert_int_equal(rig_counters(&rig.base).retries, 4);
    kafka_rig_clear(&rig);
}

static void test_states(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    rig.options.backoff_initial_ns = 3600 * NS_PER_S; /* what it says stands */
    rig.options.backoff_max_ns = 3600 * NS_PER_S;
    kafka_rig_start(&rig);
    assert_int_equal(rig.base.sink->ops->state(rig.base.sink), SINK_CONNECTING);
    struct sink_batch *batch = rig_fill(&rig.base, 1, 1, 0);
    rig_send(&rig.base, batch);
    assert_int_equal(rig.base.sink->ops->state(rig.base.sink), SINK_READY);
    sink_batch_free(batch);
    kafka_rig_fail(&rig, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
    sink_submit(rig.base.sink, rig_fill(&rig.base, 1, 1, 0));
    rig_wait_logged(&rig.base, "sink_waits", 1);
    assert_int_equal(rig.base.sink->ops->state(rig.base.sink), SINK_UNAUTHORISED);
    kafka_rig_clear(&rig);
}

static void test_no_broker_answers(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    rd_kafka_mock_broker_set_down(rig.cluster, 1);
    kafka_rig_start(&rig);
    sink_submit(rig.base.sink, rig_fill(&rig.base, 1, 1, 0));
    rig_wait_logged(&rig.base, "sink_waits", 1);
    assert_int_equal(rig.base.sink->ops->state(rig.base.sink), SINK_BACKING_OFF);
    rd_kafka_mock_broker_set_up(rig.cluster, 1);
    struct sink_batch *batch = rig_take(&rig.base);
    assert_int_equal(batch->spans[0].outcome, SINK_EXPORTED);
    assert_int_equal(rig_logged(&rig.base, "sink_waits"), 1);
    assert_int_equal(rig_logged(&rig.base, "sink_recovered"), 1);
    sink_batch_free(batch);
    kafka_rig_clear(&rig);
}

/* The producer has ended for good; its records go out through another one. */
static void test_a_fatal_error(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    kafka_rig_start(&rig);
    struct kafka_sink *sink = (struct kafka_sink *)rig.base.sink;
    struct sink_batch *batch = rig_fill(&rig.base, 1, 1, 0);
    rig_send(&rig.base, batch);
    sink_batch_free(batch);
    rd_kafka_test_fatal_error(sink->producer.rk, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              "by the test");
    batch = rig_fill(&rig.base, 10, 1, 0);
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 10);
    assert_int_equal(rig_logged(&rig.base, "producer_ended"), 1);
    sink_batch_free(batch);
    kafka_rig_clear(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_said_once),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_no_broker_answers),
        cmocka_unit_test(test_a_fatal_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
