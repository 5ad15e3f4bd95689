#include "observe.h"

#include <stdio.h>

#include "core/memory.h"
#include "hops.h"
#include "support/test.h"

struct look {
    struct rig rig;
    struct worker_observed observed; /* from `finish` on */
};

/* For the test to change before rig_start. */
static void init(struct look *look)
{
    rig_init(&look->rig);
    look->rig.options.observe = true;
}

static void start(struct look *look)
{
    init(look);
    rig_start(&look->rig);
}

/* Ends the run: nothing may have left it, and all must be accounted for. */
static void finish(struct look *look)
{
    struct rig *rig = &look->rig;
    rig_drain(rig);
    struct worker_counters counters = rig_counters(rig);
    assert_int_equal(rig->sinks[0].span_count, 0);
    assert_int_equal(rig->source.letter_count, 0);
    assert_int_equal(counters.exported + counters.dropped_no_policy + counters.synthetic, 0);
    assert_int_equal(worker_group_take_observed(rig->group, &look->observed), SB_OK);
}

static void wait_and_finish(struct look *look)
{
    rig_wait(&look->rig);
    finish(look);
}

/* The whole of a look at one hop to orders. */
static void look_at_hop(struct look *look, enum hop_evidence evidence, enum repair_mode mode)
{
    init(look);
    look->rig.topics[TOPIC_ORDERS].repair.mode = mode;
    rig_start(&look->rig);
    struct hop hop = hop_default(&look->rig, evidence);
    hop_push(&look->rig, &hop);
    wait_and_finish(look);
}

static void clear(struct look *look)
{
    worker_observed_clear(&look->observed);
    rig_clear(&look->rig);
}

/* The row of that name in a table that tells by one thing; a failed test when there is none. */
static const struct worker_observed_row *row_of(const struct look *look,
                                                enum worker_observed_by by, const char *name)
{
    const struct worker_observed *observed = &look->observed;
    for (uint32_t i = 0; i < observed->row_count[by]; i++) {
        const struct worker_observed_row *row = &observed->rows[by][i];
        if (strcmp(by == WORKER_BY_DESTINATION ? row->destination : row->service, name) == 0)
            return row;
    }
    fail_msg("no row for %s", name);
    return NULL;
}

#define COUNT(row, name) ((row)->counts[WORKER_HOP_##name])

static void push_consumer(struct rig *rig, uint32_t number, const struct span_spec *more)
{
    struct span_spec spec = *more;
    spec.trace = rig_trace(rig, 0, number);
    spec.id = 1000 + number;
    spec.kind = OTLP_KIND_CONSUMER;
    spec.operation = spec.operation == NULL ? "process" : spec.operation;
    spec.service = "billing";
    rig_push(rig, 0, &spec, 1);
}

static void test_broken_hops_by_the_rule_that_would_repair_them(void **state)
{
    (void)state;
    static const enum worker_hop_counter rules[] = {
        [HOP_BY_LINK] = WORKER_HOP_by_link,
        [HOP_BY_COORDINATE] = WORKER_HOP_by_coordinate,
        [HOP_BY_HEADER] = WORKER_HOP_by_header,
    };
    for (int evidence = HOP_BY_LINK; evidence <= HOP_BY_HEADER; evidence++) {
        struct look look;
        look_at_hop(&look, (enum hop_evidence)evidence, REPAIR_AUTO);
        assert_int_equal(rig_counters(&look.rig).observed, 4);
        assert_int_equal(look.observed.counts.traces, 2);
        assert_int_equal(look.observed.counts.complete, 1);
        assert_int_equal(look.observed.counts.broken, 1);
        assert_int_equal(look.observed.counts.joined, 1);
        assert_int_equal(look.observed.counts.reasons[WORKER_OBSERVED_wait], 2);
        const struct worker_observed_row *row = row_of(&look, WORKER_BY_DESTINATION, "orders");
        assert_int_equal(COUNT(row, sent), 1);
        assert_int_equal(COUNT(row, broken), 1);
        assert_int_equal(COUNT(row, broken_traces), 1);
        assert_int_equal(COUNT(row, intact), 0);
        assert_int_equal(row->counts[rules[evidence]], 1);
        assert_int_equal(COUNT(row, repaired_parent), 1);
        assert_int_equal(COUNT(row, producer_unseen), 0);
        const struct worker_observed_row *billing = row_of(&look, WORKER_BY_SERVICE, "billing");
        assert_int_equal(COUNT(billing, broken), 1);
        assert_int_equal(COUNT(billing, sent), 0);
        assert_int_equal(COUNT(row_of(&look, WORKER_BY_SERVICE, "shop"), sent_traces), 1);
        assert_int_equal(look.observed.row_count[WORKER_BY_HOP], 2);
        clear(&look);
    }
}

