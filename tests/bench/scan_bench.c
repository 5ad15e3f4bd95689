/*
 * scan_bench: CPU nanoseconds per span of the scan alone, on spans as services send them.
 *
 * Spans of about 470 bytes with ten attributes, in records of 50 under a resource of six
 * attributes, scanned with the keys that repair and common policies want.  The records lie
 * side by side and are larger than the caches of most machines together, as they are behind
 * a consumer.  Ends with 1 when the scan saw anything else than what was written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/text.h"
#include "otlp/scan.h"
#include "otlp/write.h"

enum { RECORDS = 400, SPANS_PER_RECORD = 50, ROUNDS = 40, HITS_PER_SPAN = 6 };
#define SPANS ((uint64_t)RECORDS * SPANS_PER_RECORD)

static const char *const wanted[] = {
    "messaging.system",
    "messaging.destination",
    "messaging.destination.name",
    "messaging.source.name",
    "messaging.destination_kind",
    "messaging.destination.kind",
    "messaging.source.kind",
    "messaging.temp_destination",
    "messaging.destination.temporary",
    "messaging.destination_publish.name",
    "messaging.kafka.partition",
    "messaging.kafka.destination.partition",
    "messaging.kafka.source.partition",
    "messaging.destination.partition.id",
    "messaging.kafka.message.offset",
    "messaging.kafka.offset",
    "messaging.kafka.message_key",
    "messaging.kafka.message.key",
    "messaging.kafka.tombstone",
    "messaging.kafka.message.tombstone",
    "messaging.message_id",
    "messaging.message.id",
    "messaging.conversation_id",
    "messaging.message.conversation_id",
    "messaging.kafka.consumer_group",
    "messaging.kafka.consumer.group",
    "messaging.consumer.group.name",
    "messaging.client_id",
    "messaging.client.id",
    "messaging.operation",
    "messaging.operation.type",
    "messaging.operation.name",
    "messaging.message.body.size",
    "messaging.message.envelope.size",
    "messaging.rabbitmq.routing_key",
    "messaging.rabbitmq.destination.routing_key",
    "messaging.rabbitmq.message.delivery_tag",
    "messaging.batch.message_count",
    "http.response.status_code",
    "customer.tier",
    "tenant.id",
    "sampling.priority",
};

static void die(const char *what)
{
    fprintf(stderr, "scan_bench: %s\n", what);
    _Exit(1);
}

static void string_attribute(struct text *out, uint32_t field, const char *key,
                             const char *value)
{
    otlp_write_string_attribute(out, field, bytes_text(key), bytes_text(value));
}

static void write_resource(struct text *out)
{
    enum { FIELD = 1 };
    struct text resource;
    text_init(&resource, 4096);
    string_attribute(&resource, FIELD, "service.name", "checkout");
    string_attribute(&resource, FIELD, "service.version", "1.14.2");
    string_attribute(&resource, FIELD, "service.instance.id", "checkout-6c9f7d8b5-x2x7k");
    string_attribute(&resource, FIELD, "telemetry.sdk.language", "java");
    string_attribute(&resource, FIELD, "telemetry.sdk.version", "1.44.1");
    string_attribute(&resource, FIELD, "k8s.namespace.name", "shop");
    otlp_write_bytes_field(out, 1, text_bytes(&resource));
    text_clear(&resource);
}

/* Six of the ten attributes are wanted, one of them a number. */
static void write_span(struct text *out, uint64_t number)
{
    uint8_t trace_id[16] = {1};
    uint8_t span_id[8] = {2};
    memcpy(trace_id + 8, &number, sizeof(number));
    memcpy(span_id + 1, &number, 7);
    char offset[24];
    snprintf(offset, sizeof(offset), "order-%08lu", (unsigned long)number);

    enum { FIELD = OTLP_SPAN_ATTRIBUTES };
    otlp_write_bytes_field(out, OTLP_SPAN_TRACE_ID, bytes_of(trace_id, 16));
    otlp_write_bytes_field(out, OTLP_SPAN_SPAN_ID, bytes_of(span_id, 8));
    otlp_write_bytes_field(out, OTLP_SPAN_PARENT_ID, bytes_of(span_id, 8));
    otlp_write_bytes_field(out, OTLP_SPAN_NAME, bytes_text("orders process"));
    otlp_write_varint_field(out, OTLP_SPAN_KIND, 1 + number % 5);
    otlp_write_fixed64_field(out, OTLP_SPAN_START, UINT64_C(1760000000000000000) + number);
    otlp_write_fixed64_field(out, OTLP_SPAN_END, UINT64_C(1760000000012000000) + number * 3);
    string_attribute(out, FIELD, "messaging.system", "kafka");
    string_attribute(out, FIELD, "messaging.destination.name", "orders");
    string_attribute(out, FIELD, "messaging.operation.type", "process");
    otlp_write_int_attribute(out, FIELD, bytes_text("messaging.kafka.offset"),
                             (int64_t)(number * 977));
    string_attribute(out, FIELD, "messaging.kafka.message.key", offset);
    string_attribute(out, FIELD, "server.address",
                     "kafka-0.kafka-headless.shop.svc.cluster.local");
    otlp_write_int_attribute(out, FIELD, bytes_text("thread.id"), (int64_t)(number % 64));
    string_attribute(out, FIELD, "thread.name", "org.springframework.kafka.Listener#0-0-C-1");
    otlp_write_bool_attribute(out, FIELD, bytes_text("order.express"), number % 2 == 0);
    string_attribute(out, FIELD, "customer.tier", number % 7 == 0 ? "platinum" : "basic");
    if (number % 20 == 0) /* Status{code = error} */
        otlp_write_bytes_field(out, OTLP_SPAN_STATUS, BYTES_LITERAL("\x18\x02"));
    otlp_write_fixed32_field(out, OTLP_SPAN_FLAGS, 0x101);
}

