/*
 * flow: spans of several records and partitions become whole kept traces, or dropped ones,
 * and every count is right, whatever the number of workers.
 */
#include <stdio.h>

#include "scenario.h"

enum { TRACES = 60, SPANS = 4, PARTITIONS = 3, RECORD_SPANS = 5 };

static const char policies[] =
    "{ name = \"errors\"; type = \"status_code\"; status_codes = [ \"ERROR\" ]; },"
    "{ name = \"vip\"; type = \"string_attribute\"; key = \"tier\"; values = [ \"gold\" ]; }";

/* What is to become of a trace: every third fails, every fourth is a vip's. */
static const char *wanted_policy(uint64_t trace)
{
    return trace % 3 == 0 ? "errors" : trace % 4 == 0 ? "vip" : "";
}

static uint64_t id_of(uint64_t trace, uint64_t span)
{
    return 1 + trace * SPANS + span;
}

static struct span_spec spec_of(uint64_t trace, uint64_t span)
{
    struct span_spec spec = {
        .trace = scenario_trace(trace),
        .id = id_of(trace, span),
        .parent = span == 0 ? 0 : id_of(trace, span - 1),
        .service = span % 2 == 0 ? "front" : "back",
        .start_ms = trace * 10 + span,
    };
    /* The reason to keep stands in different spans of the trace. */
    spec.error = trace % 3 == 0 && span == trace % SPANS;
    if (trace % 4 == 0 && span == (trace / 4) % SPANS) {
        spec.key = "tier";
        spec.value = "gold";
    }
    return spec;
}

/* Spans go round the partitions, so that no record and no partition holds a whole trace. */
static void put_all(struct scenario *scenario, uint64_t traces, int64_t *ret)
{
    struct span_spec specs[PARTITIONS][RECORD_SPANS];
    size_t counts[PARTITIONS] = {0};
    for (uint64_t span = 0; span < SPANS; span++) {
        for (uint64_t trace = 0; trace < traces; trace++) {
            int to = (int)((trace + span) % PARTITIONS);
            specs[to][counts[to]++] = spec_of(trace, span);
            if (counts[to] < RECORD_SPANS)
                continue;
            scenario_put(scenario, "spans", to, specs[to], counts[to]);
            counts[to] = 0;
            ret[to]++;
        }
    }
    for (int to = 0; to < PARTITIONS; to++) {
        if (counts[to] == 0)
            continue;
        scenario_put(scenario, "spans", to, specs[to], counts[to]);
        ret[to]++;
    }
}

static size_t check_traces(struct scenario *scenario, uint64_t traces, const char *reason)
{
    size_t kept = 0;
    for (uint64_t trace = 0; trace < traces; trace++) {
        const char *policy = wanted_policy(trace);
        for (uint64_t span = 0; span < SPANS; span++) {
            uint64_t id = id_of(trace, span);
            assert_int_equal(scenario_copies(scenario, 0, id), policy[0] == '\0' ? 0 : 1);
            if (policy[0] == '\0')
                continue;
            const struct seen *seen = scenario_find(scenario, 0, id);
            assert_true(trace_id_equal(seen->trace, scenario_trace(trace)));
            assert_int_equal(seen->parent, span == 0 ? 0 : id - 1);
            assert_string_equal(seen->policy, span == 0 ? policy : "");
            assert_string_equal(seen->reason, span == 0 ? reason : "");
        }
        kept += policy[0] != '\0';
    }
    return kept;
}

