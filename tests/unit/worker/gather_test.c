#include "core/memory.h"
#include "hops.h"
#include "support/test.h"

static void start(struct rig *rig, uint32_t workers)
{
    rig_init(rig);
    rig->options.worker_count = workers;
    rig_start(rig);
}

static void start_keeping_errors(struct rig *rig, uint32_t workers)
{
    rig_init(rig);
    rig->options.worker_count = workers;
    rig_keep_errors(rig);
    rig_start(rig);
}

static void finish(struct rig *rig)
{
    rig_drain(rig);
    rig_clear(rig);
}

/* Whoever reads which side, and wherever the traces are at home: they leave as one. */
static void test_traces_meet_wherever_they_are_at_home(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 16 * 3; bits++) {
        struct rig rig;
        start(&rig, 2);
        enum hop_evidence evidence = (enum hop_evidence)(bits / 16);
        struct hop hop = hop_between(&rig, evidence, bits & 1, bits >> 1 & 1);
        hop_push_at(&rig, bits >> 2 & 1, bits >> 3 & 1, &hop);
        rig_wait(&rig);
        rig_wait(&rig); /* a stand-in starts to wait when it is opened */
        hop_expect_merged(&rig, &hop);
        const struct out_span *queue;
        assert_int_equal(rig_synthetic(&rig, &queue), 1);
        assert_true(out_has_trace(queue, hop.producer));
        assert_int_equal(rig_counters(&rig).traces_kept, 1);
        finish(&rig);
    }
}

static void test_three_workers_gather_a_chain(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 3);
    struct hop first = hop_between(&rig, HOP_BY_LINK, 1, 2);
    struct hop second = {.evidence = HOP_BY_LINK,
                         .topic = "payments",
                         .producer = first.consumer,
                         .producer_id = 200,
                         .consumer = rig_trace(&rig, 1, 3),
                         .consumer_id = 300};
    hop_push_consumer(&rig, 2, &second);
    hop_push_consumer(&rig, 1, &first);
    hop_push_producer(&rig, 0, &first);
    rig_wait(&rig);
    rig_wait(&rig);
    hop_expect_merged(&rig, &first);
    assert_true(out_has_trace(rig_out(&rig, 300), first.producer));
    finish(&rig);
}

/* The home of a gathered trace sends on what comes late, and it goes where its trace went. */
static void test_late_spans_find_the_gathering_worker(void **state)
{
    (void)state;
    for (uint32_t reader = 0; reader < 2; reader++) {
        struct rig rig;
        start(&rig, 2);
        struct hop hop = hop_between(&rig, HOP_BY_COORDINATE, 1, 1);
        hop_push(&rig, &hop);
        rig_wait(&rig);
        rig_wait(&rig);
        hop_expect_merged(&rig, &hop);
        const struct span_spec late[] = {
            {.trace = hop.consumer, .id = 210, .parent = 200},
            {.trace = hop.producer, .id = 110, .parent = 100},
        };
        rig_push(&rig, reader, late, 2);
        rig_wait(&rig);
        assert_true(out_has_trace(rig_out(&rig, 210), hop.producer));
        assert_true(out_has_trace(rig_out(&rig, 110), hop.producer));
        assert_int_equal(rig_counters(&rig).late_spans, 2);
        finish(&rig);
    }
}

/* A trace that waits at the gathering worker gets the spans that still come to its home. */
static void test_spans_that_come_while_a_trace_is_gathered_go_along(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 2);
    struct hop hop = hop_between(&rig, HOP_BY_COORDINATE, 1, 1);
    hop_push(&rig, &hop);
    rig_settle(&rig);
    const struct span_spec more = {.trace = hop.consumer, .id = 205, .parent = 200};
    rig_push(&rig, 1, &more, 1);
    rig_wait(&rig);
    rig_wait(&rig);
    hop_expect_merged(&rig, &hop);
    assert_true(out_has_trace(rig_out(&rig, 205), hop.producer));
    assert_int_equal(rig_counters(&rig).late_spans, 0);
    finish(&rig);
}

static void test_a_producer_decided_at_its_home_says_so(void **state)
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        struct rig rig;
        start_keeping_errors(&rig, 2);
        struct hop hop = hop_between(&rig, HOP_BY_LINK, 1, 0);
        hop.producer_fails = keeps;
        hop.consumer_fails = true;
        hop_push_producer(&rig, 1, &hop);
        rig_wait(&rig);
        assert_int_equal(rig_count_out(&rig, 100), keeps);
        hop_push_consumer(&rig, 0, &hop);
        rig_wait(&rig);
        rig_wait(&rig);
        if (keeps) {
            hop_expect_merged(&rig, &hop);
            assert_false(out_has(rig_out(&rig, 200), "spanbridge.policy"));
        } else {
            hop_expect_apart(&rig, &hop);
            assert_string_equal(out_text(rig_out(&rig, 200), "spanbridge.policy"), "errors");
        }
        /* Late ones at its home follow the verdict that was given there. */
        const struct span_spec late = {.trace = hop.producer, .id = 110, .parent = 100};
        rig_push(&rig, 0, &late, 1);
        rig_wait(&rig);
        assert_int_equal(rig_count_out(&rig, 110), keeps);
        finish(&rig);
    }
}

