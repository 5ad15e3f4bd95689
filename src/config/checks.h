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

/* Dead letters of one topic, and kept spans of one sink, that would come in again.  After all
 * brokers are derived. */
void checks_loops_letters(struct loader *loader, const struct settings_topic *topic,
                          struct place at);
void checks_loops_sink(struct loader *loader, const struct settings_sink *sink,
                       struct place at);

/* What is a RabbitMQ topic file's alone, before its broker is derived. */
void checks_queue(struct loader *loader, const struct settings_topic *topic, struct place at);

/* What a RabbitMQ topic of spans can pass, as prefetch and window let it. */
enum { RATE_TEXT_LEN = 160 };
struct queue_rate {
    bool low; /* worth a warning */
    char text[RATE_TEXT_LEN];
};
struct queue_rate checks_queue_rate(const struct settings *settings,
                                    const struct settings_topic *topic);

/* The place of dead letters, as far as the file at `at` sets it. */
void checks_letters(struct loader *loader, const struct settings_errors *errors,
                    struct place at);

/* A broker as its file has it, its TLS files wherever they stand; `prefix` begins messages. */
void checks_broker(struct loader *loader, const struct settings_rabbitmq *broker,
                   const struct settings_tls *tls, const char *prefix, struct place at);

/* True if no control character is in it, else it is reported. */
bool checks_amqp_text(struct loader *loader, const char *text, const char *path,
                      struct place at);

/* True if AMQP takes the name or routing key, else it is reported; NULL is passed over. */
bool checks_amqp_name(struct loader *loader, const char *name, const char *path,
                      struct place at);

/* Of one sink. */
void checks_sink(struct loader *loader, const struct settings_sink *sink, struct place at);

/* What is a Kafka sink's alone; `at` is where the sink stands. */
void checks_kafka_sink(struct loader *loader, const struct settings_sink *sink,
                       struct place at);

/* What is a RabbitMQ sink's alone. */
void checks_rabbitmq_sink(struct loader *loader, const struct settings_sink *sink,
                          struct place at);

/* Of a list of brokers; `path` names it in messages.  NULL is passed over. */
void checks_bootstrap(struct loader *loader, const char *const *field, const char *path);

/* Of a list of librdkafka properties. */
void checks_properties(struct loader *loader, const struct settings_property *properties,
                       uint32_t count);

/* True if text is what Kafka takes as a topic's name. */
bool checks_is_topic_name(const char *name);

/* Reports what is none; `what` says whose name it is. */
void checks_topic_name(struct loader *loader, const char *name, const char *what,
                       struct place at);

/* True if the Kafka topic of that name is among those that the file reads. */
bool checks_topic_reads(const struct settings_topic *topic, const char *name);

#endif
