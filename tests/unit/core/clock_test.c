#include "core/clock.h"

#include <time.h>

#include "support/fake_clock.h"
#include "support/test.h"

static void test_system_monotonic_never_goes_back(void **state)
{
    (void)state;
    const struct clock_source *clock = clock_system();
    uint64_t before = clock_monotonic_ns(clock);
    assert_true(before > 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = clock_monotonic_ns(clock);
        assert_true(now >= before);
        before = now;
    }
}

static uint64_t read_ns(clockid_t id)
{
    struct timespec now;
    assert_int_equal(clock_gettime(id, &now), 0);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void test_system_clocks_are_the_right_ones(void **state)
{
    (void)state;
    uint64_t least = read_ns(CLOCK_MONOTONIC);
    uint64_t monotonic = clock_monotonic_ns(clock_system());
    assert_in_range(monotonic, least, read_ns(CLOCK_MONOTONIC));
    /* The wall clock may be set while this runs: a minute either way is near enough. */
    uint64_t wall = clock_wall_ns(clock_system());
    uint64_t now = read_ns(CLOCK_REALTIME);
    assert_in_range(wall, now - 60 * NS_PER_S, now + 60 * NS_PER_S);
}

static void test_fake_clock_moves_by_hand_only(void **state)
{
    (void)state;
    struct fake_clock fake;
    fake_clock_init(&fake);
    uint64_t start = clock_monotonic_ns(&fake.source);
    assert_int_equal(clock_monotonic_ns(&fake.source), start);
    assert_int_equal(clock_wall_ns(&fake.source), FAKE_CLOCK_WALL_NS);
    fake_clock_advance_ns(&fake, 7);
    fake_clock_advance_ms(&fake, 2);
    assert_int_equal(clock_monotonic_ns(&fake.source), start + 2 * NS_PER_MS + 7);
    assert_int_equal(clock_wall_ns(&fake.source), FAKE_CLOCK_WALL_NS + 2 * NS_PER_MS + 7);
    fake_clock_set_wall_ns(&fake, 5);
    assert_int_equal(clock_wall_ns(&fake.source), 5);
    assert_int_equal(clock_monotonic_ns(&fake.source), start + 2 * NS_PER_MS + 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_system_monotonic_never_goes_back),
        cmocka_unit_test(test_system_clocks_are_the_right_ones),
        cmocka_unit_test(test_fake_clock_moves_by_hand_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
