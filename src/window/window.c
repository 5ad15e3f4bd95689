/*
 * window: traces by id, their spans' slots, and their deadlines.
 *
 * A trace's spans are slots of 16 bytes in blocks of four; blocks and traces live in pools.
 * FIFOs hold the deadlines: `waiting` in the order of first spans, `rooted` in the order of
 * roots, `held` for those that were postponed.  Within each the delay is the same for all, so
 * all are sorted by construction.
 */
#include "window/window.h"

#include "core/assert.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/memory.h"
#include "core/pool.h"
#include "core/table.h"
#include "store.h"

enum { SLOTS_PER_BLOCK = 4, TRACE_CHUNK_BITS = 10, BLOCK_CHUNK_BITS = 11 };

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
    QUEUE_NONE,
    QUEUE_WAITING,
    QUEUE_ROOTED,
    QUEUE_IDLE,
    QUEUE_HELD,
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
    struct queue queues[QUEUE_COUNT]; /* QUEUE_NONE: the suspended ones, in no order of time */
    uint64_t spans;
    uint64_t span_bytes;
    bool overdraws;
};

static struct trace *trace_at(const struct window *window, window_trace trace)
{
    return pool_at(&window->traces, trace);
}

static struct block *block_at(const struct window *window, uint32_t block)
{
    return pool_at(&window->blocks, block);
}

enum sb_err window_new(const struct window_options *options, struct window **ret)
{
    struct window *window = memory_zalloc(1, sizeof(*window));
    if (window == NULL)
        return SB_ERR_MEMORY;
    window->options = *options;
    store_init(&window->store);
    size_t data_size = (options->data_size + 7U) & ~(size_t)7U;
    pool_init(&window->traces, sizeof(struct trace) + data_size, TRACE_CHUNK_BITS);
    pool_init(&window->blocks, sizeof(struct block), BLOCK_CHUNK_BITS);
    for (int kind = 0; kind < QUEUE_COUNT; kind++)
        window->queues[kind] = (struct queue){.oldest = POOL_NONE, .newest = POOL_NONE};
    enum sb_err err = table_init(&window->by_id, 1024);
    if (err != SB_OK) {
        memory_free(window);
        return err;
    }
    *ret = window;
    return SB_OK;
}

void window_free(struct window *window)
{
    if (window == NULL)
        return;
    table_clear(&window->by_id);
    pool_clear(&window->blocks);
    pool_clear(&window->traces);
    store_clear(&window->store);
    memory_free(window);
}

uint64_t window_hash(const struct window *window, struct trace_id id)
{
    return hash_trace_id(id, window->options.hash_seed);
}

void window_prefetch(const struct window *window, uint64_t hash)
{
    table_prefetch(&window->by_id, hash);
}

bool window_prefetch_trace(const struct window *window, uint64_t hash)
{
    struct table_cursor at = table_find(&window->by_id, hash);
    uint32_t candidate;
    if (!table_next(&window->by_id, &at, &candidate))
        return false;
    const char *trace = pool_at(&window->traces, candidate);
    __builtin_prefetch(trace, 1);
    __builtin_prefetch(trace + 64, 1);
    return true;
}

window_trace window_find(const struct window *window, struct trace_id id, uint64_t hash)
{
    struct table_cursor at = table_find(&window->by_id, hash);
    uint32_t candidate;
    while (table_next(&window->by_id, &at, &candidate)) {
        if (trace_id_equal(trace_at(window, candidate)->id, id))
            return candidate;
    }
    return WINDOW_NONE;
}

static size_t books_bytes(const struct window *window)
{
    return pool_bytes(&window->traces) + pool_bytes(&window->blocks) +
           table_bytes(&window->by_id);
}

bool window_is_full(const struct window *window, size_t reserve)
{
    if (window->spans == 0)
        return false; /* or a span larger than what the books leave would wait for ever */
    size_t held = books_bytes(window) + window->store.bytes_held;
    size_t room = (size_t)window->store.empty_count * STORE_CHUNK_BYTES;
    return held - room + reserve > window->options.bytes_max;
}

