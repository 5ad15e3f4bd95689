/*
 * verdict: traces that are as complete as they will get: repaired, decided, emitted or
 * dropped, remembered, forgotten.
 */
#include "ahead.h"
#include "core/assert.h"
#include "observe.h"

static void remember(struct worker *worker, struct trace_id id, struct decide_verdict decided)
{
    decide_memory_put(worker->verdicts, id, decided);
}

/* Gives back what the spans of a dropped trace hold. */
static void drop_spans(struct worker *worker, window_trace trace)
{
    struct window_walk walk = window_walk_start(worker->window, trace);
    struct window_span span;
    while (window_walk_next(worker->window, trace, &walk, &span)) {
        envelopes_release(&worker->envelopes, span.envelope);
        worker_release(worker, span.record, 1);
    }
}

static void count_verdict(struct worker *worker, bool keep, uint64_t spans)
{
    if (keep)
        worker->counters.traces_kept++;
    else
        worker->counters.traces_dropped++;
    if (!keep && !worker->options->dry_run && worker->observe == NULL)
        worker->counters.dropped_no_policy += spans;
}

static void carry_out(struct worker *worker, const struct plan *plan, struct verdict *verdict)
{
    if (worker->observe != NULL)
        observe_plan(worker, plan, verdict);
    else if (verdict_leaves(worker, verdict->decided))
        emit_plan(worker, plan, verdict);
    else
        drop_spans(worker, plan->trace);
}

/* A trace that stands alone: nearly all of them. */
static void close_plain(struct worker *worker, window_trace trace, const char *reason)
{
    uint32_t spans = window_span_count(worker->window, trace);
    if (spans > 0) {
        struct trace_id id = window_trace_id(worker->window, trace);
        const struct decide_facts *facts = &traces_state(&worker->traces, trace)->facts;
        struct verdict verdict = {
            .decided = decide_verdict(worker->decide, id, facts),
            .reason = reason,
        };
        const struct plan plan = {.trace = trace, .parent = PLAN_NONE, .canonical = id};
        count_verdict(worker, verdict.decided.keep, spans);
        carry_out(worker, &plan, &verdict);
        remember(worker, id, verdict.decided);
    }
    window_close(worker->window, trace);
}

/* The verdict of a root plan, on all that merged into it. */
static void decide_root(struct worker *worker, uint32_t root)
{
    struct plans *plans = &worker->plans;
    struct decide_facts facts;
    decide_facts_init(&facts);
    for (uint32_t i = root; i != PLAN_NONE; i = plans->plans[i].next)
        decide_facts_merge(&facts,
                           &traces_state(&worker->traces, plans->plans[i].trace)->facts);
    struct plan *plan = &plans->plans[root];
    if (plan->forced)
        plan->decided = (struct decide_verdict){.keep = true, .policy = plan->forced_policy};
    else
        plan->decided = decide_verdict(worker->decide, plan->canonical, &facts);
}

static void decide_roots(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->plans.count; i++)
        if (worker->plans.plans[i].root == i)
            decide_root(worker, i);
}

/*
 * Links between the merged traces are rewritten by their aliases, and late spans follow them.  Of
 * what is dropped nothing leaves that could name it: nearly all traces have no alias.
 */
static enum sb_err put_aliases(struct worker *worker)
{
    enum sb_err err = SB_OK;
    for (uint32_t i = 0; err == SB_OK && i < worker->plans.count; i++) {
        const struct plan *plan = &worker->plans.plans[i];
        if (plan->merged && plan_leaves(worker, plan))
            err = aliases_put(&worker->aliases, window_trace_id(worker->window, plan->trace),
                              plan->canonical);
    }
    return err;
}

static void carry_out_root(struct worker *worker, uint32_t root, const char *reason)
{
    const struct plans *plans = &worker->plans;
    const struct plan *decided = &plans->plans[root];
    struct verdict verdict = {
        .decided = decided->decided, .reason = reason, .told = decided->forced};
    if (decided->spans == 0)
        return; /* only stand-ins: nobody ever sent a span of it */
    count_verdict(worker, verdict.decided.keep, decided->spans);
    for (uint32_t i = root; i != PLAN_NONE; i = plans->plans[i].next) {
        const struct plan *plan = &plans->plans[i];
        remember(worker, window_trace_id(worker->window, plan->trace), verdict.decided);
        carry_out(worker, plan, &verdict);
    }
}

static void forget_tree(struct worker *worker)
{
    const struct plans *plans = &worker->plans;
    for (uint32_t i = 0; i < plans->count; i++) {
        traces_free_extra(&worker->traces, plans->plans[i].trace);
        window_close(worker->window, plans->plans[i].trace);
    }
}

static void close_tree(struct worker *worker, window_trace root, const char *reason)
{
    enum sb_err err = plan_tree(worker, root);
    if (err == SB_OK) {
        decide_roots(worker);
        err = plan_place_patches(worker);
    }
    if (err == SB_OK)
        err = put_aliases(worker);
    if (err != SB_OK) {
        /* Memory is short: nothing has changed yet; try again a little later. */
        window_hold(worker->window, root, worker->now_ns);
        return;
    }
    plan_count_repairs(worker);
    for (uint32_t i = 0; i < worker->plans.count; i++) {
        if (worker->plans.plans[i].root == i)
            carry_out_root(worker, i, reason);
    }
    forget_tree(worker);
}

