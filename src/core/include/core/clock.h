/*
 * clock: where time comes from.  Stages never read the system's clocks themselves: they are
 * given one of these, so that tests can move time by hand.
 */
#ifndef SB_CORE_CLOCK_H
#define SB_CORE_CLOCK_H

#include <stdint.h>

struct clock_source {
    uint64_t (*monotonic_ns)(void *arg); /* never goes back; for waits and deadlines */
    uint64_t (*wall_ns)(void *arg);      /* since 1970 in UTC; may jump */
    void *arg;
};

enum { MS_PER_S = 1000 };
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

/* The system's clocks; lives for ever, for any thread. */
const struct clock_source *clock_system(void);

static inline uint64_t clock_monotonic_ns(const struct clock_source *clock)
{
    return clock->monotonic_ns(clock->arg);
}

static inline uint64_t clock_wall_ns(const struct clock_source *clock)
{
    return clock->wall_ns(clock->arg);
}

#endif
