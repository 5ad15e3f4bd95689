#include <string.h>

#include "decide/decide.h"
#include "support/random.h"
#include "support/test.h"

static struct otlp_span span_of(uint64_t start_ns, uint64_t end_ns, enum otlp_status status)
{
    return (struct otlp_span){.start_ns = start_ns,
                              .end_ns = end_ns,
                              .status = (uint8_t)status,
                              .raw = bytes_of("1234567890", 10)};
}

static void test_no_span_at_all(void **state)
{
    (void)state;
    struct decide_facts facts;
    decide_facts_init(&facts);
    assert_true(facts.earliest_start_ns == UINT64_MAX);
    assert_int_equal(facts.latest_end_ns, 0);
    assert_int_equal(facts.spans, 0);
    assert_int_equal(facts.statuses, 0);
}

static void test_times_of_zero_and_ends_before_starts(void **state)
{
    (void)state;
    static const struct {
        uint64_t times[3][2];
        uint64_t earliest;
        uint64_t latest;
    } rows[] = {
        {{{10, 20}, {15, 40}, {5, 6}}, 5, 40},     {{{0, 0}, {15, 40}, {0, 0}}, 15, 40},
        {{{0, 30}, {15, 20}, {0, 0}}, 15, 30}, /* an end alone counts */
        {{{10, 5}, {9, 0}, {0, 0}}, 9, 10},    /* an end before its start is the start */
        {{{0, 0}, {0, 0}, {0, 0}}, UINT64_MAX, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct decide_facts facts;
        decide_facts_init(&facts);
        for (int n = 0; n < 3; n++) {
            struct otlp_span span =
                span_of(rows[i].times[n][0], rows[i].times[n][1], OTLP_STATUS_UNSET);
            decide_facts_add_span(&facts, &span, 0);
        }
        assert_true(facts.earliest_start_ns == rows[i].earliest);
        assert_true(facts.latest_end_ns == rows[i].latest);
        assert_int_equal(facts.spans, 3);
        assert_int_equal(facts.bytes, 30);
    }
}

/* Spans folded one by one, and the same spans in two traces that are merged, are equal. */
static void test_merging_equals_adding(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 3);
    for (int round = 0; round < 1000; round++) {
        struct decide_facts whole;
        struct decide_facts part[2];
        decide_facts_init(&whole);
        decide_facts_init(&part[0]);
        decide_facts_init(&part[1]);
        uint64_t count = random_below(&random, 8);
        for (uint64_t i = 0; i < count; i++) {
            struct otlp_span span =
                span_of(random_below(&random, 50), random_below(&random, 50),
                        (enum otlp_status)random_below(&random, 3));
            span.flags = (uint32_t)random_below(&random, 4) | OTLP_FLAGS_REMOTE_KNOWN;
            uint64_t matches = UINT64_C(1) << random_below(&random, 64);
            decide_facts_add_span(&whole, &span, matches);
            decide_facts_add_span(&part[random_below(&random, 2)], &span, matches);
        }
        decide_facts_merge(&part[0], &part[1]);
        assert_true(whole.earliest_start_ns == part[0].earliest_start_ns);
        assert_true(whole.latest_end_ns == part[0].latest_end_ns);
        assert_true(whole.matches == part[0].matches);
        assert_true(whole.bytes == part[0].bytes);
        assert_int_equal(whole.spans, part[0].spans);
        assert_int_equal(whole.statuses, part[0].statuses);
        assert_int_equal(whole.flags, part[0].flags);
        assert_true(whole.flags < 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_span_at_all),
        cmocka_unit_test(test_times_of_zero_and_ends_before_starts),
        cmocka_unit_test(test_merging_equals_adding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
