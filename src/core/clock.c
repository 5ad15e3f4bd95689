#include "core/clock.h"

#include <time.h>

#include "core/assert.h"

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;
    int failed = clock_gettime(id, &now);
    SB_ASSERT(failed == 0);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t system_monotonic_ns(void *arg)
{
    (void)arg;
    return read_clock(CLOCK_MONOTONIC);
}

static uint64_t system_wall_ns(void *arg)
{
    (void)arg;
    return read_clock(CLOCK_REALTIME);
}

const struct clock_source *clock_system(void)
{
    static const struct clock_source source = {
        .monotonic_ns = system_monotonic_ns, .wall_ns = system_wall_ns, .arg = NULL};
    return &source;
}