static void test_a_consumer_decided_at_its_home_is_too_late(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 2);
    struct hop hop = hop_between(&rig, HOP_BY_COORDINATE, 0, 1);
    hop_push_consumer(&rig, 1, &hop);
    rig_wait(&rig);
    hop_push_producer(&rig, 0, &hop);
    rig_wait(&rig);
    rig_wait(&rig);
    hop_expect_apart(&rig, &hop);
    assert_int_equal(rig_count_out(&rig, 100), 1);
    assert_int_equal(rig_counters(&rig).late_joins, 1);
    finish(&rig);
}

/* Sides travel faster than spans: the gathering worker hears of a hop before its spans. */
static void test_a_join_may_overtake_the_spans_it_speaks_of(void **state)
{
    (void)state;
    for (uint32_t home = 0; home < 2; home++) {
        struct rig rig;
        start(&rig, 2);
        struct hop hop = hop_between(&rig, HOP_BY_LINK, home, home);
        const struct repair_join join = {
            .rule = REPAIR_RULE_LINK,
            .consumer = {.trace_id = hop.consumer,
                         .span_id = spans_id(200),
                         .topic = TOPIC_ORDERS},
            .producer = {.trace_id = hop.producer, .span_id = spans_id(101)},
        };
        assert_int_equal(exchange_send(&rig_worker(&rig, 1)->exchange, 0, MESSAGE_JOIN,
                                       bytes_of(&join, sizeof(join)), bytes_of(NULL, 0)),
                         SB_OK);
        rig_settle(&rig);
        hop_push_consumer(&rig, 1, &hop);
        rig_settle(&rig);
        hop_push_producer(&rig, 1, &hop);
        rig_wait(&rig);
        rig_wait(&rig);
        hop_expect_merged(&rig, &hop);
        finish(&rig);
    }
}

/* A stand-in for a trace of which nothing ever comes leaves no trace. */
static void test_a_stand_in_without_spans_is_forgotten(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 2);
    const struct repair_join join = {
        .rule = REPAIR_RULE_LINK,
        .consumer = {.trace_id = rig_trace(&rig, 1, 5),
                     .span_id = spans_id(200),
                     .topic = TOPIC_ORDERS},
        .producer = {.trace_id = rig_trace(&rig, 1, 6), .span_id = spans_id(101)},
    };
    gather_on_join(rig_worker(&rig, 1), &join);
    rig_wait(&rig);
    rig_wait(&rig);
    assert_int_equal(window_totals(rig_worker(&rig, 0)->window).traces, 0);
    assert_int_equal(window_totals(rig_worker(&rig, 1)->window).traces, 0);
    assert_int_equal(rig_counters(&rig).traces_kept, 0);
    finish(&rig);
}

/*
 * A trace of which only a stand-in was known is asked for a second time, when its spans have
 * long been on their way here: its home, which gave no verdict, must not tell of one.
 */
static void test_the_mark_of_a_gathered_trace_is_no_verdict(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 2;
    rig_keep_errors(&rig);
    for (int i = 0; i < RIG_TOPICS; i++)
        rig.topics[i].repair.unseen = WORKER_UNSEEN_LINK;
    rig_start(&rig);
    struct hop first = hop_between(&rig, HOP_BY_LINK, 1, 0);
    hop_push_consumer(&rig, 0, &first);
    rig_wait(&rig);
    rig_wait(&rig); /* the stand-in has gone, and so has the stub at its home */
    struct hop second = first;
    second.consumer = rig_trace(&rig, 0, 7);
    second.consumer_id = 700;
    hop_push_producer(&rig, 1, &second);
    rig_settle(&rig);
    hop_push_consumer(&rig, 0, &second);
    rig_wait(&rig);
    rig_wait(&rig);
    assert_int_equal(rig.sinks[0].span_count, 0); /* no error, so nobody keeps any of them */
    assert_int_equal(rig_counters(&rig).dropped_no_policy, 6);
    finish(&rig);
}

static void test_the_same_evidence_counts_once(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 2);
    struct hop hop = hop_between(&rig, HOP_BY_COORDINATE, 1, 0);
    hop_push(&rig, &hop);
    hop_push(&rig, &hop);
    rig_settle(&rig);
    assert_int_equal(rig_worker(&rig, 0)->traces.evidence.used, 1);
    rig_wait(&rig);
    rig_wait(&rig);
    finish(&rig);
}

