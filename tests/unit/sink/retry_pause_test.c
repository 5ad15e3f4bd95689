#include "retry_pause.h"

#include "support/fake_clock.h"
#include "support/test.h"

struct fixture {
    struct fake_clock clock;
    struct retry_pause backoff;
};

static void start(struct fixture *fixture)
{
    struct retry retry;
    fake_clock_init(&fixture->clock);
    retry_init(&retry, NS_PER_S, 8 * NS_PER_S, 42);
    retry_pause_init(&fixture->backoff, &retry, &fixture->clock.source);
}

static void test_closed_for_as_long_as_it_says(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    struct retry_pause *backoff = &fixture.backoff;
    assert_true(retry_pause_is_open(backoff));
    assert_true(retry_pause_left_ns(backoff) == UINT64_MAX);
    retry_pause_begin(backoff);
    uint64_t left_ns = retry_pause_left_ns(backoff);
    assert_true(left_ns > 1 && left_ns <= NS_PER_S);
    assert_false(retry_pause_is_open(backoff));
    fake_clock_advance_ns(&fixture.clock, left_ns - 1);
    assert_false(retry_pause_is_open(backoff));
    assert_int_equal(retry_pause_left_ns(backoff), 1);
    fake_clock_advance_ns(&fixture.clock, 1);
    assert_int_equal(retry_pause_left_ns(backoff), 0);
    assert_true(retry_pause_is_open(backoff));
    assert_true(retry_pause_left_ns(backoff) == UINT64_MAX);
}

/* Many records fail for one reason. */
static void test_closed_once_for_what_fails_together(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    struct retry_pause *backoff = &fixture.backoff;
    retry_pause_begin(backoff);
    uint64_t left_ns = retry_pause_left_ns(backoff);
    retry_pause_begin(backoff);
    assert_int_equal(backoff->failures, 1);
    assert_int_equal(retry_pause_left_ns(backoff), left_ns);
}

static uint64_t longest_ns(struct fixture *fixture, uint32_t failures)
{
    uint64_t longest = 0;
    for (int i = 0; i < 200; i++) {
        retry_pause_reset(&fixture->backoff);
        for (uint32_t n = 0; n < failures; n++) {
            retry_pause_begin(&fixture->backoff);
            uint64_t left_ns = retry_pause_left_ns(&fixture->backoff);
            if (n + 1 == failures && left_ns > longest)
                longest = left_ns;
            fake_clock_advance_ns(&fixture->clock, left_ns);
            assert_true(retry_pause_is_open(&fixture->backoff));
        }
    }
    return longest;
}

static void test_longer_each_time_until_reset(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    assert_in_range(longest_ns(&fixture, 3), 2 * NS_PER_S, 4 * NS_PER_S);
    assert_in_range(longest_ns(&fixture, 9), 4 * NS_PER_S, 8 * NS_PER_S);
    assert_in_range(longest_ns(&fixture, 1), NS_PER_S / 2, NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_for_as_long_as_it_says),
        cmocka_unit_test(test_closed_once_for_what_fails_together),
        cmocka_unit_test(test_longer_each_time_until_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
