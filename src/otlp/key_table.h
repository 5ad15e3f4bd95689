/*
 * key_table: the inside of otlp_keys, so that the scan can look keys up without a call.
 *
 * Keys are found by their length and their last four bytes: wanted keys share long
 * beginnings ("messaging.kafka."), and a key nobody wants mostly ends at an empty slot.  The
 * choice of slot is no hash against attackers: a chain holds only keys of the configuration.
 */
#ifndef SB_OTLP_KEY_TABLE_H
#define SB_OTLP_KEY_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/bytes.h"
#include "otlp/keys.h"
#include "wire.h"

enum { KEY_TABLE_SLOTS = 2048 }; /* 4 KiB, and at most half full */

struct key_entry {
    uint8_t *at; /* owned */
    uint32_t len;
    uint16_t next; /* the next key of this slot, or OTLP_KEY_NONE */
};

struct otlp_keys {
    uint16_t count;
    uint16_t slots[KEY_TABLE_SLOTS]; /* the first key of a slot, or OTLP_KEY_NONE */
    struct key_entry entries[OTLP_KEYS_MAX];
};

static inline uint32_t key_table_slot(const uint8_t *at, size_t len)
{
    enum { SLOT_BITS = 11, LENGTH_SHIFT = 22 };
    uint32_t tail = 0;
    if (len >= sizeof(tail))
        memcpy(&tail, at + len - sizeof(tail), sizeof(tail));
    else
        for (size_t i = 0; i < len; i++)
            tail = tail << 8 | at[i];
    /* The product spreads the bytes over the top bits, where the length joins them. */
    return (tail * 0x9E3779B1u + ((uint32_t)len << LENGTH_SHIFT)) >> (32 - SLOT_BITS);
}

/* The bits in which the eight bytes at `a` and at `b` differ. */
static inline uint64_t key_table_differ_8(const uint8_t *a, const uint8_t *b)
{
    uint64_t left;
    uint64_t right;
    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return left ^ right;
}

/*
 * memcmp for the lengths that keys have, without a call, which would cost the loop around it
 * its registers, and nearly without branches.  The last bytes are compared where they end,
 * some of them a second time.
 */
static inline bool key_table_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    enum { STEP = 8 };
    if (len >= 2 * STEP) {
        for (size_t i = 2 * STEP; i + 2 * STEP < len; i += STEP) {
            if (key_table_differ_8(a + i, b + i) != 0)
                return false;
        }
        return (key_table_differ_8(a, b) | key_table_differ_8(a + STEP, b + STEP) |
                key_table_differ_8(a + len - 2 * STEP, b + len - 2 * STEP) |
                key_table_differ_8(a + len - STEP, b + len - STEP)) == 0;
    }
    if (len >= STEP)
        return (key_table_differ_8(a, b) |
                key_table_differ_8(a + len - STEP, b + len - STEP)) == 0;
    for (size_t i = 0; i < len; i++) {
        if (a[i] != b[i])
            return false;
    }
    return true;
}

/* The id of the key, or OTLP_KEY_NONE. */
WIRE_INLINE uint16_t key_table_find(const struct otlp_keys *keys, const uint8_t *at, size_t len)
{
    uint16_t id = keys->slots[key_table_slot(at, len)];
    while (id != OTLP_KEY_NONE) {
        const struct key_entry *entry = &keys->entries[id];
        if (entry->len == len && key_table_same(entry->at, at, len))
            return id;
        id = entry->next;
    }
    return OTLP_KEY_NONE;
}

#endif
