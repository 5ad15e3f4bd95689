#include "load_spans.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/hex.h"
#include "core/memory.h"
#include "otlp/write.h"

enum { SPAN_BYTES_MAX = 1024, ENVELOPE_BYTES_MAX = 1024, STATIC_ATTRIBUTES_MAX = 10 };
enum { RESOURCE_FIELD = 1, SCOPE_FIELD = 1, SPANS_FIELD = 2, RESOURCE_ATTRIBUTES = 1 };
enum { PATCHED_DIGITS = 16, NO_PARENT = 255 };
#define SLOW_NS UINT64_C(2600000000)

const struct load_service load_services[LOAD_SERVICES] = {
    {"web", 0, 2}, {"checkout", 2, 2}, {"payment", 4, 2}, {"warehouse", 6, 1}, {"mailer", 7, 1},
};

struct attribute {
    const char *key;
    const char *text; /* NULL: `number`; "": sixteen digits that differ from trace to trace */
    int64_t number;
};

struct shape {
    const char *name;
    uint8_t parent; /* span of the trace, or NO_PARENT */
    uint8_t kind;
    uint16_t start_ms; /* after the trace's start */
    uint16_t length_ms;
    struct attribute attributes[STATIC_ATTRIBUTES_MAX];
};

#define HTTP_SERVER(route_, agent_)                                                            \
    {                                                                                          \
        {"http.request.method", "POST", 0}, {"url.path", route_, 0},                           \
            {"url.scheme", "https", 0}, {"http.route", route_, 0},                             \
            {"http.response.status_code", NULL, 200},                                          \
            {"server.address", "shop.eu-central-1.example.com", 0},                            \
            {"client.address", "2001:db8:85a3::8a2e:370:7334", 0},                             \
            {"user_agent.original", agent_, 0}, {"enduser.pseudo.id", "", 0},                  \
        {                                                                                      \
            "network.protocol.version", "1.1", 0                                               \
        }                                                                                      \
    }
#define RPC(service_, method_, port_)                                                          \
    {                                                                                          \
        {"rpc.system.name", "grpc", 0}, {"rpc.service", service_, 0},                          \
            {"rpc.method", method_, 0}, {"rpc.response.status_code", "OK", 0},                 \
            {"server.port", NULL, port_},                                                      \
            {"server.address", "service-mesh.shop.svc.cluster.local", 0},                      \
            {"network.peer.address", "ip-10-42-9-118.eu-central-1.internal", 0},               \
            {"app.order.id", "", 0}, {"thread.name", "grpc-worker-threads-14", 0},             \
        {                                                                                      \
            "thread.id", NULL, 71                                                              \
        }                                                                                      \
    }
/* Ten with partition and offset, which are written per span; see append_coordinate. */
#define MESSAGE(topic_, operation_, type_)                                                     \
    {                                                                                          \
        {"messaging.system", "kafka", 0}, {"messaging.destination.name", topic_, 0},           \
            {"messaging.operation.name", operation_, 0},                                       \
            {"messaging.operation.type", type_, 0}, {"messaging.kafka.message.key", "", 0},    \
            {"messaging.client.id", "spring-shop-client-7f6d5b8c94-hx2vq", 0},                 \
            {"messaging.message.body.size", NULL, 1834},                                       \
        {                                                                                      \
            "thread.name", "kafka-listener-container-3-C-1", 0                                 \
        }                                                                                      \
    }
#define AGENT "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
#define SQL                                                                                    \
    "INSERT INTO payments (order_id, amount, currency, state) VALUES ($1, $2, $3, $4) "        \
    "RETURNING id"

enum { INTERNAL = 1, SERVER, CLIENT, PRODUCER, CONSUMER };

