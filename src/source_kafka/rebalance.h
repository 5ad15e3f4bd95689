/*
 * rebalance: what the group reads, and what of it is ours.
 *
 * Patterns are resolved here, not by the library, so that exclusion and the order of entries
 * are the same for all readers; the group is subscribed to names only.  Control thread.
 */
#ifndef SB_SOURCE_KAFKA_REBALANCE_H
#define SB_SOURCE_KAFKA_REBALANCE_H

#include "state.h"

/* Brings the subscription in line with the reader's topics, if it differs. */
void rebalance_subscribe(struct source_kafka *source);

/* What a look told of a named topic: one that has appeared is subscribed to anew. */
void rebalance_topic_exists(struct topic *topic, bool exists);

/* The library's callback; its opaque is the source. */
void rebalance_on_event(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                        rd_kafka_topic_partition_list_t *list, void *opaque);

/* Gives a lane that was rewound to its worker anew, from `offset` on. */
void rebalance_reopen(struct source_kafka *source, struct lane *lane, int64_t offset);

#endif
