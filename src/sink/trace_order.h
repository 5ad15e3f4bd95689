/*
 * trace_order: the order in which the spans of a batch go into records of one trace each.
 *
 * Spans of one trace come side by side, and within a trace those of one envelope; traces, and
 * envelopes within a trace, stand in the order of their first span, and spans in theirs.
 * Linear in the number of spans; nothing is allocated once the tables are warm.  One thread.
 */
#ifndef SB_SINK_TRACE_ORDER_H
#define SB_SINK_TRACE_ORDER_H

#include <stdint.h>

#include "core/err.h"
#include "sink/batch.h"

struct trace_group;

struct trace_order {
    struct trace_group *groups; /* one for each envelope of a trace, by first span */
    uint32_t *slots;            /* hash table of group numbers + 1; 0: free */
    uint32_t *group_of;         /* by span */
    uint32_t room;              /* spans that there is room for */
    uint32_t mask;              /* slots - 1; slots is a power of two */
    uint64_t seed;              /* trace ids are chosen by others */
};

void trace_order_init(struct trace_order *order, uint64_t seed);
void trace_order_clear(struct trace_order *order);

/* Writes the `count` indexes of `spans` in their order.  SB_ERR_MEMORY. */
enum sb_err trace_order_spans(struct trace_order *order, const struct sink_span *spans,
                              uint32_t count, uint32_t *ret) SB_MUST_USE;

#endif
