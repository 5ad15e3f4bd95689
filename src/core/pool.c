#include "core/pool.h"

#include <stdbool.h>
#include <string.h>

#include "core/memory.h"

enum { CHUNK_BITS_MAX = 24, FIRST_ROOM = 8 };

void pool_init(struct pool *pool, size_t item_size, uint32_t chunk_bits)
{
    SB_ASSERT(item_size >= sizeof(uint32_t));
    SB_ASSERT(chunk_bits <= CHUNK_BITS_MAX);
    SB_ASSERT(item_size <= SIZE_MAX >> chunk_bits);
    *pool =
        (struct pool){.item_size = item_size, .chunk_bits = chunk_bits, .free_head = POOL_NONE};
}

static size_t chunk_bytes(const struct pool *pool)
{
    return pool->item_size << pool->chunk_bits;
}

/* Where chunks come from: one by one at first; once there are many, out of shared huge pages. */
struct layout {
    uint32_t alone;    /* so many of the first chunks are blocks of their own */
    uint32_t per_slab; /* of the others in one block; only those in use are counted */
};

static struct layout layout_of(const struct pool *pool)
{
    enum { ALONE_BYTES = 256 << 10 };
    size_t bytes = chunk_bytes(pool);
    if (bytes > MEMORY_PAGES_MIN)
        return (struct layout){.alone = UINT32_MAX, .per_slab = 1};
    return (struct layout){.alone = (uint32_t)(ALONE_BYTES / bytes),
                           .per_slab = (uint32_t)(MEMORY_PAGES_MIN / bytes)};
}

static bool begins_slab(struct layout layout, uint32_t chunk)
{
    return (chunk - layout.alone) % layout.per_slab == 0;
}

void pool_clear(struct pool *pool)
{
    struct layout layout = layout_of(pool);
    for (uint32_t i = 0; i < pool->chunk_count; i++)
        if (i < layout.alone || begins_slab(layout, i))
            memory_free(pool->chunks[i]);
    memory_free(pool->chunks);
    pool_init(pool, pool->item_size, pool->chunk_bits);
}

static enum sb_err add_chunk(struct pool *pool)
{
    if (pool->chunk_count == pool->chunk_room) {
        uint32_t room = pool->chunk_room == 0 ? FIRST_ROOM : pool->chunk_room * 2;
        if (room < pool->chunk_room)
            return SB_ERR_MEMORY;
        uint8_t **chunks = memory_realloc(pool->chunks, room, sizeof(*chunks));
        if (chunks == NULL)
            return SB_ERR_MEMORY;
        pool->chunks = chunks;
        pool->chunk_room = room;
    }
    struct layout layout = layout_of(pool);
    uint8_t *chunk;
    if (pool->chunk_count < layout.alone)
        chunk = memory_alloc(chunk_bytes(pool));
    else if (begins_slab(layout, pool->chunk_count))
        chunk = memory_alloc_pages(MEMORY_PAGES_MIN);
    else
        chunk = pool->chunks[pool->chunk_count - 1] + chunk_bytes(pool);
    if (chunk == NULL)
        return SB_ERR_MEMORY;
    pool->chunks[pool->chunk_count++] = chunk;
    return SB_OK;
}

uint32_t pool_take(struct pool *pool)
{
    uint32_t index = pool->free_head;
    if (index != POOL_NONE) {
        memcpy(&pool->free_head, pool_at(pool, index), sizeof(pool->free_head));
        pool->used++;
        return index;
    }
    if (pool->next == POOL_NONE)
        return POOL_NONE;
    if (pool->next >> pool->chunk_bits == pool->chunk_count && add_chunk(pool) != SB_OK)
        return POOL_NONE;
    pool->used++;
    return pool->next++;
}

void pool_give(struct pool *pool, uint32_t index)
{
    SB_ASSERT(pool->used > 0);
    memcpy(pool_at(pool, index), &pool->free_head, sizeof(pool->free_head));
    pool->free_head = index;
    pool->used--;
}

size_t pool_bytes(const struct pool *pool)
{
    return pool->chunk_count * chunk_bytes(pool);
}
