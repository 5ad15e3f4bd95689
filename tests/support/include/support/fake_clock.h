/*
 * fake_clock: a clock that stands still until the test moves it.  Belongs to the test; reads
 * and moves may come from several threads.
 */
#ifndef SB_SUPPORT_FAKE_CLOCK_H
#define SB_SUPPORT_FAKE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/clock.h"

struct fake_clock {
    struct clock_source source; /* hand out &fake.source */
    _Atomic uint64_t monotonic_ns;
    _Atomic uint64_t wall_ns;
};

/* Starts at 1 s monotonic and at 2026-01-02T03:04:05.000Z; must not move in memory after. */
#define FAKE_CLOCK_WALL_NS (UINT64_C(1767323045) * NS_PER_S)
void fake_clock_init(struct fake_clock *clock);

/* Moves both clocks on. */
void fake_clock_advance_ns(struct fake_clock *clock, uint64_t ns);
void fake_clock_advance_ms(struct fake_clock *clock, uint64_t ms);

/* Makes the wall clock jump; the monotonic one stays. */
void fake_clock_set_wall_ns(struct fake_clock *clock, uint64_t wall_ns);

#endif
