/*
 * The scan on any bytes: what it reports lies inside the record and within the limits, and
 * what is written from it scans as the same again.
 */
#include <stdlib.h>

#include "core/assert.h"
#include "core/ids.h"
#include "otlp/json.h"
#include "otlp/scan.h"
#include "otlp/value.h"
#include "otlp/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

static struct otlp_keys *keys;
static struct otlp_scan *scan;
static struct otlp_scan *strict_scan; /* with limits that short inputs reach */
static struct otlp_scan *second_scan; /* for what was written */
static struct text written;
static struct otlp_limits limits;

static void set_up_once(void)
{
    static const char *const wanted[] = {"", "a", "messaging.system", "messaging.message.id"};
    if (keys != NULL)
        return;
    limits = otlp_limits_default();
    struct otlp_limits strict = {.record_bytes_max = 1024,
                                 .spans_max = 3,
                                 .span_bytes_max = 200,
                                 .depth_max = 2,
                                 .attributes_max = 2,
                                 .events_max = 1,
                                 .links_max = 1,
                                 .key_bytes_max = 8,
                                 .value_bytes_max = 8};
    SB_ASSERT(otlp_keys_new(&keys) == SB_OK);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        uint16_t id;
        SB_ASSERT(otlp_keys_add(keys, bytes_text(wanted[i]), &id) == SB_OK && id == i);
    }
    SB_ASSERT(otlp_scan_new(&limits, keys, &scan) == SB_OK);
    SB_ASSERT(otlp_scan_new(&strict, keys, &strict_scan) == SB_OK);
    SB_ASSERT(otlp_scan_new(&limits, keys, &second_scan) == SB_OK);
    text_init(&written, 64 << 20);
}

static bool is_inside(struct bytes view, struct bytes outer)
{
    return view.len == 0 || (view.at >= outer.at && view.at + view.len <= outer.at + outer.len);
}

static bool is_zero(const uint8_t *at, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= at[i];
    return any == 0;
}

static void check_value(struct bytes encoded)
{
    struct otlp_value value = otlp_value_read(encoded);
    SB_ASSERT(value.type <= OTLP_VALUE_BYTES);
    SB_ASSERT(is_inside(value.bytes, encoded));
    struct otlp_attribute attribute;
    if (value.type == OTLP_VALUE_MAP)
        while (otlp_attribute_next(&value.bytes, 1, &attribute))
            SB_ASSERT(is_inside(attribute.key, encoded) && is_inside(attribute.value, encoded));
}

/* Hits are the wanted ones among the attributes, in their order. */
static void check_hits(const struct otlp_span *span, const struct otlp_hit *hits)
{
    struct bytes rest = span->raw;
    struct otlp_attribute attribute;
    uint32_t attributes = 0;
    uint32_t seen = 0;
    while (otlp_attribute_next(&rest, OTLP_SPAN_ATTRIBUTES, &attribute)) {
        attributes++;
        uint16_t key = otlp_keys_find(keys, attribute.key);
        if (key == OTLP_KEY_NONE)
            continue;
        SB_ASSERT(seen < span->hit_count && hits[seen].key == key);
        SB_ASSERT(bytes_equal(hits[seen].value, attribute.value));
        SB_ASSERT(is_inside(hits[seen].value, span->raw));
        check_value(hits[seen].value);
        seen++;
    }
    SB_ASSERT(seen == span->hit_count);
    SB_ASSERT(attributes <= limits.attributes_max);
}

static void check_links(const struct otlp_span *span)
{
    struct bytes rest = span->raw;
    struct otlp_link link;
    uint32_t links = 0;
    while (otlp_link_next(&rest, &link)) {
        SB_ASSERT(is_inside(link.raw, span->raw) && is_inside(link.trace_state, link.raw));
        SB_ASSERT(link.trace_id == NULL || is_inside(bytes_of(link.trace_id, 16), link.raw));
        SB_ASSERT(link.span_id == NULL || is_inside(bytes_of(link.span_id, 8), link.raw));
        links++;
    }
    SB_ASSERT(links == span->link_count && links <= limits.links_max);
}

static void check_ids(const struct otlp_span *span)
{
    SB_ASSERT(is_inside(bytes_of(span->trace_id, TRACE_ID_LEN), span->raw));
    SB_ASSERT(is_inside(bytes_of(span->span_id, SPAN_ID_LEN), span->raw));
    SB_ASSERT(!is_zero(span->trace_id, TRACE_ID_LEN) && !is_zero(span->span_id, SPAN_ID_LEN));
    SB_ASSERT(span->parent_id == NULL ||
              (is_inside(bytes_of(span->parent_id, SPAN_ID_LEN), span->raw) &&
               !is_zero(span->parent_id, SPAN_ID_LEN)));
}

static void expect_same(const struct otlp_span *a, const struct otlp_span *b)
{
    SB_ASSERT(b->fault == OTLP_FAULT_NONE);
    SB_ASSERT(bytes_equal(a->raw, b->raw));
    SB_ASSERT(memcmp(a->trace_id, b->trace_id, TRACE_ID_LEN) == 0);
    SB_ASSERT(memcmp(a->span_id, b->span_id, SPAN_ID_LEN) == 0);
    SB_ASSERT((a->parent_id == NULL) == (b->parent_id == NULL));
    SB_ASSERT(bytes_equal(a->name, b->name) && bytes_equal(a->trace_state, b->trace_state));
    SB_ASSERT(a->start_ns == b->start_ns && a->end_ns == b->end_ns && a->flags == b->flags);
    SB_ASSERT(a->kind == b->kind && a->status == b->status && a->link_count == b->link_count);
}

