/*
 * lanes: partitions as numbered lanes of workers, and their fencing.
 *
 * A lane's number at its worker is small, dense and kept for the partition; spans and taps of
 * one worker share the numbers.  Control thread, unless noted.
 */
#ifndef SB_SOURCE_KAFKA_LANES_H
#define SB_SOURCE_KAFKA_LANES_H

#include "state.h"

/* The lane of a partition, made at first use.  SB_ERR_MEMORY. */
enum sb_err lanes_get(struct topic *topic, int32_t partition, struct lane **ret) SB_MUST_USE;

/* Any thread: the lane that a message belongs to; NULL: of a topic that we do not know. */
static inline struct lane *lanes_of_message(const rd_kafka_message_t *message)
{
    struct topic *topic = message->rkt == NULL ? NULL : rd_kafka_topic_opaque(message->rkt);
    if (topic == NULL || message->partition < 0)
        return NULL;
    return slots_get(&topic->lanes, (uint32_t)message->partition);
}

/*
 * Takes the partition's queue and sends it to its worker (or nowhere yet, with `peeking`).
 * Must come before the partition is assigned.  SB_ERR_INTERNAL.
 */
enum sb_err lanes_attach(struct lane *lane, bool peeking) SB_MUST_USE;

/* What is fetched from now on waits in the partition's queue. */
void lanes_detach(struct lane *lane);

/* Sends the queue on to the worker, with what has waited there. */
void lanes_forward(struct lane *lane);

/* Lets records pass, from a clean state, and tells on_open. */
void lanes_open(struct lane *lane);

/*
 * Waits until the lane's worker has left a poll that it may have entered before: it could still
 * hold older messages.  A poll that waits is woken, so this is short.
 */
void lanes_settle(struct lane *lane);

/* Fences: no record of the lane surfaces after this, but for a poll that is under way. */
void lanes_fence(struct lane *lane);

/* After fencing: the lane is not ours any more. */
void lanes_close(struct lane *lane);

/* The view of it that callbacks get. */
struct source_lane lanes_view(const struct lane *lane);

static inline enum lane_state lanes_state(const struct lane *lane)
{
    return (enum lane_state)atomic_load_explicit(&lane->state, memory_order_acquire);
}

#endif
