#include "hops.h"
#include "support/test.h"

static struct rig rig;

static void start(uint32_t workers)
{
    rig_init(&rig);
    rig.options.worker_count = workers;
    rig_start(&rig);
}

static void end(void)
{
    rig_drain(&rig);
    rig_clear(&rig);
}

/* The partition is given to us again: what was not committed comes once more. */
static void come_again(uint32_t worker, int64_t offset, const struct span_spec *specs,
                       size_t count)
{
    struct text request;
    text_init(&request, 1 << 20);
    spans_write_request(&request, specs, count);
    rig_open_lane(&rig, worker, 0, false, TOPIC_SPANS);
    rig_push_at(&rig, worker, offset, text_bytes(&request));
    text_clear(&request);
}

static uint64_t window_traces(void)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < rig.options.worker_count; i++)
        count += window_totals(rig_worker(&rig, i)->window).traces;
    return count;
}

static void test_undecided_spans_are_left_to_the_next_owner(void **state)
{
    (void)state;
    start(2);
    const struct span_spec specs[] = {{.trace = rig_trace(&rig, 0, 1), .id = 10},
                                      {.trace = rig_trace(&rig, 1, 2), .id = 20}};
    int64_t offset = rig_push(&rig, 1, specs, 2);
    rig_settle(&rig);
    assert_int_equal(rig_close_lane(&rig, 1, 0, 0), -1);
    assert_int_equal(window_traces(), 0);
    assert_int_equal(rig_counters(&rig).returned, 2);
    assert_int_equal(rig_balance(&rig), 0);
    assert_int_equal(ledger_held(rig_worker(&rig, 1)->ledger), 0);
    rig_wait(&rig);
    assert_int_equal(rig.sinks[0].span_count, 0);
    /* Nothing is known of them: they get a verdict as if they had never been here. */
    come_again(1, offset, specs, 2);
    rig_wait(&rig);
    assert_int_equal(rig_counters(&rig).late_spans, 0);
    assert_int_equal(rig_counters(&rig).traces_kept, 2);
    rig_out(&rig, 10);
    rig_out(&rig, 20);
    end();
}

/* They are of other lanes: of those of the same worker as well. */
static void test_other_lanes_are_left_alone(void **state)
{
    (void)state;
    start(2);
    struct span_spec specs[40];
    for (uint32_t i = 0; i < 40; i++) {
        specs[i] = (struct span_spec){.trace = rig_trace(&rig, i % 2, i / 4), .id = 100 + i};
        rig_push(&rig, i / 2 % 2, &specs[i], 1);
    }
    rig_settle(&rig);
    rig_close_lane(&rig, 1, 0, 0);
    assert_int_equal(rig_counters(&rig).returned, 20);
    rig_wait(&rig);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(rig_count_out(&rig, 100 + i), i / 2 % 2 == 0);
    end();
}

/* What a record that moved said of a trace does not count any more. */
static void expect_verdict_without(const struct span_spec *moved, const struct span_spec *stays,
                                   bool kept)
{
    struct span_spec specs[] = {*moved, *stays};
    for (uint32_t i = 0; i < 2; i++) {
        specs[i].trace = rig_trace(&rig, 0, 1);
        rig_push(&rig, 1 - i, &specs[i], 1);
        rig_settle(&rig);
    }
    rig_close_lane(&rig, 1, 0, 0);
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, moved->id), 0);
    assert_int_equal(rig_count_out(&rig, stays->id), kept);
    assert_int_equal(rig_counters(&rig).returned, 1);
    assert_int_equal(rig_counters(&rig).dropped_no_policy, !kept);
    end();
}

static void test_the_verdict_is_on_what_is_left(void **state)
{
    (void)state;
    const char *const gold[] = {"gold"};
    const struct decide_policy policies[] = {
        {.name = "errors", .type = DECIDE_STATUS_CODE, .statuses = 1U << OTLP_STATUS_ERROR},
        {.name = "gold",
         .type = DECIDE_STRING_ATTRIBUTE,
         .key = "tier",
         .values = gold,
         .value_count = 1},
        {.name = "slow", .type = DECIDE_LATENCY, .threshold_ns = NS_PER_S}};
    const struct span_spec plain = {.id = 10, .start_ms = 5, .end_ms = 20};
    const struct span_spec telling[] = {
        {.id = 20, .start_ms = 5, .end_ms = 20, .error = true},
        {.id = 20, .start_ms = 5, .end_ms = 20, .key = "tier", .value = "gold"},
        {.id = 20, .start_ms = 5, .end_ms = 2000}};
    for (int i = 0; i < 3; i++) {
        for (int stays = 0; stays < 2; stays++) {
            rig_init(&rig);
            rig.options.worker_count = 2;
            rig.policies[0] = policies[i];
            rig_start(&rig);
            expect_verdict_without(stays ? &plain : &telling[i], stays ? &telling[i] : &plain,
                                   stays != 0);
        }
    }
}

