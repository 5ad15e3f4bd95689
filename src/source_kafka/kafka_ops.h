/*
 * kafka_ops: what the Kafka source does behind the calls of source/source.h.
 *
 * Each function is the call of the same name there, which says what it does and in which thread.
 */
#ifndef SB_SOURCE_KAFKA_KAFKA_OPS_H
#define SB_SOURCE_KAFKA_KAFKA_OPS_H

#include "source_kafka/kafka.h"

struct source_kafka;

extern const struct source_ops kafka_ops;

/* The source behind its head. */
struct source_kafka *source_kafka_of(struct source *source);

enum sb_err source_kafka_start(struct source_kafka *source) SB_MUST_USE;
int source_kafka_event_fd(const struct source_kafka *source);
void source_kafka_service(struct source_kafka *source);
size_t source_kafka_poll(struct source_kafka *source, uint32_t worker, uint32_t wait_ms,
                         struct record *ret, size_t max);
size_t source_kafka_poll_taps(struct source_kafka *source, uint32_t worker, struct record *ret,
                              size_t max);
void source_kafka_wake(struct source_kafka *source, uint32_t worker);
void source_kafka_release(struct record *record);
size_t source_kafka_headers(const struct record *record, struct record_header *ret, size_t max);
void source_kafka_publish(struct source_kafka *source, uint32_t worker, uint32_t lane,
                          int64_t offset);
enum sb_err source_kafka_dead_letter(struct source_kafka *source,
                                     const struct source_dead_letter *letter) SB_MUST_USE;
bool source_kafka_spans_drained(const struct source_kafka *source);
bool source_kafka_taps_drained(const struct source_kafka *source);
uint64_t source_kafka_tap_time_ns(const struct source_kafka *source, uint32_t topic);
char *source_kafka_cluster_id(struct source_kafka *source);
size_t source_kafka_lags(const struct source_kafka *source, struct source_lag *ret, size_t max);
bool source_kafka_is_assigned(const struct source_kafka *source);
enum source_share source_kafka_share(const struct source_kafka *source);
void source_kafka_stop_intake(struct source_kafka *source);
void source_kafka_free(struct source_kafka *source, bool commit);

#endif
