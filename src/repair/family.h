/*
 * family: who is whose parent among the spans of one trace, built in linear time and without
 * recursion, whatever the ids say: spans may name themselves or each other as parents, share
 * ids, or come by the ten thousand.
 *
 * Lives in the scratch and holds for the spans it was built from, until it is built again.
 */
#ifndef SB_REPAIR_FAMILY_H
#define SB_REPAIR_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "repair/resolve.h"

#define NO_SPAN REPAIR_NO_SPAN

enum edge {
    EDGE_ROOT,  /* no parent is named */
    EDGE_LOCAL, /* the parent is here, in the same service instance */
    EDGE_REMOTE /* it is in another one, or not here at all */
};

struct relative {
    uint32_t parent; /* index; NO_SPAN: a root, or the parent is not here */
    uint32_t first_child;
    uint32_t next_sibling;
    uint32_t enter; /* before all spans below; 0: hangs in a loop, out of reach of any top */
    uint32_t leave; /* the greatest `enter` of the spans below, its own included */
    uint32_t top;   /* the ancestor without a parent here; NO_SPAN in a loop */
    uint32_t local_root; /* the furthest one by local edges alone; NO_SPAN in a loop */
    uint8_t edge;
    bool is_copy; /* another span before it has the same id */
};

struct family {
    struct relative *relatives; /* by index of the span */
    uint32_t *order;            /* spans that are in no loop, parents before children */
    uint32_t *slots;            /* hash index from span id to index + 1 */
    uint32_t room;
    uint32_t slot_mask;
    uint32_t count;
    uint32_t ordered; /* length of `order` */
    uint64_t seed;
    const struct repair_span *spans;
};

void family_clear(struct family *family);

enum sb_err family_build(struct family *family, const struct repair_span *spans,
                         uint32_t count) SB_MUST_USE;

/* The first span with that id, or NO_SPAN. */
uint32_t family_find(const struct family *family, struct span_id id);

/* Is `elder` the span itself or one of its ancestors?  Never, where one hangs in a loop. */
static inline bool family_is_elder(const struct family *family, uint32_t elder, uint32_t span)
{
    const struct relative *a = &family->relatives[elder];
    const struct relative *b = &family->relatives[span];
    return a->enter != 0 && a->enter <= b->enter && b->leave <= a->leave;
}

#endif
