#include "kafka_rig.h"

enum { PADDED = 400 };

/* The broker says which length it takes only by refusing: records become smaller. */
static void test_the_topic_takes_less(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    kafka_rig_start(&rig);
    kafka_rig_fail(&rig, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1);
    struct sink_batch *batch = rig_fill(&rig.base, 1, 200, PADDED);
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 200);
    struct sink_counters counters = rig_counters(&rig.base);
    assert_int_equal(counters.bisections, 1);
    assert_true(counters.retries >= 1);
    assert_int_equal(rig_logged(&rig.base, "records_made_smaller"), 1);
    sink_batch_free(batch);
    kafka_rig_clear(&rig);
}

/* A record that travelled alone, and is of one span, is refused for good. */
static void test_a_span_that_the_topic_never_takes(void **state)
{
    (void)state;
    enum { LEN = 400000, REFUSALS = 2 };
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    kafka_rig_start(&rig);
    /* 1,000,000: may have been in company; 499,744: may; 249,872: no. */
    kafka_rig_fail(&rig, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, REFUSALS + 1);
    struct sink_batch *batch = rig_fill(&rig.base, 1, 1, LEN);
    rig_send(&rig.base, batch);
    assert_int_equal(batch->spans[0].outcome, SINK_TOO_LARGE);
    assert_int_equal(rig_logged(&rig.base, "records_made_smaller"), REFUSALS);
    sink_batch_free(batch);
    batch = rig_fill(&rig.base, 1, 1, LEN); /* the sink has not come to a stop */
    rig_send(&rig.base, batch);
    assert_int_equal(batch->spans[0].outcome, SINK_EXPORTED);
    sink_batch_free(batch);
    kafka_rig_clear(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_topic_takes_less),
        cmocka_unit_test(test_a_span_that_the_topic_never_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
