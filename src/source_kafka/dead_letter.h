/*
 * dead_letter: the producer of dead letters.  Letters are queued from any thread; what became
 * of them is told in the control thread.
 */
#ifndef SB_SOURCE_KAFKA_DEAD_LETTER_H
#define SB_SOURCE_KAFKA_DEAD_LETTER_H

#include "state.h"

/* True when some topic has a dead-letter topic. */
bool dead_letter_is_wanted(const struct source_kafka_options *options);

/* The library's callback for the fate of a letter; its opaque is the source. */
void dead_letter_on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);

/* Control thread: waits for what is under way, `wait_ms` at most.  False: that was too short. */
bool dead_letter_flush(struct source_kafka *source, uint32_t wait_ms);

/* Control thread: waits `wait_ms` for what is under way, then gives the rest up: all are told. */
void dead_letter_finish(struct source_kafka *source, uint32_t wait_ms);

#endif
