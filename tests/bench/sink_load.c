#include "sink_load.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "core/memory.h"
#include "otlp/write.h"

enum {
    BATCHES = SINK_LOAD_BATCHES,
    SPANS = SINK_LOAD_BATCH_SPANS,
    RESOURCES = 5,
    RESOURCE_ATTRIBUTES = 6,
    SPAN_ATTRIBUTES = 10,
    NAME_LEN = 64,
    BYTES_MAX = 64 << 20
};

struct sink_load {
    struct sink_load_shape shape;
    struct text resources[RESOURCES];
    struct otlp_envelope envelopes[RESOURCES];
    struct sink_batch *batches[BATCHES];
    struct text values; /* of all records */
    struct sink_load_record *records;
    uint32_t record_count;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sink_batch *returned; /* locked */
    double own_ns;               /* locked */
};

static void write_resource(struct text *out, int number)
{
    enum { RESOURCE = 1, ATTRIBUTE = 1 };
    struct text fields;
    char name[NAME_LEN];
    text_init(&fields, BYTES_MAX);
    for (int i = 0; i < RESOURCE_ATTRIBUTES; i++) {
        snprintf(name, sizeof(name), "resource.attribute.%d", i);
        otlp_write_string_attribute(&fields, ATTRIBUTE, bytes_text(name),
                                    bytes_text(number % 2 == 0 ? "checkout" : "warehouse"));
    }
    otlp_write_bytes_field(out, RESOURCE, text_bytes(&fields));
    text_clear(&fields);
}

static void write_span(struct text *out, struct trace_id trace, uint64_t id)
{
    char key[NAME_LEN];
    otlp_patch_trace_id(out, trace);
    otlp_write_bytes_field(out, OTLP_SPAN_SPAN_ID, bytes_of(&id, SPAN_ID_LEN));
    otlp_write_bytes_field(out, OTLP_SPAN_PARENT_ID, bytes_of(&id, SPAN_ID_LEN));
    otlp_write_bytes_field(out, OTLP_SPAN_NAME, BYTES_LITERAL("POST /api/checkout"));
    otlp_write_fixed64_field(out, OTLP_SPAN_START, id);
    otlp_write_fixed64_field(out, OTLP_SPAN_END, id + 1);
    for (int i = 0; i < SPAN_ATTRIBUTES; i++) {
        snprintf(key, sizeof(key), "attribute.number.%d", i);
        otlp_write_string_attribute(out, OTLP_SPAN_ATTRIBUTES, bytes_text(key),
                                    BYTES_LITERAL("the.value"));
    }
}

static const struct otlp_envelope *envelope_of(const struct sink_load *load, uint64_t span)
{
    uint64_t place = span % load->shape.trace_spans;
    return &load->envelopes[place % load->shape.trace_resources];
}

static struct sink_batch *make_batch(const struct sink_load *load, uint64_t number)
{
    struct sink_batch *batch = NULL;
    if (sink_batch_new(SPANS, BYTES_MAX, &batch) != SB_OK)
        bench_fail("memory is short");
    for (uint64_t i = 0; i < SPANS; i++) {
        uint64_t id = number * SPANS + i;
        uint64_t scrambled = (id / load->shape.trace_spans + 1) * UINT64_C(0x9e3779b97f4a7c15);
        struct trace_id trace = {{1}};
        memcpy(trace.byte + SPAN_ID_LEN, &scrambled, sizeof(scrambled));
        size_t at = batch->bytes.len;
        write_span(&batch->bytes, trace, id + 1);
        batch->spans[batch->span_count++] = (struct sink_span){
            .envelope = envelope_of(load, i),
            .trace = trace,
            .at = (uint32_t)at,
            .len = (uint32_t)(batch->bytes.len - at),
        };
    }
    if (batch->bytes.error != SB_OK)
        bench_fail("memory is short");
    return batch;
}

/* Appends the request that holds the spans of one trace, sorted by envelope. */
static void write_record(struct sink_load *load, const struct sink_batch *batch, uint32_t first)
{
    struct otlp_request_span spans[SINK_LOAD_TRACE_SPANS_MAX];
    size_t count = 0;
    for (int resource = 0; resource < RESOURCES; resource++)
        for (uint32_t i = first; i < first + load->shape.trace_spans; i++)
            if (batch->spans[i].envelope == &load->envelopes[resource])
                spans[count++] = (struct otlp_request_span){
                    .envelope = batch->spans[i].envelope,
                    .body = bytes_of(batch->bytes.at + batch->spans[i].at, batch->spans[i].len),
                };
    otlp_write_request(&load->values, spans, count);
}

