/*
 * kafka: the sink that writes kept spans to a Kafka topic, as OTLP protobuf records of one
 * trace each, keyed by trace id.
 *
 * One producer of librdkafka and one thread for each sink.  acks=all and idempotent: what the
 * library can send again by itself it sends again for ever; what it gives back is sent again
 * by the sink, until the sink is stopped.  The delivery reports of its records finish a batch.
 *
 * Sources: delivery.md (Sinks), librdkafka 2.15.
 */
#ifndef SB_SINK_KAFKA_H
#define SB_SINK_KAFKA_H

#include "sink/sink.h"

enum sink_kafka_key {
    SINK_KAFKA_KEY_HEX,  /* trace id as 32 lower-case hex digits */
    SINK_KAFKA_KEY_BYTES /* its 16 bytes */
};
enum sink_kafka_partitioner {
    SINK_KAFKA_MURMUR2, /* what Java clients do */
    SINK_KAFKA_CRC32,   /* librdkafka's own */
    SINK_KAFKA_FNV1A    /* what Sarama does */
};

/* A librdkafka property; later ones win. */
struct sink_kafka_property {
    const char *name;
    const char *value;
};

/* All strings and arrays are borrowed and outlive the sink. */
struct sink_kafka_options {
    const char *name;
    const char *bootstrap;
    const char *client_id;
    const struct sink_kafka_property *properties; /* those that are ours are passed over */
    uint32_t property_count;
    const char *topic;
    enum sink_kafka_key key;
    enum sink_kafka_partitioner partitioner;
    size_t queue_bytes_max;
    uint32_t in_flight_max; /* batches under way at once */
    uint64_t backoff_initial_ns;
    uint64_t backoff_max_ns;
    uint64_t seed; /* of the jitter, and of tables */
    const struct clock_source *clock;
    struct log *log;
    sink_done_fn on_done;
    void *on_done_arg;
};

/* Starts the sink and its thread.  SB_ERR_MEMORY, SB_ERR_CONFIG (logged), SB_ERR_INTERNAL. */
enum sb_err sink_kafka_new(const struct sink_kafka_options *options,
                           struct sink **ret) SB_MUST_USE;

/*
 * Any thread: does a broker answer within `wait_ms`, and does it have
 * the topic?  Else false, and `ret_why` says what is wrong.
 */
enum { SINK_KAFKA_WHY_LEN = 256 };
bool sink_kafka_reach(const struct sink *sink, uint32_t wait_ms,
                      char ret_why[SINK_KAFKA_WHY_LEN]);

#endif
