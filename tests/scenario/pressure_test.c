/*
 * pressure: far more data than memory, and traces beyond their caps: decided early, but all of
 * it, and the run ends.
 */
#include "scenario.h"

enum {
    TRACES = 700,
    SPANS = 4,
    PARTITIONS = 4,
    PADDING = 6000, /* TRACES * SPANS * PADDING is 16 MiB; the mock keeps 5 MiB a partition */
    RECORD_SPANS = 20,
    LONG = 35
};
#define MEMORY_TINY (UINT64_C(8) << 20)

static uint64_t id_of(uint64_t trace, uint64_t span)
{
    return 1 + trace * SPANS + span;
}

/* Every odd trace comes from a message of the one before it. */
static void add_hop(struct span_spec *spec, uint64_t trace, uint64_t span)
{
    bool consumer = trace % 2 == 1;
    if (span != (consumer ? 0 : 1))
        return;
    spec->kind = consumer ? 5 : 4;
    spec->operation = consumer ? "process" : "send";
    spec->topic = "orders";
    if (consumer)
        spec->links[spec->link_count++] =
            (struct span_context){scenario_trace(trace - 1), id_of(trace - 1, 1)};
}

/* First the roots of all traces, then their second spans, and so on: none is ever whole. */
static void put_all(struct scenario *scenario, bool hops)
{
    struct span_spec specs[RECORD_SPANS];
    size_t count = 0;
    int record = 0;
    for (uint64_t span = 0; span < SPANS; span++) {
        for (uint64_t trace = 0; trace < TRACES; trace++) {
            specs[count++] = (struct span_spec){
                .trace = scenario_trace(trace),
                .id = id_of(trace, span),
                .parent = span == 0 ? 0 : id_of(trace, 0),
                .padding = PADDING,
            };
            if (hops)
                add_hop(&specs[count - 1], trace, span);
            if (count < RECORD_SPANS)
                continue;
            scenario_put(scenario, "spans", record++ % PARTITIONS, specs, count);
            count = 0;
        }
    }
    assert_int_equal(count, 0);
}

static void check_all_arrived(struct scenario *scenario)
{
    size_t pressed = 0;
    assert_int_equal(scenario_span_count(scenario, 0), TRACES * SPANS);
    for (uint64_t trace = 0; trace < TRACES; trace++) {
        for (uint64_t span = 0; span < SPANS; span++)
            assert_int_equal(scenario_copies(scenario, 0, id_of(trace, span)), 1);
        pressed += strcmp(scenario_find(scenario, 0, id_of(trace, 0))->reason, "pressure") == 0;
    }
    assert_true(pressed > 0);
    assert_int_equal(scenario_total(scenario, "read.spans"), TRACES * SPANS);
    assert_int_equal(scenario_total(scenario, "exported"), TRACES * SPANS);
    assert_int_equal(scenario_total(scenario, "held"), 0);
}

static void ends_with_tiny_memory(uint32_t workers, const char *batch, const char *sink)
{
    struct scenario scenario;
    scenario_start(&scenario);
    scenario.workers = workers;
    scenario.batch = batch;
    scenario.sink = sink;
    scenario.memory_bytes = MEMORY_TINY;
    scenario_span_topic(&scenario, "spans", PARTITIONS, "");
    put_all(&scenario, false);
    scenario_drain(&scenario, 0);
    check_all_arrived(&scenario);
    for (int i = 0; i < PARTITIONS; i++)
        assert_int_equal(scenario_committed(&scenario, "spans", i),
                         TRACES * SPANS / RECORD_SPANS / PARTITIONS);
    scenario_end(&scenario);
}

static void ends_with_tiny_memory_and_one_worker(void **state)
{
    (void)state;
    ends_with_tiny_memory(1, "linger = \"5ms\";", "");
}

static void ends_with_tiny_memory_and_two_workers(void **state)
{
    (void)state;
    ends_with_tiny_memory(2, "linger = \"5ms\";", "");
}

/* Both the window and the sink's queue are full most of the time. */
static void ends_with_a_tiny_queue_too(void **state)
{
    (void)state;
    ends_with_tiny_memory(2, "bytes = \"64KiB\";", "queue = \"256KiB\"; in_flight = 1;");
}

/* Traces that hang together are decided together, and go from worker to worker. */
static void ends_with_tiny_memory_and_hops(void **state)
{
    (void)state;
    static const uint32_t workers[] = {1, 2, 4};
    for (int i = 0; i < 3; i++) {
        struct scenario scenario;
        scenario_start(&scenario);
        scenario.workers = workers[i];
        scenario.memory_bytes = MEMORY_TINY;
        scenario_span_topic(&scenario, "spans", PARTITIONS, "");
        put_all(&scenario, true);
        scenario_drain(&scenario, 0);
        check_all_arrived(&scenario);
        scenario_end(&scenario);
    }
}