static void write_record(struct text *out, uint64_t first, size_t *span_bytes)
{
    struct text resource;
    struct text bodies;
    struct otlp_request_span spans[SPANS_PER_RECORD];
    size_t ends[SPANS_PER_RECORD + 1] = {0};
    text_init(&resource, 4096);
    text_init(&bodies, 1u << 20);
    write_resource(&resource);
    for (size_t i = 0; i < SPANS_PER_RECORD; i++) {
        write_span(&bodies, first + i);
        ends[i + 1] = bodies.len;
    }
    struct otlp_envelope envelope = {.resource_fields = text_bytes(&resource),
                                     .scope_fields = BYTES_LITERAL("\x0a\x06\x0a\x04shop")};
    for (size_t i = 0; i < SPANS_PER_RECORD; i++)
        spans[i] = (struct otlp_request_span){
            &envelope, bytes_of(bodies.at + ends[i], ends[i + 1] - ends[i])};
    *span_bytes += bodies.len;
    otlp_write_request(out, spans, SPANS_PER_RECORD);
    if (out->error != SB_OK || bodies.error != SB_OK || resource.error != SB_OK)
        die("memory is short");
    text_clear(&resource);
    text_clear(&bodies);
}

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static uint64_t scan_all(struct otlp_scan *scan, const struct text *all, const size_t *ends)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        struct bytes record = bytes_of(all->at + ends[i], ends[i + 1] - ends[i]);
        enum otlp_fault fault;
        uint32_t count;
        if (otlp_scan_request(scan, record, &fault) != SB_OK || fault != OTLP_FAULT_NONE)
            die("a record was refused");
        const struct otlp_span *spans = otlp_scan_spans(scan, &count);
        seen += count;
        const struct otlp_span *last = &spans[count - 1];
        if (last->fault != OTLP_FAULT_NONE || last->hit_count != HITS_PER_SPAN)
            die("a span was not read as it was written");
    }
    return seen;
}

int main(void)
{
    static size_t ends[RECORDS + 1];
    struct text all;
    size_t span_bytes = 0;
    text_init(&all, 64u << 20);
    for (size_t i = 0; i < RECORDS; i++) {
        write_record(&all, i * SPANS_PER_RECORD, &span_bytes);
        ends[i + 1] = all.len;
    }

    struct otlp_keys *keys;
    struct otlp_scan *scan;
    struct otlp_limits limits = otlp_limits_default();
    if (otlp_keys_new(&keys) != SB_OK)
        die("memory is short");
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        uint16_t id;
        if (otlp_keys_add(keys, bytes_text(wanted[i]), &id) != SB_OK)
            die("memory is short");
    }
    if (otlp_scan_new(&limits, keys, &scan) != SB_OK)
        die("memory is short");

    double best = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        if (scan_all(scan, &all, ends) != SPANS)
            die("spans are missing");
        double ns = (cpu_ns() - start) / (double)SPANS;
        if (round == 0 || ns < best)
            best = ns;
    }
    printf("scan: %.1f ns per span of %zu bytes, best of %d rounds over %zu bytes\n", best,
           span_bytes / SPANS, ROUNDS, all.len);
    otlp_scan_free(scan);
    otlp_keys_free(keys);
    text_clear(&all);
    return 0;
}
