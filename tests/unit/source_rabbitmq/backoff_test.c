#include "backoff.h"

#include "core/clock.h"
#include "support/test.h"

static void test_waits_stay_below_a_bound_that_doubles(void **state)
{
    (void)state;
    const uint64_t bounds_s[] = {1, 2, 4, 8, 16, 30, 30, 30};
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct backoff backoff = {.random = seed};
        for (size_t i = 0; i < sizeof(bounds_s) / sizeof(bounds_s[0]); i++)
            assert_true(backoff_fail_ns(&backoff) <= bounds_s[i] * NS_PER_S);
    }
}

static void test_waits_differ_and_reach_the_bound(void **state)
{
    (void)state;
    struct backoff backoff = {.random = 1};
    uint64_t most = 0;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 1000; i++) {
        uint64_t wait = backoff_fail_ns(&backoff);
        most = wait > most ? wait : most;
        least = i > 5 && wait < least ? wait : least;
    }
    assert_true(most > 28 * NS_PER_S);
    assert_true(least < 2 * NS_PER_S);
    backoff_reset(&backoff);
    assert_true(backoff_fail_ns(&backoff) <= NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_stay_below_a_bound_that_doubles),
        cmocka_unit_test(test_waits_differ_and_reach_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
