/*
 * state: what a window is made of.  Private to the window room.
 *
 * Blocks of slots and traces live in pools.  FIFOs hold the deadlines: `waiting` in the order of
 * first spans, `rooted` in the order of roots, `held` for those that were postponed.  Within each
 * the delay is the same for all, so all are sorted by construction.
 */
#ifndef SB_WINDOW_STATE_H
#define SB_WINDOW_STATE_H

#include "core/pool.h"
#include "core/table.h"
#include "store.h"
#include "window/window.h"

enum { SLOTS_PER_BLOCK = 4 };

struct slot {
    uint32_t position; /* in the store */
    uint32_t len;
    uint32_t envelope;
    uint32_t record;
};

struct block {
    struct slot slots[SLOTS_PER_BLOCK];
    uint32_t next; /* POOL_NONE: the last */
};

enum queue_kind {
    QUEUE_WAITING,
    QUEUE_ROOTED,
    QUEUE_IDLE,
    QUEUE_HELD,
    QUEUE_TIMED,                   /* those above have deadlines */
    QUEUE_SUSPENDED = QUEUE_TIMED, /* in no order of time */
    QUEUE_COUNT
};

/* The user's data follows each trace, 8-byte aligned. */
struct trace {
    struct trace_id id;
    uint64_t first_seen_ns;
    uint64_t last_seen_ns; /* with idle_ns */
    uint64_t due_ns;
    uint32_t newer; /* neighbours in its queue */
    uint32_t older;
    uint32_t first_block;
    uint32_t last_block;
    uint32_t span_count;
    uint32_t bytes;
    uint8_t queue; /* enum queue_kind */
    bool rooted;   /* its root has brought the deadline forward, also while it is held */
};

struct queue {
    uint32_t oldest;
    uint32_t newest;
};

struct window {
    struct window_options options;
    struct store store;
    struct pool traces;
    struct pool blocks;
    struct table by_id;
    struct queue queues[QUEUE_COUNT];
    uint64_t spans;
    uint64_t span_bytes;
    bool overdraws;
};

static inline struct trace *trace_at(const struct window *window, window_trace trace)
{
    return pool_at(&window->traces, trace);
}

static inline struct block *block_at(const struct window *window, uint32_t block)
{
    return pool_at(&window->blocks, block);
}

static inline void queue_push(struct window *window, window_trace number, enum queue_kind kind)
{
    struct queue *queue = &window->queues[kind];
    struct trace *trace = trace_at(window, number);
    trace->queue = (uint8_t)kind;
    trace->newer = POOL_NONE;
    trace->older = queue->newest;
    if (queue->newest == POOL_NONE)
        queue->oldest = number;
    else
        trace_at(window, queue->newest)->newer = number;
    queue->newest = number;
}

static inline void queue_take_out(struct window *window, window_trace number)
{
    struct trace *trace = trace_at(window, number);
    struct queue *queue = &window->queues[trace->queue];
    if (trace->older == POOL_NONE)
        queue->oldest = trace->newer;
    else
        trace_at(window, trace->older)->newer = trace->newer;
    if (trace->newer == POOL_NONE)
        queue->newest = trace->older;
    else
        trace_at(window, trace->newer)->older = trace->older;
}

#endif
