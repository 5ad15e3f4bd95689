#include "kafka_rig.h"

#include <string.h>

enum { PADDED = 400 };

static uint32_t spans_read(struct kafka_rig *rig, size_t *ret_records)
{
    struct trace_id trace;
    struct kafka_rig_record *records = kafka_rig_read(rig, ret_records);
    uint32_t spans = 0;
    for (size_t i = 0; i < *ret_records; i++)
        spans += rig_spans_of(text_bytes(&records[i].value), &trace);
    kafka_rig_free_records(records, *ret_records);
    return spans;
}

static void test_a_record_is_a_trace(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    kafka_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 100, 5, 0);
    rig_add(&rig.base, batch, 3, 0); /* comes late, goes with its own */
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 501);
    struct sink_counters counters = rig_counters(&rig.base);
    assert_int_equal(counters.spans_exported, 501);
    assert_int_equal(counters.requests, 100);
    assert_int_equal(counters.retries, 0);
    size_t records;
    assert_int_equal(spans_read(&rig, &records), 501);
    assert_int_equal(records, 100);
    sink_batch_free(batch);
    kafka_rig_clear(&rig);
}

/* A trace that message.max.bytes is too little for leaves in several records. */
static void test_large_traces_are_split(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    kafka_rig_set(&rig, "message.max.bytes", "4000");
    kafka_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 2, 50, PADDED);
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 100);
    size_t count;
    struct kafka_rig_record *records = kafka_rig_read(&rig, &count);
    assert_true(count >= 2 * 50 * PADDED / 4000);
    assert_true(count <= 2 * 50 / 7 + 2);
    for (size_t i = 0; i < count; i++) {
        assert_true(records[i].value.len + records[i].key.len <= 4000);
        /* All of a trace in one partition. */
        for (size_t j = 0; j < count; j++)
            if (memcmp(records[i].key.at, records[j].key.at, TRACE_ID_HEX_LEN) == 0)
                assert_int_equal(records[i].partition, records[j].partition);
    }
    kafka_rig_free_records(records, count);
    sink_batch_free(batch);
    kafka_rig_clear(&rig);
}

static void test_a_span_that_no_record_can_hold(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    kafka_rig_set(&rig, "message.max.bytes", "4000");
    kafka_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 1, 3, PADDED);
    rig_add(&rig.base, batch, 0, 5000);
    rig_add(&rig.base, batch, 1, PADDED);
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 4);
    assert_int_equal(batch->spans[3].outcome, SINK_TOO_LARGE);
    assert_int_equal(rig_counters(&rig.base).spans_too_large, 1);
    assert_int_equal(rig_logged(&rig.base, "record_too_large"), 1);
    size_t records;
    assert_int_equal(spans_read(&rig, &records), 4);
    sink_batch_free(batch);
    /* Nothing of this one ever reaches the producer. */
    batch = rig_fill(&rig.base, 3, 1, 5000);
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_TOO_LARGE), 3);
    sink_batch_free(batch);
    kafka_rig_clear(&rig);
}

/* More than a round may hold: 10 MB of records out of one batch. */
static void test_rounds(void **state)
{
    (void)state;
    struct kafka_rig rig;
    kafka_rig_init(&rig);
    kafka_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 36, 3, 90000);
    rig_send(&rig.base, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 108);
    assert_int_equal(rig_counters(&rig.base).requests, 36);
    size_t records;
    assert_int_equal(spans_read(&rig, &records), 108);
    assert_int_equal(records, 36);
    sink_batch_free(batch);
    kafka_rig_clear(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_is_a_trace),
        cmocka_unit_test(test_large_traces_are_split),
        cmocka_unit_test(test_a_span_that_no_record_can_hold),
        cmocka_unit_test(test_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
