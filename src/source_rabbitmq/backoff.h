/*
 * backoff: how long to wait before something that failed is tried again: anything up to a bound
 * that doubles from 1 s to 30 s, so that those who failed together do not come back together.
 */
#ifndef SB_SOURCE_RABBITMQ_BACKOFF_H
#define SB_SOURCE_RABBITMQ_BACKOFF_H

#include <stdint.h>

struct backoff {
    uint64_t random; /* state of the generator: the caller seeds it */
    uint32_t failures;
};

/* One more failure in a row; the wait before the next try. */
uint64_t backoff_fail_ns(struct backoff *backoff);
/* It works. */
void backoff_reset(struct backoff *backoff);

#endif
