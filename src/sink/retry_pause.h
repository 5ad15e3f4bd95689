/*
 * retry_pause: when something that failed may be tried again.
 *
 * Each failure closes it for a while, with full jitter (retry.h), longer each time until a
 * success resets it.  One thread.
 */
#ifndef SB_SINK_RETRY_PAUSE_H
#define SB_SINK_RETRY_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/retry.h"

struct retry_pause {
    struct retry retry;
    const struct clock_source *clock;
    uint32_t failures; /* in a row */
    uint64_t until_ns; /* monotonic; 0: open */
};

void retry_pause_init(struct retry_pause *pause, const struct retry *retry,
                      const struct clock_source *clock);
/* Closes it, unless it is closed already: by something else in the same trouble. */
void retry_pause_begin(struct retry_pause *pause);
/* The next failure is the first one again; does not open it. */
void retry_pause_reset(struct retry_pause *pause);
/* Opens it when its time has come; whether it is open. */
bool retry_pause_is_open(struct retry_pause *pause);
/* How long it stays closed; UINT64_MAX when it is open. */
uint64_t retry_pause_left_ns(const struct retry_pause *pause);

#endif