static const struct shape plain[LOAD_SPANS_PER_TRACE] = {
    {"POST /checkout", NO_PARENT, SERVER, 0, 600, HTTP_SERVER("/checkout/{cart}", AGENT)},
    {"POST", 0, CLIENT, 10, 560, HTTP_SERVER("/api/orders/{cart}/place", "shop-web/3.18.2")},
    {"POST /api/orders", 1, SERVER, 20, 540,
     HTTP_SERVER("/api/orders/{cart}", "shop-web/3.18.2")},
    {"shop.Payment/Charge", 2, CLIENT, 40, 300, RPC("shop.payment.v1.Payment", "Charge", 8443)},
    {"shop.Payment/Charge", 3, SERVER, 50, 280, RPC("shop.payment.v1.Payment", "Charge", 8443)},
    {"INSERT shop.payments",
     4,
     CLIENT,
     80,
     90,
     {{"db.system.name", "postgresql", 0},
      {"db.namespace", "shop", 0},
      {"db.operation.name", "INSERT", 0},
      {"db.collection.name", "payments", 0},
      {"db.query.text", SQL, 0},
      {"server.address", "payments-db-primary.shop.svc", 0},
      {"server.port", NULL, 5432},
      {"app.order.id", "", 0},
      {"thread.name", "HikariPool-1 worker", 0},
      {"thread.id", NULL, 64}}},
    {"shop.Stock/Reserve", 2, SERVER, 350, 60, RPC("shop.warehouse.v1.Stock", "Reserve", 9443)},
    {"shop.Mail/Confirm", 2, SERVER, 420, 80, RPC("shop.mailer.v1.Mail", "Confirm", 9444)},
};

/* Spans 3 to 6 of load C: two hops over Kafka, the context lost at both. */
enum { FIRST_MESSAGING = 3, LAST_MESSAGING = 6 };
static const struct shape messaging[LAST_MESSAGING - FIRST_MESSAGING + 1] = {
    {"orders publish", 2, PRODUCER, 40, 12, MESSAGE("orders", "publish", "send")},
    {"orders process", NO_PARENT, CONSUMER, 130, 280, MESSAGE("orders", "process", "process")},
    {"shipments publish", 4, PRODUCER, 200, 15, MESSAGE("shipments", "publish", "send")},
    {"shipments process", NO_PARENT, CONSUMER, 300, 90,
     MESSAGE("shipments", "process", "process")},
};

struct template
{
    uint8_t bytes[SPAN_BYTES_MAX];
    size_t len;
    size_t trace_id_at;
    size_t span_id_at;
    size_t parent_at; /* 0: a root */
    size_t start_at;
    size_t end_at;
    size_t digits_at;
};

enum { OK, FAILED, VARIANTS };

struct load_spans {
    struct load_plan plan;
    uint32_t partitions;
    struct template templates[LOAD_SPANS_PER_TRACE][VARIANTS];
    struct text resource[LOAD_SERVICES];
    struct text scope[LOAD_SERVICES];
    struct text tail; /* what load C adds to a span */
};

static const struct shape *shape_of(enum load_kind kind, uint32_t span)
{
    if (kind == LOAD_C && span >= FIRST_MESSAGING && span <= LAST_MESSAGING)
        return &messaging[span - FIRST_MESSAGING];
    return &plain[span];
}

/* In load C the mailer is called by the warehouse. */
static uint32_t parent_of(enum load_kind kind, uint32_t span)
{
    return kind == LOAD_C && span == 7 ? 6 : shape_of(kind, span)->parent;
}

static size_t write_id(struct text *out, uint32_t field, size_t len)
{
    static const uint8_t zero[TRACE_ID_LEN];
    otlp_write_bytes_field(out, field, bytes_of(zero, len));
    return out->len - len;
}

static void write_attribute(const struct attribute *attribute, struct text *out,
                            size_t *digits_at)
{
    struct bytes key = bytes_text(attribute->key);
    if (attribute->text == NULL) {
        otlp_write_int_attribute(out, OTLP_SPAN_ATTRIBUTES, key, attribute->number);
    } else if (attribute->text[0] == '\0') {
        otlp_write_string_attribute(out, OTLP_SPAN_ATTRIBUTES, key,
                                    BYTES_LITERAL("0123456789abcdef"));
        *digits_at = out->len - PATCHED_DIGITS;
    } else {
        otlp_write_string_attribute(out, OTLP_SPAN_ATTRIBUTES, key,
                                    bytes_text(attribute->text));
    }
}

