#include "kafka_rig.h"

#include "core/memory.h"

/* While the broker is away everything waits; what is stopped then comes back unsent. */
static void test_stop_gives_all_back(void **state)
{
    (void)state;
    enum { BATCHES = 10 };
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    rd_kafka_mock_broker_set_down(rig.cluster, 1);
    kafka_rig_start(&rig);
    for (int i = 0; i < BATCHES; i++)
        sink_submit(rig.base.sink, rig_fill(&rig.base, 5, 2, 100));
    rig_wait_logged(&rig.base, "sink_waits", 1);
    assert_true(rig.base.sink->ops->queued_bytes(rig.base.sink) > BATCHES * 1000);
    rig.base.sink->ops->stop(rig.base.sink);
    for (int i = 0; i < BATCHES; i++) {
        struct sink_batch *batch = rig_take(&rig.base);
        assert_int_equal(rig_count(batch, SINK_PENDING), 10);
        sink_batch_free(batch);
    }
    /* What comes late all the same is given back by stop called again. */
    sink_submit(rig.base.sink, rig_fill(&rig.base, 1, 1, 0));
    rig.base.sink->ops->stop(rig.base.sink);
    sink_batch_free(rig_take(&rig.base));
    kafka_rig_clear(&rig);
}

static void send_empty(struct rig *rig)
{
    struct sink_batch *batch = rig_new_batch(1);
    rig_send(rig, batch);
    sink_batch_free(batch);
}

/* A request that the broker never answers does not hold the end up. */
static void test_stop_while_an_answer_is_out(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    kafka_rig_start(&rig);
    rd_kafka_mock_broker_set_rtt(rig.cluster, 1, 60000);
    sink_submit(rig.base.sink, rig_fill(&rig.base, 5, 2, 100));
    /* An empty batch comes back before records are made: with the second, they have been. */
    send_empty(&rig.base);
    send_empty(&rig.base);
    assert_true(rig_counters(&rig.base).requests > 0);
    rig.base.sink->ops->stop(rig.base.sink);
    struct sink_batch *batch = rig_take(&rig.base);
    assert_int_equal(rig_count(batch, SINK_PENDING), 10);
    sink_batch_free(batch);
    kafka_rig_clear(&rig);
}

static void test_full_queue_of_the_library(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    kafka_rig_set(&rig, "queue.buffering.max.messages", "7");
    kafka_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 50, 1, 0);
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 50);
    assert_int_equal(rig_logged(&rig.base, "sink_waits"), 0);
    sink_batch_free(batch);
    kafka_rig_clear(&rig);
}

/* The nth allocation fails, for all n: the batch comes back whole all the same. */
static void test_memory_is_short(void **state)
{
    (void)state;
    enum { ALLOCATIONS = 6 };
    for (uint64_t nth = 1; nth <= ALLOCATIONS; nth++) {
        struct kafka_rig rig;
        kafka_rig_init(&rig);
        kafka_rig_start(&rig);
        struct sink_batch *batch = rig_fill(&rig.base, 20, 2, 0);
        memory_fail_at(nth);
        rig_send(&rig.base, batch);
        memory_fail_at(0);
        assert_int_equal(rig_count(batch, SINK_EXPORTED), 40);
        sink_batch_free(batch);
        kafka_rig_clear(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop_gives_all_back),
        cmocka_unit_test(test_stop_while_an_answer_is_out),
        cmocka_unit_test(test_full_queue_of_the_library),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
