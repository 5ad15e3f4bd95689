/*
 * sink: a place where kept spans go.
 *
 * One thread and one event base per sink.  Workers submit batches from their own threads;
 * every batch comes back exactly once through on_done, in the sink's thread, with an outcome
 * for each of its spans.  A batch that is being retried stays with the sink for as long as
 * the sources can hold its records.
 */
#ifndef SB_SINK_SINK_H
#define SB_SINK_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "sink/batch.h"

/* In the sink's thread: gives the batch back. */
typedef void (*sink_done_fn)(void *arg, struct sink_batch *batch);

#define SINK_COUNTERS(X)                                                                       \
    X(requests) /* sent, retries among them */                                                 \
    X(retries)                                                                                 \
    X(spans_exported)                                                                          \
    X(spans_rejected)                                                                          \
    X(spans_too_large)                                                                         \
    X(bytes_sent) /* encoded, before compression */                                            \
    X(bisections) /* batches cut in two after a refusal */                                     \
    X(partial_successes)                                                                       \
    X(response_overflows) /* answers beyond the cap */

struct sink_counters {
#define SINK_COUNTER_FIELD(name) uint64_t name;
    SINK_COUNTERS(SINK_COUNTER_FIELD)
#undef SINK_COUNTER_FIELD
};

enum sink_state {
    SINK_CONNECTING,
    SINK_READY,
    SINK_BACKING_OFF,
    SINK_UNAUTHORISED,
    SINK_STOPPED
};

struct sink;

enum { SINK_WHY_LEN = 512 };

/* What a kind of sink implements.  All but `submit` and the readers are called by its owner. */
struct sink_ops {
    void (*submit)(struct sink *sink, struct sink_batch *batch); /* takes it; any thread */
    size_t (*queued_bytes)(const struct sink *sink);             /* any thread */
    void (*read_counters)(const struct sink *sink, struct sink_counters *ret); /* any thread */
    enum sink_state (*state)(const struct sink *sink);                         /* any thread */
    /* What is in the way, for people; "": nothing, or nothing more than the state says. */
    void (*read_why)(struct sink *sink, char ret[SINK_WHY_LEN]); /* any thread */
    /* Gives unsent batches back as SINK_PENDING, ends the thread.  Nobody submits any more; what
       came late all the same is given back by stop itself, and by stop called again. */
    void (*stop)(struct sink *sink);
    void (*free)(struct sink *sink); /* after stop */
};

/* The head of every sink; a kind embeds it first. */
struct sink {
    const struct sink_ops *ops;
    const char *name;       /* borrowed from the options */
    size_t queue_bytes_max; /* submit no more while queued_bytes is at or above it */
};

static inline void sink_submit(struct sink *sink, struct sink_batch *batch)
{
    sink->ops->submit(sink, batch);
}

static inline bool sink_has_room(const struct sink *sink)
{
    return sink->ops->queued_bytes(sink) < sink->queue_bytes_max;
}

#endif
