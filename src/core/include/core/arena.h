/*
 * arena: memory that is handed out bit by bit and taken back all at once.
 *
 * One owner, one thread.  The sum of chunks never passes `bytes_max`.
 */
#ifndef SB_CORE_ARENA_H
#define SB_CORE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *newest;
    size_t bytes_held; /* size of all chunks */
    size_t bytes_max;
};

void arena_init(struct arena *arena, size_t bytes_max);
void arena_clear(struct arena *arena); /* frees all chunks */

/* 16-byte aligned; NULL when the cap is reached or memory is short.  Valid until arena_clear. */
void *arena_alloc(struct arena *arena, size_t len) SB_MUST_USE;

/* A copy of `in`; at is NULL when the cap is reached and in.len > 0. */
struct bytes arena_copy(struct arena *arena, struct bytes in) SB_MUST_USE;

#endif
