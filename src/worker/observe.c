/*
 * observe: in place of emit, the hops of planned traces are counted, and their spans released.
 */
#include "observe.h"

#include "core/hash.h"
#include "core/memory.h"
#include "emit.h"
#include "otlp/value.h"
#include "repair/survey.h"

/* Asks the owner of a coordinate why a broken hop has no evidence; it counts the answer itself. */
struct look_message {
    struct repair_key key;
    struct trace_id trace;
    uint64_t rows[WORKER_BY_COUNT]; /* ids */
    bool tapped;
};

/* What the spans of one hop or of one producer are counted under. */
struct names {
    struct bytes destination;
    struct bytes service;
    struct bytes library;
    uint16_t settings;
    bool rabbitmq;
};

enum sb_err observe_new(const struct worker *worker, struct observe **ret)
{
    struct observe *observe = memory_zalloc(1, sizeof(*observe));
    if (observe == NULL)
        return SB_ERR_MEMORY;
    uint16_t id;
    observe->seed = worker->group->hash_seed;
    observe->unnamed = repair_destination_hash((struct bytes){0});
    observe->topics =
        memory_zalloc((size_t)worker->options->topic_count + 1, sizeof(*observe->topics));
    enum sb_err err = observe->topics == NULL ? SB_ERR_MEMORY : otlp_keys_new(&observe->keys);
    if (err == SB_OK)
        err = otlp_keys_add(observe->keys, BYTES_LITERAL("service.name"), &id);
    for (int by = 0; err == SB_OK && by < WORKER_BY_COUNT; by++)
        err = observe_table_init(&observe->tables[by]);
    if (err != SB_OK) {
        observe_free(observe);
        return err;
    }
    *ret = observe;
    return SB_OK;
}

void observe_free(struct observe *observe)
{
    if (observe == NULL)
        return;
    for (int by = 0; by < WORKER_BY_COUNT; by++)
        observe_table_clear(&observe->tables[by]);
    otlp_keys_free(observe->keys);
    memory_free(observe->topics);
    memory_free(observe->hops);
    memory_free(observe->notes);
    memory_free(observe);
}

void observe_open_lane(struct worker *worker)
{
    if (worker->options->observe_from_now)
        atomic_store_explicit(&worker->group->observe_since_ns,
                              clock_wall_ns(worker->options->clock), memory_order_relaxed);
}

/* ---- rows ---- */

static void read_service(void *arg, const struct otlp_hit *hit)
{
    struct otlp_value value = otlp_value_read(hit->value);
    if (value.type == OTLP_VALUE_STRING)
        ((struct names *)arg)->service = value.bytes;
}

static void read_names(const struct observe *observe, const struct repair_fact *fact,
                       const struct otlp_envelope *envelope, const struct hop_side *side,
                       struct names *ret)
{
    struct bytes version;
    *ret = (struct names){
        .destination = fact->destination,
        .settings = side->settings,
        .rabbitmq = fact->system == REPAIR_SYSTEM_RABBITMQ,
    };
    otlp_scan_resource(envelope->resource_fields, observe->keys, read_service, ret);
    otlp_scan_scope(envelope->scope_fields, &ret->library, &version);
}

static void copy_name(char ret[WORKER_NAME_LEN], struct bytes name)
{
    size_t len = name.len < WORKER_NAME_LEN ? name.len : WORKER_NAME_LEN - 1;
    for (size_t i = 0; i < len; i++)
        ret[i] = (char)(name.at[i] >= ' ' && name.at[i] <= '~' ? name.at[i] : '?');
    ret[len] = '\0';
}