/* What is left at the home of a trace that went to the gathering worker. */
static void close_stub(struct worker *worker, window_trace trace)
{
    struct decide_verdict mark = {.keep = true, .policy = DECIDE_NO_POLICY};
    SB_ASSERT(window_span_count(worker->window, trace) == 0);
    remember(worker, window_trace_id(worker->window, trace), mark);
    traces_free_extra(&worker->traces, trace);
    window_close(worker->window, trace);
}

void verdict_close(struct worker *worker, window_trace trace, const char *reason)
{
    if (traces_state(&worker->traces, trace)->phase == TRACE_FORWARDED) {
        close_stub(worker, trace);
        return;
    }
    window_trace root = traces_root(&worker->traces, trace);
    if (root == WINDOW_NONE) { /* a chain of hops beyond the bound: cut it here */
        traces_detach(&worker->traces, trace);
        root = trace;
    }
    if (traces_extra(&worker->traces, root) == NULL)
        close_plain(worker, root, reason);
    else
        close_tree(worker, root, reason);
}

/* May a tap still tell where this consumer side has its message from? */
static bool tap_may_explain(const struct worker *worker, const struct hop_side *side)
{
    return destinations_tapped(&worker->destinations, side->settings) &&
           sources_tap_time_ns(worker->options->sources, side->settings) < side->start_ns;
}

/* Will the consumer of what was sent here come, as consumers of that destination do? */
static bool consumer_may_come(const struct worker *worker, const struct trace_extra *extra,
                              const struct hop_side *side)
{
    return repair_mode_merges(
               destinations_repair(&worker->destinations, side->settings)->mode) &&
           !traces_consumes(extra, side) &&
           learned_has(&worker->group->learned, side->destination) &&
           !traces_sends_below(&worker->traces, extra, side);
}

static bool has_open_side(const struct worker *worker, window_trace trace)
{
    const struct trace_extra *extra = traces_extra(&worker->traces, trace);
    for (uint32_t at = extra == NULL ? POOL_NONE : extra->first_side; at != POOL_NONE;) {
        const struct side_item *item = traces_side(&worker->traces, at);
        const struct hop_side *side = &item->side;
        if (!item->explained && (side->consumer ? tap_may_explain(worker, side)
                                                : consumer_may_come(worker, extra, side)))
            return true;
        at = item->next;
    }
    return false;
}

/*
 * May more come that belongs to this tree?  A source that has not begun may have the rest of any
 * trace, and an open side of a hop wants its other side.  `hold` bounds both.
 */
static bool is_awaited(const struct worker *worker, window_trace root, bool sources_awaited)
{
    uint64_t until_ns = window_first_seen_ns(worker->window, root) + worker->options->hold_ns;
    if (worker->now_ns >= until_ns)
        return false;
    if (sources_awaited)
        return true;
    for (window_trace trace = root; trace != WINDOW_NONE;
         trace = traces_walk(&worker->traces, root, trace)) {
        if (has_open_side(worker, trace))
            return true;
    }
    return false;
}

bool verdict_run(struct worker *worker, uint32_t budget)
{
    static const char *const reasons[] = {
        [WINDOW_WAIT] = "wait", [WINDOW_AFTER_ROOT] = "after_root", [WINDOW_IDLE] = "idle"};
    bool sources_awaited =
        worker->now_ns <
        atomic_load_explicit(&worker->group->sources_awaited_until_ns, memory_order_relaxed);
    for (; budget > 0; budget--) {
        window_trace trace = window_due(worker->window, worker->now_ns);
        if (trace == WINDOW_NONE)
            return true;
        if (!egress_has_room(&worker->egress))
            return false;
        ahead_prefetch(worker, trace);
        if (is_awaited(worker, trace, sources_awaited))
            window_hold(worker->window, trace, worker->now_ns);
        else
            verdict_close(worker, trace,
                          reasons[window_deadline(worker->window, trace, worker->now_ns)]);
    }
    return true;
}

void verdict_close_all(struct worker *worker)
{
    window_trace trace;
    while (egress_has_room(&worker->egress) &&
           (trace = window_any(worker->window)) != WINDOW_NONE) {
        ahead_prefetch(worker, trace);
        verdict_close(worker, trace, "drain");
    }
}

/* The blocked-intake rule of product.md: the oldest trace gets its verdict now. */
void verdict_make_room(struct worker *worker)
{
    window_trace oldest = window_oldest(worker->window);
    if (oldest == WINDOW_NONE)
        oldest = window_any(worker->window);
    if (oldest == WINDOW_NONE || !egress_has_room(&worker->egress)) {
        worker_wait_for_sinks(worker); /* it is not the budget: memory is short */
        return;
    }
    worker->counters.pressure_decisions++;
    verdict_close(worker, oldest, "pressure");
}
