/*
 * order: the order in which the spans of a batch are encoded.
 *
 * Spans with one envelope come side by side, so that the envelope is written once; envelopes
 * stand in the order of their first span, and spans of one envelope stay in theirs.  Linear
 * in the number of spans; nothing is allocated once the tables are warm.  One thread.
 */
#ifndef SB_SINK_ORDER_H
#define SB_SINK_ORDER_H

#include <stdint.h>

#include "core/err.h"
#include "sink/batch.h"

struct order_group;

struct order {
    struct order_group *groups; /* hash table by envelope */
    uint32_t *group_of;         /* by span */
    uint32_t group_room;        /* a power of two, or 0 */
    uint32_t span_room;
};

void order_init(struct order *order);
void order_clear(struct order *order);

/* Writes the `count` indexes of `spans` in their order.  SB_ERR_MEMORY. */
enum sb_err order_spans(struct order *order, const struct sink_span *spans, uint32_t count,
                        uint32_t *ret) SB_MUST_USE;

#endif