static void check_span(const struct otlp_span *span, struct bytes record)
{
    SB_ASSERT(is_inside(span->raw, record));
    SB_ASSERT(is_inside(span->name, span->raw) && is_inside(span->trace_state, span->raw));
    SB_ASSERT(span->fault < OTLP_FAULT_COUNT);
    if (span->fault != OTLP_FAULT_NONE) {
        SB_ASSERT(span->hit_count == 0);
        return;
    }
    SB_ASSERT(span->raw.len <= limits.span_bytes_max);
    check_ids(span);
    check_hits(span, otlp_scan_hits(scan) + span->first_hit);
    check_links(span);
    struct otlp_span again;
    otlp_scan_span(span->raw, &again);
    expect_same(span, &again);
}

/* A record that was refused has no spans; nor does any have more than the limit. */
static void check_scan(struct bytes record, enum otlp_fault fault)
{
    uint32_t span_count;
    uint32_t envelope_count;
    const struct otlp_span *spans = otlp_scan_spans(scan, &span_count);
    const struct otlp_envelope *envelopes = otlp_scan_envelopes(scan, &envelope_count);
    SB_ASSERT(fault == OTLP_FAULT_NONE || (span_count == 0 && envelope_count == 0));
    SB_ASSERT(span_count <= limits.spans_max && envelope_count <= span_count);
    for (uint32_t i = 0; i < span_count; i++) {
        SB_ASSERT(spans[i].envelope < envelope_count);
        SB_ASSERT(envelopes[spans[i].envelope].fault == OTLP_FAULT_NONE ||
                  spans[i].fault != OTLP_FAULT_NONE);
        check_span(&spans[i], record);
    }
    size_t loose = 0;
    for (uint32_t i = 0; i < envelope_count; i++)
        loose += envelopes[i].scope_fields.len;
    SB_ASSERT(loose <= record.len);
}

/* The good spans, written and scanned again. */
static void check_rewrite(void)
{
    uint32_t count;
    uint32_t good = 0;
    uint32_t envelope_count;
    const struct otlp_span *spans = otlp_scan_spans(scan, &count);
    const struct otlp_envelope *envelopes = otlp_scan_envelopes(scan, &envelope_count);
    struct otlp_request_span *request = calloc(count + 1, sizeof(*request));
    SB_ASSERT(request != NULL);
    for (uint32_t i = 0; i < count; i++) {
        if (spans[i].fault == OTLP_FAULT_NONE)
            request[good++] =
                (struct otlp_request_span){&envelopes[spans[i].envelope], spans[i].raw};
    }
    text_reset(&written);
    otlp_write_request(&written, request, good);
    SB_ASSERT(written.error == SB_OK);
    enum otlp_fault fault;
    SB_ASSERT(otlp_scan_request(second_scan, text_bytes(&written), &fault) == SB_OK);
    SB_ASSERT(fault == OTLP_FAULT_NONE);
    uint32_t again_count;
    const struct otlp_span *again = otlp_scan_spans(second_scan, &again_count);
    const struct otlp_envelope *around = otlp_scan_envelopes(second_scan, &envelope_count);
    SB_ASSERT(again_count == good);
    for (uint32_t i = 0, j = 0; i < count; i++) {
        if (spans[i].fault != OTLP_FAULT_NONE)
            continue;
        const struct otlp_envelope *before = request[j].envelope;
        const struct otlp_envelope *after = &around[again[j].envelope];
        expect_same(&spans[i], &again[j++]);
        SB_ASSERT(bytes_equal(before->resource_fields, after->resource_fields));
        SB_ASSERT(bytes_equal(before->scope_fields, after->scope_fields));
    }
    free(request);
}

/* Tighter limits refuse more, never less. */
static void check_strict(struct bytes record, enum otlp_fault fault)
{
    enum otlp_fault strict_fault;
    uint32_t count;
    uint32_t strict_count;
    SB_ASSERT(otlp_scan_request(strict_scan, record, &strict_fault) == SB_OK);
    if (strict_fault != OTLP_FAULT_NONE)
        return;
    SB_ASSERT(fault == OTLP_FAULT_NONE);
    const struct otlp_span *spans = otlp_scan_spans(scan, &count);
    const struct otlp_span *strict = otlp_scan_spans(strict_scan, &strict_count);
    SB_ASSERT(count == strict_count && strict_count <= 3);
    for (uint32_t i = 0; i < count; i++)
        SB_ASSERT(strict[i].fault != OTLP_FAULT_NONE || spans[i].fault == OTLP_FAULT_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct bytes record = bytes_of(at, len);
    enum otlp_fault fault;
    set_up_once();
    SB_ASSERT(otlp_scan_request(scan, record, &fault) == SB_OK);
    check_scan(record, fault);
    check_rewrite();
    check_strict(record, fault);

    text_reset(&written);
    enum sb_err err = otlp_json_encode(record, &written);
    SB_ASSERT(err == SB_OK || err == SB_ERR_INPUT || err == SB_ERR_LIMIT ||
              err == SB_ERR_MEMORY);
    return 0;
}
