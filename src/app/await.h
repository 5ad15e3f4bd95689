/*
 * await: how long verdicts wait for sources that have not begun.
 *
 * Two sources do not begin in the same moment: RabbitMQ gives records at once, a consumer group
 * of Kafka after seconds.  What is read of the one must not be decided before the other had as
 * much time as any span has: `wait`.  A source in trouble is not waited for, as nobody knows when
 * it will be back; nor is one that takes longer than `hold`, until it has been back.
 *
 * Control thread.  Times are of the monotonic clock.
 */
#ifndef SB_APP_AWAIT_H
#define SB_APP_AWAIT_H

#include <stdbool.h>
#include <stdint.h>

struct await {
    uint64_t wait_ns; /* of the window, as is hold */
    uint64_t hold_ns;
    uint32_t lanes;    /* of spans, that are open */
    uint64_t since_ns; /* a source begins, and another one is read; 0: not so */
};

/*
 * To be called again and again.  `begins`: a source has yet to be given its share, and nothing is
 * wrong.  Returns until when no trace may be decided for its age; 0: what was said last still
 * holds.
 */
uint64_t await_until_ns(struct await *await, bool begins, uint64_t now_ns);

#endif
