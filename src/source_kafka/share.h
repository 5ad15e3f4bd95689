/*
 * share: does this member of the group read all partitions of its span topics?
 *
 * Then no other one has the other side of a hop.  Told by the partitions that the scout saw and
 * the lanes that are open: the group itself is not asked.
 */
#ifndef SB_SOURCE_KAFKA_SHARE_H
#define SB_SOURCE_KAFKA_SHARE_H

#include "state.h"

/* Control thread: looks at all lanes and stores the answer for source_kafka_share. */
void share_refresh(struct source_kafka *source);

#endif
