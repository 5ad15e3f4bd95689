#include "trace_order.h"

#include "core/assert.h"
#include "core/hash.h"
#include "core/memory.h"

#define GROUP_NONE UINT32_MAX

/* The spans of one trace with one envelope. */
struct trace_group {
    struct trace_id trace;
    const struct otlp_envelope *envelope;
    uint32_t count; /* of spans; then the place of the next one */
    uint32_t after; /* the trace's next group */
    uint32_t last;  /* of the trace; kept in its first group alone */
    bool first;     /* of its trace */
};

void trace_order_init(struct trace_order *order, uint64_t seed)
{
    *order = (struct trace_order){.seed = seed};
}

void trace_order_clear(struct trace_order *order)
{
    memory_free(order->groups);
    memory_free(order->slots);
    memory_free(order->group_of);
    trace_order_init(order, order->seed);
}

/* Two entries for each span at most, its trace and its group: half full in the worst case. */
static enum sb_err make_room(struct trace_order *order, uint32_t count)
{
    SB_ASSERT(count <= UINT32_MAX / 8);
    if (count <= order->room)
        return SB_OK;
    uint32_t slots = 4;
    while (slots < count * 4)
        slots *= 2;
    order->room = 0;
    memory_free(order->groups);
    memory_free(order->slots);
    memory_free(order->group_of);
    order->groups = memory_zalloc(count, sizeof(*order->groups));
    order->slots = memory_zalloc(slots, sizeof(*order->slots));
    order->group_of = memory_zalloc(count, sizeof(*order->group_of));
    if (order->groups == NULL || order->slots == NULL || order->group_of == NULL)
        return SB_ERR_MEMORY;
    order->room = count;
    order->mask = slots - 1;
    return SB_OK;
}

/* The slot of the trace's first group (`envelope` NULL), or of its group with that envelope. */
static uint32_t *find(const struct trace_order *order, struct trace_id trace,
                      const struct otlp_envelope *envelope)
{
    uint64_t hash = hash_trace_id(trace, order->seed);
    hash ^= (uint64_t)(uintptr_t)envelope * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t at = (uint32_t)(hash >> 32) & order->mask;; at = (at + 1) & order->mask) {
        uint32_t *slot = &order->slots[at];
        if (*slot == 0)
            return slot;
        const struct trace_group *group = &order->groups[*slot - 1];
        /* A trace's first group stands in the table twice: as the trace, and as itself. */
        bool matches = envelope == NULL ? group->first : group->envelope == envelope;
        if (matches && trace_id_equal(group->trace, trace))
            return slot;
    }
}

static uint32_t add_group(struct trace_order *order, uint32_t number,
                          const struct sink_span *span)
{
    struct trace_group *group = &order->groups[number];
    *group = (struct trace_group){
        .trace = span->trace, .envelope = span->envelope, .after = GROUP_NONE, .last = number};
    uint32_t *trace_slot = find(order, span->trace, NULL);
    if (*trace_slot == 0) {
        group->first = true;
        *trace_slot = number + 1;
    } else {
        struct trace_group *first = &order->groups[*trace_slot - 1];
        order->groups[first->last].after = number;
        first->last = number;
    }
    uint32_t *slot = find(order, span->trace, span->envelope);
    *slot = number + 1;
    return number;
}

static uint32_t count_groups(struct trace_order *order, const struct sink_span *spans,
                             uint32_t count)
{
    uint32_t group_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct sink_span *span = &spans[i];
        /* Spans of a trace mostly come one after another, and so do those of an envelope. */
        uint32_t group = i == 0 ? GROUP_NONE : order->group_of[i - 1];
        bool same = group != GROUP_NONE && order->groups[group].envelope == span->envelope &&
                    trace_id_equal(order->groups[group].trace, span->trace);
        if (!same) {
            uint32_t slot = *find(order, span->trace, span->envelope);
            group = slot > 0 ? slot - 1 : add_group(order, group_count++, span);
        }
        order->groups[group].count++;
        order->group_of[i] = group;
    }
    return group_count;
}

enum sb_err trace_order_spans(struct trace_order *order, const struct sink_span *spans,
                              uint32_t count, uint32_t *ret)
{
    enum sb_err err = make_room(order, count);
    if (err != SB_OK)
        return err;
    memset(order->slots, 0, ((size_t)order->mask + 1) * sizeof(*order->slots));
    uint32_t group_count = count_groups(order, spans, count);
    uint32_t place = 0;
    for (uint32_t i = 0; i < group_count; i++) {
        if (!order->groups[i].first)
            continue;
        for (uint32_t at = i; at != GROUP_NONE; at = order->groups[at].after) {
            uint32_t group_size = order->groups[at].count;
            order->groups[at].count = place;
            place += group_size;
        }
    }
    for (uint32_t i = 0; i < count; i++)
        ret[order->groups[order->group_of[i]].count++] = i;
    return SB_OK;
}
