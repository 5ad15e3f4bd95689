/*
 * intake: records become spans, and spans go to the worker that owns their trace.
 *
 * A record is scanned as a whole before any of its spans is taken, so that one which breaks
 * off in the middle is dead-lettered whole and nothing of it has gone on.
 */
#include "emit.h"
#include "observe.h"
#include "otlp/json.h"
#include "otlp/value.h"
#include "otlp/write.h"
#include "spanbridge/carrier.h"

#include "core/hash.h"
#include "core/memory.h"

enum { HEADERS_MAX = 256 };

static void add_hit(struct worker *worker, struct repair_fact *fact, const struct otlp_hit *hit)
{
    uint16_t alias = worker->alias_of_key[hit->key];
    if (alias == OTLP_KEY_NONE)
        return;
    struct otlp_value value = otlp_value_read(hit->value);
    struct repair_value given = {
        .text = value.bytes, .integer = value.integer, .number = value.number};
    switch (value.type) {
    case OTLP_VALUE_STRING:
        given.type = REPAIR_VALUE_TEXT;
        break;
    case OTLP_VALUE_INT:
        given.type = REPAIR_VALUE_INT;
        break;
    case OTLP_VALUE_DOUBLE:
        given.type = REPAIR_VALUE_DOUBLE;
        break;
    case OTLP_VALUE_BOOL:
        given.type = REPAIR_VALUE_BOOL;
        break;
    default:
        return;
    }
    repair_fact_add(fact, alias, &given);
}

uint16_t span_foreign_links(const struct otlp_span *span, struct repair_context *ret)
{
    struct bytes rest = span->raw;
    struct otlp_link link;
    bool found = false;
    while (otlp_link_next(&rest, &link)) {
        if (link.trace_id == NULL || link.span_id == NULL)
            continue;
        if (memcmp(link.trace_id, span->trace_id, TRACE_ID_LEN) == 0)
            continue; /* to its own trace: no evidence of another side */
        struct repair_context context = {
            .trace_id = trace_id_load(link.trace_id),
            .span_id = span_id_load(link.span_id),
            .flags = (uint8_t)link.flags,
        };
        if (found && !(trace_id_equal(ret->trace_id, context.trace_id) &&
                       span_id_equal(ret->span_id, context.span_id)))
            return 2;
        *ret = context;
        found = true;
    }
    return found;
}

static void finish_fact(const struct otlp_span *span, const struct otlp_envelope *envelope,
                        struct repair_fact *fact)
{
    struct repair_span_traits traits = {.kind = span->kind, .link_count = span->link_count};
    otlp_scan_scope(envelope->scope_fields, &traits.scope_name, &traits.scope_version);
    repair_fact_finish(fact, &traits);
}

void emit_read_fact(struct worker *worker, const struct otlp_span *span,
                    const struct otlp_envelope *envelope, struct repair_fact *ret)
{
    repair_fact_init(ret);
    struct bytes rest = span->raw;
    struct otlp_attribute attribute;
    while (otlp_attribute_next(&rest, OTLP_SPAN_ATTRIBUTES, &attribute)) {
        struct otlp_hit hit = {.key = otlp_keys_find(worker->options->keys, attribute.key),
                               .value = attribute.value};
        if (hit.key != OTLP_KEY_NONE)
            add_hit(worker, ret, &hit);
    }
    finish_fact(span, envelope, ret);
}

/* What stands for the cluster in coordinates of streams: no topic of Kafka is mistaken for one. */
#define RABBITMQ_CLUSTER BYTES_LITERAL("rabbitmq")

/*
 * The cluster that the span names, or none where it is the one that is read: most spans name no
 * cluster, and that is the one they mean.
 */
static struct bytes cluster_of(struct worker *worker, const struct repair_fact *fact)
{
    const struct bytes none = {0};
    struct bytes named = fact->cluster_id;
    if (fact->system == REPAIR_SYSTEM_RABBITMQ)
        return RABBITMQ_CLUSTER;
    if (named.len == 0)
        return none;
    if (worker->cluster_id == NULL)
        worker->cluster_id = sources_cluster_id(worker->options->sources);
    bool is_own =
        worker->cluster_id == NULL || bytes_equal(bytes_text(worker->cluster_id), named);
    return is_own ? none : named;
}

