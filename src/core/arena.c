#include "core/arena.h"

#include <stdalign.h>

#include "core/memory.h"

enum { ALIGNMENT = 16, FIRST_CHUNK_LEN = 4096, LARGEST_STEP = 1024 * 1024 };

struct arena_chunk {
    struct arena_chunk *older;
    size_t len; /* of `room` */
    size_t used;
    alignas(ALIGNMENT) uint8_t room[];
};

void arena_init(struct arena *arena, size_t bytes_max)
{
    *arena = (struct arena){.bytes_max = bytes_max};
}

void arena_clear(struct arena *arena)
{
    struct arena_chunk *chunk = arena->newest;
    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;
        memory_free(chunk);
        chunk = older;
    }
    arena_init(arena, arena->bytes_max);
}

/* The next chunk's size: as much as is held already, within what the cap leaves; 0: too little. */
static size_t choose_chunk_size(const struct arena *arena, size_t len)
{
    size_t left = arena->bytes_max - arena->bytes_held;
    if (len > SIZE_MAX - sizeof(struct arena_chunk))
        return 0;
    size_t needed = len + sizeof(struct arena_chunk);
    if (needed > left)
        return 0;
    size_t wanted = arena->bytes_held;
    if (wanted < FIRST_CHUNK_LEN)
        wanted = FIRST_CHUNK_LEN;
    if (wanted > LARGEST_STEP)
        wanted = LARGEST_STEP;
    if (wanted < needed)
        wanted = needed;
    return wanted < left ? wanted : left;
}

/* Adds a chunk with room for `len`, out of which memory is handed out from now on. */
static struct arena_chunk *add_chunk(struct arena *arena, size_t len)
{
    size_t size = choose_chunk_size(arena, len);
    if (size == 0)
        return NULL;
    struct arena_chunk *chunk = memory_alloc(size);
    if (chunk == NULL)
        return NULL;
    chunk->older = arena->newest;
    chunk->len = size - sizeof(struct arena_chunk);
    chunk->used = 0;
    arena->newest = chunk;
    arena->bytes_held += size;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t len)
{
    if (len > SIZE_MAX - (ALIGNMENT - 1))
        return NULL;
    /* An empty request still gets an address of its own. */
    size_t rounded = ((len == 0 ? 1 : len) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct arena_chunk *chunk = arena->newest;
    if (chunk == NULL || chunk->len - chunk->used < rounded)
        chunk = add_chunk(arena, rounded);
    if (chunk == NULL)
        return NULL;
    void *at = chunk->room + chunk->used;
    chunk->used += rounded;
    return at;
}

struct bytes arena_copy(struct arena *arena, struct bytes in)
{
    if (in.len == 0)
        return bytes_of(NULL, 0);
    uint8_t *at = arena_alloc(arena, in.len);
    if (at == NULL)
        return bytes_of(NULL, 0);
    memcpy(at, in.at, in.len);
    return bytes_of(at, in.len);
}