/* The row of each table that these names belong to. */
static void find_rows(struct observe *observe, const struct names *names,
                      struct worker_observed_row *ret[WORKER_BY_COUNT])
{
    static const struct bytes none = {0};
    for (int by = 0; by < WORKER_BY_COUNT; by++) {
        bool all = by == WORKER_BY_HOP;
        struct bytes destination =
            all || by == WORKER_BY_DESTINATION ? names->destination : none;
        struct bytes service = all || by == WORKER_BY_SERVICE ? names->service : none;
        struct bytes library = all || by == WORKER_BY_LIBRARY ? names->library : none;
        uint64_t id =
            hash_bytes(library, hash_bytes(service, hash_bytes(destination, observe->seed)));
        ret[by] = observe_row(&observe->tables[by], id);
        if (ret[by]->named || ret[by]->id == 0)
            continue;
        ret[by]->named = true;
        ret[by]->settings = names->settings;
        ret[by]->rabbitmq = names->rabbitmq;
        copy_name(ret[by]->destination, destination);
        copy_name(ret[by]->service, service);
        copy_name(ret[by]->library, library);
    }
}

static void count(struct worker_observed_row *const rows[WORKER_BY_COUNT],
                  enum worker_hop_counter counter)
{
    for (int by = 0; by < WORKER_BY_COUNT; by++)
        rows[by]->counts[counter]++;
}

/* ---- why, and what would be done ---- */

/* Does the coordinate's owner know more of its message? */
static void look(struct worker *worker, const struct hop_side *side, struct trace_id trace,
                 struct worker_observed_row *const rows[WORKER_BY_COUNT])
{
    struct look_message message = {
        .key = side->key,
        .trace = trace,
        .tapped = destinations_tapped(&worker->destinations, side->settings),
    };
    for (int by = 0; by < WORKER_BY_COUNT; by++)
        message.rows[by] = rows[by]->id;
    uint32_t owner = gather_owner_of_key(worker, side->key);
    if (exchange_send(&worker->exchange, owner, MESSAGE_LOOK,
                      bytes_of(&message, sizeof(message)), (struct bytes){0}) != SB_OK)
        worker->counters.hops_forgotten++;
}

void observe_receive_look(struct worker *worker, struct bytes body)
{
    struct look_message message;
    struct repair_context producer;
    struct worker_observed_row *rows[WORKER_BY_COUNT];
    memcpy(&message, body.at, sizeof(message));
    for (int by = 0; by < WORKER_BY_COUNT; by++)
        rows[by] = observe_row(&worker->observe->tables[by], message.rows[by]);
    switch (repair_hops_look(worker->hops, message.key, &producer)) {
    case REPAIR_SIGHT_NOTHING:
        count(rows, message.tapped ? WORKER_HOP_record_not_seen : WORKER_HOP_topic_not_read);
        break;
    case REPAIR_SIGHT_BARE:
        count(rows, WORKER_HOP_record_bare);
        break;
    case REPAIR_SIGHT_AMBIGUOUS:
        count(rows, WORKER_HOP_ambiguous);
        break;
    case REPAIR_SIGHT_CLEAR:
        count(rows, trace_id_equal(producer.trace_id, message.trace)
                        ? WORKER_HOP_same_trace
                        : WORKER_HOP_evidence_late);
        break;
    }
}

static bool acts(const struct evidence_item *item)
{
    return item->counts && item->result != WORKER_REPAIR_AMBIGUOUS;
}

/* Did nothing but its name come of the producer's trace? */
static bool producer_is_unseen(const struct worker *worker, const struct plan *plan,
                               const struct evidence_item *item)
{
    if (!item->attaches || plan->parent == PLAN_NONE)
        return false;
    window_trace above = worker->plans.plans[plan->parent].trace;
    const struct trace_extra *extra = traces_extra(&worker->traces, above);
    return window_span_count(worker->window, above) == 0 && !(extra != NULL && extra->decided);
}

