/*
 * emit: what writing a kept span shares with reading it.  Private to the worker room.
 */
#ifndef SB_WORKER_EMIT_H
#define SB_WORKER_EMIT_H

#include "state.h"

/* What an encoded span says about its hop; intake.c.  Views point into it. */
void emit_read_fact(struct worker *worker, const struct otlp_span *span,
                    const struct otlp_envelope *envelope, struct repair_fact *ret);

#endif
