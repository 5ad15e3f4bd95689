/*
 * load_ids: the ids of the bench's spans, and what must become of each trace.
 *
 * Ids are scrambled, so that they look as random as real ones, and can be unscrambled: whoever
 * receives a span knows its trace's number, its place in it, and with the seed whether the
 * trace had to be kept.  So nobody needs a file with the truth.
 */
#ifndef SB_BENCH_LOAD_IDS_H
#define SB_BENCH_LOAD_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ids.h"

enum {
    LOAD_SPANS_PER_TRACE = 8,
    LOAD_SERVICES = 5,
    LOAD_PIECES = 3, /* of a trace of load C, whose context is lost twice */
    LOAD_ERROR_PERCENT = 5,
    LOAD_SLOW_PERCENT = 2
};

enum load_kind { LOAD_A, LOAD_B, LOAD_C };

/* What makes a load; equal plans make equal bytes. */
struct load_plan {
    enum load_kind kind;
    uint64_t seed;
    uint32_t traces;
};

struct load_trace {
    uint32_t index;
    bool error; /* one span has status ERROR */
    bool slow;  /* longer than 2 s */
};

struct load_trace load_trace_at(const struct load_plan *plan, uint32_t index);

/* `piece` is 0 but in load C. */
struct trace_id load_trace_id(const struct load_plan *plan, uint32_t index, uint32_t piece);
struct span_id load_span_id(const struct load_plan *plan, uint32_t index, uint32_t span);

/* False: not an id of this plan; outputs untouched then. */
bool load_read_trace_id(const struct load_plan *plan, struct trace_id id, uint32_t *ret_index,
                        uint32_t *ret_piece);
bool load_read_span_id(const struct load_plan *plan, struct span_id id, uint32_t *ret_index,
                       uint32_t *ret_span);

/* Which piece of its trace a span lies in: 0 but in load C. */
uint32_t load_piece_of(enum load_kind kind, uint32_t span);

/* The span that carries the error of an error trace. */
enum { LOAD_ERROR_SPAN = 7 };

/*
 * Whether the bench's policies (status ERROR, latency 2 s, 5 % by FNV-1a) keep the trace.
 * `piece` < 0: the trace as one, under the id of its first piece; else that piece alone.
 */
bool load_keeps(const struct load_plan *plan, uint32_t index, int piece);

/* Whether the 5 % alone keep it: a verdict that follows from the trace's id, so from any span. */
bool load_in_share(const struct load_plan *plan, uint32_t index);

#endif
