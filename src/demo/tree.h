/*
 * tree: the order in which a waterfall shows spans: parents before children, children by time.
 */
#ifndef SB_DEMO_TREE_H
#define SB_DEMO_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "seen.h"

struct tree_row {
    const struct seen_span *span; /* lives as long as the list */
    uint16_t depth;               /* 0: a root, or a span whose parent is not there */
    uint64_t open;                /* bit n: a line goes on at level n, to a later sibling */
};

struct tree {
    struct tree_row rows[SEEN_SPANS_MAX];
    uint32_t count;
    uint32_t roots;   /* spans without a parent */
    uint32_t orphans; /* spans whose parent is not there */
    uint32_t traces;  /* distinct trace ids */
    uint32_t lost;    /* spans that hang in a circle: not shown */
};

void tree_build(const struct seen_list *list, struct tree *ret);

/* One trace id, one root, every parent there. */
bool tree_is_one(const struct tree *tree);

#endif
