/*
 * nothing lost: whatever happens to sinks and to the process, every span that was put arrives
 * at least once, and the books close at every end.
 */
#include <sysexits.h>

#include "scenario.h"

enum { TRACES = 200, SPANS = 3, PARTITIONS = 2, RECORD_TRACES = 5 };

static uint64_t id_of(uint64_t trace, uint64_t span)
{
    return 1 + trace * SPANS + span;
}

/* Whole traces in a record; the records take turns in the partitions. */
static void put_traces(struct scenario *scenario, uint64_t from, uint64_t to)
{
    for (uint64_t first = from; first < to; first += RECORD_TRACES) {
        struct span_spec specs[RECORD_TRACES * SPANS];
        size_t count = 0;
        for (uint64_t trace = first; trace < first + RECORD_TRACES; trace++)
            for (uint64_t span = 0; span < SPANS; span++)
                specs[count++] = (struct span_spec){
                    .trace = scenario_trace(trace),
                    .id = id_of(trace, span),
                    .parent = span == 0 ? 0 : id_of(trace, 0),
                };
        scenario_put(scenario, "spans", (int)(first / RECORD_TRACES % PARTITIONS), specs,
                     count);
    }
}

static void start(struct scenario *scenario)
{
    scenario_start(scenario);
    scenario->workers = 2;
    scenario_span_topic(scenario, "spans", PARTITIONS, "");
}

static void check_arrived(struct scenario *scenario, uint64_t from, uint64_t to)
{
    for (uint64_t trace = from; trace < to; trace++)
        for (uint64_t span = 0; span < SPANS; span++)
            assert_true(scenario_copies(scenario, 0, id_of(trace, span)) >= 1);
}

static void check_committed(struct scenario *scenario, int64_t records)
{
    int64_t committed = 0;
    for (int i = 0; i < PARTITIONS; i++) {
        int64_t offset = scenario_committed(scenario, "spans", i);
        committed += offset < 0 ? 0 : offset; /* nothing was read there */
    }
    assert_int_equal(committed, records);
}

/* Down in one way, then in another, then up again. */
static void survives_a_sink_that_is_down(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario.sink = "in_flight = 2;";
    put_traces(&scenario, 0, TRACES);
    scenario_weather(&scenario, 0, SINK_BUSY);
    scenario_run(&scenario);
    scenario_wait_requests(&scenario, 0, 4);
    scenario_weather(&scenario, 0, SINK_CUTS);
    scenario_wait_requests(&scenario, 0, 4);
    assert_int_equal(scenario_span_count(&scenario, 0), 0);
    scenario_weather(&scenario, 0, SINK_UP);
    scenario_join(&scenario, 0);
    check_arrived(&scenario, 0, TRACES);
    check_committed(&scenario, TRACES / RECORD_TRACES);
    assert_int_equal(scenario_total(&scenario, "exported"), TRACES * SPANS);
    assert_int_equal(scenario_total(&scenario, "held"), 0);
    scenario_end(&scenario);
}

/* Some traces are decided and exported, others are in the window when the end comes. */
static void reads_again_what_it_held_when_stopped(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario.window = "wait = \"10m\"; hold = \"10m\"; spans_per_trace = 3;";
    scenario.stays = true;
    put_traces(&scenario, 0, TRACES); /* at the cap: decided at once */
    struct span_spec half = {.trace = scenario_trace(TRACES), .id = id_of(TRACES, 0)};
    scenario_put(&scenario, "spans", 0, &half, 1);
    scenario_put(&scenario, "spans", 1, &half, 1);
    put_traces(&scenario, TRACES + 5, TRACES * 2);
    scenario_run(&scenario);
    scenario_wait_spans(&scenario, 0, (size_t)(TRACES * 2 - 5) * SPANS);
    scenario_stop_run(&scenario);
    scenario_join(&scenario, 0);
    assert_int_equal(scenario_total(&scenario, "held"), 2);
    assert_int_equal(scenario_total(&scenario, "exported"), (TRACES * 2 - 5) * SPANS);
    check_committed(&scenario, TRACES / RECORD_TRACES); /* up to what is held */
    assert_int_equal(scenario_copies(&scenario, 0, half.id), 0);

    scenario.stays = false;
    scenario_drain(&scenario, 0);
    check_arrived(&scenario, 0, TRACES);
    check_arrived(&scenario, TRACES + 5, TRACES * 2);
    assert_true(scenario_copies(&scenario, 0, half.id) >= 1);
    /* What was finished before the held records is not read again. */
    assert_int_equal(scenario_copies(&scenario, 0, id_of(0, 0)), 1);
    assert_int_equal(scenario_total(&scenario, "held"), 0);
    check_committed(&scenario, (TRACES * 2 - 5) / RECORD_TRACES + 2);
    scenario_end(&scenario);
}

