#include "order.h"

#include "core/assert.h"
#include "core/memory.h"

#define GROUP_NONE UINT32_MAX

struct order_group {
    const struct otlp_envelope *envelope;
    uint32_t count; /* 0: free.  First its spans are counted, then it is their next place */
    uint32_t after; /* the group seen next */
};

void order_init(struct order *order)
{
    *order = (struct order){0};
}

void order_clear(struct order *order)
{
    memory_free(order->groups);
    memory_free(order->group_of);
    order_init(order);
}

static enum sb_err make_room(struct order *order, uint32_t count, uint32_t group_room)
{
    if (group_room > order->group_room) {
        struct order_group *groups =
            memory_realloc(order->groups, group_room, sizeof(*order->groups));
        if (groups == NULL)
            return SB_ERR_MEMORY;
        order->groups = groups;
        order->group_room = group_room;
    }
    if (count > order->span_room) {
        uint32_t *group_of = memory_realloc(order->group_of, count, sizeof(*order->group_of));
        if (group_of == NULL)
            return SB_ERR_MEMORY;
        order->group_of = group_of;
        order->span_room = count;
    }
    return SB_OK;
}

/* Envelopes are our own structures: their addresses are no attacker's choice. */
static uint32_t hash_envelope(const struct otlp_envelope *envelope)
{
    uint64_t mixed = (uint64_t)(uintptr_t)envelope * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32);
}

/* The envelope's group, or the free place where it belongs. */
static uint32_t find_group(const struct order *order, uint32_t mask,
                           const struct otlp_envelope *envelope)
{
    uint32_t at = hash_envelope(envelope) & mask;
    while (order->groups[at].count > 0 && order->groups[at].envelope != envelope)
        at = (at + 1) & mask;
    return at;
}

/* Gives each span its group; returns the first group, linked to those seen after it. */
static uint32_t count_groups(struct order *order, const struct sink_span *spans, uint32_t count,
                             uint32_t mask)
{
    uint32_t first = GROUP_NONE;
    uint32_t last = GROUP_NONE;
    uint32_t group = GROUP_NONE;
    for (uint32_t i = 0; i < count; i++) {
        if (group == GROUP_NONE || order->groups[group].envelope != spans[i].envelope)
            group = find_group(order, mask, spans[i].envelope);
        struct order_group *at = &order->groups[group];
        if (at->count == 0) {
            *at = (struct order_group){.envelope = spans[i].envelope, .after = GROUP_NONE};
            if (first == GROUP_NONE)
                first = group;
            else
                order->groups[last].after = group;
            last = group;
        }
        at->count++;
        order->group_of[i] = group;
    }
    return first;
}

enum sb_err order_spans(struct order *order, const struct sink_span *spans, uint32_t count,
                        uint32_t *ret)
{
    SB_ASSERT(count <= UINT32_MAX / 4);
    uint32_t group_room = 2; /* at most half full, even when every span has its own */
    while (group_room < count * 2)
        group_room *= 2;
    enum sb_err err = make_room(order, count, group_room);
    if (err != SB_OK)
        return err;
    memset(order->groups, 0, group_room * sizeof(*order->groups));
    uint32_t first = count_groups(order, spans, count, group_room - 1);
    uint32_t place = 0;
    for (uint32_t group = first; group != GROUP_NONE; group = order->groups[group].after) {
        uint32_t group_count = order->groups[group].count;
        order->groups[group].count = place;
        place += group_count;
    }
    for (uint32_t i = 0; i < count; i++)
        ret[order->groups[order->group_of[i]].count++] = i;
    return SB_OK;
}
