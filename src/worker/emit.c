/*
 * emit: the spans of kept traces leave for the batches, patched but otherwise as they came.
 *
 * A patch is appended fields: see otlp/write.h.  Every span whose ids changed says what they
 * were, and every repair says why, so that all of it can be undone from the output alone.
 */
#include "emit.h"

#include <stdio.h>

#include "otlp/value.h"
#include "otlp/write.h"

enum { LINK_ATTRIBUTES = 4, RESOURCE_ATTRIBUTES = 1, EVIDENCE_LEN = 384 };

static void put_text(struct text *out, uint32_t field, const char *key, const char *value)
{
    otlp_write_string_attribute(out, field, bytes_text(key), bytes_text(value));
}

static void put_trace_id(struct text *out, const char *key, struct trace_id id)
{
    char hex[TRACE_ID_HEX_LEN + 1];
    trace_id_format(id, hex);
    put_text(out, OTLP_SPAN_ATTRIBUTES, key, hex);
}

static void put_span_id(struct text *out, const char *key, struct span_id id)
{
    char hex[SPAN_ID_HEX_LEN + 1];
    span_id_format(id, hex);
    put_text(out, OTLP_SPAN_ATTRIBUTES, key, hex);
}

/*
 * Adds the span to the batches.  Memory that is short now is not a reason to lose a span
 * that has its verdict: wait until batches come back.
 */
static void add(struct worker *worker, const struct egress_span *span)
{
    while (egress_add(&worker->egress, span, worker->now_ns) != SB_OK)
        worker_wait_for_sinks(worker);
}

struct hop_text {
    char evidence[EVIDENCE_LEN];
    struct bytes system;
    struct bytes destination;
    int64_t partition;
    int64_t offset;
};

/* The hop's coordinate is not kept as text: it is read again from the consumer's span. */
static void read_consumer(struct worker *worker, window_trace trace, struct span_id id,
                          struct repair_fact *ret)
{
    struct window_walk walk = window_walk_start(worker->window, trace);
    struct window_span span;
    while (window_walk_next(worker->window, trace, &walk, &span)) {
        struct otlp_span scanned;
        otlp_scan_span(span.raw, &scanned);
        if (!span_id_equal(span_id_load(scanned.span_id), id))
            continue;
        emit_read_fact(worker, &scanned, &envelopes_at(&worker->envelopes, span.envelope)->view,
                       ret);
        return;
    }
    repair_fact_init(ret);
}

static void read_hop(struct worker *worker, const struct plan *plan,
                     const struct evidence_item *item, struct hop_text *ret)
{
    struct repair_fact fact;
    read_consumer(worker, plan->trace, item->join.consumer.span_id, &fact);
    *ret = (struct hop_text){
        .destination = fact.destination,
        .partition = fact.partition,
        .offset = fact.offset,
        .system = fact.system == REPAIR_SYSTEM_RABBITMQ ? BYTES_LITERAL("rabbitmq")
                                                        : BYTES_LITERAL("kafka"),
    };
    if (item->join.rule == REPAIR_RULE_LINK) {
        char trace[TRACE_ID_HEX_LEN + 1];
        char span[SPAN_ID_HEX_LEN + 1];
        trace_id_format(item->join.producer.trace_id, trace);
        span_id_format(item->join.producer.span_id, span);
        snprintf(ret->evidence, sizeof(ret->evidence), "%s-%s", trace, span);
    } else {
        snprintf(ret->evidence, sizeof(ret->evidence), "%.*s/%lld/%lld",
                 (int)(fact.destination.len < 256 ? fact.destination.len : 256),
                 (const char *)fact.destination.at, (long long)fact.partition,
                 (long long)fact.offset);
    }
}

static void put_repair(struct text *out, uint32_t field, const struct evidence_item *item,
                       const char *action, const char *evidence)
{
    const char class[2] = {repair_rule_class(item->join.rule), '\0'};
    put_text(out, field, "spanbridge.repair.rule", repair_rule_text(item->join.rule));
    put_text(out, field, "spanbridge.repair.class", class);
    put_text(out, field, "spanbridge.repair.action", action);
    put_text(out, field, "spanbridge.repair.evidence", evidence);
}

/* What one span of a plan needs while it is written. */
struct emission {
    struct worker *worker;
    const struct plan *plan;
    const struct verdict *verdict;
    const struct otlp_span *span;
};

