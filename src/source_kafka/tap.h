/*
 * tap: the reader of message topics: where its lanes start, and its clock.
 *
 * Each lane starts at the topic's `start`, or at `replay` before the oldest span record that
 * will be read.  A later assignment that brings still older spans makes the lanes go back once
 * more.  Source: repair.md, "The tap's clock".  Control thread.
 */
#ifndef SB_SOURCE_KAFKA_TAP_H
#define SB_SOURCE_KAFKA_TAP_H

#include "state.h"

enum sb_err tap_new(const struct source_kafka_options *options, struct tap **ret) SB_MUST_USE;
void tap_free(struct tap *tap);

/* A look found that message topic with so many partitions. */
void tap_take_topic(struct source_kafka *source, struct topic *topic, int32_t partitions);

/* The first look is over: what is found from now on is new. */
void tap_topics_known(struct source_kafka *source);
bool tap_is_topics_known(const struct source_kafka *source);

/* The time of a span record that is the first of its lane; 0 or less: it has none. */
void tap_take_oldest(struct source_kafka *source, int64_t time_ms);

/* True while lanes may have to go back. */
bool tap_is_behind(const struct source_kafka *source);

/* Asks for offsets, assigns lanes, stores the clocks. */
void tap_service(struct source_kafka *source);

#endif
