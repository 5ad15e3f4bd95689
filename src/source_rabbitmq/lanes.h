/*
 * lanes: what the feed's thread does with one lane: hands deliveries over, acks what is
 * finished, ends it.
 */
#ifndef SB_SOURCE_RABBITMQ_LANES_H
#define SB_SOURCE_RABBITMQ_LANES_H

#include "state.h"

/* One behind the last finished record, or OFFSET_NONE. */
int64_t lanes_watermark(const struct lane *lane);

/* A new turn of its channel begins: nothing is known of it. */
void lanes_reset(struct lane *lane);

/*
 * Takes a delivery: hands it to the worker, or holds it for now.  A stream's that lies before
 * the start goes no further.  SB_ERR_LIMIT: the broker sends more than it was asked for.
 */
enum sb_err lanes_take(struct lane *lane, struct delivery *delivery) SB_MUST_USE;

/* Hands over what is held and may go. */
void lanes_pump(struct lane *lane);

/* Acks what is finished, in one ack.  SB_ERR_UNAVAILABLE: the link is broken. */
enum sb_err lanes_ack(struct lane *lane) SB_MUST_USE;

/* Deliveries that have neither been acked nor rejected, about. */
uint64_t lanes_unacked(const struct lane *lane);

/* Its channel is gone: drops what was not handed over; the control thread does the rest. */
void lanes_end(struct lane *lane);

/* A delivery's memory goes back.  Any thread. */
void lanes_free_delivery(struct delivery *delivery);

#endif
