#include "otlp/scan.h"

#include "core/assert.h"
#include "core/memory.h"
#include "span.h"
#include "wire.h"

/* Field numbers of opentelemetry.proto.collector.trace.v1 and trace.v1. */
enum { REQUEST_RESOURCE_SPANS = 1 };
enum {
    RESOURCE_SPANS_RESOURCE = 1,
    RESOURCE_SPANS_SCOPE_SPANS = 2,
    RESOURCE_SPANS_SCHEMA_URL = 3,
    /* Where spans were before OTLP 1.0: refused, since nobody behind us would read them. */
    RESOURCE_SPANS_LIBRARY_SPANS = 1000
};
enum { SCOPE_SPANS_SCOPE = 1, SCOPE_SPANS_SPANS = 2, SCOPE_SPANS_SCHEMA_URL = 3 };

enum { FIRST_ROOM = 64 };

/*
 * Functions that walk a request return SB_ERR_INPUT when the record as a whole is refused,
 * and then `fault` says why.
 */
struct otlp_scan {
    struct span_rules rules;
    enum otlp_fault fault;

    struct otlp_span *spans;
    uint32_t span_count;
    uint32_t span_room;

    struct otlp_envelope *envelopes; /* only those that have spans */
    uint32_t envelope_count;
    uint32_t envelope_room;

    struct span_hits hits;

    uint8_t *scratch; /* the fields of split envelopes, joined */
    size_t scratch_len;
    size_t scratch_room;
    size_t record_len;
};

/* The fields of a message but its spans. */
struct loose_fields {
    struct bytes run; /* the first ones that lie side by side */
    size_t len;       /* of all: more than the run when spans lie between */
};

static enum sb_err refuse(struct otlp_scan *scan, enum otlp_fault fault)
{
    scan->fault = fault;
    return SB_ERR_INPUT;
}

/* The items, moved to where there is room for `needed` in all; NULL, and nothing is changed. */
static void *grow(void *items, uint32_t *room, size_t needed, size_t size)
{
    size_t wanted = *room == 0 ? FIRST_ROOM : (size_t)*room * 2;
    if (wanted < needed)
        wanted = needed;
    if (wanted > UINT32_MAX)
        return NULL;
    void *moved = memory_realloc(items, wanted, size);
    if (moved != NULL)
        *room = (uint32_t)wanted;
    return moved;
}

static void loose_add(struct loose_fields *loose, const uint8_t *start, const uint8_t *end)
{
    size_t len = (size_t)(end - start);
    struct bytes *run = &loose->run;
    if (loose->len == 0)
        *run = bytes_of(start, len);
    else if (loose->len == run->len && run->at + run->len == start)
        run->len += len;
    loose->len += len;
}

/*
 * Envelopes are rarely split, so the scratch is made for the first that is.  No byte of the
 * record is copied twice, so its length is room enough, and what is in it never moves.
 */
static enum sb_err reserve_scratch(struct otlp_scan *scan, size_t len)
{
    if (scan->scratch_len > 0 || len <= scan->scratch_room)
        return SB_OK;
    uint8_t *scratch = memory_alloc(len);
    if (scratch == NULL)
        return SB_ERR_MEMORY;
    memory_free(scan->scratch);
    scan->scratch = scratch;
    scan->scratch_room = len;
    return SB_OK;
}

/* The fields of `message` but those with `number`, side by side in their order. */
static enum sb_err loose_join(struct otlp_scan *scan, struct bytes message, uint32_t number,
                              const struct loose_fields *loose, struct bytes *ret)
{
    if (loose->len == loose->run.len) {
        *ret = loose->run;
        return SB_OK;
    }
    enum sb_err err = reserve_scratch(scan, scan->record_len);
    if (err != SB_OK)
        return err;
    SB_ASSERT(loose->len <= scan->scratch_room - scan->scratch_len);
    uint8_t *joined = scan->scratch + scan->scratch_len;
    size_t len = 0;
    struct wire_cursor in = wire_open(message);
    while (!wire_at_end(&in)) {
        const uint8_t *start = in.at;
        struct wire_field field;
        if (!wire_next(&in, &field))
            return refuse(scan, OTLP_FAULT_MALFORMED);
        if (field.number == number)
            continue;
        memcpy(joined + len, start, (size_t)(in.at - start));
        len += (size_t)(in.at - start);
    }
    SB_ASSERT(len == loose->len);
    scan->scratch_len += len;
    *ret = bytes_of(joined, len);
    return SB_OK;
}

