/*
 * rig: the worker's side of a sink of any kind, for tests: spans and batches, the batches that
 * come back, and the log that the sink writes.
 *
 * The log is a pipe: who waits for a line of it waits for the pipe.  A kind's rig embeds this
 * one first, makes the sink, and gives it rig_on_done and the log.
 */
#ifndef SB_TEST_SINK_RIG_H
#define SB_TEST_SINK_RIG_H

#include <pthread.h>
#include <stdint.h>

#include "core/ids.h"
#include "core/text.h"
#include "sink/sink.h"
#include "support/test.h"

enum { RIG_ENVELOPES = 3 };

struct rig {
    struct sink *sink; /* NULL, or what rig_clear stops and frees */
    struct log *log;
    int log_fds[2];     /* what the sink logs: read here, written there */
    struct text logged; /* what was read of it so far */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sink_batch *returned; /* locked, oldest first */
    uint32_t next_span;
};

void rig_init(struct rig *rig, const struct clock_source *clock);
void rig_stop(struct rig *rig); /* the sink, if there is one */
/* Stops and frees the sink; batches that were not taken are freed. */
void rig_clear(struct rig *rig);
/* The sink's sink_done_fn; `arg` is the rig. */
void rig_on_done(void *arg, struct sink_batch *batch);
/* With the lock held: waits until `changed` is signalled; the test fails when it is not. */
void rig_wait_change(struct rig *rig);

struct sink_batch *rig_new_batch(uint32_t span_room);
/* Adds a span of `len` bytes at least, numbered on; its envelope goes round. */
void rig_add(struct rig *rig, struct sink_batch *batch, uint32_t trace, size_t len);
/* Adds attributes to the last span until it has `len` bytes. */
void rig_grow_last(struct sink_batch *batch, size_t len);
/* A batch of `traces` traces of `spans` spans each, one after another, with room for more. */
struct sink_batch *rig_fill(struct rig *rig, uint32_t traces, uint32_t spans, size_t len);

/* Waits for the next batch to come back; the test frees it. */
struct sink_batch *rig_take(struct rig *rig);
/* Submits it and takes it back; no other is out. */
void rig_send(struct rig *rig, struct sink_batch *batch);

/* How often that text was logged so far. */
uint32_t rig_logged(struct rig *rig, const char *event);
/* Waits until it was logged so often. */
void rig_wait_logged(struct rig *rig, const char *event, uint32_t count);

struct sink_counters rig_counters(struct rig *rig);
/* Spans of the batch with that outcome. */
uint32_t rig_count(const struct sink_batch *batch, enum sink_outcome outcome);
/* Spans in an encoded request; all must be of one trace, which is written to `ret`. */
uint32_t rig_spans_of(struct bytes request, struct trace_id *ret);
struct trace_id rig_trace(uint32_t number);
struct span_id rig_span_id(uint32_t number);
uint32_t rig_span_number(struct span_id id);

#endif
