/*
 * ahead: see ahead.h.
 *
 * The tree that is n verdicts away has n - 1 steps to go.  Two steps go to each level of it, from
 * its root down along first members, as hops make chains: first the trace is asked for, with the
 * books of the one above it; then what the trace points to.
 */
#include "ahead.h"

enum { TREES_AHEAD = 8, PLAIN_AHEAD = 2, LINE = 64 };

static void prefetch_lines(const void *item, size_t len)
{
    const char *at = item;
    for (size_t i = 0; i < len; i += LINE)
        __builtin_prefetch(at + i, 1);
}

/* What stands in the trace's books: see traces.h.  The extra itself is there. */
static void prefetch_books(const struct traces *traces, const struct trace_extra *extra)
{
    const struct side_item *side = traces_side(traces, extra->first_side);
    if (side != NULL)
        prefetch_lines(side, sizeof(*side));
    const struct evidence_item *evidence = traces_evidence(traces, extra->first_evidence);
    if (evidence != NULL)
        prefetch_lines(evidence, sizeof(*evidence));
}

/* The trace itself is there. */
static void prefetch_content(const struct worker *worker, window_trace trace)
{
    window_prefetch_content(worker->window, trace);
    decide_memory_prefetch(worker->verdicts, window_trace_id(worker->window, trace));
    const struct trace_extra *extra = traces_extra(&worker->traces, trace);
    if (extra != NULL)
        prefetch_lines(extra, sizeof(*extra));
}

static void take_step(const struct worker *worker, window_trace trace, uint32_t step)
{
    const struct trace_extra *above = NULL;
    for (uint32_t level = step / 2; level > 0; level--) {
        above = trace == WINDOW_NONE ? NULL : traces_extra(&worker->traces, trace);
        if (above == NULL)
            return; /* the tree ends above */
        trace = above->first_member;
    }
    bool first_step = step % 2 == 0;
    if (first_step && above != NULL)
        prefetch_books(&worker->traces, above);
    if (trace == WINDOW_NONE)
        return;
    if (first_step)
        window_prefetch_at(worker->window, trace);
    else
        prefetch_content(worker, trace);
}

void ahead_prefetch(const struct worker *worker, window_trace trace)
{
    uint32_t trees = worker->traces.extras.used > 0 ? TREES_AHEAD : PLAIN_AHEAD;
    for (uint32_t left = trees; left > 0; left--) {
        trace = window_newer(worker->window, trace);
        if (trace == WINDOW_NONE)
            return;
        take_step(worker, trace, left - 1);
    }
}