/* Checks all parts of field 1, the resource or the scope, in an envelope's fields. */
static enum otlp_fault check_fields(const struct otlp_scan *scan, struct bytes fields,
                                    const struct attribute_shape *shape)
{
    uint32_t attributes = 0;
    struct wire_cursor in = wire_open(fields);
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field))
            return OTLP_FAULT_MALFORMED;
        if (field.number != RESOURCE_SPANS_RESOURCE)
            continue;
        enum otlp_fault fault =
            attribute_check_message(field.body, shape, &scan->rules.attributes, &attributes);
        if (fault != OTLP_FAULT_NONE)
            return fault;
    }
    return OTLP_FAULT_NONE;
}

static enum sb_err add_span(struct otlp_scan *scan, struct bytes raw)
{
    if (scan->span_count == scan->rules.attributes.limits.spans_max)
        return refuse(scan, OTLP_FAULT_TOO_MANY_SPANS);
    if (scan->span_count == scan->span_room) {
        struct otlp_span *moved = grow(scan->spans, &scan->span_room,
                                       (size_t)scan->span_count + 1, sizeof(*scan->spans));
        if (moved == NULL)
            return SB_ERR_MEMORY;
        scan->spans = moved;
    }
    struct span_hits *hits = &scan->hits;
    uint32_t hits_max = span_hits_max(raw, &scan->rules);
    if (hits->room - hits->count < hits_max) {
        struct otlp_hit *moved =
            grow(hits->at, &hits->room, (size_t)hits->count + hits_max, sizeof(*hits->at));
        if (moved == NULL)
            return SB_ERR_MEMORY;
        hits->at = moved;
    }
    struct otlp_span *span = &scan->spans[scan->span_count++];
    span_read(raw, &scan->rules, hits, span);
    span->envelope = scan->envelope_count;
    return SB_OK;
}

/* The next span comes from the cache of the core that received it: ask for it in good time. */
static void prefetch_behind(struct bytes raw, const uint8_t *end)
{
    enum { AHEAD = 512, LINE = 64 };
    const uint8_t *next = raw.at + raw.len;
    ptrdiff_t len = end - next < AHEAD ? end - next : AHEAD;
    for (ptrdiff_t i = 0; i < len; i += LINE)
        __builtin_prefetch(next + i);
}

static enum sb_err scan_scope_spans(struct otlp_scan *scan, struct bytes message)
{
    uint32_t spans_before = scan->span_count;
    struct loose_fields loose = {0};
    struct wire_cursor in = wire_open(message);
    while (!wire_at_end(&in)) {
        const uint8_t *start = in.at;
        uint32_t tag;
        struct bytes raw;
        if (!wire_tag(&in, &tag))
            return refuse(scan, OTLP_FAULT_MALFORMED);
        if (tag == WIRE_TAG(SCOPE_SPANS_SPANS, WIRE_BYTES)) {
            if (!wire_bytes(&in, &raw))
                return refuse(scan, OTLP_FAULT_MALFORMED);
            prefetch_behind(raw, in.end);
            enum sb_err err = add_span(scan, raw);
            if (err != SB_OK)
                return err;
            continue;
        }
        bool known = tag >> 3 <= SCOPE_SPANS_SCHEMA_URL;
        if ((known && (tag & 7) != WIRE_BYTES) || !wire_skip(&in, tag))
            return refuse(scan, OTLP_FAULT_MALFORMED);
        loose_add(&loose, start, in.at);
    }
    if (scan->span_count == spans_before)
        return SB_OK; /* what no span refers to would only cost memory */

    if (scan->envelope_count == scan->envelope_room) {
        struct otlp_envelope *moved =
            grow(scan->envelopes, &scan->envelope_room, (size_t)scan->envelope_count + 1,
                 sizeof(*scan->envelopes));
        if (moved == NULL)
            return SB_ERR_MEMORY;
        scan->envelopes = moved;
    }
    struct otlp_envelope envelope = {0};
    enum sb_err err =
        loose_join(scan, message, SCOPE_SPANS_SPANS, &loose, &envelope.scope_fields);
    if (err != SB_OK)
        return err;
    envelope.fault = (uint8_t)check_fields(scan, envelope.scope_fields, &attribute_shape_scope);
    scan->envelopes[scan->envelope_count++] = envelope;
    return SB_OK;
}

/*
 * Gives the envelopes from `first` on their resource, which may come behind its spans, and
 * spans from `first_span` on the fault of their envelope unless they have one of their own.
 */
static void close_envelopes(struct otlp_scan *scan, uint32_t first, uint32_t first_span,
                            struct bytes resource_fields)
{
    enum otlp_fault fault = check_fields(scan, resource_fields, &attribute_shape_resource);
    bool any = false;
    for (uint32_t i = first; i < scan->envelope_count; i++) {
        struct otlp_envelope *envelope = &scan->envelopes[i];
        envelope->resource_fields = resource_fields;
        if (fault != OTLP_FAULT_NONE)
            envelope->fault = (uint8_t)fault;
        else if (resource_fields.len + envelope->scope_fields.len >
                 scan->rules.attributes.limits.span_bytes_max)
            envelope->fault = OTLP_FAULT_SPAN_TOO_LARGE;
        any = any || envelope->fault != OTLP_FAULT_NONE;
    }
    if (!any)
        return;
    for (uint32_t i = first_span; i < scan->span_count; i++) {
        struct otlp_span *span = &scan->spans[i];
        uint8_t shared = scan->envelopes[span->envelope].fault;
        if (span->fault != OTLP_FAULT_NONE || shared == OTLP_FAULT_NONE)
            continue;
        span->fault = shared;
        span->hit_count = 0;
    }
}

