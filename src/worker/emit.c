/*
 * emit: the spans of kept traces leave for the batches, patched but otherwise as they came.
 */
#include "emit.h"

/*
 * Adds the span to the batches.  Memory that is short now is not a reason to lose a span
 * that has its verdict: wait until batches come back.
 */
static void add(struct worker *worker, const struct egress_span *span)
{
    while (egress_add(&worker->egress, span, worker->now_ns) != SB_OK)
        worker_wait_for_sinks(worker);
}

static void add_queue_spans(const struct emission *emission)
{
    struct worker *worker = emission->worker;
    for (uint32_t i = 0; i < emission->patch_count; i++) {
        uint32_t envelope;
        while (!patch_write_queue_span(emission, &emission->patches[i], &envelope))
            worker_wait_for_sinks(worker);
        if (envelope == PATCH_NO_QUEUE_SPAN)
            continue;
        const struct egress_span span = {.raw = text_bytes(&worker->queue_span),
                                         .trace = emission->plan->canonical,
                                         .envelope = envelope,
                                         .record = RECORD_NONE};
        worker->synthetic_out++;
        add(worker, &span);
    }
}

/* Writes one span with all its patches; `record` and the envelope's reference go with it. */
static void emit_span(const struct emission *emission, const struct window_span *span)
{
    struct worker *worker = emission->worker;
    struct bytes raw;
    add_queue_spans(emission);
    while (!patch_write(emission, &raw))
        worker_wait_for_sinks(worker);
    const struct egress_span out = {
        .raw = raw,
        .patch = text_bytes(&worker->patch),
        .trace = emission->plan->canonical,
        .envelope = span->envelope,
        .record = span->record,
    };
    add(worker, &out);
}

/* Patches of span `number`, gathered to the front of those from `from` to `end`. */
static uint32_t gather_patches(struct span_patch *patches, uint32_t from, uint32_t end,
                               uint32_t number)
{
    uint32_t found = 0;
    for (uint32_t i = from; i < end; i++) {
        if (patches[i].span != number)
            continue;
        struct span_patch swap = patches[from + found];
        patches[from + found] = patches[i];
        patches[i] = swap;
        found++;
    }
    return found;
}

/* How many orphans of one trace are adopted: each costs a look at all of its spans. */
enum { ORPHANS_MAX = 64 };

/*
 * The spans whose parents are missing: the first one, which is flagged, or all that are to be
 * adopted.  Only traces that stand alone are looked at.
 */
static uint32_t find_orphans(struct worker *worker, const struct plan *plan,
                             struct repair_orphan *ret)
{
    const struct worker_repair *settings = &worker->options->default_repair;
    uint32_t count;
    if (plan->merged || settings->mode == REPAIR_OFF ||
        plan_list_spans(worker, plan->trace, &count) != SB_OK)
        return 0;
    uint32_t found =
        repair_find_orphans(worker->plans.scratch, worker->plans.spans, count,
                            settings->adopt_root, ret, settings->adopt_root ? ORPHANS_MAX : 1);
    worker->counters.incomplete_traces += found > 0;
    return found;
}

/* The spans of the orphan's trace are still listed. */
static void adopt(struct emission *emission, const struct repair_orphan *orphan)
{
    struct worker *worker = emission->worker;
    emission->is_orphan = true;
    if (orphan->adopter < 0)
        return;
    worker->counters.adopted_spans++;
    worker->counters.repairs[REPAIR_RULE_SAME_TRACE][WORKER_REPAIRED_PARENT]++;
    emission->adopter = worker->plans.spans[orphan->adopter].span_id;
}

void emit_plan(struct worker *worker, const struct plan *plan, struct verdict *verdict)
{
    struct repair_orphan orphans[ORPHANS_MAX];
    uint32_t orphan_count = find_orphans(worker, plan, orphans);
    uint32_t next_orphan = 0;
    struct span_patch *patches = worker->plans.patches;
    uint32_t next_patch = plan->first_patch;
    uint32_t patch_end = plan->first_patch + plan->patch_count;
    uint32_t last = window_span_count(worker->window, plan->trace);
    struct window_walk walk = window_walk_start(worker->window, plan->trace);
    struct window_span span;
    for (uint32_t i = 0; window_walk_next(worker->window, plan->trace, &walk, &span); i++) {
        struct otlp_span scanned;
        otlp_scan_span(span.raw, &scanned);
        uint32_t count = gather_patches(patches, next_patch, patch_end, i);
        struct emission emission = {
            .worker = worker,
            .plan = plan,
            .verdict = verdict,
            .span = &scanned,
            .envelope = &envelopes_at(&worker->envelopes, span.envelope)->view,
            .patches = patches + next_patch,
            .patch_count = count,
            /* On the root; on the last span where a trace has none. */
            .carries = !verdict->told && (scanned.parent_id == NULL || i + 1 == last),
        };
        if (next_orphan < orphan_count && orphans[next_orphan].span == i)
            adopt(&emission, &orphans[next_orphan++]);
        verdict->told |= emission.carries;
        emit_span(&emission, &span);
        next_patch += count;
        envelopes_release(&worker->envelopes, span.envelope);
    }
}

void emit_late(struct worker *worker, const struct arrival *arrival,
               const struct verdict *verdict)
{
    struct otlp_span scanned;
    otlp_scan_span(arrival->raw, &scanned);
    struct plan plan = {.canonical = arrival->trace_id};
    plan.merged = aliases_get(&worker->aliases, arrival->trace_id, &plan.canonical);
    const struct emission emission = {
        .worker = worker,
        .plan = &plan,
        .verdict = verdict,
        .span = &scanned,
        .envelope = &envelopes_at(&worker->envelopes, arrival->envelope)->view,
        .carries = scanned.parent_id == NULL && !plan.merged,
    };
    const struct window_span span = {
        .raw = arrival->raw, .envelope = arrival->envelope, .record = arrival->record};
    emit_span(&emission, &span);
}