static void test_what_modes_would_do(void **state)
{
    (void)state;
    static const enum repair_mode modes[] = {REPAIR_PARENT, REPAIR_LINK, REPAIR_REPORT};
    static const enum worker_hop_counter done[] = {
        WORKER_HOP_repaired_parent, WORKER_HOP_repaired_link, WORKER_HOP_only_reported};
    for (size_t i = 0; i < 3; i++) {
        struct look look;
        look_at_hop(&look, HOP_BY_COORDINATE, modes[i]);
        const struct worker_observed_row *row = row_of(&look, WORKER_BY_DESTINATION, "orders");
        for (size_t other = 0; other < 3; other++)
            assert_int_equal(row->counts[done[other]], other == i);
        assert_int_equal(COUNT(row, by_coordinate), 1);
        assert_int_equal(look.observed.counts.joined, i == 0);
        clear(&look);
    }
}

static void test_whole_hops(void **state)
{
    (void)state;
    struct look look;
    start(&look);
    struct trace_id trace = rig_trace(&look.rig, 0, 1);
    const struct span_spec specs[] = {
        {.trace = trace,
         .id = 1,
         .kind = OTLP_KIND_PRODUCER,
         .operation = "send",
         .topic = "orders",
         .service = "shop"},
        {.trace = trace,
         .id = 2,
         .parent = 1,
         .operation = "process",
         .topic = "orders",
         .service = "billing"},
        {.trace = trace, .id = 3, .parent = 2, .service = "billing"},
    };
    rig_push(&look.rig, 0, specs, 3);
    push_consumer(&look.rig, 2, &(struct span_spec){.topic = "orders", .parent = 77});
    wait_and_finish(&look);
    assert_int_equal(look.observed.counts.complete, 1);
    assert_int_equal(look.observed.counts.missing_parent, 1);
    assert_int_equal(look.observed.counts.broken, 0);
    assert_int_equal(COUNT(row_of(&look, WORKER_BY_SERVICE, "billing"), intact), 2);
    clear(&look);
}

