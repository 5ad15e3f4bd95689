/*
 * traces: extras in pools, trees as first-member and next-member lists.
 */
#include "traces.h"

#include "core/assert.h"

enum { EXTRA_CHUNK_BITS = 8, ITEM_CHUNK_BITS = 8 };

/* Deeper chains of hops than this are cut: their verdict would wait for ever longer. */
enum { TREE_DEPTH_MAX = 64 };

void traces_init(struct traces *traces, struct window *window)
{
    traces->window = window;
    pool_init(&traces->extras, sizeof(struct trace_extra), EXTRA_CHUNK_BITS);
    pool_init(&traces->sides, sizeof(struct side_item), ITEM_CHUNK_BITS);
    pool_init(&traces->evidence, sizeof(struct evidence_item), ITEM_CHUNK_BITS);
}

void traces_clear(struct traces *traces)
{
    if (traces->window == NULL)
        return; /* its turn to be made never came */
    pool_clear(&traces->evidence);
    pool_clear(&traces->sides);
    pool_clear(&traces->extras);
}

struct trace_extra *traces_need_extra(struct traces *traces, window_trace trace)
{
    struct trace_extra *extra = traces_extra(traces, trace);
    if (extra != NULL)
        return extra;
    uint32_t number = pool_take(&traces->extras);
    if (number == POOL_NONE)
        return NULL;
    extra = pool_at(&traces->extras, number);
    *extra = (struct trace_extra){
        .first_side = POOL_NONE,
        .first_evidence = POOL_NONE,
        .attached_to = WINDOW_NONE,
        .first_member = WINDOW_NONE,
        .next_member = WINDOW_NONE,
    };
    traces_state(traces, trace)->extra = number + 1;
    return extra;
}

static uint64_t destination_bit(const struct hop_side *side)
{
    return UINT64_C(1) << side->destination % 64;
}

/* Evidence may come before the span that it explains. */
static bool has_evidence(const struct traces *traces, const struct trace_extra *extra,
                         struct span_id consumer)
{
    for (uint32_t at = extra->first_evidence; at != POOL_NONE;) {
        const struct evidence_item *item = traces_evidence(traces, at);
        if (span_id_equal(item->join.consumer.span_id, consumer))
            return true;
        at = item->next;
    }
    return false;
}

/* Sides of spans that came last stand first: where there are thousands, the rest is let be. */
enum { SIDES_EXPLAINED_MAX = 4096 };

static void explain(const struct traces *traces, const struct trace_extra *extra,
                    struct span_id span)
{
    uint32_t left = SIDES_EXPLAINED_MAX;
    for (uint32_t at = extra->first_side; at != POOL_NONE && left > 0; left--) {
        struct side_item *item = traces_side(traces, at);
        item->explained |= span_id_equal(item->side.span_id, span);
        at = item->next;
    }
}

/* A join may come before the span that sent. */
static bool has_consumer(const struct traces *traces, const struct trace_extra *extra,
                         struct span_id producer)
{
    uint32_t left = SIDES_EXPLAINED_MAX;
    window_trace member = extra->first_member;
    for (; member != WINDOW_NONE && left > 0; left--) {
        const struct evidence_item *item = traces_attachment(traces, member);
        SB_ASSERT(item != NULL);
        if (span_id_equal(item->join.producer.span_id, producer))
            return true;
        member = traces_extra(traces, member)->next_member;
    }
    return false;
}

enum sb_err traces_add_side(struct traces *traces, window_trace trace,
                            const struct hop_side *side)
{
    struct trace_extra *extra = traces_need_extra(traces, trace);
    uint32_t number = extra == NULL ? POOL_NONE : pool_take(&traces->sides);
    if (number == POOL_NONE)
        return SB_ERR_MEMORY;
    struct side_item *item = pool_at(&traces->sides, number);
    *item = (struct side_item){.side = *side, .next = extra->first_side};
    item->explained = side->consumer ? has_evidence(traces, extra, side->span_id)
                                     : has_consumer(traces, extra, side->span_id);
    extra->first_side = number;
    if (side->consumer)
        extra->consumed |= destination_bit(side);
    return SB_OK;
}

