/*
 * backoff: when something that failed may be tried again.
 *
 * Each failure closes it for a while, with full jitter (retry.h), longer each time until a
 * success resets it.  One thread.
 */
#ifndef SB_SINK_BACKOFF_H
#define SB_SINK_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "retry.h"

struct backoff {
    struct retry retry;
    const struct clock_source *clock;
    uint32_t failures; /* in a row */
    uint64_t until_ns; /* monotonic; 0: open */
};

void backoff_init(struct backoff *backoff, const struct retry *retry,
                  const struct clock_source *clock);
/* Closes it, unless it is closed already: by something else in the same trouble. */
void backoff_begin(struct backoff *backoff);
/* The next failure is the first one again; does not open it. */
void backoff_reset(struct backoff *backoff);
/* Opens it when its time has come; whether it is open. */
bool backoff_is_open(struct backoff *backoff);
/* How long it stays closed; UINT64_MAX when it is open. */
uint64_t backoff_left_ns(const struct backoff *backoff);

#endif
