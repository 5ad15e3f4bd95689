/*
 * two sinks: each gets every kept span, and a span counts as exported once: when both have it.
 */
#include "scenario.h"

enum { TRACES = 50, SPANS = 2, PARTITIONS = 2 };

static uint64_t id_of(uint64_t trace, uint64_t span)
{
    return 1 + trace * SPANS + span;
}

static void start(struct scenario *scenario)
{
    scenario_start(scenario);
    scenario_add_sink(scenario);
    scenario->workers = 2;
    scenario_span_topic(scenario, "spans", PARTITIONS, "");
    for (uint64_t trace = 0; trace < TRACES; trace++) {
        struct span_spec specs[SPANS];
        for (uint64_t span = 0; span < SPANS; span++)
            specs[span] = (struct span_spec){
                .trace = scenario_trace(trace),
                .id = id_of(trace, span),
                .parent = span == 0 ? 0 : id_of(trace, 0),
            };
        scenario_put(scenario, "spans", (int)(trace % PARTITIONS), specs, SPANS);
    }
}

static void check_all(struct scenario *scenario)
{
    for (uint32_t sink = 0; sink < 2; sink++) {
        assert_int_equal(scenario_span_count(scenario, sink), TRACES * SPANS);
        for (uint64_t trace = 0; trace < TRACES; trace++)
            for (uint64_t span = 0; span < SPANS; span++)
                assert_int_equal(scenario_copies(scenario, sink, id_of(trace, span)), 1);
    }
    assert_int_equal(scenario_total(scenario, "exported"), TRACES * SPANS);
    assert_int_equal(scenario_total(scenario, "sinks.sink0"), TRACES * SPANS);
    assert_int_equal(scenario_total(scenario, "sinks.sink1"), TRACES * SPANS);
    for (int i = 0; i < PARTITIONS; i++)
        assert_int_equal(scenario_committed(scenario, "spans", i), TRACES / PARTITIONS);
}

static void sends_all_to_both(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario_drain(&scenario, 0);
    check_all(&scenario);
    scenario_end(&scenario);
}

static void waits_for_the_slower_one(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario_weather(&scenario, 1, SINK_BUSY);
    scenario_run(&scenario);
    scenario_wait_spans(&scenario, 0, (size_t)TRACES * SPANS);
    scenario_wait_requests(&scenario, 1, 2);
    assert_int_equal(scenario_span_count(&scenario, 1), 0);
    for (int i = 0; i < PARTITIONS; i++)
        assert_true(scenario_committed(&scenario, "spans", i) <= 0);
    scenario_weather(&scenario, 1, SINK_UP);
    scenario_join(&scenario, 0);
    check_all(&scenario);
    scenario_end(&scenario);
}

/* What one of them refuses is not exported, though the other has it. */
static void counts_the_worse_of_two_outcomes(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario.backends[1].refused = id_of(7, 1);
    scenario_weather(&scenario, 1, SINK_REFUSES);
    scenario_drain(&scenario, 0);
    assert_int_equal(scenario_copies(&scenario, 0, id_of(7, 1)), 1);
    assert_int_equal(scenario_copies(&scenario, 1, id_of(7, 1)), 0);
    assert_int_equal(scenario_total(&scenario, "exported"), TRACES * SPANS - 1);
    assert_int_equal(scenario_total(&scenario, "rejected"), 1);
    assert_int_equal(scenario_total(&scenario, "sinks.sink0"), TRACES * SPANS);
    assert_int_equal(scenario_total(&scenario, "sinks.sink1"), TRACES * SPANS - 1);
    scenario_end(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_all_to_both),
        cmocka_unit_test(waits_for_the_slower_one),
        cmocka_unit_test(counts_the_worse_of_two_outcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