static enum sb_err scan_resource_spans(struct otlp_scan *scan, struct bytes message)
{
    uint32_t first = scan->envelope_count;
    uint32_t first_span = scan->span_count;
    struct loose_fields loose = {0};
    struct wire_cursor in = wire_open(message);
    while (!wire_at_end(&in)) {
        const uint8_t *start = in.at;
        struct wire_field field;
        if (!wire_next(&in, &field) || field.number == RESOURCE_SPANS_LIBRARY_SPANS)
            return refuse(scan, OTLP_FAULT_MALFORMED);
        if (field.number >= RESOURCE_SPANS_RESOURCE &&
            field.number <= RESOURCE_SPANS_SCHEMA_URL && field.type != WIRE_BYTES)
            return refuse(scan, OTLP_FAULT_MALFORMED);
        if (field.number == RESOURCE_SPANS_SCOPE_SPANS) {
            enum sb_err err = scan_scope_spans(scan, field.body);
            if (err != SB_OK)
                return err;
        } else {
            loose_add(&loose, start, in.at);
        }
    }
    if (scan->envelope_count == first)
        return SB_OK;

    struct bytes resource_fields;
    enum sb_err err =
        loose_join(scan, message, RESOURCE_SPANS_SCOPE_SPANS, &loose, &resource_fields);
    if (err == SB_OK)
        close_envelopes(scan, first, first_span, resource_fields);
    return err;
}

static enum sb_err scan_request(struct otlp_scan *scan, struct bytes request)
{
    if (request.len > scan->rules.attributes.limits.record_bytes_max)
        return refuse(scan, OTLP_FAULT_RECORD_TOO_LARGE);
    struct wire_cursor in = wire_open(request);
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field))
            return refuse(scan, OTLP_FAULT_MALFORMED);
        if (field.number != REQUEST_RESOURCE_SPANS)
            continue;
        if (field.type != WIRE_BYTES)
            return refuse(scan, OTLP_FAULT_MALFORMED);
        enum sb_err err = scan_resource_spans(scan, field.body);
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}

static void forget(struct otlp_scan *scan)
{
    scan->fault = OTLP_FAULT_NONE;
    scan->span_count = 0;
    scan->envelope_count = 0;
    scan->hits.count = 0;
    scan->scratch_len = 0;
}

enum sb_err otlp_scan_new(const struct otlp_limits *limits, const struct otlp_keys *keys,
                          struct otlp_scan **ret)
{
    SB_ASSERT(limits != NULL && keys != NULL);
    struct otlp_scan *scan = memory_zalloc(1, sizeof(*scan));
    if (scan == NULL)
        return SB_ERR_MEMORY;
    scan->rules.attributes = attribute_rules_make(limits);
    scan->rules.keys = keys;
    *ret = scan;
    return SB_OK;
}

void otlp_scan_free(struct otlp_scan *scan)
{
    if (scan == NULL)
        return;
    memory_free(scan->spans);
    memory_free(scan->envelopes);
    memory_free(scan->hits.at);
    memory_free(scan->scratch);
    memory_free(scan);
}

enum sb_err otlp_scan_request(struct otlp_scan *scan, struct bytes request,
                              enum otlp_fault *ret_fault)
{
    forget(scan);
    scan->record_len = request.len;
    enum sb_err err = scan_request(scan, request);
    if (err == SB_OK) {
        *ret_fault = OTLP_FAULT_NONE;
        return SB_OK;
    }
    /* Nothing half read is left to be taken for a result. */
    enum otlp_fault fault = scan->fault;
    forget(scan);
    if (err != SB_ERR_INPUT)
        return err;
    *ret_fault = fault;
    return SB_OK;
}

const struct otlp_span *otlp_scan_spans(const struct otlp_scan *scan, uint32_t *ret_count)
{
    *ret_count = scan->span_count;
    return scan->spans;
}

const struct otlp_envelope *otlp_scan_envelopes(const struct otlp_scan *scan,
                                                uint32_t *ret_count)
{
    *ret_count = scan->envelope_count;
    return scan->envelopes;
}

const struct otlp_hit *otlp_scan_hits(const struct otlp_scan *scan)
{
    return scan->hits.at;
}
