/*
 * records: records for workers out of the lanes' rings; what a worker says of them.
 */
#ifndef SB_SOURCE_RABBITMQ_RECORDS_H
#define SB_SOURCE_RABBITMQ_RECORDS_H

#include "state.h"

/* As in source_ops. */
size_t records_poll(struct source *base, uint32_t worker, uint32_t wait_ms, struct record *ret,
                    size_t max);
size_t records_poll_taps(struct source *base, uint32_t worker, struct record *ret, size_t max);
void records_wake(struct source *base, uint32_t worker);
void records_release(struct record *record);
size_t records_headers(const struct record *record, struct record_header *ret, size_t max);
void records_publish(struct source *base, uint32_t worker, uint32_t number, int64_t offset);

/* Control thread, while no worker polls the lane: what is in its ring is dropped. */
void records_discard(struct lane *lane);

#endif
