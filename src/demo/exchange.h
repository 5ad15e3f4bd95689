/*
 * exchange: the RabbitMQ of the demo: the exchange that the warehouse publishes to, the two
 * queues that its readers consume, and the queue that holds the mailer's spans.
 *
 * Nobody else has the names (names.h).  What only this connection uses goes with it,
 * however it ends; the queue of spans is read by the service as well, so exchange_free removes
 * it, and RabbitMQ does after ten minutes without a reader.  One thread, started by
 * amqp_thread_start.
 */
#ifndef SB_DEMO_EXCHANGE_H
#define SB_DEMO_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/text.h"

enum exchange_queue { EXCHANGE_MAILS, EXCHANGE_POINTS, EXCHANGE_QUEUES };

struct exchange_options {
    const char *url;
    const struct clock_source *clock;
    /* A message came out of a queue; its header (empty: none) until this returns. */
    void (*on_arrived)(void *arg, enum exchange_queue queue, struct bytes traceparent);
    void *arg;
};

struct exchange;

/* SB_ERR_UNAVAILABLE, SB_ERR_CONFIG, SB_ERR_MEMORY: `message` says what to do about it. */
enum sb_err exchange_new(const struct exchange_options *options, struct exchange **ret,
                         struct text *message) SB_MUST_USE;

/* False: the queue of spans could not be removed, and `message` names it. */
bool exchange_remove_queue(struct exchange *exchange, struct text *message);

/* Removes it, too.  Takes NULL. */
bool exchange_free(struct exchange *exchange, struct text *message);

const char *exchange_name(const struct exchange *exchange);
const char *exchange_spans_queue(const struct exchange *exchange);

struct exchange_message {
    struct bytes routing_key;
    struct bytes message_id;
    struct bytes traceparent;
    struct bytes body;
    uint64_t time_s; /* since 1970 */
};

/* Copied, or sent.  Errors of these three as exchange_new's, with `message`. */
enum sb_err exchange_publish(struct exchange *exchange, const struct exchange_message *in,
                             struct text *message) SB_MUST_USE;
enum sb_err exchange_send_spans(struct exchange *exchange, struct bytes request,
                                struct text *message) SB_MUST_USE;

/*
 * Until RabbitMQ has confirmed all that was sent, and each message came out of both queues.
 * Also keeps the connection alive: call it once in a while.
 */
enum sb_err exchange_settle(struct exchange *exchange, struct text *message) SB_MUST_USE;

#endif