/* Fills *ret, and its link, when the span is a side of a hop that is to be repaired. */
static bool read_side(struct worker *worker, const struct otlp_span *span,
                      const struct otlp_envelope *envelope, struct hop_side *ret,
                      struct repair_context *ret_link)
{
    struct repair_fact fact;
    repair_fact_init(&fact);
    const struct otlp_hit *hits = otlp_scan_hits(worker->scan) + span->first_hit;
    for (uint32_t i = 0; i < span->hit_count; i++)
        add_hit(worker, &fact, &hits[i]);
    finish_fact(span, envelope, &fact);

    bool consumer = repair_fact_is_consumer(&fact);
    if (!consumer && !repair_fact_is_producer(&fact))
        return false;
    uint64_t destination = repair_destination_hash(fact.destination);
    uint16_t settings = destinations_find(&worker->destinations, fact.destination, destination);
    if (destinations_repair(&worker->destinations, settings)->mode == REPAIR_OFF)
        return false;
    *ret = (struct hop_side){
        .span_id = span_id_load(span->span_id),
        .destination = destination,
        .start_ns = span->start_ns,
        .end_ns = span->end_ns,
        .batch_count = fact.batch_count,
        .settings = settings,
        .role = (uint8_t)fact.role,
        .consumer = consumer,
        .has_key = repair_fact_has_coordinate(&fact),
    };
    if (span->parent_id != NULL)
        ret->parent_id = span_id_load(span->parent_id);
    if (ret->has_key)
        ret->key = repair_coordinate_key(cluster_of(worker, &fact), fact.destination,
                                         fact.partition, fact.offset);
    if (consumer)
        learned_add(&worker->group->learned, destination);
    if (consumer && span->link_count > 0) {
        uint16_t links = span_foreign_links(span, ret_link);
        ret->has_link = links == 1;
        ret->has_links = links > 1;
    }
    return true;
}

static bool may_be_side(const struct otlp_span *span)
{
    return span->hit_count > 0 || span->link_count > 0 || span->kind == OTLP_KIND_PRODUCER ||
           span->kind == OTLP_KIND_CONSUMER;
}

