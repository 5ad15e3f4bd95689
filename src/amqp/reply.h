/*
 * reply: how calls of librabbitmq ended, as errors of ours with a text for people.
 */
#ifndef SB_AMQP_REPLY_H
#define SB_AMQP_REPLY_H

#include "state.h"

/* Says why; returns `err`. */
enum sb_err reply_fail(struct amqp_link *link, enum sb_err err, const char *format, ...)
    SB_PRINTF(3, 4);

/* The end of a call that returns one of librabbitmq's status values; `what` was to be done. */
enum sb_err reply_of_status(struct amqp_link *link, int status, const char *what) SB_MUST_USE;

/*
 * The end of a question on that channel.  What the broker closed is answered: after an error
 * the channel is closed, or the link is broken.
 */
enum sb_err reply_of_rpc(struct amqp_link *link, uint16_t channel, amqp_rpc_reply_t reply,
                         const char *what) SB_MUST_USE;

/* The broker closes the channel, or the connection: says why, answers, returns what it means. */
enum sb_err reply_channel_closed(struct amqp_link *link, uint16_t channel,
                                 const amqp_channel_close_t *close, const char *what);
enum sb_err reply_connection_closed(struct amqp_link *link,
                                    const amqp_connection_close_t *close, const char *what);

/* `in` as printable ASCII, cut to fit. */
void reply_clean(amqp_bytes_t in, char *ret, size_t room);

#endif