static bool has_queue_span(const struct worker *worker, const struct span_patch *patch)
{
    return patch->queued_ns != 0 &&
           destinations_repair(&worker->destinations, patch->evidence->settings)->queue_span;
}

static void put_link(struct emission *emission, const struct evidence_item *item,
                     const struct hop_text *hop)
{
    struct text attributes;
    text_init(&attributes, 4096);
    put_repair(&attributes, LINK_ATTRIBUTES, item, "link", hop->evidence);
    struct trace_id target = item->join.producer.trace_id;
    aliases_get(&emission->worker->aliases, target, &target);
    otlp_write_link(&emission->worker->patch, target, item->join.producer.span_id,
                    item->join.producer.flags, (struct bytes){0}, text_bytes(&attributes));
    text_clear(&attributes);
}

static void put_parent(struct emission *emission, const struct span_patch *patch,
                       const struct hop_text *hop)
{
    struct text *out = &emission->worker->patch;
    const struct evidence_item *item = patch->evidence;
    struct span_id parent = item->join.producer.span_id;
    if (has_queue_span(emission->worker, patch))
        parent = repair_queue_span_id(item->join.key, item->join.consumer.span_id);
    otlp_patch_parent_id(out, parent);
    otlp_patch_flags(out, emission->span->flags | OTLP_FLAGS_REMOTE_KNOWN | OTLP_FLAGS_REMOTE);
    if (emission->span->parent_id != NULL)
        put_span_id(out, "spanbridge.repair.original_parent_span_id",
                    span_id_load(emission->span->parent_id));
    put_repair(out, OTLP_SPAN_ATTRIBUTES, item, "parent", hop->evidence);
}

/* The time between the queue and the consumer, as a span of its own under the producer. */
static void add_queue_span(struct emission *emission, const struct span_patch *patch,
                           const struct hop_text *hop)
{
    const struct evidence_item *item = patch->evidence;
    struct worker *worker = emission->worker;
    struct text body;
    text_init(&body, 8192);
    struct span_id id = repair_queue_span_id(item->join.key, item->join.consumer.span_id);
    uint64_t end_ns = emission->span->start_ns;
    uint64_t start_ns = patch->queued_ns < end_ns ? patch->queued_ns : end_ns;
    char name[288];
    int name_len = snprintf(name, sizeof(name), "%.*s queue",
                            (int)(hop->destination.len < 256 ? hop->destination.len : 256),
                            (const char *)hop->destination.at);
    otlp_write_bytes_field(&body, OTLP_SPAN_TRACE_ID,
                           bytes_of(emission->plan->canonical.byte, TRACE_ID_LEN));
    otlp_write_bytes_field(&body, OTLP_SPAN_SPAN_ID, bytes_of(id.byte, SPAN_ID_LEN));
    otlp_write_bytes_field(&body, OTLP_SPAN_PARENT_ID,
                           bytes_of(item->join.producer.span_id.byte, SPAN_ID_LEN));
    otlp_write_bytes_field(&body, OTLP_SPAN_NAME, bytes_of(name, (size_t)name_len));
    otlp_write_varint_field(&body, OTLP_SPAN_KIND, OTLP_KIND_INTERNAL);
    otlp_write_fixed64_field(&body, OTLP_SPAN_START, start_ns);
    otlp_write_fixed64_field(&body, OTLP_SPAN_END, end_ns);
    otlp_write_bool_attribute(&body, OTLP_SPAN_ATTRIBUTES,
                              BYTES_LITERAL("spanbridge.synthetic"), true);
    otlp_write_string_attribute(&body, OTLP_SPAN_ATTRIBUTES, BYTES_LITERAL("messaging.system"),
                                hop->system);
    otlp_write_string_attribute(&body, OTLP_SPAN_ATTRIBUTES,
                                BYTES_LITERAL("messaging.destination.name"), hop->destination);
    if (hop->partition >= 0)
        otlp_write_int_attribute(&body, OTLP_SPAN_ATTRIBUTES,
                                 BYTES_LITERAL("messaging.destination.partition.id"),
                                 hop->partition);
    if (hop->offset >= 0)
        otlp_write_int_attribute(&body, OTLP_SPAN_ATTRIBUTES,
                                 BYTES_LITERAL("messaging.kafka.offset"), hop->offset);
    const struct egress_span span = {
        .raw = text_bytes(&body), .envelope = worker->queue_envelope, .record = RECORD_NONE};
    if (body.error == SB_OK) {
        worker->synthetic_out++;
        add(worker, &span);
    }
    text_clear(&body);
}

