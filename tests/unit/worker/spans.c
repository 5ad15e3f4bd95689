#include "spans.h"

#include <stdio.h>
#include <stdlib.h>

#include "otlp/write.h"
#include "support/fake_clock.h"
#include "support/test.h"

struct span_id spans_id(uint64_t number)
{
    struct span_id id;
    for (int i = 0; i < SPAN_ID_LEN; i++)
        id.byte[i] = (uint8_t)(number >> (8 * (SPAN_ID_LEN - 1 - i)));
    return id;
}

static uint64_t number_of(struct span_id id)
{
    uint64_t number = 0;
    for (int i = 0; i < SPAN_ID_LEN; i++)
        number = number << 8 | id.byte[i];
    return number;
}

uint64_t spans_start_ns(const struct span_spec *spec)
{
    return FAKE_CLOCK_WALL_NS + spec->start_ms * NS_PER_MS + spec->start_ns;
}

uint64_t spans_end_ns(const struct span_spec *spec)
{
    uint64_t end_ms = spec->end_ms == 0 ? spec->start_ms + 1 : spec->end_ms;
    return FAKE_CLOCK_WALL_NS + end_ms * NS_PER_MS;
}

static void put_text(struct text *out, const char *key, const char *value)
{
    if (value != NULL)
        otlp_write_string_attribute(out, OTLP_SPAN_ATTRIBUTES, bytes_text(key),
                                    bytes_text(value));
}

static void put_number(struct text *out, const char *key, int64_t value)
{
    otlp_write_int_attribute(out, OTLP_SPAN_ATTRIBUTES, bytes_text(key), value);
}

static void put_hop(struct text *out, const struct span_spec *spec)
{
    if (spec->operation == NULL && spec->topic == NULL)
        return;
    put_text(out, "messaging.system", "kafka");
    put_text(out, "messaging.operation.type", spec->operation);
    put_text(out, "messaging.destination.name", spec->topic);
    if (spec->batch > 0)
        put_number(out, "messaging.batch.message_count", spec->batch);
    if (!spec->placed)
        return;
    char partition[32];
    snprintf(partition, sizeof(partition), "%lld", (long long)spec->partition);
    put_text(out, "messaging.destination.partition.id", partition);
    put_number(out, "messaging.kafka.offset", spec->offset);
}

void spans_write_body(struct text *out, const struct span_spec *spec)
{
    struct span_id id = spans_id(spec->id);
    struct span_id parent = spans_id(spec->parent);
    otlp_write_bytes_field(out, OTLP_SPAN_TRACE_ID, bytes_of(spec->trace.byte, TRACE_ID_LEN));
    otlp_write_bytes_field(out, OTLP_SPAN_SPAN_ID, bytes_of(id.byte, SPAN_ID_LEN));
    if (spec->parent != 0)
        otlp_write_bytes_field(out, OTLP_SPAN_PARENT_ID, bytes_of(parent.byte, SPAN_ID_LEN));
    otlp_write_bytes_field(out, OTLP_SPAN_NAME,
                           bytes_text(spec->name == NULL ? "span" : spec->name));
    otlp_write_varint_field(out, OTLP_SPAN_KIND, spec->kind);
    otlp_write_fixed64_field(out, OTLP_SPAN_START, spans_start_ns(spec));
    otlp_write_fixed64_field(out, OTLP_SPAN_END, spans_end_ns(spec));
    put_hop(out, spec);
    if (spec->key != NULL)
        put_text(out, spec->key, spec->value);
    if (spec->padding > 0) {
        char *padding = calloc(1, spec->padding + 1);
        assert_non_null(padding);
        memset(padding, 'p', spec->padding);
        put_text(out, "padding", padding);
        free(padding);
    }
    for (uint32_t i = 0; i < spec->link_count; i++)
        otlp_write_link(out, spec->links[i].trace, spans_id(spec->links[i].span), 0x101,
                        bytes_of(NULL, 0), bytes_of(NULL, 0));
    if (spec->error)
        otlp_write_bytes_field(out, OTLP_SPAN_STATUS, bytes_of("\x18\x02", 2));
    if (spec->flags != 0)
        otlp_write_fixed32_field(out, OTLP_SPAN_FLAGS, spec->flags);
    assert_int_equal(out->error, SB_OK);
}

static const char *service_of(const struct span_spec *spec)
{
    return spec->service == NULL ? "app" : spec->service;
}