static void test_why_hops_can_not_be_repaired(void **state)
{
    (void)state;
    struct look look;
    start(&look);
    push_consumer(&look.rig, 1, &(struct span_spec){.topic = "nowhere"});
    push_consumer(&look.rig, 2, &(struct span_spec){.topic = "nowhere", .batch = 4});
    push_consumer(&look.rig, 3, &(struct span_spec){.topic = "elsewhere", .placed = true});
    push_consumer(&look.rig, 4,
                  &(struct span_spec){.topic = "orders", .placed = true, .offset = 4});
    push_consumer(&look.rig, 5,
                  &(struct span_spec){.topic = "orders", .placed = true, .offset = 5});
    rig_push_message(&look.rig, TOPIC_ORDERS, 5, 1, NULL);
    push_consumer(&look.rig, 6,
                  &(struct span_spec){.topic = "orders", .placed = true, .offset = 6});
    const struct span_spec senders[] = {
        {.trace = rig_trace(&look.rig, 0, 7),
         .id = 7,
         .operation = "send",
         .topic = "orders",
         .placed = true,
         .offset = 6},
        {.trace = rig_trace(&look.rig, 0, 8),
         .id = 8,
         .operation = "send",
         .topic = "orders",
         .placed = true,
         .offset = 6},
    };
    rig_push(&look.rig, 0, &senders[0], 1);
    rig_push(&look.rig, 0, &senders[1], 1);
    rig_push_message(&look.rig, TOPIC_ORDERS, 9, 1, "00-nonsense-01");
    /* A hop of one trace: nothing is to be joined, though nothing stands above it. */
    const struct span_spec own[] = {
        {.trace = rig_trace(&look.rig, 0, 9), .id = 90},
        {.trace = rig_trace(&look.rig, 0, 9),
         .id = 91,
         .parent = 90,
         .operation = "send",
         .topic = "payments",
         .placed = true},
        {.trace = rig_trace(&look.rig, 0, 9),
         .id = 92,
         .parent = 90,
         .operation = "receive",
         .topic = "payments",
         .placed = true},
    };
    rig_push(&look.rig, 0, own, 3);
    rig_wait(&look.rig);
    rig_advance_ms(&look.rig, RIG_HOLD_MS);
    finish(&look);
    const struct worker_observed_row *row = row_of(&look, WORKER_BY_DESTINATION, "nowhere");
    assert_int_equal(COUNT(row, names_nothing), 1);
    assert_int_equal(COUNT(row, batch), 1);
    row = row_of(&look, WORKER_BY_DESTINATION, "elsewhere");
    assert_int_equal(COUNT(row, topic_not_read), 1);
    row = row_of(&look, WORKER_BY_DESTINATION, "orders");
    assert_int_equal(COUNT(row, record_bare), 1);
    assert_int_equal(COUNT(row, record_not_seen), 1);
    assert_true(COUNT(row, ambiguous) + COUNT(row, by_coordinate) == 1);
    assert_int_equal(COUNT(row, broken), 3);
    assert_int_equal(COUNT(row_of(&look, WORKER_BY_DESTINATION, "payments"), same_trace), 1);
    assert_int_equal(look.observed.counts.broken, 7);
    assert_int_equal(look.observed.topics[TOPIC_ORDERS].without_context, 2);
    assert_int_equal(look.observed.topics[TOPIC_ORDERS].malformed, 1);
    clear(&look);
}

/* A poll without an attribute is no message; what it took in is counted once, below it. */
static void test_polls_are_passed_over(void **state)
{
    (void)state;
    struct look look;
    start(&look);
    struct trace_id trace = rig_trace(&look.rig, 0, 1);
    const struct span_spec specs[] = {
        {.trace = trace, .id = 1, .kind = OTLP_KIND_CONSUMER},
        {.trace = trace, .id = 2, .parent = 1, .operation = "process", .topic = "orders"},
        {.trace = rig_trace(&look.rig, 0, 2), .id = 3, .kind = OTLP_KIND_CONSUMER},
    };
    rig_push(&look.rig, 0, specs, 3);
    wait_and_finish(&look);
    assert_int_equal(look.observed.row_count[WORKER_BY_HOP], 1);
    assert_int_equal(COUNT(&look.observed.rows[WORKER_BY_HOP][0], broken), 1);
    assert_int_equal(look.observed.counts.complete, 1);
    clear(&look);
}

static void test_a_producer_whose_spans_never_came(void **state)
{
    (void)state;
    struct look look;
    start(&look);
    struct hop hop = hop_default(&look.rig, HOP_BY_HEADER);
    hop_push_consumer(&look.rig, 0, &hop);
    hop_push_message(&look.rig, &hop);
    wait_and_finish(&look);
    const struct worker_observed_row *row = row_of(&look, WORKER_BY_DESTINATION, "orders");
    assert_int_equal(COUNT(row, repaired_parent), 1);
    assert_int_equal(COUNT(row, producer_unseen), 1);
    clear(&look);
}