void traces_explain_producer(const struct traces *traces, window_trace trace,
                             struct span_id producer)
{
    const struct trace_extra *extra = traces_extra(traces, trace);
    if (extra != NULL)
        explain(traces, extra, producer);
}

bool traces_consumes(const struct trace_extra *extra, const struct hop_side *sent)
{
    return (extra->consumed & destination_bit(sent)) != 0;
}

bool traces_sends_below(const struct traces *traces, const struct trace_extra *extra,
                        const struct hop_side *sent)
{
    uint32_t left = SIDES_EXPLAINED_MAX;
    for (uint32_t at = extra->first_side; at != POOL_NONE && left > 0; left--) {
        const struct side_item *item = traces_side(traces, at);
        if (!item->side.consumer && item->side.destination == sent->destination &&
            span_id_equal(item->side.parent_id, sent->span_id))
            return true;
        at = item->next;
    }
    return false;
}

static bool same_evidence(const struct repair_join *a, const struct repair_join *b)
{
    return a->rule == b->rule && span_id_equal(a->consumer.span_id, b->consumer.span_id) &&
           trace_id_equal(a->producer.trace_id, b->producer.trace_id) &&
           span_id_equal(a->producer.span_id, b->producer.span_id);
}

enum sb_err traces_add_evidence(struct traces *traces, window_trace trace,
                                const struct repair_join *join, uint16_t settings,
                                struct evidence_item **ret_item)
{
    struct trace_extra *extra = traces_need_extra(traces, trace);
    if (extra == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t at = extra->first_evidence; at != POOL_NONE;) {
        const struct evidence_item *item = traces_evidence(traces, at);
        if (same_evidence(&item->join, join)) {
            *ret_item = NULL;
            return SB_OK;
        }
        at = item->next;
    }
    if (extra->evidence_count >= TRACES_EVIDENCE_MAX)
        return SB_ERR_LIMIT;
    uint32_t number = pool_take(&traces->evidence);
    if (number == POOL_NONE)
        return SB_ERR_MEMORY;
    struct evidence_item *item = pool_at(&traces->evidence, number);
    *item = (struct evidence_item){
        .join = *join, .settings = settings, .next = extra->first_evidence};
    extra->first_evidence = number;
    extra->evidence_count++;
    explain(traces, extra, join->consumer.span_id);
    *ret_item = item;
    return SB_OK;
}

const struct hop_side *traces_find_side(const struct traces *traces, window_trace trace,
                                        struct span_id span)
{
    const struct trace_extra *extra = traces_extra(traces, trace);
    if (extra == NULL)
        return NULL;
    for (uint32_t at = extra->first_side; at != POOL_NONE;) {
        const struct side_item *item = traces_side(traces, at);
        if (span_id_equal(item->side.span_id, span))
            return &item->side;
        at = item->next;
    }
    return NULL;
}

/* The list the other way round; returns its new first item. */
static uint32_t turn_sides(struct traces *traces, uint32_t at)
{
    uint32_t first = POOL_NONE;
    while (at != POOL_NONE) {
        struct side_item *item = traces_side(traces, at);
        uint32_t next = item->next;
        item->next = first;
        first = at;
        at = next;
    }
    return first;
}

static void keep_side(struct traces *traces, struct trace_extra *extra, uint32_t number)
{
    struct side_item *item = traces_side(traces, number);
    item->next = extra->first_side;
    extra->first_side = number;
    if (item->side.consumer)
        extra->consumed |= destination_bit(&item->side);
}

/*
 * Sides stand in the order of their spans, the youngest first: turned round, one walk over both
 * finds whose is whose, also where a span was delivered twice.
 */
