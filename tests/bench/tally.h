/*
 * tally: counts the spans that come out, and judges at the end: what is missing, what came
 * twice, which verdict was wrong.
 *
 * Reads no more of a request than span ids, by a walk of its own: the bench must not believe
 * the scanner that it measures.  One thread.
 */
#ifndef SB_BENCH_TALLY_H
#define SB_BENCH_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "load_ids.h"

struct tally_options {
    struct load_plan plan;
    bool pieces; /* load C without repair: each piece of a trace has a verdict of its own */
    bool share;  /* the 5 % are the only policy; not with pieces */
};

struct tally;

/* What was seen so far, and what that means for the whole load. */
struct tally_result {
    uint64_t requests;
    uint64_t bytes;
    uint64_t spans;
    uint64_t foreign;    /* spans that are not of this load: queue spans, for example */
    uint64_t malformed;  /* requests that are no OTLP */
    uint64_t duplicates; /* spans beyond their first arrival */
    uint64_t misplaced;  /* spans under the trace id of another trace, or of another piece */
    uint64_t expected;   /* spans of all traces that had to be kept */
    uint64_t missing;    /* of these */
    uint64_t wrong_keep; /* spans of traces that had to be dropped */
    uint64_t torn;       /* traces that came in part */
};

enum sb_err tally_new(const struct tally_options *options, struct tally **ret) SB_MUST_USE;
void tally_free(struct tally *tally);

/* Counts one ExportTraceServiceRequest. */
void tally_add(struct tally *tally, struct bytes request);

struct tally_result tally_judge(const struct tally *tally);

/* All that was expected came, once, and nothing else; queue spans may come besides. */
bool tally_is_right(const struct tally_result *result);

#endif