static void test_what_can_not_be_taken_is_counted_and_not_sent(void **state)
{
    (void)state;
    struct look look;
    init(&look);
    look.rig.topics[TOPIC_SPANS].tolerant = false; /* a real run would stop here */
    rig_start(&look.rig);
    rig_push_bytes(&look.rig, 0, BYTES_LITERAL("\xff\x00garbage"));
    const struct span_spec specs[] = {{.trace = rig_trace(&look.rig, 0, 1), .id = 1},
                                      {.id = 2}};
    rig_push(&look.rig, 0, specs, 2);
    wait_and_finish(&look);
    struct worker_counters counters = rig_counters(&look.rig);
    assert_int_equal(counters.dead_records[OTLP_FAULT_MALFORMED], 1);
    assert_int_equal(counters.dead_spans[OTLP_FAULT_TRACE_ID], 1);
    assert_int_equal(counters.observed, 1);
    assert_null(worker_group_failed_topic(look.rig.group));
    clear(&look);
}

/* On whichever worker they are judged: one of them reads no partition. */
static void test_traces_that_began_before_are_not_judged(void **state)
{
    (void)state;
    struct look look;
    init(&look);
    look.rig.options.worker_count = 2;
    look.rig.options.observe_from_now = true;
    fake_clock_advance_ms(&look.rig.clock, 100);
    rig_start(&look.rig);
    atomic_store(&look.rig.group->observe_since_ns, 0);
    rig_close_lane(&look.rig, 0, 0, 0);
    rig_close_lane(&look.rig, 1, 0, 0);
    rig_open_lane(&look.rig, 0, 0, false, TOPIC_SPANS);
    for (uint32_t i = 0; i < 4; i++) {
        const struct span_spec spec = {.trace = rig_trace(&look.rig, i % 2, i),
                                       .id = i + 1,
                                       .operation = "process",
                                       .topic = "orders",
                                       .start_ms = i < 2 ? 99 : 101};
        rig_push(&look.rig, 0, &spec, 1);
    }
    wait_and_finish(&look);
    assert_int_equal(look.observed.counts.cut, 2);
    assert_int_equal(look.observed.counts.broken, 2);
    assert_int_equal(COUNT(row_of(&look, WORKER_BY_DESTINATION, "orders"), broken), 2);
    clear(&look);
}

static void test_late_spans_follow(void **state)
{
    (void)state;
    struct look look;
    init(&look);
    rig_keep_errors(&look.rig);
    rig_start(&look.rig);
    const struct span_spec spec = {.trace = rig_trace(&look.rig, 0, 1), .id = 1};
    const struct span_spec late = {.trace = rig_trace(&look.rig, 0, 1), .id = 2, .parent = 1};
    rig_push(&look.rig, 0, &spec, 1);
    rig_wait(&look.rig);
    rig_push(&look.rig, 0, &late, 1);
    wait_and_finish(&look);
    assert_int_equal(rig_counters(&look.rig).observed, 2);
    assert_int_equal(rig_counters(&look.rig).late_spans, 1);
    assert_int_equal(look.observed.counts.traces, 1);
    clear(&look);
}

enum { HOPS = 60 };

/* Hops of all kinds, over all workers, some of them already whole. */
static void push_many(struct rig *rig)
{
    uint32_t workers = rig->options.worker_count;
    for (uint32_t i = 0; i < HOPS; i++) {
        struct hop hop = hop_numbered(rig, i);
        hop.producer_fails = i % 7 == 0;
        if (i % 5 != 4)
            hop_push_producer(rig, i % workers, &hop);
        hop_push_consumer(rig, (i + 1) % workers, &hop);
        if (hop.evidence == HOP_BY_HEADER && i % 4 != 0)
            hop_push_message(rig, &hop);
    }
}

static void run_many(uint32_t workers, bool observe, struct worker_counters *ret_counters,
                     uint64_t ret[WORKER_HOP_COUNTER_COUNT])
{
    struct look look;
    rig_init(&look.rig);
    look.rig.options.observe = observe;
    look.rig.options.worker_count = workers;
    rig_keep_errors(&look.rig);
    rig_start(&look.rig);
    push_many(&look.rig);
    if (!observe)
        rig_drain(&look.rig);
    if (observe) {
        finish(&look);
        assert_int_equal(look.observed.row_count[WORKER_BY_DESTINATION], 1);
        memcpy(ret, look.observed.rows[WORKER_BY_DESTINATION][0].counts,
               WORKER_HOP_COUNTER_COUNT * sizeof(*ret));
        worker_observed_clear(&look.observed);
    }
    *ret_counters = rig_counters(&look.rig);
    rig_clear(&look.rig);
}

