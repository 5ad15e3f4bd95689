#include "build.h"

#include "core/memory.h"
#include "rig.h"

static void serve(struct fake_peer *peer)
{
    if (script_consumed(peer, 1))
        peer_serve_to_the_end(peer);
}

static void test_a_wrong_url(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, serve, NULL);
    rig.queues[0].broker.url = "http://host";
    assert_int_equal(rig_new(&rig), SB_ERR_CONFIG);
    fake_broker_free(rig.broker);
}

static void test_memory_is_short(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, serve, NULL);
    rig.topics[0].dead_letter_exchange = "dlx";
    rig.queues[0].queue_type = SOURCE_QUEUE_STREAM;
    enum sb_err err = SB_ERR_MEMORY;
    uint64_t nth = 1;
    for (; err == SB_ERR_MEMORY; nth++) {
        memory_fail_at(nth);
        err = source_rabbitmq_new(&rig.options, &rig.source);
    }
    memory_fail_at(0);
    assert_int_equal(err, SB_OK);
    assert_true(nth > 15);
    rig.source->ops->free(rig.source, true);
    fake_broker_free(rig.broker);
}

static void test_lanes_go_round_the_workers(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, serve, NULL);
    rig.options.workers = 2;
    rig.queues[0].consumers = 3;
    rig.numbers.lanes[0] = 5; /* another source's */
    assert_int_equal(source_rabbitmq_new(&rig.options, &rig.source), SB_OK);
    const uint32_t workers[] = {0, 1, 0};
    const uint32_t numbers[] = {5, 0, 6};
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(rig_lane(&rig, i)->worker, workers[i]);
        assert_int_equal(rig_lane(&rig, i)->number, numbers[i]);
    }
    rig.source->ops->free(rig.source, true);
    fake_broker_free(rig.broker);
}

static void test_posters_are_shared_by_broker(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, serve, NULL);
    rig.topics[0].dead_letter_exchange = "a";
    rig.topics[1] = (struct source_topic){.kind = SOURCE_KAFKA, .dead_letter_exchange = "b"};
    rig.queues[1].broker = rig.queues[0].broker;
    rig.options.topic_count = 2;
    assert_int_equal(source_rabbitmq_new(&rig.options, &rig.source), SB_OK);
    assert_int_equal(rabbitmq_of(rig.source)->poster_count, 1);
    assert_true(rig.source->ops->takes_letters(rig.source, 1));
    assert_false(rig.source->ops->reads(rig.source, 1));
    rig.source->ops->free(rig.source, true);
    rig.queues[1].broker.url = "amqp://elsewhere";
    rig.numbers.lanes[0] = 0;
    assert_int_equal(source_rabbitmq_new(&rig.options, &rig.source), SB_OK);
    assert_int_equal(rabbitmq_of(rig.source)->poster_count, 2);
    rig.source->ops->free(rig.source, true);
    fake_broker_free(rig.broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_wrong_url),
        cmocka_unit_test(test_memory_is_short),
        cmocka_unit_test(test_lanes_go_round_the_workers),
        cmocka_unit_test(test_posters_are_shared_by_broker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
