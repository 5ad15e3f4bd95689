/*
 * consumer: a lane's channel, opened with its prefetch and its consumer.
 */
#ifndef SB_SOURCE_RABBITMQ_CONSUMER_H
#define SB_SOURCE_RABBITMQ_CONSUMER_H

#include "state.h"

/*
 * Opens the channel of a CLOSED lane.  Errors as those of amqp/channel.h; the link says why.
 * Of several lanes all are opened before the first one consumes: or what is delivered to that one
 * would pile up in the library, beyond all bounds, while the others wait for answers.
 */
enum sb_err consumer_open(struct lane *lane) SB_MUST_USE;

/* Begins to consume.  The lane is READY when the broker has said so. */
enum sb_err consumer_ask(struct lane *lane) SB_MUST_USE;
void consumer_take_answer(struct lane *lane);

/* No more deliveries; what is unacked stays acknowledgeable. */
enum sb_err consumer_cancel(struct lane *lane) SB_MUST_USE;

#endif