static void queue_push(struct window *window, window_trace number, enum queue_kind kind)
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

static void queue_take_out(struct window *window, window_trace number)
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

enum sb_err window_open(struct window *window, struct trace_id id, uint64_t hash,
                        uint64_t now_ns, window_trace *ret)
{
    if (!window->overdraws && window_is_full(window, 0))
        return SB_ERR_FULL;
    uint32_t number = pool_take(&window->traces);
    if (number == POOL_NONE)
        return SB_ERR_MEMORY;
    enum sb_err err = table_insert(&window->by_id, hash, number);
    if (err != SB_OK) {
        pool_give(&window->traces, number);
        return err;
    }
    struct trace *trace = trace_at(window, number);
    memset(trace, 0, window->traces.item_size);
    trace->id = id;
    trace->first_seen_ns = now_ns;
    trace->due_ns = now_ns + window->options.wait_ns;
    trace->first_block = POOL_NONE;
    trace->last_block = POOL_NONE;
    queue_push(window, number, QUEUE_WAITING);
    *ret = number;
    return SB_OK;
}

/* The slot for one more span of the trace; not counted yet.  NULL: memory is short. */
static struct slot *next_slot(struct window *window, struct trace *trace)
{
    uint32_t within = trace->span_count % SLOTS_PER_BLOCK;
    if (within != 0)
        return &block_at(window, trace->last_block)->slots[within];
    uint32_t number = pool_take(&window->blocks);
    if (number == POOL_NONE)
        return NULL;
    struct block *block = block_at(window, number);
    block->next = POOL_NONE;
    if (trace->first_block == POOL_NONE)
        trace->first_block = number;
    else
        block_at(window, trace->last_block)->next = number;
    trace->last_block = number;
    return &block->slots[0];
}

enum sb_err window_append(struct window *window, window_trace number,
                          const struct window_span *span)
{
    if (!window->overdraws &&
        window_is_full(window, store_growth(&window->store, span->raw.len)))
        return SB_ERR_FULL;
    uint32_t position;
    enum sb_err err = store_append(&window->store, span->raw, &position);
    if (err != SB_OK)
        return SB_ERR_MEMORY; /* SB_ERR_LIMIT: all that can be addressed is in use */
    struct trace *trace = trace_at(window, number);
    struct slot *slot = next_slot(window, trace);
    if (slot == NULL) {
        store_remove(&window->store, position);
        return SB_ERR_MEMORY;
    }
    *slot = (struct slot){
        .position = position,
        .len = (uint32_t)span->raw.len,
        .envelope = span->envelope,
        .record = span->record,
    };
    trace->span_count++;
    trace->bytes += (uint32_t)span->raw.len;
    window->spans++;
    window->span_bytes += span->raw.len;
    return SB_OK;
}

void window_overdraw(struct window *window, bool overdraws)
{
    window->overdraws = overdraws;
}

bool window_is_over_caps(const struct window *window, window_trace number)
{
    const struct trace *trace = trace_at(window, number);
    return trace->span_count >= window->options.spans_per_trace_max ||
           trace->bytes >= window->options.bytes_per_trace_max;
}

/*
 * Spans came after the trace was queued by idleness: it is not due yet, unless by its wait.
 * (Not moved at each span: that would cost more than looking again here.)
 */
static bool is_busy(const struct window *window, const struct trace *trace, uint64_t now_ns)
{
    return window->options.idle_ns != 0 && !trace->rooted &&
           trace->last_seen_ns + window->options.idle_ns > now_ns &&
           trace->first_seen_ns + window->options.wait_ns > now_ns;
}

window_trace window_due(struct window *window, uint64_t now_ns)
{
    for (int kind = QUEUE_WAITING; kind < QUEUE_COUNT; kind++) {
        uint32_t oldest = window->queues[kind].oldest;
        while (oldest != POOL_NONE && trace_at(window, oldest)->due_ns <= now_ns) {
            if (!is_busy(window, trace_at(window, oldest), now_ns))
                return oldest;
            window_hold(window, oldest, now_ns);
            oldest = window->queues[kind].oldest;
        }
    }
    return WINDOW_NONE;
}