/* What is said is what a real run does; and the number of workers makes no difference. */
static void test_the_look_tells_what_a_run_would_do(void **state)
{
    (void)state;
    struct worker_counters real;
    struct worker_counters looked;
    uint64_t first[WORKER_HOP_COUNTER_COUNT] = {0};
    uint64_t counts[WORKER_HOP_COUNTER_COUNT] = {0};
    run_many(1, false, &real, NULL);
    for (uint32_t workers = 1; workers <= 4; workers++) {
        run_many(workers, true, &looked, workers == 1 ? first : counts);
        assert_memory_equal(real.repairs, looked.repairs, sizeof(real.repairs));
        assert_int_equal(looked.traces_kept, real.traces_kept);
        if (workers > 1)
            assert_memory_equal(counts, first, sizeof(first));
    }
    uint64_t repaired = 0;
    for (int rule = 0; rule < REPAIR_RULE_COUNT; rule++)
        repaired += real.repairs[rule][WORKER_REPAIRED_PARENT] +
                    real.repairs[rule][WORKER_REPAIRED_LINK];
    assert_int_equal(first[WORKER_HOP_broken], HOPS);
    assert_int_equal(first[WORKER_HOP_repaired_parent] + first[WORKER_HOP_repaired_link],
                     repaired);
    assert_in_range(repaired, HOPS / 2, HOPS - 1);
    uint64_t reasons = 0;
    for (int i = WORKER_HOP_ambiguous; i < WORKER_HOP_COUNTER_COUNT; i++)
        reasons += first[i];
    assert_int_equal(reasons, HOPS - repaired);
}

/* At the end of a run all are decided in one turn: what is asked of owners then is answered. */
static void test_no_answer_is_lost_at_the_end(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    for (uint32_t workers = 1; workers <= 2; workers++) {
        struct look look;
        init(&look);
        look.rig.options.worker_count = workers;
        rig_start(&look.rig);
        for (uint32_t i = 0; i < MANY; i++)
            push_consumer(&look.rig, i,
                          &(struct span_spec){.topic = "x", .placed = true, .offset = i});
        finish(&look);
        const struct worker_observed_row *row = row_of(&look, WORKER_BY_DESTINATION, "x");
        assert_int_equal(COUNT(row, broken), MANY);
        assert_int_equal(COUNT(row, topic_not_read), MANY);
        clear(&look);
    }
}

static void test_memory_shortage_at_the_start(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 400; nth++) {
        struct look look;
        start(&look);
        struct observe *observe = NULL;
        memory_fail_at(nth);
        enum sb_err err = observe_new(rig_worker(&look.rig, 0), &observe);
        memory_fail_at(0);
        observe_free(err == SB_OK ? observe : NULL);
        rig_clear(&look.rig);
        if (err == SB_OK)
            return;
        assert_int_equal(err, SB_ERR_MEMORY);
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken_hops_by_the_rule_that_would_repair_them),
        cmocka_unit_test(test_what_modes_would_do),
        cmocka_unit_test(test_whole_hops),
        cmocka_unit_test(test_why_hops_can_not_be_repaired),
        cmocka_unit_test(test_polls_are_passed_over),
        cmocka_unit_test(test_a_producer_whose_spans_never_came),
        cmocka_unit_test(test_what_can_not_be_taken_is_counted_and_not_sent),
        cmocka_unit_test(test_traces_that_began_before_are_not_judged),
        cmocka_unit_test(test_late_spans_follow),
        cmocka_unit_test(test_the_look_tells_what_a_run_would_do),
        cmocka_unit_test(test_no_answer_is_lost_at_the_end),
        cmocka_unit_test(test_memory_shortage_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