/* One trace of LONG spans, five in a record, the tenth of which decides it. */
static void put_long_trace(struct scenario *scenario, uint64_t trace, uint64_t error_at)
{
    struct span_spec specs[LONG];
    for (uint64_t i = 0; i < LONG; i++)
        specs[i] = (struct span_spec){
            .trace = scenario_trace(trace),
            .id = trace * 100 + i,
            .parent = i == 0 ? 0 : trace * 100,
            .error = i == error_at,
            .padding = PADDING,
        };
    for (size_t i = 0; i < LONG; i += 5)
        scenario_put(scenario, "spans", 0, specs + i, 5);
}

static void decides_at_the_cap(const char *window)
{
    struct scenario scenario;
    scenario_start(&scenario);
    scenario.workers = 2;
    scenario.window = window;
    scenario.policies =
        "{ name = \"errors\"; type = \"status_code\"; status_codes = [ \"ERROR\" ]; }";
    scenario_span_topic(&scenario, "spans", 1, "");
    put_long_trace(&scenario, 1, 3);        /* kept at the cap */
    put_long_trace(&scenario, 2, LONG - 1); /* the error comes after the verdict */
    scenario_drain(&scenario, 0);
    for (uint64_t i = 0; i < LONG; i++) {
        assert_int_equal(scenario_copies(&scenario, 0, 100 + i), 1);
        assert_int_equal(scenario_copies(&scenario, 0, 200 + i), 0);
    }
    assert_string_equal(scenario_find(&scenario, 0, 100)->reason, "cap");
    assert_int_equal(scenario_total(&scenario, "exported"), LONG);
    assert_int_equal(scenario_total(&scenario, "dropped.no_policy"), LONG);
    assert_int_equal(scenario_total(&scenario, "traces.kept"), 1);
    assert_int_equal(scenario_total(&scenario, "traces.dropped"), 1);
    scenario_end(&scenario);
}

static void decides_at_the_cap_of_spans(void **state)
{
    (void)state;
    decides_at_the_cap("wait = \"10m\"; spans_per_trace = 10;");
}

static void decides_at_the_cap_of_bytes(void **state)
{
    (void)state;
    decides_at_the_cap("wait = \"10m\"; bytes_per_trace = \"64KiB\";");
}

/* Two traces that fit, but not together: a link instead of one trace. */
static void links_what_would_be_too_large_together(void **state)
{
    (void)state;
    struct scenario scenario;
    scenario_start(&scenario);
    scenario.workers = 2;
    scenario.window = "wait = \"10m\"; spans_per_trace = 10;";
    scenario_span_topic(&scenario, "spans", 1, "");
    struct span_spec specs[2][6];
    for (uint64_t i = 0; i < 12; i++)
        specs[i / 6][i % 6] = (struct span_spec){
            .trace = scenario_trace(i / 6),
            .id = 1 + i,
            .parent = i % 6 == 0 ? 0 : 1 + i / 6 * 6,
        };
    specs[1][0].kind = 5;
    specs[1][0].operation = "process";
    specs[1][0].topic = "orders";
    specs[1][0].links[0] = (struct span_context){scenario_trace(0), 2};
    specs[1][0].link_count = 1;
    scenario_put(&scenario, "spans", 0, specs[0], 6);
    scenario_put(&scenario, "spans", 0, specs[1], 6);
    scenario_drain(&scenario, 0);
    assert_int_equal(scenario_span_count(&scenario, 0), 12);
    assert_true(trace_id_equal(scenario_find(&scenario, 0, 7)->trace, scenario_trace(1)));
    assert_int_equal(scenario_find(&scenario, 0, 7)->parent, 0);
    assert_int_equal(scenario_total(&scenario, "traces.kept"), 2);
    assert_int_equal(scenario_total(&scenario, "repairs.link.link"), 1);
    scenario_end(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_with_tiny_memory_and_one_worker),
        cmocka_unit_test(ends_with_tiny_memory_and_two_workers),
        cmocka_unit_test(ends_with_a_tiny_queue_too),
        cmocka_unit_test(ends_with_tiny_memory_and_hops),
        cmocka_unit_test(decides_at_the_cap_of_spans),
        cmocka_unit_test(decides_at_the_cap_of_bytes),
        cmocka_unit_test(links_what_would_be_too_large_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