static void test_a_ring_over_three_workers_is_cut_once(void **state)
{
    (void)state;
    enum { TRACES = 6 };
    struct rig rig;
    start(&rig, 3);
    for (uint32_t i = 0; i < TRACES; i++) {
        uint64_t id = 100 * (i + 1);
        const struct span_spec specs[] = {
            {.trace = rig_trace(&rig, i % 3, i),
             .id = id,
             .kind = OTLP_KIND_CONSUMER,
             .start_ms = 10,
             .operation = "process",
             .topic = "orders",
             .placed = true,
             .offset = (i + TRACES - 1) % TRACES},
            {.trace = rig_trace(&rig, i % 3, i),
             .id = id + 1,
             .parent = id,
             .kind = OTLP_KIND_PRODUCER,
             .start_ms = 20,
             .operation = "send",
             .topic = "orders",
             .placed = true,
             .offset = i},
        };
        rig_push(&rig, (i + 1) % 3, specs, 2);
    }
    rig_wait(&rig);
    rig_wait(&rig);
    uint32_t roots = 0;
    for (uint32_t i = 0; i < TRACES; i++) {
        const struct out_span *out = rig_out(&rig, 100 * (i + 1));
        roots += out_parent(out) == 0;
        assert_true(trace_id_equal(out_trace(out), out_trace(rig_out(&rig, 100))));
    }
    assert_int_equal(roots, 1);
    finish(&rig);
}

/* Spans longer than a ring's message travel in memory of their own. */
static void test_large_spans_reach_their_trace(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 2);
    struct trace_id trace = rig_trace(&rig, 1, 1);
    const struct span_spec specs[] = {
        {.trace = trace, .id = 10, .padding = 60000},
        {.trace = trace, .id = 11, .parent = 10, .padding = 60000},
        {.trace = trace, .id = 12, .parent = 10, .padding = 10},
        {.trace = trace, .id = 13, .parent = 10, .padding = 65000},
    };
    rig_push(&rig, 0, specs, 4);
    rig_wait(&rig);
    for (uint64_t id = 10; id <= 13; id++)
        assert_true(out_has_trace(rig_out(&rig, id), trace));
    finish(&rig);
}

static void test_a_span_beyond_a_ring_message_is_boxed(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 2;
    rig.options.limits.value_bytes_max = 1 << 20;
    rig_start(&rig);
    struct trace_id trace = rig_trace(&rig, 1, 1);
    const struct span_spec spec = {.trace = trace, .id = 10, .padding = 300000};
    assert_true(spec.padding > exchange_body_max(&rig_worker(&rig, 0)->exchange));
    rig_push(&rig, 0, &spec, 1);
    rig_wait(&rig);
    assert_true(out_has_trace(rig_out(&rig, 10), trace));
    finish(&rig);
}

/* A worker whose neighbour does not read takes in no more than the ring and one outbox. */
/* No room for a stand-in: the hop is forgotten, and that is counted; no span is. */
static void test_a_full_window_forgets_hops_not_spans(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 2;
    rig.options.window_bytes_max = 1;
    rig_start(&rig);
    for (int i = 0; i < RIG_SINKS; i++)
        rig.sinks[i].is_full = true; /* or the window would be emptied by a verdict */
    const struct span_spec other = {.trace = rig_trace(&rig, 0, 9), .id = 900};
    rig_push(&rig, 0, &other, 1);
    rig.sinks[0].is_full = false;
    rig_turn(&rig, 0);
    rig.sinks[0].is_full = true;
    const struct repair_join join = {
        .rule = REPAIR_RULE_LINK,
        .consumer = {.trace_id = rig_trace(&rig, 0, 2),
                     .span_id = spans_id(200),
                     .topic = TOPIC_ORDERS},
        .producer = {.trace_id = rig_trace(&rig, 0, 1), .span_id = spans_id(101)},
    };
    gather_on_join(rig_worker(&rig, 1), &join);
    for (uint32_t i = 0; i < 4; i++)
        rig_turn(&rig, i % 2);
    assert_true(rig_counters(&rig).hops_forgotten > 0);
    rig.sinks[0].is_full = false;
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 900), 1);
    finish(&rig);
}

