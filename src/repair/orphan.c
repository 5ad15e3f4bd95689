#include "core/assert.h"
#include "repair/resolve.h"
#include "scratch.h"

static bool is_orphan(const struct family *family, const struct repair_span *spans,
                      uint32_t index)
{
    return family->relatives[index].parent == NO_SPAN &&
           !span_id_is_zero(spans[index].parent_id);
}

/*
 * May the span take the orphan as a child?  Only spans whose chain of parents ends in a root
 * may: such a chain can not lead through an orphan, so adoption never closes a circle, not
 * even when several orphans are adopted by turns.
 */
static bool may_adopt(const struct family *family, const struct repair_span *spans,
                      uint32_t index, const struct repair_span *orphan)
{
    const struct relative *self = &family->relatives[index];
    return self->top != NO_SPAN && family->relatives[self->top].edge == EDGE_ROOT &&
           !self->is_copy && !span_id_equal(spans[index].span_id, orphan->span_id);
}

static bool encloses(const struct repair_span *span, const struct repair_span *orphan)
{
    return span->start_ns != 0 && span->start_ns <= orphan->start_ns &&
           orphan->start_ns <= span->end_ns;
}

/* Of two spans that enclose the start: the shorter one, else the later one. */
static bool is_nearer(const struct repair_span *a, const struct repair_span *b)
{
    uint64_t a_ns = a->end_ns - a->start_ns;
    uint64_t b_ns = b->end_ns - b->start_ns;
    return a_ns != b_ns ? a_ns < b_ns : a->start_ns > b->start_ns;
}

static int64_t find_adopter(const struct family *family, const struct repair_span *spans,
                            uint32_t count, const struct repair_span *orphan)
{
    int64_t nearest = -1;
    int64_t root = -1;
    for (uint32_t i = 0; i < count; i++) {
        if (!may_adopt(family, spans, i, orphan))
            continue;
        if (family->relatives[i].edge == EDGE_ROOT &&
            (root < 0 || spans[i].start_ns < spans[root].start_ns))
            root = i;
        if (spans[i].service == orphan->service && encloses(&spans[i], orphan) &&
            (nearest < 0 || is_nearer(&spans[i], &spans[nearest])))
            nearest = i;
    }
    return nearest >= 0 ? nearest : root;
}

uint32_t repair_find_orphans(struct repair_scratch *scratch, const struct repair_span *spans,
                             uint32_t count, bool adopt, struct repair_orphan *ret,
                             uint32_t max)
{
    const struct family *family = &scratch->family;
    if (family_build(&scratch->family, spans, count) != SB_OK)
        return 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < count && found < max; i++) {
        if (!is_orphan(family, spans, i))
            continue;
        int64_t adopter = adopt ? find_adopter(family, spans, count, &spans[i]) : -1;
        ret[found++] = (struct repair_orphan){.span = i, .adopter = adopter};
    }
    return found;
}