/* Interns the record's envelopes; their numbers stand in worker->envelope_numbers. */
static enum sb_err intern_envelopes(struct worker *worker)
{
    uint32_t count;
    const struct otlp_envelope *envelopes = otlp_scan_envelopes(worker->scan, &count);
    if (count > worker->envelope_room) {
        uint32_t *numbers = memory_realloc(worker->envelope_numbers, count, sizeof(*numbers));
        if (numbers == NULL)
            return SB_ERR_MEMORY;
        worker->envelope_numbers = numbers;
        worker->envelope_room = count;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (envelopes[i].fault != OTLP_FAULT_NONE)
            continue; /* its spans are dead-lettered, nobody looks it up */
        enum sb_err err =
            envelopes_intern(&worker->envelopes, &envelopes[i], &worker->envelope_numbers[i]);
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}

static void take_span(struct worker *worker, const struct otlp_span *span,
                      const struct otlp_envelope *envelope, uint32_t record, uint64_t hash)
{
    uint32_t number = worker->envelope_numbers[span->envelope];
    struct arrival arrival = {
        .trace_id = trace_id_load(span->trace_id),
        .hash = hash,
        .start_ns = span->start_ns,
        .end_ns = span->end_ns,
        .matches = envelopes_at(&worker->envelopes, number)->matches,
        .raw = span->raw,
        .envelope = number,
        .record = record,
        .flags = span->flags,
        .status = span->status,
        .is_root = span->parent_id == NULL,
    };
    if (span->hit_count > 0)
        arrival.matches |=
            decide_match(worker->decide, otlp_scan_hits(worker->scan) + span->first_hit,
                         span->hit_count, false);
    struct hop_side side;
    struct repair_context link;
    if (may_be_side(span) && read_side(worker, span, envelope, &side, &link)) {
        arrival.side = &side;
        gather_add_side(worker, arrival.trace_id, &side, &link);
    }
    uint32_t owner = worker_of_hash(worker, hash);
    if (owner == worker->number)
        arrival_take(worker, &arrival);
    else
        arrival_send(worker, owner, &arrival);
}

static enum sb_err hash_spans(struct worker *worker, const struct otlp_span *spans,
                              uint32_t count)
{
    if (count > worker->hash_room) {
        uint64_t *hashes = memory_realloc(worker->hashes, count, sizeof(*hashes));
        if (hashes == NULL)
            return SB_ERR_MEMORY;
        worker->hashes = hashes;
        worker->hash_room = count;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (spans[i].fault != OTLP_FAULT_NONE)
            continue;
        worker->hashes[i] = window_hash(worker->window, trace_id_load(spans[i].trace_id));
        window_prefetch(worker->window, worker->hashes[i]);
    }
    return SB_OK;
}

/* How far ahead of the span being taken its trace is fetched into the cache. */
enum { PREFETCH_AHEAD = 8 };

static void prefetch(const struct worker *worker, const struct otlp_span *span, uint64_t hash)
{
    if (span->fault == OTLP_FAULT_NONE)
        arrival_prefetch(worker, trace_id_load(span->trace_id), hash);
}

static void take_spans(struct worker *worker, const struct record *record, ledger_record number)
{
    uint32_t count;
    uint32_t envelope_count;
    const struct otlp_span *spans = otlp_scan_spans(worker->scan, &count);
    const struct otlp_envelope *envelopes = otlp_scan_envelopes(worker->scan, &envelope_count);
    worker->counters.spans_read += count;
    worker->topic_counters[record->topic].spans_read += count;
    ledger_hold(worker->ledger, number, count);
    for (uint32_t i = 0; i < count; i++) {
        if (i + PREFETCH_AHEAD < count)
            prefetch(worker, &spans[i + PREFETCH_AHEAD], worker->hashes[i + PREFETCH_AHEAD]);
        const struct otlp_envelope *envelope = &envelopes[spans[i].envelope];
        if (spans[i].fault != OTLP_FAULT_NONE)
            letters_send_span(worker, record, number, envelope, &spans[i]);
        else
            take_span(worker, &spans[i], envelope, record_of(worker->number, number),
                      worker->hashes[i]);
    }
    arrival_flush(worker);
}

/* The record in protobuf form; its fault when it has none. */
static enum sb_err decode(struct worker *worker, const struct record *record,
                          enum otlp_fault *ret_fault)
{
    struct bytes request = record->value;
    *ret_fault = OTLP_FAULT_NONE;
    if (worker->options->topics[record->topic].json && request.len > 0) {
        text_reset(&worker->json);
        enum sb_err err =
            otlp_json_decode(request, &worker->options->limits, &worker->json, ret_fault);
        if (err != SB_OK || *ret_fault != OTLP_FAULT_NONE)
            return err;
        request = text_bytes(&worker->json);
    }
    return otlp_scan_request(worker->scan, request, ret_fault);
}

static enum sb_err prepare(struct worker *worker, const struct record *record,
                           enum otlp_fault *ret_fault)
{
    enum sb_err err = decode(worker, record, ret_fault);
    if (err != SB_OK || *ret_fault != OTLP_FAULT_NONE)
        return err;
    uint32_t count;
    const struct otlp_span *spans = otlp_scan_spans(worker->scan, &count);
    err = hash_spans(worker, spans, count);
    if (err == SB_OK)
        err = intern_envelopes(worker);
    return err;
}

/* Its spans go on, or it is dead-lettered.  SB_ERR_MEMORY: neither. */
static enum sb_err take_record(struct worker *worker, const struct record *record,
                               ledger_record number)
{
    static const unsigned reasons[] = {[RECORD_TOO_LARGE] = OTLP_FAULT_RECORD_TOO_LARGE,
                                       [RECORD_POISON] = WORKER_REASON_POISON};
    enum otlp_fault fault = OTLP_FAULT_NONE;
    if (record->flaw != RECORD_WHOLE) {
        letters_send_record(worker, record, number, reasons[record->flaw]);
        return SB_OK;
    }
    enum sb_err err = prepare(worker, record, &fault);
    if (err == SB_OK && fault == OTLP_FAULT_NONE)
        take_spans(worker, record, number);
    else if (err == SB_OK)
        letters_send_record(worker, record, number, fault);
    return err;
}

/* The open lane with that number, or NULL. */
static struct lane *find_lane(const struct lane_list *list, uint32_t number)
{
    return number < list->count && list->at[number].open ? &list->at[number] : NULL;
}

void intake_record(struct worker *worker, const struct record *record)
{
    struct lane *lane = find_lane(&worker->lanes, record->lane);
    if (lane == NULL || lane->stalled || topic_has_stopped(worker->group, record->topic))
        return; /* not begun, so never committed: it is read again */
    ledger_record number;
    enum sb_err err = ledger_begin(worker->ledger, lane->ledger, record->offset, &number);
    if (err == SB_OK) {
        worker->counters.records_read++;
        worker->topic_counters[record->topic].records_read++;
        err = take_record(worker, record, number);
    } else {
        lane->stalled = true; /* or the watermark would pass the record that was not begun */
    }
    if (err != SB_OK) {
        /* Its count is never released, so the watermark stays before it: nothing is lost. */
        log_event(worker->options->log, LOG_ERROR, "worker", "record_not_taken",
                  LOG_TEXT("error", sb_err_text(err)), LOG_NUMBER("offset", record->offset));
        return;
    }
    ledger_release(worker->ledger, number, 1);
    envelopes_sweep(&worker->envelopes);
}

/* How many of the headers are looked at: the rest is beyond a limit. */
static size_t within_limits(const struct worker *worker, const struct record_header *headers,
                            size_t count)
{
    size_t bytes = 0;
    size_t taken = 0;
    while (taken < count && taken < worker->options->headers_max) {
        bytes += headers[taken].name.len + headers[taken].value.len;
        if (bytes > worker->options->header_bytes_max)
            break;
        taken++;
    }
    return taken;
}

/* The context of a record's headers: the last valid traceparent. */
static bool read_context(struct worker *worker, const struct record *record,
                         struct repair_context *ret)
{
    struct record_header headers[HEADERS_MAX];
    struct spanbridge_header list[HEADERS_MAX];
    size_t count = source_record_headers(record, headers, HEADERS_MAX);
    count = within_limits(worker, headers, count < HEADERS_MAX ? count : HEADERS_MAX);
    for (size_t i = 0; i < count; i++)
        list[i] = (struct spanbridge_header){
            .name = (const char *)headers[i].name.at,
            .name_len = headers[i].name.len,
            .value = headers[i].value.at,
            .value_len = headers[i].value.len,
        };
    bool found = false;
    for (size_t at = 0;;) {
        struct spanbridge_context context;
        enum spanbridge_result result = spanbridge_next_context(list, count, &at, &context);
        if (result == SPANBRIDGE_ABSENT)
            return found;
        if (result != SPANBRIDGE_OK) {
            worker->counters.headers_malformed++;
            continue;
        }
        ret->trace_id = trace_id_load(context.trace_id);
        ret->span_id = span_id_load(context.span_id);
        ret->flags = context.flags;
        found = true;
    }
}

void intake_message(struct worker *worker, const struct record *record)
{
    const struct lane *lane = find_lane(&worker->taps, record->lane);
    const struct worker_topic *topic = &worker->options->topics[record->topic];
    worker->counters.messages_read++;
    worker->topic_counters[record->topic].messages_read++;
    if (lane == NULL || !lane->coordinates || topic->repair.mode == REPAIR_OFF)
        return;
    struct repair_message_side side = {
        .time_ns = record->time_type == RECORD_TIME_NONE || record->time_ms < 0
                       ? 0
                       : (uint64_t)record->time_ms * NS_PER_MS,
    };
    uint64_t malformed = worker->counters.headers_malformed;
    side.has_context = read_context(worker, record, &side.context);
    if (worker->observe != NULL)
        observe_message(worker, record->topic, side.has_context,
                        worker->counters.headers_malformed > malformed);
    struct bytes cluster = topic->rabbitmq ? RABBITMQ_CLUSTER : (struct bytes){0};
    struct repair_key key = repair_coordinate_key(cluster, bytes_text(lane->topic_name),
                                                  record->partition, record->offset);
    gather_add_message(worker, key, &side);
}
