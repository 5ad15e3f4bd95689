/*
 * inlet: what lies between the workers and a sink's thread, the same for every kind of sink.
 *
 * Its mailbox takes batches from any thread; the bytes that they hold, the state and the
 * counters can be read by any.  The batches that wait, and all writing, are the sink's
 * thread's, which the inlet starts and stops.  Every batch goes back through inlet_give_back.
 * A kind embeds it first and gives an inlet_kind.
 */
#ifndef SB_SINK_INLET_H
#define SB_SINK_INLET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/mailbox.h"
#include "sink/sink.h"

struct inlet;

/* What a kind of sink does by itself. */
struct inlet_kind {
    /* By inlet_start, before the sink's thread: makes what has threads of its own.  May be NULL. */
    enum sb_err (*open)(struct inlet *inlet);
    /* The sink's thread: returns when inlet_is_stopping, and then nothing is under way. */
    void (*run)(struct inlet *inlet);
    /* Any thread, by stop: cuts short what run waits for besides wake_fd.  May be NULL. */
    void (*interrupt)(struct inlet *inlet);
    /* After run: gives back what it has taken from the batches that wait. */
    void (*give_back)(struct inlet *inlet);
    /* Frees the whole sink, made to its end or not; the inlet with inlet_clear. */
    void (*free)(struct inlet *inlet);
};

struct inlet_options {
    const char *name;
    size_t queue_bytes_max;
    size_t stack_bytes; /* of the thread; 0: the system's */
    sink_done_fn on_done;
    void *on_done_arg;
};

struct inlet_counters {
#define INLET_COUNTER_ATOMIC(name) _Atomic uint64_t name;
    SINK_COUNTERS(INLET_COUNTER_ATOMIC)
#undef INLET_COUNTER_ATOMIC
};

struct inlet {
    struct sink base; /* first */
    const struct inlet_kind *kind;
    struct inlet_options options;

    /* Shared with other threads. */
    struct mailbox inbox;
    int wake_fd; /* eventfd: the inbox was empty, or stop; a kind may have it written, too */
    _Atomic size_t queued_bytes;
    _Atomic int state; /* enum sink_state; written by the sink's thread */
    atomic_bool stopping;
    struct inlet_counters counters; /* written by the sink's thread */
    pthread_mutex_t why_lock;
    char why[SINK_WHY_LEN]; /* locked */

    /* Its owner's. */
    pthread_t thread;
    bool stopped;

    /* The sink's thread's: batches that nothing has been done for, oldest first. */
    struct sink_batch *first;
    struct sink_batch *last;
};

/* Writes of the only thread that writes: no locked instruction is needed. */
#define INLET_COUNT(inlet, name, n)                                                            \
    atomic_store_explicit(                                                                     \
        &(inlet)->counters.name,                                                               \
        atomic_load_explicit(&(inlet)->counters.name, memory_order_relaxed) + (n),             \
        memory_order_relaxed)

/* SB_ERR_INTERNAL: no eventfd.  Clear it even then. */
enum sb_err inlet_init(struct inlet *inlet, const struct inlet_kind *kind,
                       const struct inlet_options *options) SB_MUST_USE;
void inlet_clear(struct inlet *inlet); /* its thread never started, or was stopped */

/* Opens the kind and starts its thread, both deaf to signals.  What open says, SB_ERR_INTERNAL. */
enum sb_err inlet_start(struct inlet *inlet) SB_MUST_USE;

/*
 * Whether the thread is to end: then wake_fd is written, and interrupt called.  Sequentially
 * consistent: who says that it will wait, and asks then, is sure to be interrupted.
 */
bool inlet_is_stopping(const struct inlet *inlet);

/* The sink's thread, from here on.  Takes what wake_fd has counted. */
void inlet_clear_wake(struct inlet *inlet);
/* Puts what has come behind those that wait; a batch without spans goes back at once. */
void inlet_take_in(struct inlet *inlet);
/* Takes the oldest batch that waits; there must be one. */
struct sink_batch *inlet_take_first(struct inlet *inlet);
/* Gives a batch back to its worker. */
void inlet_give_back(struct inlet *inlet, struct sink_batch *batch);
/* Moves the state that other threads see; asserts that the step is a legal one. */
void inlet_move(struct inlet *inlet, enum sink_state state);
/* What other threads read as the reason; cut to what fits. */
void inlet_explain(struct inlet *inlet, const char *why);

#endif