/* Spans in a ring, in a record that was polled, or on their way to the gathering worker. */
static void test_what_is_under_way_is_left_as_well(void **state)
{
    (void)state;
    for (uint32_t turns = 0; turns < 8; turns++) {
        start(3);
        struct hop hop = hop_default(&rig, HOP_BY_COORDINATE);
        hop.producer = rig_trace(&rig, 1, 1);
        hop.consumer = rig_trace(&rig, 2, 2);
        hop_push_at(&rig, 2, 2, &hop);
        for (uint32_t i = 0; i < turns; i++)
            rig_turn(&rig, (2 + i) % 3);
        rig_close_lane(&rig, 2, 0, 0);
        fake_source_forget(&rig.source, 2);
        struct worker_counters counters = rig_counters(&rig);
        assert_int_equal(counters.returned, counters.spans_read);
        assert_int_equal(rig_balance(&rig), 0);
        rig_wait(&rig);
        assert_int_equal(rig.sinks[0].span_count, 0);
        end();
    }
}

/* More than a ring takes: the rest waits at its sender. */
static void test_what_finds_no_room_on_its_way_is_left_as_well(void **state)
{
    (void)state;
    enum { SPANS = 200, PADDING = 20000 };
    start(2);
    struct span_spec specs[SPANS];
    for (uint32_t i = 0; i < SPANS; i++)
        specs[i] = (struct span_spec){
            .trace = rig_trace(&rig, 0, i), .id = 10 + i, .padding = PADDING};
    rig_push(&rig, 1, specs, SPANS);
    rig_turn(&rig, 1);
    assert_true(exchange_is_blocked(&rig_worker(&rig, 1)->exchange));
    rig_close_lane(&rig, 1, 0, 0);
    assert_int_equal(rig_counters(&rig).returned, SPANS);
    end();
}

static void push_hop(const struct hop *hop)
{
    hop_push_at(&rig, 1, 2, hop);
    rig_settle(&rig);
}

static struct hop start_hop(enum hop_evidence evidence)
{
    start(3);
    return hop_between(&rig, evidence, 1, 2);
}

/* Both sides are pushed as one record each: the two last ones of the rig's memory. */
static void push_sides_again(uint32_t worker, size_t first)
{
    come_again(worker, 0, &rig.spans[first], 2);
    rig_settle(&rig);
}

static void test_a_consumer_that_comes_again_is_joined_again(void **state)
{
    (void)state;
    for (int evidence = HOP_BY_LINK; evidence <= HOP_BY_HEADER; evidence++) {
        struct hop hop = start_hop((enum hop_evidence)evidence);
        push_hop(&hop);
        rig_close_lane(&rig, 2, 0, 0);
        assert_int_equal(rig_counters(&rig).returned, 2);
        assert_int_equal(rig_counters(&rig).held_window, 2);
        push_sides_again(2, 2);
        rig_wait(&rig);
        hop_expect_merged(&rig, &hop);
        assert_int_equal(rig_counters(&rig).late_joins, 0);
        end();
    }
}

/* The producer moved, the consumer did not: it is as with any producer that is elsewhere. */
static void test_a_producer_that_moved_is_unseen(void **state)
{
    (void)state;
    for (int merges = 0; merges < 2; merges++) {
        struct hop hop = start_hop(HOP_BY_COORDINATE);
        for (int i = 0; i < RIG_TOPICS; i++)
            rig.topics[i].repair.unseen = merges ? WORKER_UNSEEN_MERGE : WORKER_UNSEEN_LINK;
        push_hop(&hop);
        rig_close_lane(&rig, 1, 0, 0);
        rig_wait(&rig);
        assert_int_equal(rig_count_out(&rig, hop.producer_id), 0);
        assert_int_equal(out_has_trace(rig_out(&rig, hop.consumer_id), hop.producer),
                         merges != 0);
        end();
    }
}

static void test_a_producer_that_comes_again_is_met(void **state)
{
    (void)state;
    struct hop hop = start_hop(HOP_BY_COORDINATE);
    push_hop(&hop);
    rig_close_lane(&rig, 1, 0, 0);
    push_sides_again(1, 0);
    rig_wait(&rig);
    hop_expect_merged(&rig, &hop);
    assert_int_equal(rig_counters(&rig).traces_kept, 1);
    end();
}

