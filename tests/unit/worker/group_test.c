#include <sched.h>
#include <stdio.h>

#include "core/memory.h"
#include "hops.h"
#include "support/test.h"

/* Whichever allocation fails while the workers are made: nothing is left behind. */
static void test_memory_shortage_makes_no_group(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 2;
    rig_start(&rig);
    uint64_t before = memory_allocations();
    struct worker_group *group = NULL;
    assert_int_equal(worker_group_new(&rig.options, &group), SB_OK);
    uint64_t allocations = memory_allocations() - before;
    worker_group_free(group);
    uint32_t made = 0;
    for (uint64_t nth = 1; nth <= allocations; nth++) {
        group = NULL;
        memory_fail_at(nth);
        enum sb_err err = worker_group_new(&rig.options, &group);
        memory_fail_at(0);
        assert_true(err == SB_OK ? group != NULL : err == SB_ERR_MEMORY && group == NULL);
        made += err == SB_OK;
        worker_group_free(group);
    }
    /* Only the stack of regular expressions may be missing: they work without it. */
    assert_int_equal(made, 2 * rig.options.worker_count);
    rig_clear(&rig);
}

static void turn_all(struct rig *rig)
{
    for (uint32_t i = 0; i < rig->options.worker_count; i++)
        rig_turn(rig, i);
}

/* Quiet: all have seen the phase, and no message is under way. */
static void test_quiet_means_that_nothing_is_under_way(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 2;
    rig_start(&rig);
    const struct span_spec spec = {.trace = rig_trace(&rig, 1, 1), .id = 10};
    rig_push(&rig, 0, &spec, 1);
    rig_turn(&rig, 0);
    assert_false(worker_group_is_quiet(rig.group));
    worker_group_set_phase(rig.group, WORKER_SETTLE);
    assert_false(worker_group_is_quiet(rig.group)); /* nobody has seen it */
    rig_turn(&rig, 0);
    assert_false(worker_group_is_quiet(rig.group));
    rig_turn(&rig, 1);
    assert_true(worker_group_is_quiet(rig.group));
    assert_true(worker_group_is_idle(rig.group));
    assert_int_equal(rig_counters(&rig).held_window, 1);
    /* Everybody has settled, and yet there is a message. */
    struct trace_id id = spec.trace;
    assert_int_equal(exchange_send(&rig_worker(&rig, 0)->exchange, 1, MESSAGE_PULL,
                                   bytes_of(id.byte, sizeof(id)), bytes_of(NULL, 0)),
                     SB_OK);
    assert_false(worker_group_is_quiet(rig.group));
    for (int i = 0; i < 3; i++)
        turn_all(&rig);
    assert_true(worker_group_is_quiet(rig.group));
    worker_group_set_phase(rig.group, WORKER_DECIDE);
    assert_false(worker_group_is_quiet(rig.group));
    rig.sinks[0].answers = false;
    for (int i = 0; i < 4; i++)
        turn_all(&rig);
    /* Decided, but no sink has it yet. */
    assert_true(worker_group_is_quiet(rig.group));
    assert_false(worker_group_is_idle(rig.group));
    fake_sink_answer_all(&rig.sinks[0]);
    for (int i = 0; i < 4; i++)
        turn_all(&rig);
    assert_true(worker_group_is_idle(rig.group));
    assert_int_equal(ledger_held(rig_worker(&rig, 0)->ledger), 0);
    rig_clear(&rig);
}

static void test_idle_waits_for_dead_letters(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    rig.source.letters_full = 3;
    rig_push_bytes(&rig, 0, BYTES_LITERAL("\xff"));
    rig_turn(&rig, 0);
    worker_group_set_phase(rig.group, WORKER_SETTLE);
    for (int i = 0; i < 6; i++)
        rig_turn(&rig, 0);
    assert_int_equal(rig.source.letter_count, 1);
    assert_true(worker_group_is_quiet(rig.group));
    assert_false(worker_group_is_idle(rig.group));
    rig_answer_letters(&rig, SB_OK);
    for (int i = 0; i < 2; i++)
        rig_turn(&rig, 0);
    assert_true(worker_group_is_idle(rig.group));
    rig_clear(&rig);
}

