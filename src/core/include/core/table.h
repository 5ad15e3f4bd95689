/*
 * table: an open-addressing hash table from a 64-bit hash to a 32-bit value.
 *
 * The table holds no keys: the caller keeps the items (in a pool, say), and compares.  It is
 * robin-hood with backward shift: no tombstones, so churn never degrades it.  The caller's
 * hash must be seeded where keys are chosen by others.  Grows by doubling; one thread.
 *
 *     struct table_cursor at = table_find(&table, hash);
 *     while (table_next(&table, &at, &value))
 *         if (item_of(value)->id is the one wanted) ...
 */
#ifndef SB_CORE_TABLE_H
#define SB_CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct table_slot {
    uint32_t tag; /* upper half of the hash; 0 marks an empty slot */
    uint32_t value;
};

struct table {
    struct table_slot *slots;
    uint32_t mask; /* slots - 1; slots is a power of two */
    uint32_t used;
};

struct table_cursor {
    uint32_t tag;
    uint32_t slot;
    uint32_t distance;
};

/* `room`: items to make place for at once.  SB_ERR_MEMORY. */
enum sb_err table_init(struct table *table, uint32_t room) SB_MUST_USE;
void table_clear(struct table *table);

/* SB_ERR_MEMORY when it has to grow and can not; then nothing has changed. */
enum sb_err table_insert(struct table *table, uint64_t hash, uint32_t value) SB_MUST_USE;

/* Removes the entry with that hash and value; false when there is none. */
bool table_remove(struct table *table, uint64_t hash, uint32_t value);

/* Replaces the value of the entry with that hash and value; false when there is none. */
bool table_replace(struct table *table, uint64_t hash, uint32_t value, uint32_t by);

size_t table_bytes(const struct table *table);

static inline uint32_t table_tag(uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    return tag == 0 ? 1 : tag;
}

/* Where an entry with that tag would like to be. */
static inline uint32_t table_home(const struct table *table, uint32_t tag)
{
    return (tag * UINT32_C(0x9E3779B1)) & table->mask;
}

/* Asks the processor for the slots of `hash`, ahead of a table_find. */
static inline void table_prefetch(const struct table *table, uint64_t hash)
{
    __builtin_prefetch(&table->slots[table_home(table, table_tag(hash))]);
}

static inline struct table_cursor table_find(const struct table *table, uint64_t hash)
{
    uint32_t tag = table_tag(hash);
    return (struct table_cursor){.tag = tag, .slot = table_home(table, tag), .distance = 0};
}

/* True and the next candidate's value in *ret; false when there are no more. */
static inline bool table_next(const struct table *table, struct table_cursor *at, uint32_t *ret)
{
    for (;;) {
        struct table_slot slot = table->slots[at->slot];
        if (slot.tag == 0)
            return false;
        /* An entry closer to its home than we are to ours: ours would stand before it. */
        uint32_t its_distance = (at->slot - table_home(table, slot.tag)) & table->mask;
        if (its_distance < at->distance)
            return false;
        at->slot = (at->slot + 1) & table->mask;
        at->distance++;
        if (slot.tag == at->tag) {
            *ret = slot.value;
            return true;
        }
    }
}

#endif