window_trace window_oldest(const struct window *window)
{
    for (int kind = QUEUE_COUNT - 1; kind > QUEUE_NONE; kind--) {
        if (window->queues[kind].oldest != POOL_NONE)
            return window->queues[kind].oldest;
    }
    return WINDOW_NONE;
}

static void requeue(struct window *window, window_trace number, enum queue_kind kind,
                    uint64_t due_ns)
{
    queue_take_out(window, number);
    trace_at(window, number)->due_ns = due_ns;
    queue_push(window, number, kind);
}

void window_hold(struct window *window, window_trace number, uint64_t now_ns)
{
    requeue(window, number, QUEUE_HELD, now_ns + window->options.hold_retry_ns);
}

void window_root_seen(struct window *window, window_trace number, uint64_t now_ns)
{
    struct trace *trace = trace_at(window, number);
    uint64_t after_ns = window->options.after_root_ns;
    if (after_ns == 0 || (trace->queue != QUEUE_WAITING && trace->queue != QUEUE_IDLE) ||
        now_ns + after_ns >= trace->first_seen_ns + window->options.wait_ns)
        return;
    trace->rooted = true;
    requeue(window, number, QUEUE_ROOTED, now_ns + after_ns);
}

void window_touch(struct window *window, window_trace number, uint64_t now_ns)
{
    struct trace *trace = trace_at(window, number);
    uint64_t idle_ns = window->options.idle_ns;
    if (idle_ns == 0)
        return;
    trace->last_seen_ns = now_ns;
    if (trace->queue == QUEUE_WAITING && now_ns + idle_ns < trace->due_ns)
        requeue(window, number, QUEUE_IDLE, now_ns + idle_ns);
}

enum window_deadline window_deadline(const struct window *window, window_trace number,
                                     uint64_t now_ns)
{
    const struct trace *trace = trace_at(window, number);
    if (trace->first_seen_ns + window->options.wait_ns <= now_ns)
        return WINDOW_WAIT;
    return trace->rooted ? WINDOW_AFTER_ROOT : WINDOW_IDLE;
}

void window_suspend(struct window *window, window_trace number)
{
    requeue(window, number, QUEUE_NONE, UINT64_MAX);
}

struct trace_id window_trace_id(const struct window *window, window_trace number)
{
    return trace_at(window, number)->id;
}

uint64_t window_first_seen_ns(const struct window *window, window_trace number)
{
    return trace_at(window, number)->first_seen_ns;
}

uint32_t window_span_count(const struct window *window, window_trace number)
{
    return trace_at(window, number)->span_count;
}

void *window_data(const struct window *window, window_trace number)
{
    return trace_at(window, number) + 1;
}

struct window_walk window_walk_start(const struct window *window, window_trace number)
{
    return (struct window_walk){.block = trace_at(window, number)->first_block, .slot = 0};
}

/* The slot that the walk has come to, which is there; the walk goes on behind it. */
static struct slot *walk_step(const struct window *window, struct window_walk *walk)
{
    struct block *block = block_at(window, walk->block);
    struct slot *slot = &block->slots[walk->slot % SLOTS_PER_BLOCK];
    walk->slot++;
    if (walk->slot % SLOTS_PER_BLOCK == 0)
        walk->block = block->next;
    return slot;
}

static struct window_span span_of(const struct window *window, const struct slot *slot)
{
    return (struct window_span){
        .raw = bytes_of(store_at(&window->store, slot->position), slot->len),
        .envelope = slot->envelope,
        .record = slot->record,
    };
}

bool window_walk_next(const struct window *window, window_trace number,
                      struct window_walk *walk, struct window_span *ret)
{
    if (walk->slot >= trace_at(window, number)->span_count)
        return false;
    *ret = span_of(window, walk_step(window, walk));
    return true;
}

