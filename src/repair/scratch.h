/*
 * scratch: what resolving one trace writes to; kept by the caller, grown to the largest trace.
 */
#ifndef SB_REPAIR_SCRATCH_H
#define SB_REPAIR_SCRATCH_H

#include "family.h"

/* What the evidence says about one span. */
struct note {
    uint64_t first_send_ns; /* of local roots: start of the first producer span in their tree */
    uint32_t lead;          /* the strongest evidence of this span; NO_EVIDENCE */
    uint32_t above;         /* the nearest span above, by local edges, with a lead; NO_SPAN */
    uint32_t processes;  /* process spans below, by local edges; not those below another one */
    uint32_t hop;        /* of local roots: evidence of the hop in their tree; NO_EVIDENCE */
    bool has_several;    /* evidence of several messages */
    bool is_ambiguous;   /* evidence for one message that names several producers */
    bool leads_below;    /* a span below, by local edges, has a lead */
    bool is_batch;       /* it, or a consumer above it, is about several messages */
    bool has_other_hops; /* of local roots: more than the one of `hop` */
};

#define NO_EVIDENCE UINT32_MAX

struct repair_scratch {
    struct family family;
    struct note *notes; /* by index of the span */
    uint32_t note_room;
};

#endif
