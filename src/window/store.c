/*
 * store: chunks of span bytes, filled one after the other.
 *
 * Empty chunks are kept for reuse, a few at most: what a burst took is given back, or one
 * busy minute would hold its memory for ever.
 */
#include "store.h"

#include "core/assert.h"
#include "core/memory.h"

enum { EMPTY_CHUNKS_KEPT = 16 };
#define CHUNK_NONE UINT32_MAX
#define CHUNKS_MAX (UINT32_C(1) << (32 - STORE_CHUNK_UNITS_BITS))

void store_init(struct store *store)
{
    *store = (struct store){
        .current = CHUNK_NONE,
        .free_empty = CHUNK_NONE,
        .free_bare = CHUNK_NONE,
    };
}

void store_clear(struct store *store)
{
    for (uint32_t i = 0; i < store->chunk_count; i++)
        memory_free(store->chunks[i].bytes);
    memory_free(store->chunks);
    store_init(store);
}

/* Even an empty span takes a unit: behind the last one its position would be the next chunk's. */
static uint32_t units_of(size_t len)
{
    return len == 0 ? 1 : (uint32_t)((len + STORE_UNIT - 1) / STORE_UNIT);
}

static bool fits_current(const struct store *store, size_t len)
{
    if (store->current == CHUNK_NONE)
        return false;
    const struct store_chunk *chunk = &store->chunks[store->current];
    return (size_t)units_of(len) * STORE_UNIT <= chunk->size - chunk->used;
}

size_t store_growth(const struct store *store, size_t len)
{
    if (len > STORE_CHUNK_BYTES)
        return (size_t)units_of(len) * STORE_UNIT;
    if (fits_current(store, len) || store->empty_count > 0)
        return 0;
    return STORE_CHUNK_BYTES;
}

static enum sb_err take_bare_number(struct store *store, uint32_t *ret)
{
    if (store->free_bare != CHUNK_NONE) {
        *ret = store->free_bare;
        store->free_bare = store->chunks[*ret].next_free;
        return SB_OK;
    }
    if (store->chunk_count == CHUNKS_MAX - 1)
        return SB_ERR_LIMIT;
    if (store->chunk_count == store->chunk_room) {
        uint32_t room = store->chunk_room == 0 ? 64 : store->chunk_room * 2;
        struct store_chunk *chunks = memory_realloc(store->chunks, room, sizeof(*chunks));
        if (chunks == NULL)
            return SB_ERR_MEMORY;
        store->chunks = chunks;
        store->chunk_room = room;
    }
    *ret = store->chunk_count++;
    store->chunks[*ret] = (struct store_chunk){.bytes = NULL};
    return SB_OK;
}

static void give_bare_number(struct store *store, uint32_t number)
{
    store->chunks[number] = (struct store_chunk){.next_free = store->free_bare};
    store->free_bare = number;
}

static enum sb_err new_chunk(struct store *store, size_t size, uint32_t *ret)
{
    uint32_t number;
    enum sb_err err = take_bare_number(store, &number);
    if (err != SB_OK)
        return err;
    uint8_t *bytes = memory_alloc_pages(size);
    if (bytes == NULL) {
        give_bare_number(store, number);
        return SB_ERR_MEMORY;
    }
    store->chunks[number] = (struct store_chunk){.bytes = bytes, .size = (uint32_t)size};
    store->bytes_held += size;
    *ret = number;
    return SB_OK;
}

static void free_chunk(struct store *store, uint32_t number)
{
    store->bytes_held -= store->chunks[number].size;
    memory_free(store->chunks[number].bytes);
    give_bare_number(store, number);
}

static uint32_t take_empty(struct store *store)
{
    uint32_t number = store->free_empty;
    store->free_empty = store->chunks[number].next_free;
    store->empty_count--;
    return number;
}

/* Lets empty chunks go for a span that needs one of its own. */
static void free_empty_chunks(struct store *store, size_t size)
{
    for (size_t freed = 0; freed < size && store->empty_count > 0; freed += STORE_CHUNK_BYTES)
        free_chunk(store, take_empty(store));
}

static void retire_chunk(struct store *store, uint32_t number)
{
    struct store_chunk *chunk = &store->chunks[number];
    if (chunk->size != STORE_CHUNK_BYTES || store->empty_count >= EMPTY_CHUNKS_KEPT) {
        free_chunk(store, number);
        return;
    }
    chunk->used = 0;
    chunk->next_free = store->free_empty;
    store->free_empty = number;
    store->empty_count++;
}

static enum sb_err next_current(struct store *store)
{
    uint32_t number;
    if (store->empty_count > 0) {
        number = take_empty(store);
    } else {
        enum sb_err err = new_chunk(store, STORE_CHUNK_BYTES, &number);
        if (err != SB_OK)
            return err;
    }
    store->current = number; /* the old one holds a span, or there would be room in it */
    return SB_OK;
}

enum sb_err store_append(struct store *store, struct bytes in, uint32_t *ret)
{
    uint32_t number;
    enum sb_err err = SB_OK;
    if (in.len > STORE_CHUNK_BYTES) {
        size_t size = (size_t)units_of(in.len) * STORE_UNIT;
        err = new_chunk(store, size, &number);
        if (err == SB_OK)
            free_empty_chunks(store, size);
    } else {
        if (!fits_current(store, in.len))
            err = next_current(store);
        number = store->current;
    }
    if (err != SB_OK)
        return err;

    struct store_chunk *chunk = &store->chunks[number];
    if (in.len > 0)
        memcpy(chunk->bytes + chunk->used, in.at, in.len);
    *ret = number << STORE_CHUNK_UNITS_BITS | chunk->used / STORE_UNIT;
    chunk->used += units_of(in.len) * STORE_UNIT;
    chunk->living++;
    return SB_OK;
}

void store_remove(struct store *store, uint32_t position)
{
    uint32_t number = position >> STORE_CHUNK_UNITS_BITS;
    struct store_chunk *chunk = &store->chunks[number];
    SB_ASSERT(chunk->living > 0);
    if (--chunk->living > 0)
        return;
    if (number == store->current)
        chunk->used = 0;
    else
        retire_chunk(store, number);
}
