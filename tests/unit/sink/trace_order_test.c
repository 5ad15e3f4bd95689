#include "trace_order.h"

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { SPANS_MAX = 300, ENVELOPES = 4, ROUNDS = 500 };

static struct otlp_envelope envelopes[ENVELOPES];

static struct sink_span span_of(uint32_t trace, uint32_t envelope)
{
    return (struct sink_span){.trace = {{1, (uint8_t)(trace >> 8), (uint8_t)trace}},
                              .envelope = &envelopes[envelope]};
}

static void expect(struct trace_order *order, const struct sink_span *spans, uint32_t count,
                   const uint32_t *expected)
{
    uint32_t found[SPANS_MAX];
    assert_int_equal(trace_order_spans(order, spans, count, found), SB_OK);
    assert_memory_equal(found, expected, count * sizeof(*found));
}

static void test_traces_and_envelopes_within(void **state)
{
    (void)state;
    struct trace_order order;
    trace_order_init(&order, 1);
    const struct sink_span spans[] = {
        span_of(5, 0), span_of(6, 0), span_of(5, 1), span_of(5, 0),
        span_of(6, 0), span_of(6, 2), span_of(5, 1), span_of(7, 0),
    };
    const uint32_t expected[] = {0, 3, 2, 6, 1, 4, 5, 7};
    expect(&order, spans, 8, expected);
    expect(&order, spans, 8, expected); /* its tables are used again */
    trace_order_clear(&order);
}

/* The same, the slow way. */
static void order_slowly(const struct sink_span *spans, uint32_t count, uint32_t *ret)
{
    bool taken[SPANS_MAX] = {false};
    uint32_t place = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i; j < count; j++) {
            if (taken[j] || !trace_id_equal(spans[j].trace, spans[i].trace))
                continue;
            for (uint32_t k = j; k < count; k++) {
                if (taken[k] || spans[k].envelope != spans[j].envelope ||
                    !trace_id_equal(spans[k].trace, spans[j].trace))
                    continue;
                taken[k] = true;
                ret[place++] = k;
            }
        }
    assert_int_equal(place, count);
}

static void test_against_a_model(void **state)
{
    (void)state;
    struct random random;
    struct trace_order order;
    random_init(&random, 7);
    trace_order_init(&order, 9);
    for (int round = 0; round < ROUNDS; round++) {
        struct sink_span spans[SPANS_MAX];
        uint32_t expected[SPANS_MAX];
        uint32_t count = (uint32_t)random_between(&random, 1, SPANS_MAX);
        uint64_t traces = random_between(&random, 1, SPANS_MAX);
        for (uint32_t i = 0; i < count; i++)
            spans[i] = span_of((uint32_t)random_below(&random, traces),
                               (uint32_t)random_below(&random, ENVELOPES));
        order_slowly(spans, count, expected);
        expect(&order, spans, count, expected);
    }
    trace_order_clear(&order);
}

static void test_nothing_is_allocated_once_warm(void **state)
{
    (void)state;
    struct trace_order order;
    struct sink_span spans[SPANS_MAX];
    uint32_t found[SPANS_MAX];
    trace_order_init(&order, 1);
    for (uint32_t i = 0; i < SPANS_MAX; i++)
        spans[i] = span_of(i, 0);
    assert_int_equal(trace_order_spans(&order, spans, SPANS_MAX, found), SB_OK);
    uint64_t before = memory_allocations();
    for (uint32_t count = 1; count <= SPANS_MAX; count++)
        assert_int_equal(trace_order_spans(&order, spans, count, found), SB_OK);
    assert_int_equal(memory_allocations(), before);
    trace_order_clear(&order);
}

static void test_memory_is_short(void **state)
{
    (void)state;
    const struct sink_span spans[] = {span_of(1, 0), span_of(2, 1)};
    uint32_t found[2];
    for (uint64_t nth = 1; nth <= 3; nth++) {
        struct trace_order order;
        trace_order_init(&order, 1);
        memory_fail_at(nth);
        assert_int_equal(trace_order_spans(&order, spans, 2, found), SB_ERR_MEMORY);
        memory_fail_at(0);
        assert_int_equal(trace_order_spans(&order, spans, 2, found), SB_OK);
        trace_order_clear(&order);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traces_and_envelopes_within),
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test(test_nothing_is_allocated_once_warm),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
