#include "family.h"

#include "core/hash.h"
#include "core/memory.h"

/* Span.flags, opentelemetry-proto: does bit 9 tell whether the parent is remote? */
enum { FLAGS_REMOTE_KNOWN = 0x100, FLAGS_REMOTE = 0x200 };

enum { ROOM_MIN = 64 };

void family_clear(struct family *family)
{
    memory_free(family->relatives);
    memory_free(family->order);
    memory_free(family->slots);
    *family = (struct family){.seed = family->seed};
}

static enum sb_err grow(struct family *family, uint32_t count)
{
    uint64_t room = family->room == 0 ? ROOM_MIN : family->room;
    while (room < count)
        room *= 2;
    if (room > INT32_MAX)
        return SB_ERR_MEMORY;
    if (room > family->room) {
        family_clear(family);
        /* At most half of the slots are ever used. */
        family->relatives = memory_alloc(room * sizeof(*family->relatives));
        family->order = memory_alloc(room * sizeof(*family->order));
        family->slots = memory_alloc(room * 2 * sizeof(*family->slots));
        if (family->relatives == NULL || family->order == NULL || family->slots == NULL)
            return SB_ERR_MEMORY; /* room stays 0: the next one starts over */
        family->room = (uint32_t)room;
    }
    return SB_OK;
}

static uint32_t slot_of(const struct family *family, struct span_id id)
{
    return (uint32_t)hash_bytes(bytes_of(id.byte, SPAN_ID_LEN), family->seed) &
           family->slot_mask;
}

/* The slot that holds the id, or the empty one where it belongs. */
static uint32_t *find_slot(const struct family *family, struct span_id id)
{
    uint32_t slot = slot_of(family, id);
    while (family->slots[slot] != 0 &&
           !span_id_equal(family->spans[family->slots[slot] - 1].span_id, id))
        slot = (slot + 1) & family->slot_mask;
    return &family->slots[slot];
}

uint32_t family_find(const struct family *family, struct span_id id)
{
    return family->count == 0 ? NO_SPAN : *find_slot(family, id) - 1; /* 0 - 1 is NO_SPAN */
}

static void index_ids(struct family *family)
{
    uint32_t slots = ROOM_MIN;
    while (slots < family->count * 2)
        slots *= 2;
    family->slot_mask = slots - 1;
    memset(family->slots, 0, slots * sizeof(*family->slots));
    for (uint32_t i = 0; i < family->count; i++) {
        uint32_t *slot = find_slot(family, family->spans[i].span_id);
        family->relatives[i] = (struct relative){.parent = NO_SPAN,
                                                 .first_child = NO_SPAN,
                                                 .next_sibling = NO_SPAN,
                                                 .top = NO_SPAN,
                                                 .local_root = NO_SPAN,
                                                 .is_copy = *slot != 0};
        if (*slot == 0)
            *slot = i + 1;
    }
}

/* repair.md, Modes: by the flags if set, else another service instance. */
static enum edge find_edge(const struct repair_span *span, const struct repair_span *parent)
{
    if ((span->flags & FLAGS_REMOTE_KNOWN) != 0)
        return (span->flags & FLAGS_REMOTE) != 0 ? EDGE_REMOTE : EDGE_LOCAL;
    return span->service == parent->service ? EDGE_LOCAL : EDGE_REMOTE;
}

static void find_parents(struct family *family)
{
    /* From the last to the first, so that children stand in the order of the spans. */
    for (uint32_t i = family->count; i-- > 0;) {
        struct relative *self = &family->relatives[i];
        const struct repair_span *span = &family->spans[i];
        self->edge = EDGE_ROOT;
        if (span_id_is_zero(span->parent_id))
            continue;
        self->parent = family_find(family, span->parent_id);
        if (self->parent == NO_SPAN) {
            self->edge = EDGE_REMOTE;
            continue;
        }
        self->edge = (uint8_t)find_edge(span, &family->spans[self->parent]);
        struct relative *parent = &family->relatives[self->parent];
        self->next_sibling = parent->first_child;
        parent->first_child = i;
    }
}

static void enter(struct family *family, uint32_t at, uint32_t top)
{
    struct relative *self = &family->relatives[at];
    family->order[family->ordered++] = at;
    self->enter = family->ordered;
    self->top = top;
    self->local_root =
        self->edge == EDGE_LOCAL ? family->relatives[self->parent].local_root : at;
}

/* Visits all below `top`, which has no parent here: down to children, on to siblings, up. */
static void walk(struct family *family, uint32_t top)
{
    uint32_t at = top;
    enter(family, at, top);
    for (;;) {
        struct relative *self = &family->relatives[at];
        if (self->first_child != NO_SPAN && self->leave == 0) {
            at = self->first_child;
            enter(family, at, top);
            continue;
        }
        self->leave = family->ordered;
        if (at == top)
            return;
        if (self->next_sibling != NO_SPAN) {
            /* The parent is left when its last child is. */
            at = self->next_sibling;
            enter(family, at, top);
            continue;
        }
        at = self->parent;
        family->relatives[at].leave = family->ordered;
    }
}

enum sb_err family_build(struct family *family, const struct repair_span *spans, uint32_t count)
{
    enum sb_err err = grow(family, count);
    if (err != SB_OK)
        return err;
    family->spans = spans;
    family->count = count;
    family->ordered = 0;
    index_ids(family);
    find_parents(family);
    for (uint32_t i = 0; i < count; i++)
        if (family->relatives[i].parent == NO_SPAN)
            walk(family, i);
    return SB_OK;
}