/* A drain reads the message topics first: spans stay where they are until then. */
static void test_taps_are_read_before_spans_where_that_is_asked_for(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.taps_first = true;
    rig_start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_HEADER);
    hop_push(&rig, &hop);
    for (int i = 0; i < 5; i++)
        rig_turn(&rig, 0);
    assert_int_equal(rig_counters(&rig).messages_read, 1);
    assert_int_equal(rig_counters(&rig).records_read, 0);
    worker_group_set_phase(rig.group, WORKER_RUN);
    rig_wait(&rig);
    hop_expect_merged(&rig, &hop);
    rig_drain(&rig);
    rig_clear(&rig);
}

/* What was polled when intake stops is still taken: or a drain would end before its end. */
static void test_settling_takes_what_was_polled(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    rig.source.letters_full = UINT32_MAX; /* blocks intake behind the first record */
    rig_push_bytes(&rig, 0, BYTES_LITERAL("\xff"));
    for (uint64_t i = 0; i < 5; i++) {
        const struct span_spec spec = {.trace = rig_trace(&rig, 0, 1), .id = 10 + i};
        rig_push(&rig, 0, &spec, 1);
    }
    rig_turn(&rig, 0);
    assert_int_equal(rig_counters(&rig).records_read, 1);
    worker_group_set_phase(rig.group, WORKER_SETTLE);
    rig_turn(&rig, 0);
    rig_turn(&rig, 0);
    assert_false(worker_group_is_quiet(rig.group));
    rig.source.letters_full = 0;
    for (int i = 0; i < 3; i++)
        rig_turn(&rig, 0);
    assert_true(worker_group_is_quiet(rig.group));
    assert_int_equal(rig_counters(&rig).records_read, 6);
    rig_answer_letters(&rig, SB_OK);
    worker_group_set_phase(rig.group, WORKER_DECIDE);
    for (int i = 0; i < 4; i++)
        rig_turn(&rig, 0);
    assert_int_equal(rig_balance(&rig), 0);
    assert_int_equal(rig_counters(&rig).exported, 5);
    rig_clear(&rig);
}

static void test_settling_decides_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
    hop_push(&rig, &hop);
    rig_settle(&rig);
    worker_group_set_phase(rig.group, WORKER_SETTLE);
    rig_advance_ms(&rig, 10 * RIG_WAIT_MS);
    for (int i = 0; i < 5; i++)
        rig_turn(&rig, 0);
    assert_int_equal(rig_counters(&rig).held_window, 4);
    /* With the drain all of it is decided, as one, and says why. */
    rig_drain(&rig);
    hop_expect_merged(&rig, &hop);
    assert_string_equal(out_text(rig_out(&rig, 100), "spanbridge.complete_reason"), "drain");
    rig_clear(&rig);
}

