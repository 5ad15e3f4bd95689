/*
 * steady: once warm, the span path allocates nothing, from the record to the sink's answer.
 *
 * Traces come and go, one in ten is kept, one in five has a hop that is joined by its link.
 */
#include "core/memory.h"
#include "rig.h"
#include "support/test.h"

enum { TRACES = 50, SPANS_PER_TRACE = 4, WARM_ROUNDS = 140, MEASURED_ROUNDS = 40 };

static void fill_trace(struct span_spec *specs, struct trace_id trace, uint64_t first_id,
                       bool error)
{
    for (uint64_t i = 0; i < SPANS_PER_TRACE; i++)
        specs[i] = (struct span_spec){
            .trace = trace,
            .id = first_id + i,
            .parent = i == 0 ? 0 : first_id,
            .name = "work",
            .start_ms = 10 + i,
            .end_ms = 20 + i,
            .error = error && i == 2,
            .padding = 300,
        };
}

/* The second of the two traces is the consumer's side of a hop from the first. */
static void join_traces(struct span_spec *producer, struct span_spec *consumer)
{
    producer[1].operation = "send";
    producer[1].topic = "orders";
    producer[1].kind = OTLP_KIND_PRODUCER;
    consumer[0].operation = "process";
    consumer[0].topic = "orders";
    consumer[0].kind = OTLP_KIND_CONSUMER;
    consumer[0].links[0] =
        (struct span_context){.trace = producer[1].trace, .span = producer[1].id};
    consumer[0].link_count = 1;
}

/* Pushes a round of traces and lets it come to its end; allocations made on the span path. */
static uint64_t run_round(struct rig *rig, uint32_t round)
{
    static struct span_spec specs[TRACES][SPANS_PER_TRACE];
    for (uint32_t i = 0; i < TRACES; i++) {
        uint32_t number = round * TRACES + i + 1;
        fill_trace(specs[i], rig_trace(rig, 0, number), (uint64_t)number * 16, i % 10 == 0);
        if (i % 5 == 1)
            join_traces(specs[i - 1], specs[i]);
    }
    rig_push(rig, 0, specs[0], TRACES * SPANS_PER_TRACE);
    uint64_t before = memory_allocations();
    rig_wait(rig);
    return memory_allocations() - before;
}

static void test_the_span_path_does_not_allocate_once_warm(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_keep_errors(&rig);
    rig.options.verdict_bytes_max = 64 << 10; /* so that its books are full once warm */
    rig_start(&rig);
    uint32_t round = 0;
    uint64_t cold = 0;
    while (round < WARM_ROUNDS)
        cold += run_round(&rig, round++);
    assert_true(cold > 0); /* or the counter counts nothing */
    uint64_t warm = 0;
    while (round < WARM_ROUNDS + MEASURED_ROUNDS)
        warm += run_round(&rig, round++);
    assert_int_equal(warm, 0);
    struct worker_counters counters = rig_counters(&rig);
    assert_int_equal(counters.spans_read,
                     (WARM_ROUNDS + MEASURED_ROUNDS) * TRACES * SPANS_PER_TRACE);
    assert_true(counters.exported > 0);
    rig_drain(&rig);
    rig_clear(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_span_path_does_not_allocate_once_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