static enum sb_err build_template(enum load_kind kind, uint32_t span, bool failed,
                                  struct template *ret)
{
    static const uint8_t error_status[] = {0x12, 5, 'b', 'o', 'u', 'n', 'c', 0x18, 2};
    const struct shape *shape = shape_of(kind, span);
    struct text out;
    text_init(&out, SPAN_BYTES_MAX);
    ret->trace_id_at = write_id(&out, OTLP_SPAN_TRACE_ID, TRACE_ID_LEN);
    ret->span_id_at = write_id(&out, OTLP_SPAN_SPAN_ID, SPAN_ID_LEN);
    ret->parent_at = 0;
    if (parent_of(kind, span) != NO_PARENT)
        ret->parent_at = write_id(&out, OTLP_SPAN_PARENT_ID, SPAN_ID_LEN);
    bool remote = shape->kind == SERVER && ret->parent_at != 0;
    otlp_write_fixed32_field(&out, OTLP_SPAN_FLAGS,
                             OTLP_FLAGS_SAMPLED | OTLP_FLAGS_REMOTE_KNOWN |
                                 (remote ? OTLP_FLAGS_REMOTE : 0u));
    otlp_write_bytes_field(&out, OTLP_SPAN_NAME, bytes_text(shape->name));
    otlp_write_varint_field(&out, OTLP_SPAN_KIND, shape->kind);
    otlp_write_fixed64_field(&out, OTLP_SPAN_START, 0);
    ret->start_at = out.len - 8;
    otlp_write_fixed64_field(&out, OTLP_SPAN_END, 0);
    ret->end_at = out.len - 8;
    for (uint32_t i = 0; i < STATIC_ATTRIBUTES_MAX && shape->attributes[i].key != NULL; i++)
        write_attribute(&shape->attributes[i], &out, &ret->digits_at);
    if (failed)
        otlp_write_bytes_field(&out, OTLP_SPAN_STATUS, bytes_of(error_status, 9));
    else
        otlp_write_bytes_field(&out, OTLP_SPAN_STATUS, bytes_of(NULL, 0));
    enum sb_err err = out.error;
    if (err == SB_OK) {
        memcpy(ret->bytes, out.at, out.len);
        ret->len = out.len;
    }
    text_clear(&out);
    return err;
}

static enum sb_err build_envelope(struct load_spans *spans, uint32_t service)
{
    const char *name = load_services[service].name;
    char instance[64];
    snprintf(instance, sizeof(instance), "%s-6c9f7d8b5-x2x7k", name);
    struct text inner;
    text_init(&inner, ENVELOPE_BYTES_MAX);
    const struct {
        const char *key;
        const char *value;
    } attributes[] = {
        {"service.name", name},
        {"service.version", "1.14.2"},
        {"service.instance.id", instance},
        {"telemetry.sdk.language", "java"},
        {"telemetry.sdk.version", "1.55.0"},
        {"k8s.namespace.name", "shop"},
    };
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        otlp_write_string_attribute(&inner, RESOURCE_ATTRIBUTES, bytes_text(attributes[i].key),
                                    bytes_text(attributes[i].value));
    otlp_write_bytes_field(&spans->resource[service], RESOURCE_FIELD, text_bytes(&inner));
    text_reset(&inner);
    otlp_write_bytes_field(&inner, 1, BYTES_LITERAL("io.opentelemetry.spring-webmvc-6.0"));
    otlp_write_bytes_field(&inner, 2, BYTES_LITERAL("2.33.1-alpha"));
    otlp_write_bytes_field(&spans->scope[service], SCOPE_FIELD, text_bytes(&inner));
    enum sb_err err = inner.error;
    text_clear(&inner);
    return err;
}

enum sb_err load_spans_new(const struct load_plan *plan, uint32_t partitions,
                           struct load_spans **ret)
{
    struct load_spans *spans = memory_zalloc(1, sizeof(*spans));
    if (spans == NULL)
        return SB_ERR_MEMORY;
    spans->plan = *plan;
    spans->partitions = partitions;
    text_init(&spans->tail, SPAN_BYTES_MAX);
    for (uint32_t i = 0; i < LOAD_SERVICES; i++) {
        text_init(&spans->resource[i], ENVELOPE_BYTES_MAX);
        text_init(&spans->scope[i], ENVELOPE_BYTES_MAX);
    }
    enum sb_err err = SB_OK;
    for (uint32_t i = 0; err == SB_OK && i < LOAD_SERVICES; i++)
        err = build_envelope(spans, i);
    for (uint32_t i = 0; err == SB_OK && i < LOAD_SPANS_PER_TRACE; i++) {
        err = build_template(plan->kind, i, false, &spans->templates[i][OK]);
        if (err == SB_OK)
            err = build_template(plan->kind, i, true, &spans->templates[i][FAILED]);
    }
    if (err != SB_OK) {
        load_spans_free(spans);
        return err;
    }
    *ret = spans;
    return SB_OK;
}

void load_spans_free(struct load_spans *spans)
{
    if (spans == NULL)
        return;
    for (uint32_t i = 0; i < LOAD_SERVICES; i++) {
        text_clear(&spans->resource[i]);
        text_clear(&spans->scope[i]);
    }
    text_clear(&spans->tail);
    memory_free(spans);
}

/* `at` may be unaligned; the wire is little-endian. */
static void patch_time(uint8_t *at, uint64_t ns)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(ns >> (8 * i));
}