static void make_records(struct sink_load *load)
{
    for (uint32_t i = 0; i < load->record_count; i++) {
        uint32_t span = i * load->shape.trace_spans;
        const struct sink_batch *batch = load->batches[span / SPANS];
        size_t before = load->values.len;
        write_record(load, batch, span % SPANS);
        load->records[i].trace = batch->spans[span % SPANS].trace;
        load->records[i].value.len = load->values.len - before;
    }
    if (load->values.error != SB_OK)
        bench_fail("memory is short");
    /* Only now does the text stay where it is. */
    const uint8_t *at = (const uint8_t *)load->values.at;
    for (uint32_t i = 0; i < load->record_count; i++) {
        load->records[i].value.at = at;
        at += load->records[i].value.len;
    }
}

struct sink_load *sink_load_new(const struct sink_load_shape *shape)
{
    struct sink_load *load = memory_zalloc(1, sizeof(*load));
    if (load == NULL)
        bench_fail("memory is short");
    load->shape = *shape;
    load->record_count = SINK_LOAD_SPANS / shape->trace_spans;
    load->records = memory_zalloc(load->record_count, sizeof(*load->records));
    if (load->records == NULL || pthread_mutex_init(&load->lock, NULL) != 0 ||
        pthread_cond_init(&load->changed, NULL) != 0)
        bench_fail("memory is short");
    for (int i = 0; i < RESOURCES; i++) {
        text_init(&load->resources[i], BYTES_MAX);
        write_resource(&load->resources[i], i);
        load->envelopes[i] =
            (struct otlp_envelope){.resource_fields = text_bytes(&load->resources[i])};
    }
    for (uint64_t i = 0; i < BATCHES; i++)
        load->batches[i] = make_batch(load, i);
    text_init(&load->values, BYTES_MAX);
    make_records(load);
    return load;
}

void sink_load_free(struct sink_load *load)
{
    for (int i = 0; i < BATCHES; i++)
        sink_batch_free(load->batches[i]);
    for (int i = 0; i < RESOURCES; i++)
        text_clear(&load->resources[i]);
    text_clear(&load->values);
    memory_free(load->records);
    pthread_cond_destroy(&load->changed);
    pthread_mutex_destroy(&load->lock);
    memory_free(load);
}

size_t sink_load_span_bytes(const struct sink_load *load)
{
    return load->batches[0]->bytes.len / SPANS;
}

const struct sink_load_record *sink_load_records(const struct sink_load *load,
                                                 uint32_t *ret_count)
{
    *ret_count = load->record_count;
    return load->records;
}

void sink_load_on_done(void *arg, struct sink_batch *batch)
{
    struct sink_load *load = arg;
    struct timespec own;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
    pthread_mutex_lock(&load->lock);
    load->own_ns = 1e9 * (double)own.tv_sec + (double)own.tv_nsec;
    batch->item.next = (struct mailbox_item *)load->returned;
    load->returned = batch;
    pthread_cond_signal(&load->changed);
    pthread_mutex_unlock(&load->lock);
}

static struct sink_batch *take(struct sink_load *load)
{
    pthread_mutex_lock(&load->lock);
    while (load->returned == NULL)
        pthread_cond_wait(&load->changed, &load->lock);
    struct sink_batch *batch = load->returned;
    load->returned = (struct sink_batch *)batch->item.next;
    pthread_mutex_unlock(&load->lock);
    return batch;
}

void sink_load_run(struct sink_load *load, struct sink *sink, uint32_t passes)
{
    for (int i = 0; i < BATCHES; i++)
        sink_submit(sink, load->batches[i]);
    for (uint32_t left = passes * BATCHES; left > 0; left--) {
        struct sink_batch *batch = take(load);
        if (left > BATCHES)
            sink_submit(sink, batch);
        else
            load->batches[left - 1] = batch;
    }
}

double sink_load_own_ns(struct sink_load *load)
{
    pthread_mutex_lock(&load->lock);
    double own_ns = load->own_ns;
    pthread_mutex_unlock(&load->lock);
    return own_ns;
}
