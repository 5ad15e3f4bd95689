/*
 * start: where a partition is read from whose group has committed nothing.
 *
 * auto.offset.reset speaks of these and of offsets that are gone alike, and the latter must not
 * jump to the end.  So `start = "latest"` is resolved here, when a partition is assigned.
 * Control thread.
 */
#ifndef SB_SOURCE_KAFKA_START_H
#define SB_SOURCE_KAFKA_START_H

#include "state.h"

/*
 * Puts the end into the list for those of its partitions that are to start there.  If the broker
 * does not tell, they are read from the earliest: that loses nothing.  Waits for the broker.
 */
void start_resolve(struct source_kafka *source, rd_kafka_t *rk,
                   rd_kafka_topic_partition_list_t *list);

/*
 * Once the list is assigned: what was put in is committed, so that the next owner starts there,
 * and not where the end is then.
 */
void start_pin(struct source_kafka *source, const rd_kafka_topic_partition_list_t *list);

#endif
