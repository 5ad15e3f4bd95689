#include "support/fake_clock.h"

static uint64_t fake_monotonic_ns(void *arg)
{
    struct fake_clock *clock = arg;
    return atomic_load(&clock->monotonic_ns);
}

static uint64_t fake_wall_ns(void *arg)
{
    struct fake_clock *clock = arg;
    return atomic_load(&clock->wall_ns);
}

void fake_clock_init(struct fake_clock *clock)
{
    clock->source = (struct clock_source){
        .monotonic_ns = fake_monotonic_ns, .wall_ns = fake_wall_ns, .arg = clock};
    atomic_init(&clock->monotonic_ns, NS_PER_S);
    atomic_init(&clock->wall_ns, FAKE_CLOCK_WALL_NS);
}

void fake_clock_advance_ns(struct fake_clock *clock, uint64_t ns)
{
    atomic_fetch_add(&clock->monotonic_ns, ns);
    atomic_fetch_add(&clock->wall_ns, ns);
}

void fake_clock_advance_ms(struct fake_clock *clock, uint64_t ms)
{
    fake_clock_advance_ns(clock, ms * NS_PER_MS);
}

void fake_clock_set_wall_ns(struct fake_clock *clock, uint64_t wall_ns)
{
    atomic_store(&clock->wall_ns, wall_ns);
}