/* Closing lanes lets out what has its verdict, and publishes before the lane is gone. */
static void test_closing_a_lane_publishes_its_last_watermark(void **state)
{
    (void)state;
    for (uint64_t budget_ns = 0; budget_ns <= NS_PER_S; budget_ns += NS_PER_S) {
        struct rig rig;
        rig_init(&rig);
        rig_start(&rig);
        for (uint64_t i = 0; i < 2; i++) {
            const struct span_spec spec = {.trace = rig_trace(&rig, 0, (uint32_t)i),
                                           .id = 10 + i};
            rig_push(&rig, 0, &spec, 1);
            rig_settle(&rig);
            rig_advance_ms(&rig, RIG_WAIT_MS / 2);
        }
        rig_settle(&rig); /* the first is decided, and lingers in a batch */
        assert_int_equal(rig.sinks[0].span_count, 0);
        assert_int_equal(egress_held(&rig_worker(&rig, 0)->egress), 1);
        ledger_partition first = rig_worker(&rig, 0)->lanes.at[0].ledger;
        rig.sinks[0].answers = budget_ns > 0; /* without a budget nobody waits for it */
        int64_t published = rig_close_lane(&rig, 0, 0, budget_ns);
        assert_int_equal(rig.sinks[0].batches, 1);
        assert_int_equal(published, budget_ns == 0 ? -1 : 1);
        fake_sink_answer_all(&rig.sinks[0]);
        rig.sinks[0].answers = true;
        /* What had no verdict is left to the next owner. */
        rig_wait(&rig);
        assert_int_equal(rig.sinks[0].span_count, 1);
        assert_int_equal(rig_counters(&rig).returned, 1);
        assert_int_equal(rig.source.published[0][0], -1);
        assert_int_equal(ledger_held(rig_worker(&rig, 0)->ledger), 0);
        /* The partition's place is free again. */
        rig_open_lane(&rig, 0, 0, false, TOPIC_SPANS);
        assert_int_equal(rig_worker(&rig, 0)->lanes.at[0].ledger, first);
        rig_clear(&rig);
    }
}

/* The spans of a record may be with any worker: their counts are waited for as well. */
static void test_closing_a_lane_waits_for_what_others_have_of_it(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 3;
    rig_start(&rig);
    const struct span_spec specs[] = {{.trace = rig_trace(&rig, 0, 1), .id = 10},
                                      {.trace = rig_trace(&rig, 1, 2), .id = 20},
                                      {.trace = rig_trace(&rig, 2, 3), .id = 30}};
    rig_push(&rig, 0, specs, 3);
    rig_settle(&rig);
    rig_advance_ms(&rig, RIG_WAIT_MS);
    rig_settle(&rig); /* decided, and lingering in three batches */
    assert_int_equal(rig.sinks[0].span_count, 0);
    assert_int_equal(rig_close_lane(&rig, 0, 0, NS_PER_S), 1);
    rig_clear(&rig);
}

/* A worker that reads nothing itself still forgets envelopes that nobody uses. */
static void test_envelopes_from_others_are_swept(void **state)
{
    (void)state;
    enum { SERVICES = 3000 };
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 2;
    rig_start(&rig);
    for (uint32_t i = 0; i < SERVICES; i++) {
        char service[32];
        snprintf(service, sizeof(service), "service-%u", i);
        const struct span_spec spec = {
            .trace = rig_trace(&rig, 1, i), .id = 100 + i, .service = service};
        rig_push(&rig, 0, &spec, 1);
        rig.spans[rig.span_count - 1].service = NULL;
    }
    rig_wait(&rig);
    rig_settle(&rig);
    assert_true(rig_worker(&rig, 1)->envelopes.idle < 1024);
    assert_true(rig_worker(&rig, 0)->envelopes.idle < 1024);
    rig_drain(&rig);
    rig_clear(&rig);
}

/* Threads: the same as by hand, with all that is shared under the eyes of TSan. */
static void push_hops(struct rig *rig, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct hop hop = hop_numbered(rig, i);
        hop_push_at(rig, i % 2, i / 2 % 3, &hop);
        if (i % 10 == 0)
            rig_push_bytes(rig, i % 3, BYTES_LITERAL("\xff"));
    }
}

static void wait_for(struct rig *rig, bool (*is)(struct rig *rig))
{
    while (!is(rig)) {
        pthread_mutex_lock(&rig->source.lock);
        rig_answer_letters(rig, SB_OK);
        pthread_mutex_unlock(&rig->source.lock);
        struct worker_counters counters;
        worker_group_read_counters(rig->group, &counters);
        sched_yield();
    }
}

static bool has_read_all(struct rig *rig)
{
    return atomic_load(&rig->source.queued) == 0;
}

static bool is_quiet(struct rig *rig)
{
    return worker_group_is_quiet(rig->group);
}

static bool is_idle(struct rig *rig)
{
    return worker_group_is_idle(rig->group);
}

