/*
 * broker: the Kafka of the demo: one inside the process, or a real one with topics of the
 * demo's own.
 *
 * broker_free removes what broker_new made.  One thread.
 */
#ifndef SB_DEMO_BROKER_H
#define SB_DEMO_BROKER_H

#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "core/err.h"
#include "core/text.h"
#include "shop.h"

enum { BROKER_PARTITIONS = 4 };

enum broker_topic { BROKER_SPANS, BROKER_ORDERS, BROKER_SHIPMENTS, BROKER_TOPICS };

/* Told of every record of broker_producer: where it lies now. */
typedef void (*broker_delivered_fn)(void *arg, const rd_kafka_message_t *message);

struct broker_options {
    const char *bootstrap; /* NULL: inside the process */
    broker_delivered_fn on_delivered;
    void *arg;
};

struct broker;

/* SB_ERR_UNAVAILABLE, SB_ERR_MEMORY, SB_ERR_INTERNAL: `message` says what to do about it. */
enum sb_err broker_new(const struct broker_options *options, struct broker **ret,
                       struct text *message) SB_MUST_USE;

/* False: something could not be removed, and `message` names it.  Takes NULL. */
bool broker_free(struct broker *broker, struct text *message);

const char *broker_bootstrap(const struct broker *broker);
const char *broker_group(const struct broker *broker); /* for the service */
const char *broker_topic_name(const struct broker *broker, enum broker_topic topic);
const char *broker_cluster_id(const struct broker *broker); /* NULL: not known */

/* The handle that the shop produces with; deliveries are told in rd_kafka_poll. */
rd_kafka_t *broker_producer(const struct broker *broker);

#endif
