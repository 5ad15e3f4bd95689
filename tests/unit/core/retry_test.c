#include "core/retry.h"

#include <stdbool.h>

#include "core/clock.h"
#include "support/test.h"

/* The largest of many waits comes near its bound, the smallest near nothing: full jitter. */
static void test_waits_fill_a_bound_that_doubles(void **state)
{
    (void)state;
    static const uint64_t bounds_s[] = {1, 2, 4, 8, 16, 30, 30, 30};
    struct retry retry;
    retry_init(&retry, NS_PER_S, 30 * NS_PER_S, 7);
    for (uint32_t i = 0; i < sizeof(bounds_s) / sizeof(bounds_s[0]); i++) {
        uint64_t bound_ns = bounds_s[i] * NS_PER_S;
        uint64_t least = UINT64_MAX;
        uint64_t most = 0;
        for (int round = 0; round < 1000; round++) {
            uint64_t wait_ns = retry_wait_ns(&retry, i + 1);
            assert_true(wait_ns <= bound_ns);
            least = wait_ns < least ? wait_ns : least;
            most = wait_ns > most ? wait_ns : most;
        }
        assert_true(least < bound_ns / 50);
        assert_true(most > bound_ns / 50 * 49);
    }
}

static void test_a_seed_repeats_and_another_does_not(void **state)
{
    (void)state;
    struct retry first;
    struct retry second;
    struct retry other;
    retry_init(&first, NS_PER_S, 30 * NS_PER_S, 7);
    retry_init(&second, NS_PER_S, 30 * NS_PER_S, 7);
    retry_init(&other, NS_PER_S, 30 * NS_PER_S, 8);
    for (uint32_t i = 1; i < 100; i++) {
        uint64_t wait_ns = retry_wait_ns(&first, i);
        assert_int_equal(wait_ns, retry_wait_ns(&second, i));
        assert_true(wait_ns != retry_wait_ns(&other, i));
    }
}

static void test_extremes_do_not_overflow(void **state)
{
    (void)state;
    struct retry retry;
    retry_init(&retry, 0, 0, 1);
    assert_int_equal(retry_wait_ns(&retry, UINT32_MAX), 0);
    retry_init(&retry, 5, 1, 1); /* the longest is not below the first */
    for (int i = 0; i < 100; i++)
        assert_true(retry_wait_ns(&retry, 3) <= 5);
    retry_init(&retry, 1, UINT64_MAX, 1);
    bool large = false;
    for (int i = 0; i < 100; i++)
        large = retry_wait_ns(&retry, UINT32_MAX) > UINT64_MAX / 2 || large;
    assert_true(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_fill_a_bound_that_doubles),
        cmocka_unit_test(test_a_seed_repeats_and_another_does_not),
        cmocka_unit_test(test_extremes_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