/* Gives the blocks back that `spans` spans do not need. */
static void cut_blocks(struct window *window, struct trace *trace, uint32_t spans)
{
    uint32_t at = trace->first_block;
    uint32_t last = POOL_NONE;
    for (uint32_t kept = 0; kept < spans; kept += SLOTS_PER_BLOCK) {
        last = at;
        at = block_at(window, at)->next;
    }
    trace->last_block = last;
    if (last == POOL_NONE)
        trace->first_block = POOL_NONE;
    else
        block_at(window, last)->next = POOL_NONE;
    while (at != POOL_NONE) {
        uint32_t next = block_at(window, at)->next;
        pool_give(&window->blocks, at);
        at = next;
    }
}

uint32_t window_take_out(struct window *window, window_trace number, window_span_fn is_taken,
                         void *arg)
{
    struct trace *trace = trace_at(window, number);
    struct window_walk from = window_walk_start(window, number);
    struct window_walk to = from;
    uint32_t taken = 0;
    while (from.slot < trace->span_count) {
        struct slot *slot = walk_step(window, &from);
        struct window_span span = span_of(window, slot);
        if (is_taken(arg, &span)) {
            store_remove(&window->store, slot->position);
            trace->bytes -= slot->len;
            window->span_bytes -= slot->len;
            taken++;
        } else {
            *walk_step(window, &to) = *slot; /* never ahead of where it is read */
        }
    }
    window->spans -= taken;
    trace->span_count -= taken;
    cut_blocks(window, trace, trace->span_count);
    return taken;
}

void window_drop_spans(struct window *window, window_trace number)
{
    struct trace *trace = trace_at(window, number);
    uint32_t left = trace->span_count;
    for (uint32_t at = trace->first_block; at != POOL_NONE;) {
        struct block *block = block_at(window, at);
        uint32_t here = left < SLOTS_PER_BLOCK ? left : SLOTS_PER_BLOCK;
        for (uint32_t i = 0; i < here; i++)
            store_remove(&window->store, block->slots[i].position);
        left -= here;
        uint32_t next = block->next;
        pool_give(&window->blocks, at);
        at = next;
    }
    SB_ASSERT(left == 0);
    window->spans -= trace->span_count;
    window->span_bytes -= trace->bytes;
    trace->first_block = POOL_NONE;
    trace->last_block = POOL_NONE;
    trace->span_count = 0;
    trace->bytes = 0;
}

void window_close(struct window *window, window_trace number)
{
    window_drop_spans(window, number);
    queue_take_out(window, number);
    uint64_t hash = window_hash(window, trace_at(window, number)->id);
    bool removed = table_remove(&window->by_id, hash, number);
    SB_ASSERT(removed);
    pool_give(&window->traces, number);
}

/* The oldest trace of the first queue from `kind` on that has one. */
static window_trace first_from(const struct window *window, int kind)
{
    for (; kind < QUEUE_COUNT; kind++) {
        if (window->queues[kind].oldest != POOL_NONE)
            return window->queues[kind].oldest;
    }
    return WINDOW_NONE;
}

window_trace window_any(const struct window *window)
{
    return first_from(window, QUEUE_NONE);
}

window_trace window_next(const struct window *window, window_trace number)
{
    const struct trace *trace = trace_at(window, number);
    return trace->newer != POOL_NONE ? trace->newer : first_from(window, trace->queue + 1);
}

window_trace window_prefetch_newer(const struct window *window, window_trace number)
{
    uint32_t next = trace_at(window, number)->newer;
    if (next == POOL_NONE)
        return WINDOW_NONE;
    const struct trace *trace = trace_at(window, next);
    window_prefetch(window, window_hash(window, trace->id));
    if (trace->first_block != POOL_NONE) {
        __builtin_prefetch(block_at(window, trace->first_block));
        __builtin_prefetch(block_at(window, trace->last_block));
    }
    if (trace->newer != POOL_NONE) { /* for the call that prefetches behind this one */
        const char *newer = pool_at(&window->traces, trace->newer);
        __builtin_prefetch(newer, 1);
        __builtin_prefetch(newer + 64, 1);
    }
    return next;
}

struct window_totals window_totals(const struct window *window)
{
    return (struct window_totals){
        .traces = window->traces.used,
        .spans = window->spans,
        .span_bytes = window->span_bytes,
        .bytes = books_bytes(window) + window->store.bytes_held,
    };
}
