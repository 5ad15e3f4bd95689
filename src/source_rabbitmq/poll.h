/*
 * poll: records for workers out of the lanes' rings; what a worker says of them.
 */
#ifndef SB_SOURCE_RABBITMQ_POLL_H
#define SB_SOURCE_RABBITMQ_POLL_H

#include "state.h"

/* As in source_ops. */
size_t poll_spans(struct source *source, uint32_t worker, uint32_t wait_ms, struct record *ret,
                  size_t max);
size_t poll_taps(struct source *source, uint32_t worker, struct record *ret, size_t max);
void poll_wake(struct source *source, uint32_t worker);
void poll_release(struct record *record);
size_t poll_headers(const struct record *record, struct record_header *ret, size_t max);
void poll_publish(struct source *source, uint32_t worker, uint32_t lane, int64_t offset);

/* Control thread, while no worker polls the lane: what is in its ring is dropped. */
void poll_discard(struct lane *lane);

#endif
