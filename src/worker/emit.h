/*
 * emit: what writing a kept span shares with reading it.  Private to the worker room.
 */
#ifndef SB_WORKER_EMIT_H
#define SB_WORKER_EMIT_H

#include "state.h"

/* One span on its way out, and what is to be said behind it. */
struct emission {
    struct worker *worker;
    const struct plan *plan;
    const struct verdict *verdict;
    const struct otlp_span *span;
    const struct otlp_envelope *envelope;
    const struct span_patch *patches; /* of this span */
    uint32_t patch_count;
    bool carries;           /* the verdict */
    bool is_orphan;         /* its parent is missing */
    struct span_id adopter; /* of the orphan; zero: none */
};

/* What an encoded span says about its hop; intake.c.  Views point into it. */
void emit_read_fact(struct worker *worker, const struct otlp_span *span,
                    const struct otlp_envelope *envelope, struct repair_fact *ret);

/*
 * patch.c: writes to worker->patch what stands behind the span; *ret_raw is what stands before
 * it: the span as it came, or a copy with its links rewritten.  False: memory is short.
 */
bool patch_write(const struct emission *emission, struct bytes *ret_raw) SB_MUST_USE;

/*
 * patch.c: writes the span of the time between queue and consumer to worker->queue_span;
 * *ret_envelope is the one it goes under, or PATCH_NO_QUEUE_SPAN.  False: memory is short.
 */
#define PATCH_NO_QUEUE_SPAN UINT32_MAX
bool patch_write_queue_span(const struct emission *emission, const struct span_patch *patch,
                            uint32_t *ret_envelope) SB_MUST_USE;

#endif
