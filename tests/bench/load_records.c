#include "load_records.h"

#include <stdio.h>

#include "core/hex.h"
#include "core/text.h"
#include "load_spans.h"
#include "otlp/write.h"

enum {
    RECORD_BYTES_MAX = 1 << 20,
    LAG_TRACES =
        200, /* a service sends the spans of a trace that much later than the one before */
    LAG_BLOCKS = LAG_TRACES / LOAD_TRACES_PER_BLOCK,
    TRACEPARENT_LEN = 55,
    RESOURCE_SPANS_FIELD = 1,
    SCOPE_SPANS_FIELD = 2
};

struct run {
    const struct load_plan *plan;
    uint32_t partitions;
    struct load_spans *spans;
    struct text body;   /* encoded spans of the record being made */
    struct text record; /* envelope and spans */
    uint32_t sent;
    load_record_fn on_record;
    void *arg;
};

/* Not keyed: any partition, but the same one in every run. */
static int32_t spread(uint32_t number, uint32_t partitions)
{
    return (int32_t)((number * UINT32_C(2654435761) >> 16) % partitions);
}

static void write_length(struct text *out, uint32_t field, size_t len)
{
    uint8_t varint[OTLP_VARINT_MAX];
    text_append_char(out, (char)(field << 3 | 2));
    text_append(out, bytes_of(varint, otlp_varint_write(len, varint)));
}

/* Wraps run->body: ResourceSpans { resource, ScopeSpans { scope, spans } }. */
static void wrap(struct run *run, uint32_t service)
{
    struct bytes resource = load_spans_resource(run->spans, service);
    struct bytes scope = load_spans_scope(run->spans, service);
    size_t scope_spans = scope.len + run->body.len;
    size_t resource_spans = resource.len + 1 + otlp_varint_size(scope_spans) + scope_spans;
    text_reset(&run->record);
    write_length(&run->record, RESOURCE_SPANS_FIELD, resource_spans);
    text_append(&run->record, resource);
    write_length(&run->record, SCOPE_SPANS_FIELD, scope_spans);
    text_append(&run->record, scope);
    text_append(&run->record, text_bytes(&run->body));
}

/* The spans of `service` in traces from ... to - 1, as one record. */
static enum sb_err send_spans(struct run *run, uint32_t service, uint32_t from, uint32_t to)
{
    const struct load_service *of = &load_services[service];
    struct load_record record = {.topic = LOAD_TOPIC_SPANS, .partition = -1};
    text_reset(&run->body);
    for (uint32_t index = from; index < to; index++) {
        struct load_trace trace = load_trace_at(run->plan, index);
        for (uint32_t i = 0; i < of->count; i++) {
            record.span_bytes +=
                (uint32_t)load_spans_append(run->spans, &trace, of->first + i, &run->body);
            record.spans++;
        }
    }
    wrap(run, service);
    if (run->record.error != SB_OK || run->body.error != SB_OK)
        return SB_ERR_MEMORY;

    char key[TRACE_ID_HEX_LEN];
    if (run->plan->kind == LOAD_B) {
        struct trace_id id = load_trace_id(run->plan, from, 0);
        hex_encode(bytes_of(id.byte, TRACE_ID_LEN), key);
        record.key = bytes_of(key, sizeof(key));
    } else {
        record.partition = spread(run->sent++, run->partitions);
    }
    record.value = text_bytes(&run->record);
    /* Sent a second after the last of its traces began, and as late as its service is. */
    uint64_t begun = to + (uint64_t)service * LAG_TRACES;
    record.time_ms = (int64_t)((LOAD_BASE_NS + begun * LOAD_TRACE_GAP_NS) / 1000000) + 1000;
    return run->on_record(run->arg, &record);
}

/* Both messages of a trace of load C. */
static enum sb_err send_messages(struct run *run, uint32_t index)
{
    static const char body[] =
        "{\"order\":\"%08x\",\"items\":[{\"sku\":\"A-1007\",\"count\":2},"
        "{\"sku\":\"C-2210\",\"count\":1}],\"currency\":\"EUR\"}";
    char value[256];
    int len = snprintf(value, sizeof(value), body, index);
    for (uint32_t hop = 0; hop < 2; hop++) {
        struct load_place place = load_message_place(index, hop, run->partitions);
        struct load_record record = {
            .topic = hop == 0 ? LOAD_TOPIC_ORDERS : LOAD_TOPIC_SHIPMENTS,
            .value = bytes_of(value, (size_t)len),
            .partition = place.partition,
            .time_ms = place.time_ms,
        };
        char traceparent[TRACEPARENT_LEN + 1];
        if (hop == 1) {
            uint32_t span = load_send_span(hop);
            char trace[TRACE_ID_HEX_LEN + 1];
            char parent[SPAN_ID_HEX_LEN + 1];
            trace_id_format(load_trace_id(run->plan, index, load_piece_of(LOAD_C, span)),
                            trace);
            span_id_format(load_span_id(run->plan, index, span), parent);
            snprintf(traceparent, sizeof(traceparent), "00-%s-%s-01", trace, parent);
            record.traceparent = bytes_of(traceparent, TRACEPARENT_LEN);
        }
        enum sb_err err = run->on_record(run->arg, &record);
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}

/* All batches of one service for one block of traces. */
static enum sb_err send_block(struct run *run, uint32_t service, uint32_t block)
{
    uint32_t traces = LOAD_SPANS_PER_RECORD / load_services[service].count;
    uint32_t from = block * LOAD_TRACES_PER_BLOCK;
    uint32_t end = from + LOAD_TRACES_PER_BLOCK;
    if (run->plan->kind == LOAD_C && service == 0)
        for (uint32_t index = from; index < end; index++) {
            enum sb_err err = send_messages(run, index);
            if (err != SB_OK)
                return err;
        }
    for (; from < end; from += traces) {
        enum sb_err err = send_spans(run, service, from, from + traces);
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}

/* Step by step, each service `lag` steps behind the one before it. */
static enum sb_err send_all(struct run *run)
{
    bool single = run->plan->kind == LOAD_B;
    uint32_t steps = single ? run->plan->traces : run->plan->traces / LOAD_TRACES_PER_BLOCK;
    uint32_t lag = single ? LAG_TRACES : LAG_BLOCKS;
    for (uint32_t step = 0; step < steps + lag * (LOAD_SERVICES - 1); step++) {
        for (uint32_t service = 0; service < LOAD_SERVICES; service++) {
            uint32_t behind = lag * service;
            if (step < behind || step - behind >= steps)
                continue;
            uint32_t at = step - behind;
            enum sb_err err =
                single ? send_spans(run, service, at, at + 1) : send_block(run, service, at);
            if (err != SB_OK)
                return err;
        }
    }
    return SB_OK;
}

enum sb_err load_generate(const struct load_plan *plan, uint32_t partitions,
                          load_record_fn on_record, void *arg)
{
    if (plan->traces == 0 || plan->traces % LOAD_TRACES_PER_BLOCK != 0 || partitions == 0)
        return SB_ERR_INPUT;
    struct run run = {
        .plan = plan, .partitions = partitions, .on_record = on_record, .arg = arg};
    enum sb_err err = load_spans_new(plan, partitions, &run.spans);
    if (err != SB_OK)
        return err;
    text_init(&run.body, RECORD_BYTES_MAX);
    text_init(&run.record, RECORD_BYTES_MAX);
    err = send_all(&run);
    text_clear(&run.body);
    text_clear(&run.record);
    load_spans_free(run.spans);
    return err;
}
