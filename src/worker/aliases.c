/*
 * aliases: a ring in the order of age, and a table into it.
 */
#include "aliases.h"

#include "core/assert.h"
#include "core/hash.h"
#include "core/memory.h"

enum { ALIASES_AT_FIRST = 256 };

enum sb_err aliases_init(struct aliases *aliases, uint32_t count_max, uint64_t seed)
{
    *aliases = (struct aliases){.count_max = count_max, .seed = seed};
    return table_init(&aliases->by_old, ALIASES_AT_FIRST);
}

void aliases_clear(struct aliases *aliases)
{
    memory_free(aliases->items);
    table_clear(&aliases->by_old);
    aliases->items = NULL;
    aliases->count = 0;
}

static uint32_t find(const struct aliases *aliases, struct trace_id old)
{
    struct table_cursor at = table_find(&aliases->by_old, hash_trace_id(old, aliases->seed));
    uint32_t candidate;
    while (table_next(&aliases->by_old, &at, &candidate)) {
        if (trace_id_equal(aliases->items[candidate].old, old))
            return candidate;
    }
    return UINT32_MAX;
}

static void forget_oldest(struct aliases *aliases)
{
    uint64_t hash = hash_trace_id(aliases->items[aliases->first].old, aliases->seed);
    bool removed = table_remove(&aliases->by_old, hash, aliases->first);
    SB_ASSERT(removed);
    aliases->first = (aliases->first + 1) % aliases->room;
    aliases->count--;
}

/* Grows only while nothing was forgotten, so the ring starts at 0 and may be extended. */
static enum sb_err make_room(struct aliases *aliases)
{
    if (aliases->count < aliases->room)
        return SB_OK;
    if (aliases->room == aliases->count_max) {
        forget_oldest(aliases);
        return SB_OK;
    }
    uint32_t room = aliases->room == 0 ? ALIASES_AT_FIRST : aliases->room * 2;
    if (room > aliases->count_max)
        room = aliases->count_max;
    struct alias *items = memory_realloc(aliases->items, room, sizeof(*items));
    if (items == NULL)
        return SB_ERR_MEMORY;
    aliases->items = items;
    aliases->room = room;
    return SB_OK;
}

enum sb_err aliases_put(struct aliases *aliases, struct trace_id old, struct trace_id canonical)
{
    uint32_t known = find(aliases, old);
    if (known != UINT32_MAX) {
        aliases->items[known].canonical = canonical;
        return SB_OK;
    }
    enum sb_err err = make_room(aliases);
    if (err != SB_OK)
        return err;
    uint32_t at = (aliases->first + aliases->count) % aliases->room;
    err = table_insert(&aliases->by_old, hash_trace_id(old, aliases->seed), at);
    if (err != SB_OK)
        return err;
    aliases->items[at] = (struct alias){.old = old, .canonical = canonical};
    aliases->count++;
    return SB_OK;
}

bool aliases_get(const struct aliases *aliases, struct trace_id old, struct trace_id *ret)
{
    if (aliases->count == 0)
        return false;
    uint32_t known = find(aliases, old);
    if (known == UINT32_MAX)
        return false;
    *ret = aliases->items[known].canonical;
    return true;
}
