/*
 * kafka_rig: a Kafka sink between its worker's side and librdkafka's mock cluster.
 *
 * The mock takes records of any length up to its producers' message.max.bytes; what a broker
 * would refuse is pushed onto it as an error of the next request.
 */
#ifndef SB_TEST_SINK_KAFKA_RIG_H
#define SB_TEST_SINK_KAFKA_RIG_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdbool.h>

#include "kafka_sink.h"
#include "support/test.h"

enum { KAFKA_RIG_ENVELOPES = 3, KAFKA_RIG_PROPERTIES = 4, KAFKA_RIG_PARTITIONS = 4 };

struct kafka_rig {
    struct sink_kafka_options options; /* set before kafka_rig_start; defaults by _init */
    struct sink_kafka_property properties[KAFKA_RIG_PROPERTIES];
    rd_kafka_t *kafka; /* host of the mock cluster */
    rd_kafka_mock_cluster_t *cluster;
    int log_fd; /* what the sink logs, in memory */
    struct sink *sink;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sink_batch *returned; /* locked, oldest first */
    uint32_t next_span;
};

/* A topic "kept" of KAFKA_RIG_PARTITIONS partitions. */
void kafka_rig_init(struct kafka_rig *rig);
void kafka_rig_start(struct kafka_rig *rig);
/* Stops and frees the sink; batches that were not taken are freed. */
void kafka_rig_clear(struct kafka_rig *rig);

/* Sets a property of the sink's producer. */
void kafka_rig_set(struct kafka_rig *rig, const char *name, const char *value);

struct trace_id kafka_rig_trace(uint32_t number);
/* An empty batch, and one more span of `len` bytes at least in it. */
struct sink_batch *kafka_rig_new_batch(void);
void kafka_rig_add(struct kafka_rig *rig, struct sink_batch *batch, uint32_t trace,
                   uint32_t envelope, size_t len);
/* `traces` traces of `spans` spans each. */
struct sink_batch *kafka_rig_fill(struct kafka_rig *rig, uint32_t traces, uint32_t spans,
                                  size_t len);
/* Waits for the next batch to come back; the test frees it. */
struct sink_batch *kafka_rig_take(struct kafka_rig *rig);
/* Submits, takes back. */
void kafka_rig_send(struct kafka_rig *rig, struct sink_batch *batch);

uint32_t kafka_rig_count(const struct sink_batch *batch, enum sink_outcome outcome);
struct sink_counters kafka_rig_counters(struct kafka_rig *rig);
uint32_t kafka_rig_logged(struct kafka_rig *rig, const char *event);
/* Waits until the sink has logged it so often. */
void kafka_rig_wait_logged(struct kafka_rig *rig, const char *event, uint32_t count);
/* The next Produce requests fail with that error. */
void kafka_rig_fail(struct kafka_rig *rig, rd_kafka_resp_err_t err, uint32_t times);

/* A record as it is in the topic. */
struct kafka_rig_record {
    int32_t partition;
    struct text key;
    struct text value;
};
/* Reads all records of "kept"; free with kafka_rig_free_records. */
struct kafka_rig_record *kafka_rig_read(struct kafka_rig *rig, size_t *ret_count);
void kafka_rig_free_records(struct kafka_rig_record *records, size_t count);
/* Spans in a record; all must be of one trace, which is written to `ret`. */
uint32_t kafka_rig_spans_of(const struct kafka_rig_record *record, struct trace_id *ret);

#endif
