/*
 * topology: the queue that a feed reads, looked for or made.
 *
 * Nothing is declared unless the topic file says so.  A tap's own queue is made so that it does
 * not fill the broker's disk once nobody reads it any more.
 */
#ifndef SB_SOURCE_RABBITMQ_TOPOLOGY_H
#define SB_SOURCE_RABBITMQ_TOPOLOGY_H

#include "state.h"

/* A tap's queue goes away when nobody has read it for so long, and drops its oldest beyond. */
enum { TAP_EXPIRES_MS = 30 * 60 * 1000 };
#define TAP_QUEUE_BYTES_MAX  (INT64_C(256) << 20)
#define TAP_STREAM_BYTES_MAX (INT64_C(1) << 30) /* it drops whole segments of 500 MB */

/*
 * On the control channel, which is opened if need be: finds the queue, or declares it, with its
 * exchange and bindings.  *ret: the counts of it.  Errors as those of the
 * declarations, see amqp/channel.h; the link says why.
 */
enum sb_err topology_ensure(struct feed *feed, struct amqp_counts *ret) SB_MUST_USE;

/* Asks how many messages wait in it; the answer comes as AMQP_COUNTS. */
enum sb_err topology_ask(struct feed *feed) SB_MUST_USE;

#endif
