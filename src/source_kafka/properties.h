/*
 * properties: the configuration of a handle of librdkafka: our defaults, the user's properties
 * over them, and then what is not the user's to change.
 */
#ifndef SB_SOURCE_KAFKA_PROPERTIES_H
#define SB_SOURCE_KAFKA_PROPERTIES_H

#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "core/err.h"
#include "source_kafka/kafka.h"

enum properties_for { PROPERTIES_GROUP, PROPERTIES_TAP, PROPERTIES_PRODUCER };

/*
 * *ret is to be freed with rd_kafka_conf_destroy, unless rd_kafka_new takes it.
 * SB_ERR_CONFIG: a property is wrong; it is logged by name, never with a secret value.
 */
enum sb_err properties_build(const struct source_kafka_options *options,
                             enum properties_for handle, rd_kafka_conf_t **ret) SB_MUST_USE;

/* True where the value of that property must not be shown. */
bool properties_is_secret(const char *name);

/* How often topics are looked up: topic.metadata.refresh.interval.ms, 100 ms at least. */
uint32_t properties_metadata_interval_ms(const struct source_kafka_options *options);

#endif
