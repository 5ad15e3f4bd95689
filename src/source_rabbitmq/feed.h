/*
 * feed: the thread of one topic file: connects, reads, acks, and begins anew after trouble.
 */
#ifndef SB_SOURCE_RABBITMQ_FEED_H
#define SB_SOURCE_RABBITMQ_FEED_H

#include "state.h"

/* The thread; `arg` is the feed.  Ends once the source is ending. */
void *feed_run(void *arg);

/* What is wrong with it, for the control thread to tell; NULL: nothing any more. */
void feed_set_trouble(struct feed *feed, const char *text);

/* The feed's thread: the lane is lost; it begins anew after a while. */
void feed_lose_lane(struct lane *lane, const char *why);

/* The lane consumes. */
void feed_take_answer(struct lane *lane);

#endif
