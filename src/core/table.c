#include "core/table.h"

#include <string.h>

#include "core/assert.h"
#include "core/memory.h"

enum { SLOTS_MIN = 8 };
#define SLOTS_MAX (UINT32_C(1) << 31)

/* Past 7/8 full, robin-hood probes get long. */
static uint32_t most_used(uint32_t slots)
{
    return slots - slots / 8;
}

static enum sb_err allocate_slots(struct table *table, uint32_t slots)
{
    /* A large one is used all over from the first entry on: it lies in huge pages. */
    struct table_slot *at = memory_alloc_pages(slots * sizeof(*at));
    if (at == NULL)
        return SB_ERR_MEMORY;
    table->slots = memset(at, 0, slots * sizeof(*at));
    table->mask = slots - 1;
    return SB_OK;
}

enum sb_err table_init(struct table *table, uint32_t room)
{
    uint32_t slots = SLOTS_MIN;
    while (most_used(slots) < room) {
        if (slots == SLOTS_MAX)
            return SB_ERR_MEMORY;
        slots *= 2;
    }
    struct table fresh = {0};
    enum sb_err err = allocate_slots(&fresh, slots);
    if (err == SB_OK)
        *table = fresh;
    return err;
}

void table_clear(struct table *table)
{
    memory_free(table->slots);
    *table = (struct table){0};
}

static uint32_t distance_of(const struct table *table, uint32_t tag, uint32_t slot)
{
    return (slot - table_home(table, tag)) & table->mask;
}

/* Puts an entry where there is room for sure: whoever is closer to home moves on. */
static void place(struct table *table, struct table_slot entry)
{
    uint32_t slot = table_home(table, entry.tag);
    uint32_t distance = 0;
    while (table->slots[slot].tag != 0) {
        struct table_slot other = table->slots[slot];
        uint32_t its_distance = distance_of(table, other.tag, slot);
        if (its_distance < distance) {
            table->slots[slot] = entry;
            entry = other;
            distance = its_distance;
        }
        slot = (slot + 1) & table->mask;
        distance++;
    }
    table->slots[slot] = entry;
}

static enum sb_err grow(struct table *table)
{
    uint32_t slots = table->mask + 1;
    if (slots == SLOTS_MAX)
        return SB_ERR_MEMORY;
    struct table bigger = {.used = table->used};
    enum sb_err err = allocate_slots(&bigger, slots * 2);
    if (err != SB_OK)
        return err;
    for (uint32_t i = 0; i < slots; i++)
        if (table->slots[i].tag != 0)
            place(&bigger, table->slots[i]);
    memory_free(table->slots);
    *table = bigger;
    return SB_OK;
}

enum sb_err table_insert(struct table *table, uint64_t hash, uint32_t value)
{
    if (table->used >= most_used(table->mask + 1)) {
        enum sb_err err = grow(table);
        if (err != SB_OK)
            return err;
    }
    place(table, (struct table_slot){.tag = table_tag(hash), .value = value});
    table->used++;
    return SB_OK;
}

static struct table_slot *find_slot(const struct table *table, uint64_t hash, uint32_t value)
{
    struct table_cursor at = table_find(table, hash);
    uint32_t candidate;
    while (table_next(table, &at, &candidate))
        if (candidate == value)
            return &table->slots[(at.slot - 1) & table->mask];
    return NULL;
}

bool table_remove(struct table *table, uint64_t hash, uint32_t value)
{
    struct table_slot *found = find_slot(table, hash, value);
    if (found == NULL)
        return false;
    /* Backward shift: those behind move one closer to home, until one is at home. */
    uint32_t slot = (uint32_t)(found - table->slots);
    for (;;) {
        uint32_t next = (slot + 1) & table->mask;
        struct table_slot entry = table->slots[next];
        if (entry.tag == 0 || distance_of(table, entry.tag, next) == 0)
            break;
        table->slots[slot] = entry;
        slot = next;
    }
    table->slots[slot] = (struct table_slot){0};
    table->used--;
    return true;
}

bool table_replace(struct table *table, uint64_t hash, uint32_t value, uint32_t by)
{
    struct table_slot *found = find_slot(table, hash, value);
    if (found == NULL)
        return false;
    found->value = by;
    return true;
}

size_t table_bytes(const struct table *table)
{
    return table->slots == NULL ? 0 : ((size_t)table->mask + 1) * sizeof(*table->slots);
}
