#include "order.h"

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { SPANS_MAX = 300 };

static struct otlp_envelope envelopes[SPANS_MAX];

/* The same, the slow way: envelopes as they are first seen, spans of each in their order. */
static void order_slowly(const struct sink_span *spans, uint32_t count, uint32_t *ret)
{
    bool taken[SPANS_MAX] = {false};
    uint32_t place = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = i; j < count; j++) {
            if (!taken[j] && spans[j].envelope == spans[i].envelope) {
                taken[j] = true;
                ret[place++] = j;
            }
        }
    }
    assert_int_equal(place, count);
}

static void test_against_a_model(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 1);
    struct order order;
    order_init(&order);
    for (int round = 0; round < 2000; round++) {
        struct sink_span spans[SPANS_MAX];
        uint32_t expected[SPANS_MAX];
        uint32_t found[SPANS_MAX];
        uint32_t count = (uint32_t)random_between(&random, 1, SPANS_MAX);
        uint64_t kinds = random_between(&random, 1, SPANS_MAX);
        for (uint32_t i = 0; i < count; i++)
            spans[i].envelope = &envelopes[random_below(&random, kinds)];
        order_slowly(spans, count, expected);
        assert_int_equal(order_spans(&order, spans, count, found), SB_OK);
        assert_memory_equal(found, expected, count * sizeof(*found));
    }
    order_clear(&order);
}

static void test_nothing_is_allocated_once_warm(void **state)
{
    (void)state;
    struct sink_span spans[SPANS_MAX];
    uint32_t found[SPANS_MAX];
    for (uint32_t i = 0; i < SPANS_MAX; i++)
        spans[i].envelope = &envelopes[i];
    struct order order;
    order_init(&order);
    assert_int_equal(order_spans(&order, spans, SPANS_MAX, found), SB_OK);
    uint64_t before = memory_allocations();
    for (uint32_t count = 1; count <= SPANS_MAX; count++)
        assert_int_equal(order_spans(&order, spans, count, found), SB_OK);
    assert_int_equal(memory_allocations(), before);
    order_clear(&order);
}

static void test_memory_is_short(void **state)
{
    (void)state;
    struct sink_span spans[2] = {{.envelope = &envelopes[0]}, {.envelope = &envelopes[1]}};
    uint32_t found[2];
    for (uint64_t nth = 1; nth <= 2; nth++) {
        struct order order;
        order_init(&order);
        memory_fail_at(nth);
        assert_int_equal(order_spans(&order, spans, 2, found), SB_ERR_MEMORY);
        memory_fail_at(0);
        assert_int_equal(order_spans(&order, spans, 2, found), SB_OK);
        order_clear(&order);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test(test_nothing_is_allocated_once_warm),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
