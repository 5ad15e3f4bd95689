#include "core/ring.h"

#include <stdatomic.h>

#include "core/assert.h"
#include "core/memory.h"

/*
 * Both positions count bytes and run freely; a position's place is position & mask.  A message
 * is a length word and the content, rounded up to whole words.  One that does not fit before
 * the end of the buffer begins at its start, and a skip marker fills the rest.
 */
enum { WORD = 8, CACHE_LINE = 64, BYTES_MIN = 4096 };
#define SKIP       UINT64_MAX
#define NOT_CALLED UINT64_MAX

struct ring {
    uint8_t *buffer;
    uint64_t mask;
    uint8_t pad_common[CACHE_LINE];

    _Atomic uint64_t head; /* written by the writer: everything before it is published */
    uint64_t tail_seen;    /* the writer's copy of tail */
    uint64_t reserved_at;  /* position of the reserved message, NOT_CALLED: none */
    uint64_t reserved_len;
    uint8_t pad_writer[CACHE_LINE];

    _Atomic uint64_t tail; /* written by the reader: everything before it is free */
    uint64_t head_seen;    /* the reader's copy of head */
    uint8_t pad_reader[CACHE_LINE];

    atomic_bool sleeps; /* set by the reader, cleared by whoever takes on the wake-up */
};

static uint64_t message_size(uint64_t len)
{
    return WORD + ((len + WORD - 1) & ~(uint64_t)(WORD - 1));
}

static uint64_t *word_at(const struct ring *ring, uint64_t position)
{
    /* The buffer comes from malloc and positions are multiples of a word. */
    return (uint64_t *)(void *)(ring->buffer + (position & ring->mask));
}

enum sb_err ring_new(size_t bytes, struct ring **ret)
{
    size_t size = BYTES_MIN;
    while (size < bytes) {
        if (size > SIZE_MAX / 2)
            return SB_ERR_MEMORY;
        size *= 2;
    }
    struct ring *ring = memory_zalloc(1, sizeof(*ring));
    if (ring == NULL)
        return SB_ERR_MEMORY;
    ring->buffer = memory_alloc(size);
    if (ring->buffer == NULL) {
        memory_free(ring);
        return SB_ERR_MEMORY;
    }
    ring->mask = size - 1;
    ring->reserved_at = NOT_CALLED;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->sleeps, false);
    *ret = ring;
    return SB_OK;
}

void ring_free(struct ring *ring)
{
    if (ring == NULL)
        return;
    memory_free(ring->buffer);
    memory_free(ring);
}

size_t ring_message_max(const struct ring *ring)
{
    /* A message and the longest skip before it fill half of an empty ring at most. */
    return (ring->mask + 1) / 4;
}

void *ring_reserve(struct ring *ring, size_t len)
{
    if (len > ring_message_max(ring))
        return NULL;
    uint64_t size = ring->mask + 1;
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint64_t needed = message_size(len);
    uint64_t to_end = size - (head & ring->mask);
    uint64_t skipped = to_end < needed ? to_end : 0;
    if (head + skipped + needed - ring->tail_seen > size) {
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head + skipped + needed - ring->tail_seen > size)
            return NULL;
    }
    if (skipped > 0)
        *word_at(ring, head) = SKIP;
    ring->reserved_at = head + skipped;
    ring->reserved_len = len;
    return word_at(ring, ring->reserved_at) + 1;
}

bool ring_commit(struct ring *ring, size_t len)
{
    SB_ASSERT(ring->reserved_at != NOT_CALLED);
    SB_ASSERT(len <= ring->reserved_len);
    *word_at(ring, ring->reserved_at) = len;
    uint64_t head = ring->reserved_at + message_size(len);
    ring->reserved_at = NOT_CALLED;
    /*
     * Sequentially consistent, as in ring_sleep: either the reader sees this head there, or its
     * flag is seen here.
     */
    atomic_store_explicit(&ring->head, head, memory_order_seq_cst);
    if (!atomic_load_explicit(&ring->sleeps, memory_order_seq_cst))
        return false;
    return atomic_exchange_explicit(&ring->sleeps, false, memory_order_seq_cst);
}

bool ring_peek(struct ring *ring, struct bytes *ret)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail == ring->head_seen) {
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (tail == ring->head_seen)
            return false;
    }
    uint64_t len = *word_at(ring, tail);
    if (len == SKIP) {
        /* A skip is only ever published together with the message behind it. */
        tail += ring->mask + 1 - (tail & ring->mask);
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
        len = *word_at(ring, tail);
    }
    *ret = bytes_of(word_at(ring, tail) + 1, len);
    return true;
}

void ring_release(struct ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    SB_ASSERT(tail != ring->head_seen);
    uint64_t len = *word_at(ring, tail);
    SB_ASSERT(len != SKIP); /* ring_peek was not called before */
    atomic_store_explicit(&ring->tail, tail + message_size(len), memory_order_release);
}

bool ring_sleep(struct ring *ring)
{
    atomic_store_explicit(&ring->sleeps, true, memory_order_seq_cst);
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_seq_cst);
    if (head == atomic_load_explicit(&ring->tail, memory_order_relaxed))
        return true;
    atomic_store_explicit(&ring->sleeps, false, memory_order_relaxed);
    return false;
}