static void count_repair(struct worker *worker, const struct plan *plan,
                         const struct evidence_item *item,
                         struct worker_observed_row *const rows[WORKER_BY_COUNT])
{
    static const enum worker_hop_counter rules[REPAIR_RULE_COUNT] = {
        [REPAIR_RULE_LINK] = WORKER_HOP_by_link,
        [REPAIR_RULE_COORDINATE] = WORKER_HOP_by_coordinate,
        [REPAIR_RULE_HEADER_AT_COORDINATE] = WORKER_HOP_by_header,
    };
    enum repair_mode mode = destinations_repair(&worker->destinations, item->settings)->mode;
    count(rows, rules[item->join.rule]);
    if (mode == REPAIR_REPORT)
        count(rows, WORKER_HOP_only_reported);
    else if (acts(item) ? item->result == WORKER_REPAIRED_PARENT : plan->merged)
        count(rows, WORKER_HOP_repaired_parent);
    else
        count(rows, WORKER_HOP_repaired_link);
    if (mode != REPAIR_REPORT && producer_is_unseen(worker, plan, item))
        count(rows, WORKER_HOP_producer_unseen);
}

static void count_broken(struct worker *worker, const struct plan *plan, uint32_t span,
                         struct worker_observed_row *const rows[WORKER_BY_COUNT])
{
    struct observe *observe = worker->observe;
    const struct observe_hop *note = &observe->notes[span];
    const struct evidence_item *item = note->evidence;
    count(rows, WORKER_HOP_broken);
    for (int by = 0; by < WORKER_BY_COUNT; by++) {
        if (rows[by]->last_trace != observe->traces)
            rows[by]->counts[WORKER_HOP_broken_traces]++;
        rows[by]->last_trace = observe->traces;
    }
    if (item != NULL && item->left_out && !item->counts)
        count(rows, WORKER_HOP_links_max);
    else if (item != NULL && item->counts && !acts(item))
        count(rows, WORKER_HOP_ambiguous);
    else if (item != NULL) /* if it does not act itself, other evidence of the message does */
        count_repair(worker, plan, item, rows);
    else if (note->coordinate != NULL)
        look(worker, note->coordinate, window_trace_id(worker->window, plan->trace), rows);
    else
        count(rows, observe->hops[span].batch ? WORKER_HOP_batch : WORKER_HOP_names_nothing);
}

/* ---- one trace ---- */

static enum sb_err grow(struct observe *observe, uint32_t spans)
{
    if (spans <= observe->room)
        return SB_OK;
    struct repair_hop *hops = memory_realloc(observe->hops, spans, sizeof(*hops));
    if (hops == NULL)
        return SB_ERR_MEMORY;
    observe->hops = hops;
    struct observe_hop *notes = memory_realloc(observe->notes, spans, sizeof(*notes));
    if (notes == NULL)
        return SB_ERR_MEMORY;
    observe->notes = notes;
    observe->room = spans;
    return SB_OK;
}

/* Sides stand in the order of their spans, the youngest first. */
static void note_sides(struct worker *worker, window_trace trace, uint32_t spans)
{
    struct observe *observe = worker->observe;
    const struct trace_extra *extra = traces_extra(&worker->traces, trace);
    const struct side_item *item =
        extra == NULL ? NULL : traces_side(&worker->traces, extra->first_side);
    for (uint32_t i = spans; i-- > 0;) {
        struct repair_span *span = &worker->plans.spans[i];
        observe->notes[i] = (struct observe_hop){0};
        span->role = REPAIR_ROLE_UNKNOWN;
        if (item == NULL || !span_id_equal(item->side.span_id, span->span_id))
            continue;
        const struct hop_side *side = &item->side;
        observe->notes[i].side = side;
        span->role = side->role;
        span->batch_count = side->batch_count;
        span->destination = side->destination == observe->unnamed ? 0 : side->destination;
        item = traces_side(&worker->traces, item->next);
    }
}

/*
 * Clients that poll make a span for it, without a single messaging attribute: what it took in is
 * said by the spans below it, if it took in anything.
 */