void traces_take_out_sides(struct traces *traces, window_trace trace, window_span_fn is_taken,
                           traces_side_fn on_side, void *arg)
{
    struct trace_extra *extra = traces_extra(traces, trace);
    uint32_t at = extra == NULL ? POOL_NONE : turn_sides(traces, extra->first_side);
    if (at == POOL_NONE)
        return;
    extra->first_side = POOL_NONE;
    extra->consumed = 0;
    struct window_walk walk = window_walk_start(traces->window, trace);
    struct window_span span;
    while (at != POOL_NONE && window_walk_next(traces->window, trace, &walk, &span)) {
        struct side_item *item = traces_side(traces, at);
        uint32_t next = item->next;
        struct otlp_span scanned;
        otlp_scan_span(span.raw, &scanned);
        if (!span_id_equal(item->side.span_id, span_id_load(scanned.span_id)))
            continue;
        if (is_taken(arg, &span)) {
            on_side(arg, window_trace_id(traces->window, trace), &item->side);
            pool_give(&traces->sides, at);
        } else {
            keep_side(traces, extra, at);
        }
        at = next;
    }
    SB_ASSERT(at == POOL_NONE);
}

window_trace traces_root(const struct traces *traces, window_trace trace)
{
    for (int depth = 0; depth < TREE_DEPTH_MAX; depth++) {
        const struct trace_extra *extra = traces_extra(traces, trace);
        if (extra == NULL || extra->attached_to == WINDOW_NONE)
            return trace;
        trace = extra->attached_to;
    }
    return WINDOW_NONE;
}

window_trace traces_walk(const struct traces *traces, window_trace root, window_trace trace)
{
    const struct trace_extra *extra = traces_extra(traces, trace);
    if (extra == NULL)
        return WINDOW_NONE; /* stands alone */
    if (extra->first_member != WINDOW_NONE)
        return extra->first_member;
    while (trace != root) {
        extra = traces_extra(traces, trace);
        if (extra->next_member != WINDOW_NONE)
            return extra->next_member;
        trace = extra->attached_to;
    }
    return WINDOW_NONE;
}

bool traces_is_below(const struct traces *traces, window_trace trace, window_trace above)
{
    for (int depth = 0; depth < TREE_DEPTH_MAX; depth++) {
        const struct trace_extra *extra = traces_extra(traces, trace);
        if (extra == NULL || extra->attached_to == WINDOW_NONE)
            return false;
        trace = extra->attached_to;
        if (trace == above)
            return true;
    }
    return true;
}

struct evidence_item *traces_attachment(const struct traces *traces, window_trace trace)
{
    const struct trace_extra *extra = traces_extra(traces, trace);
    if (extra == NULL || extra->attached_to == WINDOW_NONE)
        return NULL;
    struct evidence_item *item = traces_evidence(traces, extra->first_evidence);
    while (item != NULL && !item->attaches)
        item = traces_evidence(traces, item->next);
    return item;
}

void traces_attach(struct traces *traces, window_trace producer, window_trace member)
{
    struct trace_extra *above = traces_extra(traces, producer);
    struct trace_extra *below = traces_extra(traces, member);
    SB_ASSERT(above != NULL && below != NULL && below->attached_to == WINDOW_NONE);
    below->attached_to = producer;
    below->next_member = above->first_member;
    above->first_member = member;
}

void traces_detach(struct traces *traces, window_trace member)
{
    struct trace_extra *below = traces_extra(traces, member);
    SB_ASSERT(below != NULL && below->attached_to != WINDOW_NONE);
    struct trace_extra *above = traces_extra(traces, below->attached_to);
    window_trace *at = &above->first_member;
    while (*at != member)
        at = &traces_extra(traces, *at)->next_member;
    *at = below->next_member;
    below->attached_to = WINDOW_NONE;
    below->next_member = WINDOW_NONE;
}

void traces_free_extra(struct traces *traces, window_trace trace)
{
    struct trace_state *state = traces_state(traces, trace);
    if (state->extra == 0)
        return;
    struct trace_extra *extra = pool_at(&traces->extras, state->extra - 1);
    while (extra->first_side != POOL_NONE) {
        uint32_t number = extra->first_side;
        extra->first_side = traces_side(traces, number)->next;
        pool_give(&traces->sides, number);
    }
    while (extra->first_evidence != POOL_NONE) {
        uint32_t number = extra->first_evidence;
        extra->first_evidence = traces_evidence(traces, number)->next;
        pool_give(&traces->evidence, number);
    }
    pool_give(&traces->extras, state->extra - 1);
    state->extra = 0;
}