static void apply_patch(struct emission *emission, const struct span_patch *patch)
{
    struct worker *worker = emission->worker;
    const struct evidence_item *item = patch->evidence;
    struct hop_text hop;
    read_hop(worker, emission->plan, item, &hop);
    if (patch->takes_parent)
        put_parent(emission, patch, &hop);
    if (patch->adds_link)
        put_link(emission, item, &hop);
    if (!patch->is_consumer)
        return;
    uint64_t start_ns = emission->span->start_ns;
    if (item->join.queued_ns != 0) {
        uint64_t dwell_ns =
            start_ns > item->join.queued_ns ? start_ns - item->join.queued_ns : 0;
        otlp_write_int_attribute(&worker->patch, OTLP_SPAN_ATTRIBUTES,
                                 BYTES_LITERAL("spanbridge.dwell_ms"),
                                 (int64_t)(dwell_ns / NS_PER_MS));
    }
    /* Only a hop that became an edge has a place for the queue span in its trace. */
    if (patch->joined && has_queue_span(worker, patch))
        add_queue_span(emission, patch, &hop);
}

static void put_verdict(struct emission *emission)
{
    struct text *out = &emission->worker->patch;
    const char *policy = "no_policy";
    if (emission->verdict->decided.policy != DECIDE_NO_POLICY)
        policy = decide_policy_name(emission->worker->options->decide,
                                    emission->verdict->decided.policy);
    put_text(out, OTLP_SPAN_ATTRIBUTES, "spanbridge.policy", policy);
    put_text(out, OTLP_SPAN_ATTRIBUTES, "spanbridge.complete_reason",
             emission->verdict->reason);
}

/*
 * Links that name a trace which was merged: the new id goes over the old one, in a copy of
 * the span that *ret_raw then shows.  Ids have fixed length, so nothing else moves.
 */
static void rewrite_links(struct emission *emission, struct bytes *ret_raw)
{
    struct worker *worker = emission->worker;
    struct bytes rest = emission->span->raw;
    struct otlp_link link;
    while (otlp_link_next(&rest, &link)) {
        struct trace_id canonical;
        if (link.trace_id == NULL || link.span_id == NULL ||
            !aliases_get(&worker->aliases, trace_id_load(link.trace_id), &canonical))
            continue;
        if (ret_raw->at == emission->span->raw.at) {
            text_reset(&worker->rewritten);
            text_append(&worker->rewritten, emission->span->raw);
            *ret_raw = text_bytes(&worker->rewritten);
        }
        memcpy(worker->rewritten.at + (link.trace_id - emission->span->raw.at), canonical.byte,
               TRACE_ID_LEN);
        char trace[TRACE_ID_HEX_LEN + 1];
        char span[SPAN_ID_HEX_LEN + 1];
        trace_id_format(trace_id_load(link.trace_id), trace);
        span_id_format(span_id_load(link.span_id), span);
        if (worker->original_links.len > 0)
            text_append_char(&worker->original_links, ',');
        text_printf(&worker->original_links, "%s-%s", trace, span);
    }
    if (worker->original_links.len > 0)
        put_text(&worker->patch, OTLP_SPAN_ATTRIBUTES, "spanbridge.repair.original_links",
                 text_string(&worker->original_links));
    text_reset(&worker->original_links);
}

/* Writes one span with all its patches; `record` and the envelope's reference go with it. */
static void emit_span(struct emission *emission, const struct window_span *span,
                      const struct span_patch *patches, uint32_t patch_count)
{
    struct worker *worker = emission->worker;
    struct bytes raw = span->raw;
    if (emission->plan->merged) {
        otlp_patch_trace_id(&worker->patch, emission->plan->canonical);
        put_trace_id(&worker->patch, "spanbridge.repair.original_trace_id",
                     trace_id_load(emission->span->trace_id));
    }
    for (uint32_t i = 0; i < patch_count; i++)
        apply_patch(emission, &patches[i]);
    if (emission->span->link_count > 0 && worker->aliases.count > 0)
        rewrite_links(emission, &raw);
    const struct egress_span out = {
        .raw = raw,
        .patch = text_bytes(&worker->patch),
        .envelope = span->envelope,
        .record = span->record,
    };
    add(worker, &out);
    text_reset(&worker->patch);
}

