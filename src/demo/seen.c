#include "seen.h"

#include <string.h>

#include "core/memory.h"
#include "otlp/scan.h"
#include "otlp/value.h"

/* Attributes that the pictures need, in the order of their ids. */
enum key { KEY_SERVICE, KEY_RULE, KEY_ACTION, KEY_EVIDENCE, KEY_SYNTHETIC, KEY_POLICY, KEYS };
static const char *const key_names[KEYS] = {"service.name",
                                            "spanbridge.repair.rule",
                                            "spanbridge.repair.action",
                                            "spanbridge.repair.evidence",
                                            "spanbridge.synthetic",
                                            "spanbridge.policy"};

struct seen_reader {
    struct otlp_keys *keys;
    struct otlp_scan *scan;
};

enum sb_err seen_reader_new(struct seen_reader **ret)
{
    struct otlp_limits limits = otlp_limits_default();
    struct seen_reader *reader = memory_zalloc(1, sizeof(*reader));
    if (reader == NULL)
        return SB_ERR_MEMORY;
    enum sb_err err = otlp_keys_new(&reader->keys);
    for (uint32_t i = 0; err == SB_OK && i < KEYS; i++) {
        uint16_t id;
        err = otlp_keys_add(reader->keys, bytes_text(key_names[i]), &id);
    }
    if (err == SB_OK)
        err = otlp_scan_new(&limits, reader->keys, &reader->scan);
    if (err != SB_OK) {
        seen_reader_free(reader);
        return err;
    }
    *ret = reader;
    return SB_OK;
}

void seen_reader_free(struct seen_reader *reader)
{
    if (reader == NULL)
        return;
    otlp_scan_free(reader->scan);
    otlp_keys_free(reader->keys);
    memory_free(reader);
}

static void copy_text(char *ret, size_t room, struct bytes in)
{
    size_t len = in.len < room - 1 ? in.len : room - 1;
    if (len > 0)
        memcpy(ret, in.at, len);
    ret[len] = '\0';
}

static void take_hit(struct seen_span *span, const struct otlp_hit *hit)
{
    struct otlp_value value = otlp_value_read(hit->value);
    switch ((enum key)hit->key) {
    case KEY_SERVICE:
        copy_text(span->service, sizeof(span->service), value.bytes);
        break;
    case KEY_RULE:
        copy_text(span->rule, sizeof(span->rule), value.bytes);
        break;
    case KEY_ACTION:
        copy_text(span->action, sizeof(span->action), value.bytes);
        break;
    case KEY_EVIDENCE:
        copy_text(span->evidence, sizeof(span->evidence), value.bytes);
        break;
    case KEY_SYNTHETIC:
        span->synthetic = value.type == OTLP_VALUE_BOOL && value.integer != 0;
        break;
    case KEY_POLICY:
        copy_text(span->policy, sizeof(span->policy), value.bytes);
        break;
    case KEYS:
        break;
    }
}

static void on_resource_hit(void *arg, const struct otlp_hit *hit)
{
    if (hit->key == KEY_SERVICE)
        take_hit(arg, hit);
}

static void fill(struct seen_reader *reader, const struct otlp_span *in, struct seen_span *ret)
{
    uint32_t envelope_count;
    const struct otlp_envelope *envelopes = otlp_scan_envelopes(reader->scan, &envelope_count);
    const struct otlp_hit *hits = otlp_scan_hits(reader->scan);
    memset(ret, 0, sizeof(*ret));
    ret->trace_id = trace_id_load(in->trace_id);
    ret->span_id = span_id_load(in->span_id);
    if (in->parent_id != NULL)
        ret->parent_id = span_id_load(in->parent_id);
    ret->start_ns = in->start_ns;
    ret->end_ns = in->end_ns < in->start_ns ? in->start_ns : in->end_ns;
    ret->kind = in->kind;
    ret->failed = in->status == OTLP_STATUS_ERROR;
    copy_text(ret->name, sizeof(ret->name), in->name);
    for (uint32_t i = 0; i < in->hit_count; i++)
        take_hit(ret, &hits[in->first_hit + i]);
    otlp_scan_resource(envelopes[in->envelope].resource_fields, reader->keys, on_resource_hit,
                       ret);
}

enum sb_err seen_read(struct seen_reader *reader, struct bytes request, seen_fn on_span,
                      void *arg)
{
    enum otlp_fault fault;
    enum sb_err err = otlp_scan_request(reader->scan, request, &fault);
    if (err != SB_OK)
        return err;
    if (fault != OTLP_FAULT_NONE)
        return SB_ERR_INPUT;
    uint32_t count;
    const struct otlp_span *spans = otlp_scan_spans(reader->scan, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct seen_span span;
        if (spans[i].fault != OTLP_FAULT_NONE)
            return SB_ERR_INPUT;
        fill(reader, &spans[i], &span);
        on_span(arg, &span);
    }
    return SB_OK;
}

bool seen_list_add(struct seen_list *list, const struct seen_span *span)
{
    /* Delivery is at least once: a span that comes again is no second span. */
    for (uint32_t i = 0; i < list->count; i++)
        if (span_id_equal(list->spans[i].span_id, span->span_id) &&
            trace_id_equal(list->spans[i].trace_id, span->trace_id))
            return true;
    if (list->count == SEEN_SPANS_MAX)
        return false;
    list->spans[list->count++] = *span;
    return true;
}

const struct seen_span *seen_list_find(const struct seen_list *list, struct span_id id)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (span_id_equal(list->spans[i].span_id, id))
            return &list->spans[i];
    return NULL;
}

uint64_t seen_list_start_ns(const struct seen_list *list)
{
    uint64_t start_ns = UINT64_MAX;
    for (uint32_t i = 0; i < list->count; i++)
        if (list->spans[i].start_ns < start_ns)
            start_ns = list->spans[i].start_ns;
    return list->count == 0 ? 0 : start_ns;
}

uint64_t seen_list_end_ns(const struct seen_list *list)
{
    uint64_t end_ns = 0;
    for (uint32_t i = 0; i < list->count; i++)
        if (list->spans[i].end_ns > end_ns)
            end_ns = list->spans[i].end_ns;
    return end_ns;
}
