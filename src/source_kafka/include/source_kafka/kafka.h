/*
 * kafka: records out of Kafka, watermarks and dead letters back into it.
 *
 * Three handles of librdkafka: a group consumer for span topics, a manually assigned
 * consumer for message topics (taps: read, never committed), and a producer for dead
 * letters.  Each assigned partition becomes a lane of one worker: its queue is forwarded to
 * that worker's queue before the partition is assigned.
 *
 * Source: product.md (Threads), librdkafka 2.15.
 */
#ifndef SB_SOURCE_KAFKA_KAFKA_H
#define SB_SOURCE_KAFKA_KAFKA_H

#include "source/source.h"

struct source_property {
    const char *name;
    const char *value;
};

/* What these point to must live as long as the source. */
struct source_kafka_options {
    const char *bootstrap;
    const char *group;
    const char *instance;                     /* NULL: no static membership */
    const struct source_property *properties; /* of librdkafka, for all handles */
    uint32_t property_count;
    const struct source_topic *topics; /* those of other kinds are passed over */
    uint32_t topic_count;
    uint32_t workers;
    struct source_numbers *numbers; /* shared with the other sources */
    size_t prefetch_bytes;          /* queued.max.messages.kbytes, all partitions together */
    uint64_t lateness_ns;           /* repair.lateness, for the taps' clock */
    uint64_t replay_ns; /* repair.replay: taps start so much before the oldest span record */
    uint64_t commit_interval_ns;
    bool looks_only; /* nothing is ever committed, whatever is published; no letter is sent */
    const struct clock_source *clock;
    struct log *log;
    struct source_events events;
};

/*
 * Creates the handles; nothing is read before the start.  SB_ERR_CONFIG: a property is wrong
 * (logged).
 */
enum sb_err source_kafka_new(const struct source_kafka_options *options,
                             struct source **ret) SB_MUST_USE;

#endif