static bool is_patched(const struct span_patch *patch, uint32_t number)
{
    return patch->span == number;
}

/* Patches of span `number`, gathered to the front of the plan's list. */
static uint32_t gather_patches(struct span_patch *patches, uint32_t from, uint32_t count,
                               uint32_t number)
{
    uint32_t found = 0;
    for (uint32_t i = from; i < count; i++) {
        if (!is_patched(&patches[i], number))
            continue;
        struct span_patch swap = patches[from + found];
        patches[from + found] = patches[i];
        patches[i] = swap;
        found++;
    }
    return found;
}

/* The orphan of a kept trace is flagged, and re-parented where the settings say so. */
static void mend_orphan(struct emission *emission, uint32_t number)
{
    struct worker *worker = emission->worker;
    otlp_write_bool_attribute(&worker->patch, OTLP_SPAN_ATTRIBUTES,
                              BYTES_LITERAL("spanbridge.incomplete"), true);
    if (!worker->options->default_repair.adopt_root)
        return;
    int64_t adopter =
        repair_find_adopter(worker->plans.scratch, worker->plans.spans,
                            window_span_count(worker->window, emission->plan->trace), number);
    if (adopter < 0)
        return;
    struct span_id parent = worker->plans.spans[adopter].span_id;
    otlp_patch_parent_id(&worker->patch, parent);
    put_span_id(&worker->patch, "spanbridge.repair.original_parent_span_id",
                span_id_load(emission->span->parent_id));
    put_text(&worker->patch, OTLP_SPAN_ATTRIBUTES, "spanbridge.repair.rule", "same_trace");
    put_text(&worker->patch, OTLP_SPAN_ATTRIBUTES, "spanbridge.repair.class", "A");
    put_text(&worker->patch, OTLP_SPAN_ATTRIBUTES, "spanbridge.repair.action", "parent");
    put_span_id(&worker->patch, "spanbridge.repair.evidence", parent);
    worker->counters.adopted_spans++;
    worker->counters.repairs[REPAIR_RULE_SAME_TRACE][WORKER_REPAIRED_PARENT]++;
}

/* The span whose parent is missing, or -1; only traces that stand alone are looked at. */
static int64_t find_orphan(struct worker *worker, const struct plan *plan)
{
    uint32_t count;
    if (plan->merged || worker->options->default_repair.mode == REPAIR_OFF ||
        plan_list_spans(worker, plan->trace, &count) != SB_OK)
        return -1;
    int64_t orphan = repair_find_orphan(worker->plans.scratch, worker->plans.spans, count);
    worker->counters.incomplete_traces += orphan >= 0;
    return orphan;
}

void emit_plan(struct worker *worker, const struct plan *plan, const struct verdict *verdict)
{
    bool is_root_plan = !plan->merged;
    bool marked = false;
    int64_t orphan = find_orphan(worker, plan);
    struct span_patch *patches = worker->plans.patches;
    uint32_t next_patch = plan->first_patch;
    uint32_t patch_end = plan->first_patch + plan->patch_count;
    uint32_t last = window_span_count(worker->window, plan->trace);
    struct window_walk walk = window_walk_start(worker->window, plan->trace);
    struct window_span span;
    for (uint32_t i = 0; window_walk_next(worker->window, plan->trace, &walk, &span); i++) {
        struct otlp_span scanned;
        otlp_scan_span(span.raw, &scanned);
        struct emission emission = {
            .worker = worker,
            .plan = plan,
            .verdict = verdict,
            .span = &scanned,
        };
        /* On the root; on the last span where a trace has none. */
        bool carries = is_root_plan && !marked && (scanned.parent_id == NULL || i + 1 == last);
        marked |= carries;
        if (carries || worker->options->record_policy_all)
            put_verdict(&emission);
        if (orphan == (int64_t)i)
            mend_orphan(&emission, i);
        uint32_t count = gather_patches(patches, next_patch, patch_end, i);
        emit_span(&emission, &span, patches + next_patch, count);
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
    struct emission emission = {
        .worker = worker,
        .plan = &plan,
        .verdict = verdict,
        .span = &scanned,
    };
    if ((scanned.parent_id == NULL && !plan.merged) || worker->options->record_policy_all)
        put_verdict(&emission);
    const struct window_span span = {
        .raw = arrival->raw, .envelope = arrival->envelope, .record = arrival->record};
    emit_span(&emission, &span, NULL, 0);
}