uint32_t load_send_span(uint32_t hop)
{
    return hop == 0 ? FIRST_MESSAGING : FIRST_MESSAGING + 2;
}

struct load_place load_message_place(uint32_t index, uint32_t hop, uint32_t partitions)
{
    const struct shape *send = shape_of(LOAD_C, load_send_span(hop));
    uint64_t ms = (LOAD_BASE_NS + index * LOAD_TRACE_GAP_NS) / 1000000 + send->start_ms + 3;
    return (struct load_place){.partition = (int32_t)(index % partitions),
                               .offset = (int64_t)(index / partitions),
                               .time_ms = (int64_t)ms};
}

/*
 * Hop 0 is named by both sides, as the Java agent does; at hop 1 only the consumer names it,
 * as kafkajs does, and the producer's context lies unread in the message's header.
 */
static void append_coordinate(struct load_spans *spans, uint32_t index, uint32_t span)
{
    uint32_t hop = span < FIRST_MESSAGING + 2 ? 0 : 1;
    struct load_place place = load_message_place(index, hop, spans->partitions);
    char partition[12];
    int len = snprintf(partition, sizeof(partition), "%d", place.partition);
    if (span == load_send_span(1)) {
        otlp_write_string_attribute(&spans->tail, OTLP_SPAN_ATTRIBUTES,
                                    BYTES_LITERAL("messaging.kafka.cluster.id"),
                                    BYTES_LITERAL("shop-events-eu-1"));
        otlp_write_int_attribute(&spans->tail, OTLP_SPAN_ATTRIBUTES, BYTES_LITERAL("thread.id"),
                                 33);
        return;
    }
    otlp_write_string_attribute(&spans->tail, OTLP_SPAN_ATTRIBUTES,
                                BYTES_LITERAL("messaging.destination.partition.id"),
                                bytes_of(partition, (size_t)len));
    otlp_write_int_attribute(&spans->tail, OTLP_SPAN_ATTRIBUTES,
                             BYTES_LITERAL("messaging.kafka.message.offset"), place.offset);
}

size_t load_spans_append(struct load_spans *spans, const struct load_trace *trace,
                         uint32_t span, struct text *out)
{
    const struct load_plan *plan = &spans->plan;
    const struct shape *shape = shape_of(plan->kind, span);
    bool failed = trace->error && span == LOAD_ERROR_SPAN;
    struct template *template = &spans->templates[span][failed ? FAILED : OK];
    uint8_t *bytes = template->bytes;

    struct trace_id trace_id =
        load_trace_id(plan, trace->index, load_piece_of(plan->kind, span));
    struct span_id span_id = load_span_id(plan, trace->index, span);
    memcpy(bytes + template->trace_id_at, trace_id.byte, TRACE_ID_LEN);
    memcpy(bytes + template->span_id_at, span_id.byte, SPAN_ID_LEN);
    hex_encode(bytes_of(trace_id.byte, PATCHED_DIGITS / 2),
               (char *)bytes + template->digits_at);
    if (template->parent_at != 0) {
        struct span_id parent = load_span_id(plan, trace->index, parent_of(plan->kind, span));
        memcpy(bytes + template->parent_at, parent.byte, SPAN_ID_LEN);
    }
    uint64_t start =
        LOAD_BASE_NS + trace->index * LOAD_TRACE_GAP_NS + shape->start_ms * 1000000u;
    uint64_t length = trace->slow && span == 0 ? SLOW_NS : shape->length_ms * UINT64_C(1000000);
    patch_time(bytes + template->start_at, start);
    patch_time(bytes + template->end_at, start + length);

    text_reset(&spans->tail);
    if (plan->kind == LOAD_C && span >= FIRST_MESSAGING && span <= LAST_MESSAGING)
        append_coordinate(spans, trace->index, span);
    size_t len = template->len + spans->tail.len;
    uint8_t prefix[OTLP_VARINT_MAX];
    text_append_char(out, SPANS_FIELD << 3 | 2);
    text_append(out, bytes_of(prefix, otlp_varint_write(len, prefix)));
    text_append(out, bytes_of(bytes, template->len));
    text_append(out, text_bytes(&spans->tail));
    return len;
}

struct bytes load_spans_resource(const struct load_spans *spans, uint32_t service)
{
    return text_bytes(&spans->resource[service]);
}

struct bytes load_spans_scope(const struct load_spans *spans, uint32_t service)
{
    return text_bytes(&spans->scope[service]);
}
