/*
 * pool: items of one size, addressed by a 32-bit index.
 *
 * Addresses are stable: the pool grows by chunks of 2^chunk_bits items and never moves or
 * shrinks.  A pool that grows large lies in huge pages.  Freed items are reused last in, first
 * out.  One thread.
 */
#ifndef SB_CORE_POOL_H
#define SB_CORE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/assert.h"
#include "core/err.h"

#define POOL_NONE UINT32_MAX

struct pool {
    uint8_t **chunks;
    size_t item_size; /* at least 4; a free item's first 4 bytes hold the next free index */
    uint32_t chunk_bits;
    uint32_t chunk_count;
    uint32_t chunk_room; /* length of `chunks` */
    uint32_t next;       /* first index never handed out */
    uint32_t free_head;  /* POOL_NONE: none */
    uint32_t used;       /* items handed out now */
};

void pool_init(struct pool *pool, size_t item_size, uint32_t chunk_bits);
void pool_clear(struct pool *pool);

/* An index of an item with undefined content, or POOL_NONE when memory is short. */
uint32_t pool_take(struct pool *pool) SB_MUST_USE;
void pool_give(struct pool *pool, uint32_t index);

/* Bytes of all chunks. */
size_t pool_bytes(const struct pool *pool);

static inline void *pool_at(const struct pool *pool, uint32_t index)
{
    SB_ASSERT(index < pool->next);
    uint32_t within = index & ((UINT32_C(1) << pool->chunk_bits) - 1);
    return pool->chunks[index >> pool->chunk_bits] + (size_t)within * pool->item_size;
}

#endif
