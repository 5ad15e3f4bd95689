/*
 * patch: what is written behind a kept span, and the queue span before it.
 *
 * Appended fields: see otlp/write.h.  Every span whose ids changed says what they were, and
 * every repair says why, so that all of it can be undone from the output alone.
 */
#include <stdio.h>

#include "emit.h"
#include "otlp/write.h"

enum { LINK_ATTRIBUTES = 4, NAME_LEN = 256, EVIDENCE_LEN = NAME_LEN + 64 };

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

struct hop_text {
    char evidence[EVIDENCE_LEN];
    bool rabbitmq; /* else Kafka */
    struct bytes destination;
    int64_t partition;
    int64_t offset;
};

/* The hop's coordinate is not kept as text: it is read again from the consumer's span. */
static void read_consumer(const struct emission *emission, struct span_id id,
                          struct repair_fact *ret)
{
    struct worker *worker = emission->worker;
    if (span_id_equal(span_id_load(emission->span->span_id), id)) {
        emit_read_fact(worker, emission->span, emission->envelope, ret);
        return;
    }
    /* The local root is patched for it: that is one span of a trace at most. */
    struct window_walk walk = window_walk_start(worker->window, emission->plan->trace);
    struct window_span span;
    while (window_walk_next(worker->window, emission->plan->trace, &walk, &span)) {
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

/* How much of a name is shown: never half a character, which no backend would take. */
static int shown_len(struct bytes name)
{
    size_t len = name.len;
    if (len > NAME_LEN) {
        len = NAME_LEN;
        while (len > 0 && (name.at[len] & 0xC0) == 0x80)
            len--;
    }
    return (int)len;
}

static void read_hop(const struct emission *emission, const struct evidence_item *item,
                     struct hop_text *ret)
{
    struct repair_fact fact;
    read_consumer(emission, item->join.consumer.span_id, &fact);
    *ret = (struct hop_text){
        .destination = fact.destination,
        .partition = fact.partition,
        .offset = fact.offset,
        .rabbitmq = fact.system == REPAIR_SYSTEM_RABBITMQ,
    };
    if (item->join.rule == REPAIR_RULE_LINK) {
        char trace[TRACE_ID_HEX_LEN + 1];
        char span[SPAN_ID_HEX_LEN + 1];
        trace_id_format(item->join.producer.trace_id, trace);
        span_id_format(item->join.producer.span_id, span);
        snprintf(ret->evidence, sizeof(ret->evidence), "%s-%s", trace, span);
    } else {
        snprintf(ret->evidence, sizeof(ret->evidence), "%.*s/%lld/%lld",
                 shown_len(fact.destination), (const char *)fact.destination.at,
                 (long long)fact.partition, (long long)fact.offset);
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

static bool has_queue_span(const struct worker *worker, const struct span_patch *patch)
{
    return patch->queued_ns != 0 &&
           destinations_repair(&worker->destinations, patch->evidence->settings)->queue_span;
}

static void put_link(const struct emission *emission, const struct evidence_item *item,
                     const struct hop_text *hop)
{
    struct text *out = &emission->worker->patch;
    struct text attributes;
    text_init(&attributes, 4096);
    put_repair(&attributes, LINK_ATTRIBUTES, item, "link", hop->evidence);
    struct trace_id target = item->join.producer.trace_id;
    aliases_get(&emission->worker->aliases, target, &target);
    otlp_write_link(out, target, item->join.producer.span_id, item->join.producer.flags,
                    (struct bytes){0}, text_bytes(&attributes));
    if (attributes.error != SB_OK)
        out->error = attributes.error;
    text_clear(&attributes);
}

static void put_parent(const struct emission *emission, const struct span_patch *patch,
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

static void put_dwell(const struct emission *emission, uint64_t queued_ns)
{
    uint64_t start_ns = emission->span->start_ns;
    uint64_t dwell_ns = start_ns > queued_ns ? start_ns - queued_ns : 0;
    otlp_write_int_attribute(&emission->worker->patch, OTLP_SPAN_ATTRIBUTES,
                             BYTES_LITERAL("spanbridge.dwell_ms"),
                             (int64_t)(dwell_ns / NS_PER_MS));
}

static void put_patch(const struct emission *emission, const struct span_patch *patch)
{
    struct hop_text hop;
    read_hop(emission, patch->evidence, &hop);
    if (patch->takes_parent)
        put_parent(emission, patch, &hop);
    if (patch->adds_link)
        put_link(emission, patch->evidence, &hop);
    if (patch->is_consumer && patch->queued_ns != 0)
        put_dwell(emission, patch->queued_ns);
}

static void put_verdict(const struct emission *emission)
{
    struct text *out = &emission->worker->patch;
    const struct verdict *verdict = emission->verdict;
    const char *policy =
        verdict->decided.policy == DECIDE_NO_POLICY
            ? "no_policy"
            : decide_policy_name(emission->worker->options->decide, verdict->decided.policy);
    put_text(out, OTLP_SPAN_ATTRIBUTES, "spanbridge.policy", policy);
    put_text(out, OTLP_SPAN_ATTRIBUTES, "spanbridge.complete_reason", verdict->reason);
}

/* The orphan of a kept trace is flagged, and re-parented where the settings say so. */
static void put_orphan(const struct emission *emission)
{
    struct text *out = &emission->worker->patch;
    otlp_write_bool_attribute(out, OTLP_SPAN_ATTRIBUTES, BYTES_LITERAL("spanbridge.incomplete"),
                              true);
    if (span_id_is_zero(emission->adopter))
        return;
    otlp_patch_parent_id(out, emission->adopter);
    put_span_id(out, "spanbridge.repair.original_parent_span_id",
                span_id_load(emission->span->parent_id));
    put_text(out, OTLP_SPAN_ATTRIBUTES, "spanbridge.repair.rule", "same_trace");
    put_text(out, OTLP_SPAN_ATTRIBUTES, "spanbridge.repair.class", "A");
    put_text(out, OTLP_SPAN_ATTRIBUTES, "spanbridge.repair.action", "parent");
    put_span_id(out, "spanbridge.repair.evidence", emission->adopter);
}

/* Notes the link's context in the list of those that were rewritten. */
static void note_original(struct text *list, const struct otlp_link *link)
{
    char trace[TRACE_ID_HEX_LEN + 1];
    char span[SPAN_ID_HEX_LEN + 1];
    trace_id_format(trace_id_load(link->trace_id), trace);
    span_id_format(span_id_load(link->span_id), span);
    text_printf(list, "%s%s-%s", list->len > 0 ? "," : "", trace, span);
}

/*
 * Links that name a trace which was merged: the new id goes over the old one, in a copy of
 * the span that *ret_raw then shows.  Ids have fixed length, so nothing else moves.
 */
static void rewrite_links(const struct emission *emission, struct bytes *ret_raw)
{
    struct worker *worker = emission->worker;
    const struct bytes raw = emission->span->raw;
    struct text *copy = &worker->rewritten;
    struct text *list = &worker->original_links;
    text_reset(copy);
    text_reset(list);
    struct bytes rest = raw;
    struct otlp_link link;
    while (otlp_link_next(&rest, &link)) {
        struct trace_id canonical;
        if (link.trace_id == NULL || link.span_id == NULL ||
            !aliases_get(&worker->aliases, trace_id_load(link.trace_id), &canonical))
            continue;
        if (list->len == 0)
            text_append(copy, raw);
        if (copy->error != SB_OK)
            break;
        memcpy(copy->at + (link.trace_id - raw.at), canonical.byte, TRACE_ID_LEN);
        note_original(list, &link);
    }
    if (copy->error != SB_OK || list->error != SB_OK) {
        worker->patch.error = SB_ERR_MEMORY;
    } else if (list->len > 0) {
        put_text(&worker->patch, OTLP_SPAN_ATTRIBUTES, "spanbridge.repair.original_links",
                 text_string(list));
        *ret_raw = text_bytes(copy);
    }
}

bool patch_write(const struct emission *emission, struct bytes *ret_raw)
{
    struct worker *worker = emission->worker;
    struct text *out = &worker->patch;
    text_reset(out);
    *ret_raw = emission->span->raw;
    if (emission->carries || worker->options->record_policy_all)
        put_verdict(emission);
    if (emission->is_orphan)
        put_orphan(emission);
    if (emission->plan->merged) {
        otlp_patch_trace_id(out, emission->plan->canonical);
        put_trace_id(out, "spanbridge.repair.original_trace_id",
                     trace_id_load(emission->span->trace_id));
    }
    for (uint32_t i = 0; i < emission->patch_count; i++)
        put_patch(emission, &emission->patches[i]);
    if (emission->span->link_count > 0 && worker->aliases.count > 0)
        rewrite_links(emission, ret_raw);
    return out->error == SB_OK;
}

static void put_queue_span(const struct emission *emission, const struct span_patch *patch,
                           const struct hop_text *hop)
{
    struct text *out = &emission->worker->queue_span;
    const struct repair_join *join = &patch->evidence->join;
    struct span_id id = repair_queue_span_id(join->key, join->consumer.span_id);
    uint64_t end_ns = emission->span->start_ns;
    uint64_t start_ns = patch->queued_ns < end_ns ? patch->queued_ns : end_ns;
    char name[NAME_LEN + 8];
    int name_len = snprintf(name, sizeof(name), "%.*s queue", shown_len(hop->destination),
                            (const char *)hop->destination.at);
    otlp_write_bytes_field(out, OTLP_SPAN_TRACE_ID,
                           bytes_of(emission->plan->canonical.byte, TRACE_ID_LEN));
    otlp_write_bytes_field(out, OTLP_SPAN_SPAN_ID, bytes_of(id.byte, SPAN_ID_LEN));
    otlp_write_bytes_field(out, OTLP_SPAN_PARENT_ID,
                           bytes_of(join->producer.span_id.byte, SPAN_ID_LEN));
    otlp_write_bytes_field(out, OTLP_SPAN_NAME, bytes_of(name, (size_t)name_len));
    otlp_write_varint_field(out, OTLP_SPAN_KIND, OTLP_KIND_INTERNAL);
    otlp_write_fixed64_field(out, OTLP_SPAN_START, start_ns);
    otlp_write_fixed64_field(out, OTLP_SPAN_END, end_ns);
    otlp_write_bool_attribute(out, OTLP_SPAN_ATTRIBUTES, BYTES_LITERAL("spanbridge.synthetic"),
                              true);
    otlp_write_string_attribute(out, OTLP_SPAN_ATTRIBUTES, BYTES_LITERAL("messaging.system"),
                                hop->rabbitmq ? BYTES_LITERAL("rabbitmq")
                                              : BYTES_LITERAL("kafka"));
    otlp_write_string_attribute(out, OTLP_SPAN_ATTRIBUTES,
                                BYTES_LITERAL("messaging.destination.name"), hop->destination);
    if (hop->partition >= 0)
        otlp_write_int_attribute(out, OTLP_SPAN_ATTRIBUTES,
                                 BYTES_LITERAL("messaging.destination.partition.id"),
                                 hop->partition);
    if (hop->offset >= 0)
        otlp_write_int_attribute(out, OTLP_SPAN_ATTRIBUTES,
                                 BYTES_LITERAL("messaging.kafka.offset"), hop->offset);
}

bool patch_write_queue_span(const struct emission *emission, const struct span_patch *patch,
                            uint32_t *ret_envelope)
{
    struct text *out = &emission->worker->queue_span;
    text_reset(out);
    *ret_envelope = PATCH_NO_QUEUE_SPAN;
    /* Only a hop that became an edge has a place for the queue span in its trace. */
    if (!patch->is_consumer || !patch->joined || !has_queue_span(emission->worker, patch))
        return true;
    struct hop_text hop;
    read_hop(emission, patch->evidence, &hop);
    *ret_envelope = emission->worker->queue_envelopes[hop.rabbitmq];
    put_queue_span(emission, patch, &hop);
    return out->error == SB_OK;
}
