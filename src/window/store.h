/*
 * store: the log of span bytes behind a window.
 *
 * Bytes are appended to the current chunk; a span's position is one 32-bit number.  A chunk
 * counts its living spans, and is reused when the last has gone.  Spans larger than a chunk
 * get one of their own.  Private to the window stage.
 */
#ifndef SB_WINDOW_STORE_H
#define SB_WINDOW_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"

enum {
    STORE_UNIT = 8,              /* positions count units */
    STORE_CHUNK_UNITS_BITS = 18, /* 2 MiB */
    STORE_CHUNK_BYTES = STORE_UNIT << STORE_CHUNK_UNITS_BITS
};

struct store_chunk {
    uint8_t *bytes; /* NULL: this number is free */
    uint32_t size;
    uint32_t used;
    uint32_t living; /* spans */
    uint32_t next_free;
};

struct store {
    struct store_chunk *chunks;
    uint32_t chunk_count;
    uint32_t chunk_room;
    uint32_t current;    /* chunk that is being filled, or none */
    uint32_t free_empty; /* list of chunks with memory, without spans */
    uint32_t free_bare;  /* list of numbers without memory */
    uint32_t empty_count;
    size_t bytes_held;
};

void store_init(struct store *store);
void store_clear(struct store *store);

/* Bytes of memory that appending `len` bytes would take beyond the empty chunks. */
size_t store_growth(const struct store *store, size_t len);

/* Copies `in`; its position in *ret.  SB_ERR_MEMORY, SB_ERR_LIMIT (positions are used up). */
enum sb_err store_append(struct store *store, struct bytes in, uint32_t *ret) SB_MUST_USE;

void store_remove(struct store *store, uint32_t position);

static inline const uint8_t *store_at(const struct store *store, uint32_t position)
{
    return store->chunks[position >> STORE_CHUNK_UNITS_BITS].bytes +
           (size_t)(position & ((1U << STORE_CHUNK_UNITS_BITS) - 1U)) * STORE_UNIT;
}

#endif
