/*
 * kafka_sink_floor: what the Kafka sink is measured against: librdkafka alone, with the sink's
 * properties, writes records that are there already.
 *
 * Whatever fails ends the program.  One thread, besides librdkafka's.
 */
#ifndef SB_BENCH_KAFKA_SINK_FLOOR_H
#define SB_BENCH_KAFKA_SINK_FLOOR_H

#include "bench_kafka.h"
#include "sink_load.h"

struct kafka_sink_floor;

/* `properties`: each "name=value", after the sink's own. */
struct kafka_sink_floor *kafka_sink_floor_new(const char *bootstrap, const char *topic,
                                              const char *const *properties, size_t count);
void kafka_sink_floor_free(struct kafka_sink_floor *floor);

/* Sends each record, keyed by its trace id in hex, and waits until all are acknowledged. */
void kafka_sink_floor_pass(struct kafka_sink_floor *floor,
                           const struct sink_load_record *records, size_t count);

#endif
