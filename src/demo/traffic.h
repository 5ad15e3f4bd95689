/*
 * traffic: the shop at work: business messages onto their topics and through their exchange,
 * spans onto theirs, as the services' exporters would send them.
 *
 * Belongs to the thread that makes it, which is also the one that waits for deliveries; with
 * RabbitMQ that is one of amqp_thread_start.
 */
#ifndef SB_DEMO_TRAFFIC_H
#define SB_DEMO_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "broker.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/text.h"
#include "exchange.h"
#include "shop.h"

struct traffic_totals {
    uint64_t checkouts;
    uint64_t failed;
    uint64_t slow;
    uint64_t pieces; /* traces as a backend would see them */
    uint64_t spans;
    uint64_t records;          /* that hold spans, */
    uint64_t rabbitmq_records; /* and those of them that went through RabbitMQ */
    uint64_t messages;
    uint64_t hops[SHOP_RULES]; /* by the rule that is to join them */
    uint64_t apart;            /* hops that no rule is for */
};

struct traffic_options {
    const char *kafka;    /* NULL: inside the process */
    const char *rabbitmq; /* URL; NULL: the shop has none */
    uint64_t seed;
    const struct clock_source *clock;
    /* Sees each request just before it is produced; may be NULL. */
    void (*on_request)(void *arg, struct bytes request);
    void *arg;
};

struct traffic;

/* Opens the brokers.  Errors as broker_new's and exchange_new's, with `message`. */
enum sb_err traffic_new(const struct traffic_options *options, struct traffic **ret,
                        struct text *message) SB_MUST_USE;

/* Removes what is ours from real brokers; false with `message` when something is left there. */
bool traffic_remove(struct traffic *traffic, struct text *message);

/* The same, and closes the brokers. */
bool traffic_free(struct traffic *traffic, struct text *message);

/* The next `count` checkouts, at most TRAFFIC_ROUND_MAX.  Their messages are delivered. */
enum { TRAFFIC_ROUND_MAX = 250 };
enum sb_err traffic_play(struct traffic *traffic, uint32_t count,
                         struct text *message) SB_MUST_USE;

/* Sends the batches that are not full yet, and waits until all is delivered. */
enum sb_err traffic_flush(struct traffic *traffic, struct text *message) SB_MUST_USE;

/* While nothing is played: keeps the connection to RabbitMQ alive.  A few times a minute. */
enum sb_err traffic_idle(struct traffic *traffic, struct text *message) SB_MUST_USE;

const struct traffic_totals *traffic_totals(const struct traffic *traffic);
const struct broker *traffic_broker(const struct traffic *traffic);
const struct exchange *traffic_exchange(const struct traffic *traffic); /* NULL: none */

/* The checkout that is shown (SHOP_SHOWPIECE), once it has been played; NULL before. */
const struct shop_checkout *traffic_showpiece(const struct traffic *traffic);

#endif