/* One coordinate in two clusters is two places; who names no cluster means the one that is read. */
static void test_coordinates_are_those_of_one_cluster(void **state)
{
    (void)state;
    const struct {
        const char *own;
        const char *sender;
        const char *consumer;
        bool joined;
    } rows[] = {
        {"east", "east", "", true},     {"east", "", "east", true},
        {"east", "west", "west", true}, {"east", "west", "", false},
        {"east", "", "west", false},    {"east", "east", "west", false},
        {NULL, "west", "", true}, /* as long as nobody knows better */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        start(&rig, 1);
        rig.source.cluster_id = rows[i].own;
        const char *key = "messaging.kafka.cluster.id";
        const struct span_spec send = {.trace = rig_trace(&rig, 0, 1),
                                       .id = 10,
                                       .kind = OTLP_KIND_PRODUCER,
                                       .operation = "send",
                                       .topic = "orders",
                                       .placed = true,
                                       .offset = 7,
                                       .key = key,
                                       .value = rows[i].sender};
        const struct span_spec process = {.trace = rig_trace(&rig, 0, 2),
                                          .id = 20,
                                          .kind = OTLP_KIND_CONSUMER,
                                          .start_ms = 40,
                                          .operation = "process",
                                          .topic = "orders",
                                          .placed = true,
                                          .offset = 7,
                                          .key = key,
                                          .value = rows[i].consumer};
        rig_push(&rig, 0, &send, 1);
        rig_push(&rig, 0, &process, 1);
        rig_wait(&rig);
        rig_advance_ms(&rig, RIG_HOLD_MS);
        rig_wait(&rig);
        assert_int_equal(out_has_trace(rig_out(&rig, 20), send.trace), rows[i].joined);
        rig_drain(&rig);
        rig_clear(&rig);
    }
}

/* Whichever allocation fails while traces are gathered: all spans leave, joined or not. */
static void test_memory_shortage_forgets_hops_not_spans(void **state)
{
    (void)state;
    uint64_t forgotten = 0;
    for (uint64_t nth = 1; nth <= 40; nth++) {
        for (enum hop_evidence evidence = HOP_BY_LINK; evidence <= HOP_BY_HEADER; evidence++) {
            struct rig rig;
            start(&rig, 2);
            struct hop hop = hop_between(&rig, evidence, 1, 1);
            hop_push(&rig, &hop);
            rig_turn(&rig, 0);
            memory_fail_at(nth);
            for (uint32_t i = 0; i < 12; i++)
                rig_turn(&rig, 1 - i % 2);
            memory_fail_at(0);
            rig_wait(&rig);
            rig_advance_ms(&rig,
                           RIG_HOLD_MS); /* for the other side of a hop that is forgotten */
            rig_wait(&rig);
            assert_int_equal(rig_balance(&rig), 0);
            struct worker_counters counters = rig_counters(&rig);
            assert_int_equal(counters.exported + counters.held_letters, 4);
            forgotten += counters.hops_forgotten;
            if (counters.held_letters == 0)
                rig_drain(&rig);
            rig_clear(&rig);
        }
    }
    assert_true(forgotten > 10);
}

static void test_a_full_ring_blocks_intake(void **state)
{
    (void)state;
    enum { RECORDS = 1000 };
    struct rig rig;
    start(&rig, 2);
    struct trace_id trace = rig_trace(&rig, 1, 1);
    for (uint64_t i = 0; i < RECORDS; i++) {
        const struct span_spec spec = {
            .trace = trace, .id = 10 + i, .parent = i == 0 ? 0 : 10, .padding = 5000};
        rig_push(&rig, 0, &spec, 1);
    }
    for (int turn = 0; turn < 20; turn++)
        rig_turn(&rig, 0);
    assert_true(exchange_is_blocked(&rig_worker(&rig, 0)->exchange));
    uint64_t read = rig_worker(&rig, 0)->counters.records_read;
    assert_true(read >= 100 && read <= 600);
    assert_int_equal(rig_worker(&rig, 1)->counters.records_read, 0);
    rig_wait(&rig);
    assert_int_equal(rig.sinks[0].span_count, RECORDS);
    finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traces_meet_wherever_they_are_at_home),
        cmocka_unit_test(test_three_workers_gather_a_chain),
        cmocka_unit_test(test_late_spans_find_the_gathering_worker),
        cmocka_unit_test(test_spans_that_come_while_a_trace_is_gathered_go_along),
        cmocka_unit_test(test_a_producer_decided_at_its_home_says_so),
        cmocka_unit_test(test_a_consumer_decided_at_its_home_is_too_late),
        cmocka_unit_test(test_a_join_may_overtake_the_spans_it_speaks_of),
        cmocka_unit_test(test_a_stand_in_without_spans_is_forgotten),
        cmocka_unit_test(test_the_mark_of_a_gathered_trace_is_no_verdict),
        cmocka_unit_test(test_the_same_evidence_counts_once),
        cmocka_unit_test(test_a_ring_over_three_workers_is_cut_once),
        cmocka_unit_test(test_large_spans_reach_their_trace),
        cmocka_unit_test(test_a_span_beyond_a_ring_message_is_boxed),
        cmocka_unit_test(test_a_full_window_forgets_hops_not_spans),
        cmocka_unit_test(test_coordinates_are_those_of_one_cluster),
        cmocka_unit_test(test_memory_shortage_forgets_hops_not_spans),
        cmocka_unit_test(test_a_full_ring_blocks_intake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
