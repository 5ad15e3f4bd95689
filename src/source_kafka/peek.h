/*
 * peek: looks at the first record of each newly assigned lane before the worker gets it, for
 * its time: the taps start from the oldest of these.
 *
 * The lane's queue is kept apart, its first message taken, and the lane is sought back to it
 * before it is forwarded.  So taps can start although nobody polls spans yet.  Control thread.
 */
#ifndef SB_SOURCE_KAFKA_PEEK_H
#define SB_SOURCE_KAFKA_PEEK_H

#include "state.h"

/* True when a message topic starts where the spans do. */
bool peek_is_wanted(const struct source_kafka *source);

/* The lane was attached with peeking, and is open. */
void peek_begin(struct source_kafka *source, struct lane *lane);

void peek_service(struct source_kafka *source);

/* True while some lane has not been looked at. */
bool peek_is_pending(const struct source_kafka *source);

#endif