static void test_threads_do_the_same(void **state)
{
    (void)state;
    enum { HOPS = 150 };
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 3;
    rig_start(&rig);
    push_hops(&rig, HOPS);
    assert_int_equal(worker_group_start(rig.group), SB_OK);
    wait_for(&rig, has_read_all);
    const struct source_lane lane = {
        .source = &rig.source.base,
        .topic = TOPIC_SPANS,
        .topic_name = "spans",
        .worker = 1,
        .lane = 2,
    };
    worker_group_open_lane(rig.group, &lane);
    worker_group_set_phase(rig.group, WORKER_SETTLE);
    wait_for(&rig, is_quiet);
    worker_group_close_lanes(rig.group, &lane, 1, NS_PER_S);
    worker_group_set_phase(rig.group, WORKER_DECIDE);
    wait_for(&rig, is_idle);
    worker_group_publish(rig.group);
    worker_group_stop(rig.group);
    struct worker_counters counters;
    worker_group_read_counters(rig.group, &counters);
    assert_int_equal(counters.exported, 4 * HOPS);
    assert_int_equal(counters.dead_records[OTLP_FAULT_MALFORMED], HOPS / 10);
    assert_int_equal(counters.traces_kept, HOPS);
    for (uint32_t i = 0; i < HOPS; i++) {
        const struct out_span *producer = rig_out(&rig, 10000 + 10 * i);
        const struct out_span *consumer = rig_out(&rig, 10005 + 10 * i);
        assert_true(trace_id_equal(out_trace(producer), out_trace(consumer)));
    }
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(ledger_held(rig_worker(&rig, i)->ledger), 0);
        assert_int_equal(rig.source.published[i][0], rig.next_offset[i]);
    }
    rig_clear(&rig);
}

/* A lane comes and goes while the threads read: what has no verdict leaves with it, all of it. */
static void test_threads_stand_still_while_lanes_close(void **state)
{
    (void)state;
    enum { HOPS = 2000, ROUNDS = 40 };
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 3;
    rig_start(&rig);
    push_hops(&rig, HOPS);
    assert_int_equal(worker_group_start(rig.group), SB_OK);
    const struct source_lane lane = {.source = &rig.source.base,
                                     .topic = TOPIC_SPANS,
                                     .topic_name = "spans",
                                     .partition = 1,
                                     .worker = 1};
    for (int round = 0; round < ROUNDS; round++) {
        worker_group_close_lanes(rig.group, &lane, 1, 0);
        worker_group_open_lane(rig.group, &lane);
    }
    wait_for(&rig, has_read_all);
    worker_group_set_phase(rig.group, WORKER_SETTLE);
    wait_for(&rig, is_quiet);
    worker_group_close_lanes(rig.group, &lane, 1, 0);
    worker_group_set_phase(rig.group, WORKER_DECIDE);
    wait_for(&rig, is_idle);
    worker_group_stop(rig.group);
    struct worker_account account;
    worker_group_take_account(rig.group, &account, NULL);
    assert_true(account.counters.returned > 0);
    assert_true(account.counters.exported >= 2 * HOPS); /* those of two lanes stay */
    assert_int_equal(account.balance, 0);
    assert_int_equal(account.held, 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(ledger_held(rig_worker(&rig, i)->ledger), 0);
    rig_clear(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_shortage_makes_no_group),
        cmocka_unit_test(test_quiet_means_that_nothing_is_under_way),
        cmocka_unit_test(test_idle_waits_for_dead_letters),
        cmocka_unit_test(test_taps_are_read_before_spans_where_that_is_asked_for),
        cmocka_unit_test(test_settling_takes_what_was_polled),
        cmocka_unit_test(test_settling_decides_nothing),
        cmocka_unit_test(test_closing_a_lane_publishes_its_last_watermark),
        cmocka_unit_test(test_closing_a_lane_waits_for_what_others_have_of_it),
        cmocka_unit_test(test_envelopes_from_others_are_swept),
        cmocka_unit_test(test_threads_do_the_same),
        cmocka_unit_test(test_threads_stand_still_while_lanes_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
