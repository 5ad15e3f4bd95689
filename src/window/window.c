/*
 * window: traces by id, and their spans' slots: 16 bytes each, in blocks of four.
 */
#include "window/window.h"

#include "core/assert.h"
#include "core/hash.h"
#include "core/memory.h"
#include "state.h"

enum { TRACE_CHUNK_BITS = 10, BLOCK_CHUNK_BITS = 11 };

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
    window_prefetch_at(window, candidate);
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

void window_prefetch_at(const struct window *window, window_trace number)
{
    const char *trace = pool_at(&window->traces, number);
    __builtin_prefetch(trace, 1);
    __builtin_prefetch(trace + 64, 1);
}

void window_prefetch_content(const struct window *window, window_trace number)
{
    const struct trace *trace = trace_at(window, number);
    window_prefetch(window, window_hash(window, trace->id));
    if (trace->first_block == POOL_NONE)
        return;
    __builtin_prefetch(block_at(window, trace->first_block));
    __builtin_prefetch(block_at(window, trace->last_block));
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