/* Spans from `specs` on that share a service, as one ResourceSpans; how many. */
static size_t write_group(struct text *out, const struct span_spec *specs, size_t count)
{
    struct text resource;
    struct text scope;
    struct text group;
    struct text body;
    text_init(&resource, 1 << 16);
    text_init(&scope, 1 << 28);
    text_init(&group, 1 << 28);
    text_init(&body, 1 << 28);
    otlp_write_string_attribute(&resource, 1, BYTES_LITERAL("service.name"),
                                bytes_text(service_of(specs)));
    otlp_write_bytes_field(&group, 1, text_bytes(&resource));
    size_t taken = 0;
    while (taken < count && strcmp(service_of(&specs[taken]), service_of(specs)) == 0) {
        text_reset(&body);
        spans_write_body(&body, &specs[taken++]);
        otlp_write_bytes_field(&scope, 2, text_bytes(&body));
    }
    otlp_write_bytes_field(&group, 2, text_bytes(&scope));
    otlp_write_bytes_field(out, 1, text_bytes(&group));
    text_clear(&resource);
    text_clear(&scope);
    text_clear(&group);
    text_clear(&body);
    return taken;
}

void spans_write_request(struct text *out, const struct span_spec *specs, size_t count)
{
    for (size_t at = 0; at < count;)
        at += write_group(out, specs + at, count - at);
    assert_int_equal(out->error, SB_OK);
}

void spans_traceparent(struct span_context context, char ret[64])
{
    char trace[TRACE_ID_HEX_LEN + 1];
    char span[SPAN_ID_HEX_LEN + 1];
    trace_id_format(context.trace, trace);
    span_id_format(spans_id(context.span), span);
    snprintf(ret, 64, "00-%s-%s-01", trace, span);
}

static char *copy_text(const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    assert_non_null(copy);
    memcpy(copy, text, strlen(text) + 1);
    return copy;
}

static char *read_service(struct bytes resource_fields)
{
    Spanbridge__Oracle__ResourceSpans *group = spanbridge__oracle__resource_spans__unpack(
        NULL, resource_fields.len, resource_fields.at);
    assert_non_null(group);
    const char *service = "";
    for (size_t i = 0; group->resource != NULL && i < group->resource->n_attributes; i++) {
        const Spanbridge__Oracle__KeyValue *attribute = group->resource->attributes[i];
        if (strcmp(attribute->key, "service.name") == 0)
            service = attribute->value->string_value;
    }
    char *copy = copy_text(service);
    spanbridge__oracle__resource_spans__free_unpacked(group, NULL);
    return copy;
}

void out_read(struct out_span *ret, const struct sink_span *span, struct bytes body)
{
    *ret = (struct out_span){
        .span = spanbridge__oracle__span__unpack(NULL, body.len, body.at),
        .service = read_service(span->envelope->resource_fields),
        .raw = malloc(body.len + 1),
        .raw_len = body.len,
        .synthetic = span->synthetic,
        .outcome = span->outcome,
    };
    assert_non_null(ret->span);
    assert_non_null(ret->raw);
    memcpy(ret->raw, body.at, body.len);
    assert_int_equal(ret->span->trace_id.len, TRACE_ID_LEN);
    assert_int_equal(ret->span->span_id.len, SPAN_ID_LEN);
}

void out_clear(struct out_span *out)
{
    spanbridge__oracle__span__free_unpacked(out->span, NULL);
    free(out->service);
    free(out->raw);
}

struct trace_id out_trace(const struct out_span *out)
{
    return trace_id_load(out->span->trace_id.data);
}

struct span_id out_id(const struct out_span *out)
{
    return span_id_load(out->span->span_id.data);
}

uint64_t out_parent(const struct out_span *out)
{
    if (out->span->parent_span_id.len == 0)
        return 0;
    assert_int_equal(out->span->parent_span_id.len, SPAN_ID_LEN);
    return number_of(span_id_load(out->span->parent_span_id.data));
}

bool out_has_trace(const struct out_span *out, struct trace_id trace)
{
    return trace_id_equal(out_trace(out), trace);
}

/* The last of that key; the writer must never give two. */
static const Spanbridge__Oracle__AnyValue *
find_attribute(Spanbridge__Oracle__KeyValue *const *attributes, size_t count, const char *key)
{
    const Spanbridge__Oracle__AnyValue *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(attributes[i]->key, key) != 0)
            continue;
        assert_null(found);
        found = attributes[i]->value;
    }
    return found;
}

static const Spanbridge__Oracle__AnyValue *attribute_of(const struct out_span *out,
                                                        const char *key)
{
    return find_attribute(out->span->attributes, out->span->n_attributes, key);
}

bool out_has(const struct out_span *out, const char *key)
{
    return attribute_of(out, key) != NULL;
}

const char *out_text(const struct out_span *out, const char *key)
{
    const Spanbridge__Oracle__AnyValue *value = attribute_of(out, key);
    if (value == NULL)
        return NULL;
    assert_int_equal(value->value_case, SPANBRIDGE__ORACLE__ANY_VALUE__VALUE_STRING_VALUE);
    return value->string_value;
}

