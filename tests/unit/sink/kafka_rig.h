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

#include "kafka_sink.h"
#include "rig.h"

enum { KAFKA_RIG_PROPERTIES = 4, KAFKA_RIG_PARTITIONS = 4 };

struct kafka_rig {
    struct rig base;                   /* first */
    struct sink_kafka_options options; /* set before kafka_rig_start; defaults by _init */
    struct sink_kafka_property properties[KAFKA_RIG_PROPERTIES];
    rd_kafka_t *kafka; /* host of the mock cluster */
    rd_kafka_mock_cluster_t *cluster;
};

/* A topic "kept" of KAFKA_RIG_PARTITIONS partitions. */
void kafka_rig_init(struct kafka_rig *rig);
void kafka_rig_start(struct kafka_rig *rig);
void kafka_rig_clear(struct kafka_rig *rig); /* as rig_clear */

/* Sets a property of the sink's producer. */
void kafka_rig_set(struct kafka_rig *rig, const char *name, const char *value);

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

#endif