static void pass_over_polls(struct worker *worker, window_trace trace)
{
    struct window_walk walk = window_walk_start(worker->window, trace);
    struct window_span span;
    for (uint32_t i = 0; window_walk_next(worker->window, trace, &walk, &span); i++) {
        const struct hop_side *side = worker->observe->notes[i].side;
        if (side == NULL || !side->consumer || side->has_link ||
            worker->plans.spans[i].destination != 0)
            continue;
        struct otlp_span scanned;
        struct repair_fact fact;
        otlp_scan_span(span.raw, &scanned);
        emit_read_fact(worker, &scanned, &envelopes_at(&worker->envelopes, span.envelope)->view,
                       &fact);
        if (!fact.any)
            worker->plans.spans[i].role = REPAIR_ROLE_UNKNOWN;
    }
}

static int strength(const struct evidence_item *item)
{
    if (item == NULL)
        return 0;
    if (acts(item))
        return item->result == WORKER_REPAIRED_PARENT ? 5 : 4;
    return item->counts ? 3 : item->left_out ? 2 : 1;
}

/* What is known of each message goes to the span that stands for it. */
static void note_evidence(struct worker *worker, window_trace trace, uint32_t spans)
{
    struct observe *observe = worker->observe;
    const struct trace_extra *extra = traces_extra(&worker->traces, trace);
    for (uint32_t i = 0; i < spans; i++) {
        const struct hop_side *side = observe->notes[i].side;
        uint32_t stand = observe->hops[i].stand;
        if (side != NULL && side->has_key && stand != REPAIR_NO_SPAN &&
            (observe->notes[stand].coordinate == NULL || stand == i))
            observe->notes[stand].coordinate = side;
    }
    for (uint32_t at = extra == NULL ? POOL_NONE : extra->first_evidence; at != POOL_NONE;) {
        const struct evidence_item *item = traces_evidence(&worker->traces, at);
        uint32_t span = repair_survey_find(worker->plans.scratch, item->join.consumer.span_id);
        uint32_t stand = span == REPAIR_NO_SPAN ? span : observe->hops[span].stand;
        if (stand != REPAIR_NO_SPAN &&
            strength(item) > strength(observe->notes[stand].evidence))
            observe->notes[stand].evidence = item;
        at = item->next;
    }
}

/* Counts a span's side of a hop; true: it is broken. */
static bool count_side(struct worker *worker, const struct plan *plan, uint32_t number,
                       const struct window_span *span)
{
    struct observe *observe = worker->observe;
    const struct hop_side *side = observe->notes[number].side;
    uint8_t state = observe->hops[number].state;
    if (side == NULL || (side->consumer && state == REPAIR_HOP_NONE))
        return false;
    const struct otlp_envelope *envelope =
        &envelopes_at(&worker->envelopes, span->envelope)->view;
    struct worker_observed_row *rows[WORKER_BY_COUNT];
    struct otlp_span scanned;
    struct repair_fact fact;
    struct names names;
    otlp_scan_span(span->raw, &scanned);
    emit_read_fact(worker, &scanned, envelope, &fact);
    read_names(observe, &fact, envelope, side, &names);
    find_rows(observe, &names, rows);
    if (!side->consumer) {
        count(rows, WORKER_HOP_sent);
        for (int by = 0; by < WORKER_BY_COUNT; by++) {
            if (rows[by]->last_sender != observe->traces)
                rows[by]->counts[WORKER_HOP_sent_traces]++;
            rows[by]->last_sender = observe->traces;
        }
        return false;
    }
    if (state == REPAIR_HOP_INTACT)
        count(rows, WORKER_HOP_intact);
    else
        count_broken(worker, plan, number, rows);
    return state == REPAIR_HOP_BROKEN;
}

static bool count_sides(struct worker *worker, const struct plan *plan)
{
    struct window_walk walk = window_walk_start(worker->window, plan->trace);
    struct window_span span;
    bool broken = false;
    for (uint32_t i = 0; window_walk_next(worker->window, plan->trace, &walk, &span); i++)
        broken |= count_side(worker, plan, i, &span);
    return broken;
}

