/*
 * checks: what no single value shows: settings that do not go together.
 */
#ifndef SB_CONFIG_CHECKS_H
#define SB_CONFIG_CHECKS_H

#include "loader.h"

/* The worker's settings alone; `at` is its file. */
void checks_worker(struct loader *loader, struct place at);

/* One topic file; its defaults are derived already. */
void checks_topic(struct loader *loader, const struct settings_topic *topic, struct place at);

/* All topics together.  `whole`: nothing failed so far, so that what is absent is missing. */
void checks_topics(struct loader *loader, const struct place *places, bool whole,
                   struct place at);

/* That Kafka's brokers are named where anything uses them, once all files were read. */
void checks_cluster(struct loader *loader, struct place at);

/* Of one sink. */
void checks_sink(struct loader *loader, const struct settings_sink *sink, struct place at);

/* What is a Kafka sink's alone; `at` is where the sink stands. */
void checks_kafka_sink(struct loader *loader, const struct settings_sink *sink,
                       struct place at);

/* Of a list of brokers; `path` names it in messages.  NULL is passed over. */
void checks_bootstrap(struct loader *loader, const char *const *field, const char *path);

/* Of a list of librdkafka properties. */
void checks_properties(struct loader *loader, const struct settings_property *properties,
                       uint32_t count);

/* True if text is what Kafka takes as a topic's name. */
bool checks_is_topic_name(const char *name);

#endif
