#include "rig.h"
#include "support/test.h"

enum { WORKERS = 3, TOPICS = RIG_TOPICS };

/* Shows what this worker has counted by now, others being seen as they were before. */
static void share(struct rig *rig, uint32_t worker)
{
    rig_worker(rig, worker)->share_due_ns = 0;
    worker_share_counters(rig_worker(rig, worker));
}

static struct worker_account account(struct rig *rig, struct worker_topic_counters *ret_topics)
{
    struct worker_account taken;
    worker_group_take_account(rig->group, &taken, ret_topics);
    return taken;
}

static enum sink_outcome judge(void *arg, const struct out_span *span)
{
    (void)arg;
    static const enum sink_outcome outcomes[] = {SINK_EXPORTED, SINK_REJECTED, SINK_TOO_LARGE,
                                                 SINK_LOST};
    return outcomes[out_id(span).byte[7] % 4];
}

static void start(struct rig *rig)
{
    rig_init(rig);
    rig->options.worker_count = WORKERS;
    rig_start(rig);
    rig->sinks[0].answers = true;
    rig->sinks[0].judge = judge;
    rig->answers_letters = true;
}

/*
 * Workers are looked at one by one, at other times than they exchange spans: seen so, what is
 * under way may be anything, and the account closes all the same.
 */
static void test_the_account_closes_at_any_moment(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    struct random random;
    random_init(&random, 7);
    uint64_t id = 0;
    bool was_under_way = false;
    for (uint32_t step = 0; step < 2000; step++) {
        uint32_t worker = (uint32_t)random_below(&random, WORKERS);
        if (step < 1500 && random_below(&random, 2) == 0) {
            struct span_spec specs[3];
            for (int i = 0; i < 3; i++) {
                uint32_t owner = (uint32_t)random_below(&random, WORKERS);
                specs[i] =
                    (struct span_spec){.trace = rig_trace(&rig, owner, step), .id = ++id};
            }
            rig_push(&rig, worker, specs, 3);
        }
        if (step % 50 == 0)
            rig_advance_ms(&rig, RIG_WAIT_MS / 4);
        rig_turn(&rig, worker);
        share(&rig, (uint32_t)random_below(&random, WORKERS));
        struct worker_account seen = account(&rig, NULL);
        assert_int_equal(seen.balance, 0);
        was_under_way |= seen.under_way != 0;
    }
    assert_true(was_under_way);
    rig_drain(&rig);
    struct worker_account end = account(&rig, NULL);
    assert_int_equal(end.balance, 0);
    assert_int_equal(end.under_way, 0);
    assert_int_equal(end.held, 0);
    assert_int_equal(end.counters.spans_read, id);
    assert_true(end.counters.exported > 0 && end.counters.lost > 0 && end.dead > 0);
    rig_clear(&rig);
}

static void test_topics_add_up_to_the_totals(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    for (uint32_t i = 0; i < WORKERS; i++) {
        const struct span_spec specs[] = {{.trace = rig_trace(&rig, 0, i), .id = 4 * i + 1},
                                          {.trace = rig_trace(&rig, 1, i), .id = 4 * i + 2}};
        rig_push(&rig, i, specs, 2);
        rig_push_bytes(&rig, i, bytes_text("\xff"));
    }
    rig_push_message(&rig, TOPIC_ORDERS, 0, 1, NULL);
    rig_drain(&rig);
    struct worker_topic_counters topics[TOPICS];
    struct worker_account seen = account(&rig, topics);
    assert_int_equal(topics[TOPIC_SPANS].spans_read, 2 * WORKERS);
    assert_int_equal(topics[TOPIC_SPANS].records_read, 2 * WORKERS);
    assert_int_equal(topics[TOPIC_SPANS].dead_records[OTLP_FAULT_MALFORMED], WORKERS);
    assert_int_equal(topics[TOPIC_SPANS].dead_spans[WORKER_REASON_REFUSED], WORKERS);
    assert_int_equal(topics[TOPIC_SPANS].dead_spans[WORKER_REASON_TOO_LARGE], WORKERS);
    assert_int_equal(topics[TOPIC_SPANS].messages_read, 0);
    assert_int_equal(topics[TOPIC_SPANS].discarded, 0);
    assert_int_equal(topics[TOPIC_ORDERS].messages_read, 1);
    assert_int_equal(topics[TOPIC_ORDERS].spans_read, 0);
    assert_int_equal(seen.dead, 2 * WORKERS);
    assert_int_equal(seen.counters.spans_read, 2 * WORKERS);
    assert_int_equal(seen.counters.records_read, 2 * WORKERS);
    rig_clear(&rig);
}

static void test_what_goes_to_no_topic_is_discarded(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.topics[TOPIC_SPANS].dead_letters = false;
    rig.topics[TOPIC_SPANS].tolerant = true;
    rig_start(&rig);
    rig_push_bytes(&rig, 0, bytes_text("\xff"));
    rig_drain(&rig);
    struct worker_topic_counters topics[TOPICS];
    account(&rig, topics);
    assert_int_equal(topics[TOPIC_SPANS].dead_records[OTLP_FAULT_MALFORMED], 1);
    assert_int_equal(topics[TOPIC_SPANS].discarded, 1);
    assert_false(worker_group_topic_has_failed(rig.group, TOPIC_SPANS));
    rig_clear(&rig);
}

static void test_a_topic_that_stopped_is_named(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.topics[TOPIC_SPANS].dead_letters = false;
    rig.topics[TOPIC_SPANS].tolerant = false;
    rig_start(&rig);
    assert_false(worker_group_topic_has_failed(rig.group, TOPIC_SPANS));
    rig_push_bytes(&rig, 0, bytes_text("\xff"));
    rig_turn(&rig, 0);
    assert_true(worker_group_topic_has_failed(rig.group, TOPIC_SPANS));
    assert_false(worker_group_topic_has_failed(rig.group, TOPIC_ORDERS));
    rig_clear(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_account_closes_at_any_moment),
        cmocka_unit_test(test_topics_add_up_to_the_totals),
        cmocka_unit_test(test_what_goes_to_no_topic_is_discarded),
        cmocka_unit_test(test_a_topic_that_stopped_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
