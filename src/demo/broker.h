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

#include "core/bytes.h"
#include "core/err.h"
#include "core/text.h"
#include "shop.h"

enum { BROKER_PARTITIONS = 4 };

enum broker_topic { BROKER_SPANS, BROKER_ORDERS, BROKER_SHIPMENTS, BROKER_TOPICS };

/* Told of every record: where it lies now. */
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

/* Of a real one.  False: something could not be removed, and `message` names it. */
bool broker_remove_topics(struct broker *broker, struct text *message);

/* Removes them, too.  Takes NULL. */
bool broker_free(struct broker *broker, struct text *message);

const char *broker_bootstrap(const struct broker *broker);
const char *broker_group(const struct broker *broker); /* for the service */
const char *broker_topic_name(const struct broker *broker, enum broker_topic topic);
const char *broker_cluster_id(const struct broker *broker); /* NULL: not known */

/* What is produced; copied. */
struct broker_record {
    enum broker_topic topic;
    int32_t partition; /* RD_KAFKA_PARTITION_UA: by key */
    struct bytes key;  /* empty: none */
    struct bytes value;
    struct bytes traceparent; /* a header; empty: none */
    int64_t time_ms;          /* 0: now */
    void *ticket;             /* comes back as the message's _private */
};

/* Waits while the queue is full. */
rd_kafka_resp_err_t broker_produce(struct broker *broker, const struct broker_record *record);

/* Until everything is delivered and told, for `wait_ms` at most. */
rd_kafka_resp_err_t broker_flush(struct broker *broker, uint32_t wait_ms);

#endif