int64_t out_number(const struct out_span *out, const char *key)
{
    const Spanbridge__Oracle__AnyValue *value = attribute_of(out, key);
    assert_non_null(value);
    assert_int_equal(value->value_case, SPANBRIDGE__ORACLE__ANY_VALUE__VALUE_INT_VALUE);
    return value->int_value;
}

bool out_flag(const struct out_span *out, const char *key)
{
    const Spanbridge__Oracle__AnyValue *value = attribute_of(out, key);
    if (value == NULL)
        return false;
    assert_int_equal(value->value_case, SPANBRIDGE__ORACLE__ANY_VALUE__VALUE_BOOL_VALUE);
    return value->bool_value;
}

static bool is_link_to(const Spanbridge__Oracle__Span__Link *link, struct span_context to)
{
    struct span_id span = spans_id(to.span);
    return memcmp(link->trace_id.data, to.trace.byte, TRACE_ID_LEN) == 0 &&
           memcmp(link->span_id.data, span.byte, SPAN_ID_LEN) == 0;
}

const Spanbridge__Oracle__Span__Link *out_link(const struct out_span *out,
                                               struct span_context to)
{
    const Spanbridge__Oracle__Span__Link *found = NULL;
    for (size_t i = 0; i < out->span->n_links; i++) {
        if (!is_link_to(out->span->links[i], to))
            continue;
        assert_null(found);
        found = out->span->links[i];
    }
    return found;
}

const char *out_link_text(const Spanbridge__Oracle__Span__Link *link, const char *key)
{
    const Spanbridge__Oracle__AnyValue *value =
        find_attribute(link->attributes, link->n_attributes, key);
    return value == NULL ? NULL : value->string_value;
}

static struct trace_id read_trace(const char *hex)
{
    struct trace_id id;
    for (int i = 0; i < TRACE_ID_LEN; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        id.byte[i] = (uint8_t)byte;
    }
    return id;
}

static uint64_t read_span(const char *hex)
{
    unsigned long long number;
    assert_int_equal(sscanf(hex, "%16llx", &number), 1);
    return number;
}

/* The span's own links with their old contexts; *ret_count of them. */
static void undo_links(const struct out_span *out, struct span_context *ret, size_t *ret_count)
{
    const char *original = out_text(out, "spanbridge.repair.original_links");
    *ret_count = 0;
    for (size_t i = 0; i < out->span->n_links; i++) {
        const Spanbridge__Oracle__Span__Link *link = out->span->links[i];
        if (out_link_text(link, "spanbridge.repair.action") != NULL)
            continue; /* added by the bridge */
        assert_true(*ret_count < SPAN_LINKS_MAX);
        struct span_context *context = &ret[(*ret_count)++];
        context->trace = trace_id_load(link->trace_id.data);
        context->span = number_of(span_id_load(link->span_id.data));
        /* Entries stand in the order of the links that were changed. */
        if (original == NULL || read_span(original + TRACE_ID_HEX_LEN + 1) != context->span)
            continue;
        context->trace = read_trace(original);
        const char *next = strchr(original, ',');
        original = next == NULL ? NULL : next + 1;
    }
    assert_null(original);
}

void out_check_undo(const struct out_span *out, const struct span_spec *spec)
{
    const char *old_trace = out_text(out, "spanbridge.repair.original_trace_id");
    const char *old_parent = out_text(out, "spanbridge.repair.original_parent_span_id");
    const char *action = out_text(out, "spanbridge.repair.action");
    struct trace_id trace = old_trace == NULL ? out_trace(out) : read_trace(old_trace);
    uint64_t parent = out_parent(out);
    if (old_parent != NULL)
        parent = read_span(old_parent);
    else if (action != NULL && strcmp(action, "parent") == 0)
        parent = 0;
    assert_memory_equal(trace.byte, spec->trace.byte, TRACE_ID_LEN);
    assert_int_equal(parent, spec->parent);
    struct span_context links[SPAN_LINKS_MAX];
    size_t count;
    undo_links(out, links, &count);
    assert_int_equal(count, spec->link_count);
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(links[i].trace.byte, spec->links[i].trace.byte, TRACE_ID_LEN);
        assert_int_equal(links[i].span, spec->links[i].span);
    }
    /* What was not rewritten in place is there as it came. */
    if (out_has(out, "spanbridge.repair.original_links"))
        return;
    struct text body;
    text_init(&body, 1 << 28);
    spans_write_body(&body, spec);
    assert_true(out->raw_len >= body.len);
    assert_memory_equal(out->raw, body.at, body.len);
    text_clear(&body);
}