/* A whole chain goes, whichever of its lanes is the first. */
static void test_trees_go_in_any_order(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 3; first++) {
        start(3);
        struct trace_id traces[4];
        for (uint32_t i = 0; i < 4; i++)
            traces[i] = rig_trace(&rig, i % 3, i);
        for (uint32_t i = 0; i < 3; i++) {
            struct hop hop = {.evidence = HOP_BY_COORDINATE,
                              .offset = i,
                              .producer = traces[i],
                              .producer_id = 100 + 100 * i,
                              .consumer = traces[i + 1],
                              .consumer_id = 150 + 100 * i};
            hop_push_at(&rig, i, (i + 1) % 3, &hop);
        }
        rig_settle(&rig);
        for (uint32_t i = 0; i < 3; i++)
            rig_close_lane(&rig, (first + i) % 3, 0, 0);
        assert_int_equal(rig_counters(&rig).returned, 12);
        rig_wait(&rig);
        assert_int_equal(rig.sinks[0].span_count, 0);
        end();
    }
}

/* The topic was made anew: what was read of the old one can not be read again. */
static void test_what_is_gone_at_the_broker_is_decided_here(void **state)
{
    (void)state;
    start(2);
    rig.lanes_gone = true;
    const struct span_spec spec = {.trace = rig_trace(&rig, 0, 1), .id = 10};
    rig_push(&rig, 1, &spec, 1);
    rig_settle(&rig);
    rig_close_lane(&rig, 1, 0, 0);
    assert_int_equal(rig_counters(&rig).returned, 0);
    /* Nor is it given away with what has another lane. */
    rig.lanes_gone = false;
    rig_close_lane(&rig, 0, 0, 0);
    rig_wait(&rig);
    rig_out(&rig, 10);
    end();
}

/* A verdict stays a verdict, though its spans are still with the sinks. */
static void test_what_is_decided_leaves_all_the_same(void **state)
{
    (void)state;
    start(1);
    const struct span_spec specs[] = {{.trace = rig_trace(&rig, 0, 1), .id = 10},
                                      {.trace = rig_trace(&rig, 0, 2), .id = 20}};
    rig_push(&rig, 0, specs, 1);
    rig_settle(&rig);
    rig_advance_ms(&rig, RIG_WAIT_MS);
    rig_push(&rig, 0, specs + 1, 1);
    rig.sinks[0].answers = false;
    rig_settle(&rig);
    rig_close_lane(&rig, 0, 0, 0);
    assert_int_equal(rig_counters(&rig).returned, 1);
    assert_int_equal(rig_counters(&rig).held_egress, 1);
    rig.sinks[0].answers = true;
    fake_sink_answer_all(&rig.sinks[0]);
    rig_settle(&rig);
    assert_int_equal(rig_counters(&rig).exported, 1);
    end();
}

/* Its letter did not arrive, or can not say any more where it was read: others will send one. */
static void test_letters_that_come_to_nothing_are_left_as_well(void **state)
{
    (void)state;
    start(2);
    rig.answers_letters = false;
    const struct span_spec bad = {.id = 999};
    struct text request;
    text_init(&request, 1 << 16);
    spans_write_request(&request, &bad, 1);
    rig_push_bytes(&rig, 1, text_bytes(&request));
    rig_push_bytes(&rig, 1, BYTES_LITERAL("\xff"));
    text_clear(&request);
    rig_settle(&rig);
    assert_int_equal(rig_counters(&rig).held_letters, 1);
    rig_close_lane(&rig, 1, 0, 0);
    assert_int_equal(rig_counters(&rig).held_letters, 1);
    rig_answer_letters(&rig, SB_ERR_UNAVAILABLE);
    rig_settle(&rig);
    assert_int_equal(rig_counters(&rig).held_letters, 0);
    assert_int_equal(rig_counters(&rig).returned, 1);
    assert_int_equal(ledger_held(rig_worker(&rig, 1)->ledger), 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undecided_spans_are_left_to_the_next_owner),
        cmocka_unit_test(test_other_lanes_are_left_alone),
        cmocka_unit_test(test_the_verdict_is_on_what_is_left),
        cmocka_unit_test(test_what_is_under_way_is_left_as_well),
        cmocka_unit_test(test_what_finds_no_room_on_its_way_is_left_as_well),
        cmocka_unit_test(test_a_consumer_that_comes_again_is_joined_again),
        cmocka_unit_test(test_a_producer_that_moved_is_unseen),
        cmocka_unit_test(test_a_producer_that_comes_again_is_met),
        cmocka_unit_test(test_trees_go_in_any_order),
        cmocka_unit_test(test_what_is_gone_at_the_broker_is_decided_here),
        cmocka_unit_test(test_what_is_decided_leaves_all_the_same),
        cmocka_unit_test(test_letters_that_come_to_nothing_are_left_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