/* Both sides of a hop are held at the stop; the next run reads message and spans again. */
static void mends_after_a_restart(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario_message_topic(&scenario, "orders", 1, "");
    scenario.window = "wait = \"10m\"; hold = \"10m\"; spans_per_trace = 3;";
    scenario.stays = true;
    const uint64_t sent = id_of(TRACES, 0);
    const uint64_t taken = id_of(TRACES + 1, 0);
    const struct span_context context = {scenario_trace(TRACES), sent};
    struct span_spec specs[] = {
        {.trace = context.trace, .id = sent, .kind = 4, .operation = "send", .topic = "orders"},
        {.trace = scenario_trace(TRACES + 1),
         .id = taken,
         .kind = 5,
         .operation = "process",
         .topic = "orders",
         .placed = true},
    };
    scenario_put_message(&scenario, "orders", 0, &context);
    scenario_put(&scenario, "spans", 0, &specs[1], 1);
    scenario_put(&scenario, "spans", 0, &specs[0], 1);
    put_traces(&scenario, 0, RECORD_TRACES);
    scenario_run(&scenario);
    scenario_wait_spans(&scenario, 0, (size_t)RECORD_TRACES * SPANS);
    scenario_stop_run(&scenario);
    scenario_join(&scenario, 0);
    assert_int_equal(scenario_total(&scenario, "held"), 2);

    scenario.stays = false;
    scenario_drain(&scenario, 0);
    const struct seen *seen = scenario_find(&scenario, 0, taken);
    assert_non_null(seen);
    assert_true(trace_id_equal(seen->trace, context.trace));
    assert_int_equal(seen->parent, sent);
    assert_string_equal(seen->rule, "header_at_coordinate");
    check_committed(&scenario, 3);
    scenario_end(&scenario);
}

/* With drain = "decide" the same stop leaves nothing behind. */
static void decides_what_it_holds_when_told_so(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario.more = "shutdown = { drain = \"decide\"; };";
    scenario.window = "wait = \"10m\"; hold = \"10m\"; spans_per_trace = 3;";
    scenario.stays = true;
    struct span_spec half = {.trace = scenario_trace(TRACES), .id = id_of(TRACES, 0)};
    scenario_put(&scenario, "spans", 0, &half, 1);
    put_traces(&scenario, 0, RECORD_TRACES); /* behind it in the same partition */
    scenario_run(&scenario);
    scenario_wait_spans(&scenario, 0, (size_t)RECORD_TRACES * SPANS);
    assert_int_equal(scenario_copies(&scenario, 0, half.id), 0);
    scenario_stop_run(&scenario);
    scenario_join(&scenario, 0);
    assert_string_equal(scenario_find(&scenario, 0, half.id)->reason, "drain");
    check_committed(&scenario, 2);
    scenario_end(&scenario);
}

static void gives_up_on_a_dead_sink_and_delivers_later(void **state, enum weather weather)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario.more = "shutdown = { timeout = \"300ms\"; };";
    scenario_weather(&scenario, 0, weather);
    put_traces(&scenario, 0, TRACES);
    scenario_run(&scenario);
    scenario_wait_requests(&scenario, 0, 3);
    scenario_stop_run(&scenario);
    scenario_join(&scenario, EX_TEMPFAIL);
    assert_int_equal(scenario_total(&scenario, "read.spans"), TRACES * SPANS);
    assert_int_equal(scenario_total(&scenario, "held"), TRACES * SPANS);
    assert_int_equal(scenario_total(&scenario, "exported"), 0);

    scenario_weather(&scenario, 0, SINK_UP);
    scenario_drain(&scenario, 0);
    check_arrived(&scenario, 0, TRACES);
    check_committed(&scenario, TRACES / RECORD_TRACES);
    assert_int_equal(scenario_total(&scenario, "held"), 0);
    scenario_end(&scenario);
}

static void gives_up_on_a_busy_sink(void **state)
{
    gives_up_on_a_dead_sink_and_delivers_later(state, SINK_BUSY);
}

static void gives_up_on_a_sink_that_hangs_up(void **state)
{
    gives_up_on_a_dead_sink_and_delivers_later(state, SINK_CUTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_a_sink_that_is_down),
        cmocka_unit_test(reads_again_what_it_held_when_stopped),
        cmocka_unit_test(mends_after_a_restart),
        cmocka_unit_test(decides_what_it_holds_when_told_so),
        cmocka_unit_test(gives_up_on_a_busy_sink),
        cmocka_unit_test(gives_up_on_a_sink_that_hangs_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
