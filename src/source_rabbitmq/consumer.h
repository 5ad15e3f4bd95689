/*
 * consumer: a lane's channel, opened with its prefetch and its consumer.
 */
#ifndef SB_SOURCE_RABBITMQ_CONSUMER_H
#define SB_SOURCE_RABBITMQ_CONSUMER_H

#include "state.h"

/*
 * Opens the channel and consumes: the lane is READY.  It must be CLOSED.  Errors as those of
 * amqp/channel.h; the link says why.
 */
enum sb_err consumer_start(struct lane *lane) SB_MUST_USE;

/* No more deliveries; what is unacked stays acknowledgeable. */
enum sb_err consumer_cancel(struct lane *lane) SB_MUST_USE;

#endif
