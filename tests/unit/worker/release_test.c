#include "rig.h"
#include "support/test.h"

/* Records of two workers, begun in their ledgers as intake does it. */
static uint32_t begin(struct rig *rig, uint32_t worker, int64_t offset, uint32_t spans)
{
    struct worker *reader = rig_worker(rig, worker);
    ledger_record number;
    assert_int_equal(ledger_begin(reader->ledger, reader->lanes.at[0].ledger, offset, &number),
                     SB_OK);
    ledger_hold(reader->ledger, number, spans);
    ledger_release(reader->ledger, number, 1);
    return record_of(worker, number);
}

static void start(struct rig *rig, uint32_t workers)
{
    rig_init(rig);
    rig->options.worker_count = workers;
    rig_start(rig);
}

static uint32_t held(struct rig *rig, uint32_t worker)
{
    return ledger_held(rig_worker(rig, worker)->ledger);
}

static void test_a_record_is_a_worker_and_its_number(void **state)
{
    (void)state;
    static const uint32_t workers[] = {0, 1, 31, WORKERS_MAX - 1};
    static const uint32_t numbers[] = {0, 1, 12345, (UINT32_C(1) << RECORD_BITS) - 1};
    for (int i = 0; i < 16; i++) {
        uint32_t record = record_of(workers[i / 4], numbers[i % 4]);
        assert_int_equal(record_worker(record), workers[i / 4]);
        assert_int_equal(record_number(record), numbers[i % 4]);
        assert_int_not_equal(record, RECORD_NONE);
    }
}

static void test_own_records_are_released_at_once(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 1);
    uint32_t record = begin(&rig, 0, 0, 3);
    worker_release(rig_worker(&rig, 0), record, 2);
    assert_int_equal(held(&rig, 0), 1);
    worker_release(rig_worker(&rig, 0), record, 1);
    assert_int_equal(held(&rig, 0), 0);
    rig_clear(&rig);
}

static void test_releases_reach_the_worker_that_read_the_record(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 3);
    uint32_t records[3];
    for (uint32_t i = 0; i < 3; i++)
        records[i] = begin(&rig, i, 0, 3);
    for (uint32_t from = 0; from < 3; from++)
        for (uint32_t of = 0; of < 3; of++)
            worker_release(rig_worker(&rig, from), records[of], 1);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(held(&rig, i), 1);
    rig_settle(&rig);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(held(&rig, i), 0);
    rig_clear(&rig);
}

static const struct sink_batch empty_batch;

static void finish_as(struct rig *rig, uint32_t record, enum sink_outcome outcome)
{
    const struct ticket ticket = {.record = record, .outcome = (uint8_t)outcome};
    const struct otlp_envelope envelope = {.fault = 0};
    const struct sink_span span = {.envelope = &envelope, .outcome = (uint8_t)outcome};
    worker_span_finished(rig_worker(rig, 0), &ticket, &empty_batch, &span);
}

static void test_each_outcome_has_its_class(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.topics[TOPIC_SPANS].dead_letters = false;
    rig_start(&rig);
    uint32_t record = begin(&rig, 0, 0, 4);
    finish_as(&rig, record, SINK_EXPORTED);
    finish_as(&rig, record, SINK_LOST);
    finish_as(&rig, record, SINK_REJECTED);
    finish_as(&rig, record, SINK_TOO_LARGE);
    assert_int_equal(held(&rig, 0), 1);
    rig_settle(&rig); /* the refused ones take the way of a letter, which is none here */
    assert_int_equal(held(&rig, 0), 0);
    struct worker_counters counters = rig_counters(&rig);
    assert_int_equal(counters.exported, 1);
    assert_int_equal(counters.lost, 1);
    assert_int_equal(counters.rejected, 2);
    rig_clear(&rig);
}

/* Spans of the bridge's own making belong to no record, and stand outside the accounting. */
static void test_spans_of_our_own_release_nothing(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 1);
    rig_worker(&rig, 0)->synthetic_out = 3;
    finish_as(&rig, RECORD_NONE, SINK_EXPORTED);
    finish_as(&rig, RECORD_NONE, SINK_REJECTED);
    finish_as(&rig, RECORD_NONE, SINK_LOST);
    assert_int_equal(rig_worker(&rig, 0)->synthetic_out, 0);
    struct worker_counters counters = rig_counters(&rig);
    assert_int_equal(counters.synthetic, 1);
    assert_int_equal(counters.exported + counters.rejected + counters.lost, 0);
    assert_int_equal(rig.source.letter_count, 0);
    rig_clear(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_is_a_worker_and_its_number),
        cmocka_unit_test(test_own_records_are_released_at_once),
        cmocka_unit_test(test_releases_reach_the_worker_that_read_the_record),
        cmocka_unit_test(test_each_outcome_has_its_class),
        cmocka_unit_test(test_spans_of_our_own_release_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