static void check_totals(struct scenario *scenario, const int64_t *records, int64_t traces,
                         int64_t kept)
{
    int64_t record_count = 0;
    for (int i = 0; i < PARTITIONS; i++) {
        record_count += records[i];
        assert_int_equal(scenario_committed(scenario, "spans", i), records[i]);
    }
    assert_int_equal(scenario_total(scenario, "read.records"), record_count);
    assert_int_equal(scenario_total(scenario, "read.spans"), traces * SPANS);
    assert_int_equal(scenario_total(scenario, "exported"), kept * SPANS);
    assert_int_equal(scenario_total(scenario, "sinks.sink0"), kept * SPANS);
    assert_int_equal(scenario_total(scenario, "dropped.no_policy"), (traces - kept) * SPANS);
    assert_int_equal(scenario_total(scenario, "traces.kept"), kept);
    assert_int_equal(scenario_total(scenario, "traces.dropped"), traces - kept);
    assert_int_equal(scenario_total(scenario, "held"), 0);
    assert_int_equal(scenario_total(scenario, "rejected"), 0);
    assert_int_equal(scenario_total(scenario, "lost"), 0);
    assert_int_equal(scenario_total(scenario, "synthetic"), 0);
}

static void drain_with(uint32_t workers)
{
    struct scenario scenario;
    int64_t records[PARTITIONS] = {0};
    scenario_start(&scenario);
    scenario.workers = workers;
    scenario.policies = policies;
    scenario_span_topic(&scenario, "spans", PARTITIONS, "");
    put_all(&scenario, TRACES, records);
    scenario_drain(&scenario, 0);
    size_t kept = check_traces(&scenario, TRACES, "drain");
    assert_int_equal(scenario_span_count(&scenario, 0), kept * SPANS);
    check_totals(&scenario, records, TRACES, (int64_t)kept);
    scenario_end(&scenario);
}

static void drains_with_one_worker(void **state)
{
    (void)state;
    drain_with(1);
}

static void drains_with_two_workers(void **state)
{
    (void)state;
    drain_with(2);
}

static void drains_with_four_workers(void **state)
{
    (void)state;
    drain_with(4);
}

/* A record for each trace: however slow the machine is, its spans come together. */
static void put_whole(struct scenario *scenario, uint64_t traces, int64_t *ret)
{
    for (uint64_t trace = 0; trace < traces; trace++) {
        struct span_spec specs[SPANS];
        for (uint64_t span = 0; span < SPANS; span++)
            specs[span] = spec_of(trace, span);
        scenario_put(scenario, "spans", (int)(trace % PARTITIONS), specs, SPANS);
        ret[trace % PARTITIONS]++;
    }
}

/* Without --drain: the window's own deadline decides, and the end is a stop. */
static void decides_while_it_runs(void **state)
{
    (void)state;
    struct scenario scenario;
    int64_t records[PARTITIONS] = {0};
    scenario_start(&scenario);
    scenario.workers = 2;
    scenario.policies = policies;
    scenario.window = "wait = \"1s\";";
    scenario.more = "shutdown = { drain = \"decide\"; };";
    scenario.stays = true;
    scenario_span_topic(&scenario, "spans", PARTITIONS, "");
    put_whole(&scenario, TRACES, records);
    scenario_run(&scenario);
    /* 30 of 60: every third, and of the rest every fourth. */
    scenario_wait_spans(&scenario, 0, (size_t)TRACES / 2 * SPANS);
    scenario_stop_run(&scenario);
    scenario_join(&scenario, 0);
    size_t kept = check_traces(&scenario, TRACES, "wait");
    check_totals(&scenario, records, TRACES, (int64_t)kept);
    scenario_end(&scenario);
}

static void drains_an_empty_topic(void **state)
{
    (void)state;
    struct scenario scenario;
    scenario_start(&scenario);
    scenario.workers = 2;
    scenario_span_topic(&scenario, "spans", PARTITIONS, "");
    scenario_drain(&scenario, 0);
    assert_int_equal(scenario_total(&scenario, "read.records"), 0);
    assert_int_equal(scenario_span_count(&scenario, 0), 0);
    scenario_end(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drains_with_one_worker),   cmocka_unit_test(drains_with_two_workers),
        cmocka_unit_test(drains_with_four_workers), cmocka_unit_test(decides_while_it_runs),
        cmocka_unit_test(drains_an_empty_topic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
