/*
 * retry: how long to wait before something that failed is tried again.
 *
 * Full jitter: anything between nothing and a bound that doubles from `initial_ns` to
 * `max_ns`, so that those who failed together do not come back together.  There is no last
 * attempt.
 * Pure: the same seed and attempts give the same waits.
 */
#ifndef SB_CORE_RETRY_H
#define SB_CORE_RETRY_H

#include <stdint.h>

struct retry {
    uint64_t initial_ns;
    uint64_t max_ns;
    uint64_t random; /* state of the generator, seeded by the options */
};

void retry_init(struct retry *retry, uint64_t initial_ns, uint64_t max_ns, uint64_t seed);

/* The wait after `failures` failures in a row (1: the first). */
uint64_t retry_wait_ns(struct retry *retry, uint32_t failures);

/* An even random word; the next one is another. */
uint64_t retry_random(struct retry *retry);

#endif
