/*
 * bench_kafka: what the bench's programs for Kafka share: handles of librdkafka, and topics.
 * Whatever fails ends the program.  One thread.
 */
#ifndef SB_BENCH_KAFKA_H
#define SB_BENCH_KAFKA_H

#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "bench.h"

/* A configuration being built; bad properties end the program. */
rd_kafka_conf_t *bench_conf_new(const char *brokers);
void bench_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value);
/* "name=value", as -X takes it. */
void bench_conf_set_pair(rd_kafka_conf_t *conf, const char *pair);

rd_kafka_t *bench_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf);

/*
 * Creates a topic that keeps everything for ever: the load's timestamps are fixed and in the
 * past.  Fails when it exists.
 */
void bench_topic_create(rd_kafka_t *kafka, const char *topic, uint32_t partitions);

/* How many partitions it has; fails when there is no such topic. */
uint32_t bench_topic_partitions(rd_kafka_t *kafka, const char *topic);

#endif
