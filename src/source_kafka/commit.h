/*
 * commit: published watermarks to the broker: when due, and at once where lanes are given back.
 *
 * One commit is under way at a time.  Nothing is committed for a lane that is not ours.
 * Control thread.
 */
#ifndef SB_SOURCE_KAFKA_COMMIT_H
#define SB_SOURCE_KAFKA_COMMIT_H

#include "state.h"

enum sb_err commits_new(struct source_kafka *source, struct commits **ret) SB_MUST_USE;
void commits_free(struct commits *commits);

/* Commits what has changed when the interval has passed; commit_soon: at the next call. */
void commit_when_due(struct source_kafka *source);
void commit_soon(struct source_kafka *source);

/*
 * Commits what has changed of the lanes that are OPEN, or CLOSING, and waits for the answer,
 * `wait_ms` at most.  False: it did not come, or was a refusal (logged).
 */
bool commit_now(struct source_kafka *source, enum lane_state state, uint32_t wait_ms);

/* The answer to a commit. */
void commit_take_answer(struct source_kafka *source, rd_kafka_event_t *event);

#endif
