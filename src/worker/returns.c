/*
 * returns: lanes close, and what has no verdict yet is left to whoever has the partition next.
 *
 * Spans of a record may be with any worker, or on their way between two.  So this is done for
 * all workers at once, by the gathering one, while the others stand still (park, in loop.c):
 * messages are taken in until none is under way, watermarks are published, and what is left of
 * the closed lanes in the windows goes without a verdict.  The next owner reads it again, since
 * no watermark has passed it.  Costs a walk over all windows.
 */
#include "otlp/value.h"
#include "otlp/write.h"
#include "state.h"

/* Takes in all that is under way, for every worker.  It ends: nobody reads records meanwhile. */
static void take_in_all(struct worker_group *group)
{
    uint64_t under_way;
    do {
        under_way = 0;
        for (uint32_t i = 0; i < group->count; i++) {
            worker_take_in(&group->workers[i]);
            under_way += atomic_load(&group->workers[i].exchange.sent);
        }
        for (uint32_t i = 0; i < group->count; i++)
            under_way -= atomic_load(&group->workers[i].exchange.received);
    } while (under_way > 0);
}

static struct ledger *ledger_of(const struct worker *worker, uint32_t record)
{
    return worker->group->workers[record_worker(record)].ledger;
}

static bool is_returned(const struct worker *worker, uint32_t record)
{
    return ledger_is_returned(ledger_of(worker, record), record_number(record));
}

static bool has_left(void *arg, const struct window_span *span)
{
    return is_returned(arg, span->record);
}

static bool take_leave(void *arg, const struct window_span *span)
{
    struct worker *worker = arg;
    if (!is_returned(worker, span->record))
        return false;
    envelopes_release(&worker->envelopes, span->envelope);
    ledger_release(ledger_of(worker, span->record), record_number(span->record), 1);
    worker->counters.returned++;
    return true;
}

/* When the span comes again, so do the joins that name it. */
static void withdraw_side(void *arg, struct trace_id trace_id, const struct hop_side *side)
{
    gather_withdraw_side(arg, trace_id, side);
}

static uint64_t match_span(struct worker *worker, struct bytes raw)
{
    uint64_t matches = 0;
    struct otlp_attribute attribute;
    while (otlp_attribute_next(&raw, OTLP_SPAN_ATTRIBUTES, &attribute)) {
        struct otlp_hit hit = {.key = otlp_keys_find(worker->options->keys, attribute.key),
                               .value = attribute.value};
        if (hit.key != OTLP_KEY_NONE)
            matches |= decide_match(worker->decide, &hit, 1, false);
    }
    return matches;
}

/* The features of the spans that are left, and of no others. */
static void fold_again(struct worker *worker, window_trace trace)
{
    struct trace_state *state = traces_state(&worker->traces, trace);
    decide_facts_init(&state->facts);
    state->tenant = 0;
    struct window_walk walk = window_walk_start(worker->window, trace);
    struct window_span span;
    while (window_walk_next(worker->window, trace, &walk, &span)) {
        const struct envelope *envelope = envelopes_at(&worker->envelopes, span.envelope);
        struct otlp_span scanned;
        otlp_scan_span(span.raw, &scanned);
        decide_facts_add_span(&state->facts, &scanned,
                              envelope->matches | match_span(worker, span.raw));
        if (state->tenant == 0)
            state->tenant = envelope->tenant;
    }
}

/* A trace without spans is forgotten, unless others hang under it: then it stands in for them. */
static void forget(struct worker *worker, window_trace trace)
{
    const struct trace_extra *extra = traces_extra(&worker->traces, trace);
    if (extra != NULL && extra->first_member != WINDOW_NONE)
        return;
    if (extra != NULL && extra->attached_to != WINDOW_NONE)
        traces_detach(&worker->traces, trace);
    traces_free_extra(&worker->traces, trace);
    window_close(worker->window, trace);
}

static bool has_returned_spans(const struct worker *worker, window_trace trace)
{
    struct window_walk walk = window_walk_start(worker->window, trace);
    struct window_span span;
    while (window_walk_next(worker->window, trace, &walk, &span)) {
        if (is_returned(worker, span.record))
            return true;
    }
    return false;
}

static void return_trace(struct worker *worker, window_trace trace)
{
    if (!has_returned_spans(worker, trace))
        return;
    traces_take_out_sides(&worker->traces, trace, has_left, withdraw_side, worker);
    window_take_out(worker->window, trace, take_leave, worker);
    fold_again(worker, trace);
    if (window_span_count(worker->window, trace) == 0)
        forget(worker, trace);
}

static void return_spans(struct worker *worker)
{
    window_trace trace = window_any(worker->window);
    while (trace != WINDOW_NONE) {
        window_trace next = window_next(worker->window, trace);
        return_trace(worker, trace);
        trace = next;
    }
}

void returns_close_lanes(struct worker_group *group, const struct source_lane *lanes,
                         size_t count)
{
    bool any = false;
    take_in_all(group);
    for (uint32_t i = 0; i < group->count; i++)
        any |= worker_close_lanes(&group->workers[i], lanes, count);
    for (uint32_t i = 0; any && i < group->count; i++)
        return_spans(&group->workers[i]);
}