static bool is_cut(const struct worker *worker, uint32_t spans)
{
    uint64_t since_ns =
        atomic_load_explicit(&worker->group->observe_since_ns, memory_order_relaxed);
    for (uint32_t i = 0; i < spans; i++)
        if (worker->plans.spans[i].start_ns < since_ns)
            return true;
    return false;
}

/* What a real run would count of orphans, see emit.c; true: there are some. */
static bool count_orphans(struct worker *worker, const struct plan *plan, bool keep,
                          uint32_t spans)
{
    enum { ORPHANS_MAX = 64 };
    struct repair_orphan orphans[ORPHANS_MAX];
    bool would_look = keep && !plan->merged;
    bool adopts = would_look && worker->options->default_repair.adopt_root;
    uint32_t found = repair_find_orphans(worker->plans.scratch, worker->plans.spans, spans,
                                         adopts, orphans, adopts ? ORPHANS_MAX : 1);
    worker->counters.incomplete_traces += would_look && found > 0;
    for (uint32_t i = 0; adopts && i < found; i++) {
        if (orphans[i].adopter < 0)
            continue;
        worker->counters.adopted_spans++;
        worker->counters.repairs[REPAIR_RULE_SAME_TRACE][WORKER_REPAIRED_PARENT]++;
    }
    return found > 0;
}

/* False: memory is short. */
static bool judge(struct worker *worker, const struct plan *plan, bool keep)
{
    struct observe *observe = worker->observe;
    uint32_t spans;
    if (plan_list_spans(worker, plan->trace, &spans) != SB_OK || grow(observe, spans) != SB_OK)
        return false;
    bool orphaned = count_orphans(worker, plan, keep, spans);
    if (is_cut(worker, spans)) {
        observe->counts.cut++;
        return true;
    }
    note_sides(worker, plan->trace, spans);
    pass_over_polls(worker, plan->trace);
    if (repair_survey(worker->plans.scratch, worker->plans.spans, spans, observe->hops) !=
        SB_OK)
        return false;
    note_evidence(worker, plan->trace, spans);
    bool broken = count_sides(worker, plan);
    observe->counts.broken += broken;
    observe->counts.missing_parent += orphaned;
    observe->counts.complete += !broken && !orphaned;
    return true;
}

static void count_reason(struct observe *observe, const char *reason)
{
    for (int i = 0; i < WORKER_OBSERVED_REASON_COUNT; i++)
        if (strcmp(worker_observed_reason_text((enum worker_observed_reason)i), reason) == 0)
            observe->counts.reasons[i]++;
}

static void release_spans(struct worker *worker, window_trace trace)
{
    struct window_walk walk = window_walk_start(worker->window, trace);
    struct window_span span;
    while (window_walk_next(worker->window, trace, &walk, &span)) {
        envelopes_release(&worker->envelopes, span.envelope);
        worker_release(worker, span.record, 1);
        worker->counters.observed++;
    }
}

void observe_plan(struct worker *worker, const struct plan *plan, const struct verdict *verdict)
{
    struct observe *observe = worker->observe;
    if (window_span_count(worker->window, plan->trace) == 0)
        return; /* a stand-in: nobody ever sent a span of it */
    observe->traces++;
    observe->counts.traces++;
    observe->counts.joined += plan->merged;
    observe->counts.unknown += !judge(worker, plan, verdict->decided.keep);
    count_reason(observe, verdict->reason);
    release_spans(worker, plan->trace);
}

void observe_late(struct worker *worker, const struct arrival *arrival)
{
    worker->counters.observed++;
    worker_release(worker, arrival->record, 1);
}

void observe_message(struct worker *worker, uint32_t topic, bool has_context, bool malformed)
{
    struct worker_observed_topic *counts = &worker->observe->topics[topic];
    counts->with_context += has_context;
    counts->without_context += !has_context;
    counts->malformed += malformed;
}
