/*
 * cut: how many spans of a trace go into one record.
 *
 * Pure.  Sizes are upper bounds: a record is never longer than the bound it was cut for, and
 * shorter by a few bytes for each span at most.
 */
#ifndef SB_SINK_CUT_H
#define SB_SINK_CUT_H

#include <stddef.h>
#include <stdint.h>

#include "sink/batch.h"

/* Spans of a batch, as trace_order_spans ordered them, from `first` up to `end`. */
struct cut_range {
    const struct sink_batch *batch;
    const uint32_t *order;
    uint32_t first;
    uint32_t end;
};

/*
 * The spans from `first` on that make one record: of one trace, and of `bytes_max` encoded at
 * most, or a single one that is longer.  *ret_len: their bound.  Of an empty range none.
 */
uint32_t cut_next(const struct cut_range *range, size_t bytes_max, size_t *ret_len);

#endif
