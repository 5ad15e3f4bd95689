#include "encode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "otlp/write.h"
#include "spanbridge/context.h"

enum { NUMBER_LEN = 24, HTTP_OK = 200, HTTP_BAD_GATEWAY = 502, STATUS_BYTES_MAX = 64 };
enum { STATUS_MESSAGE = 2, STATUS_CODE = 3, FLAGS_W3C = 0x03 };

const char encode_routing_key[] = "order.shipped";

static void put_text(struct text *out, const char *key, const char *value)
{
    otlp_write_string_attribute(out, OTLP_SPAN_ATTRIBUTES, bytes_text(key), bytes_text(value));
}

static void put_number(struct text *out, const char *key, int64_t value)
{
    otlp_write_int_attribute(out, OTLP_SPAN_ATTRIBUTES, bytes_text(key), value);
}

static void put_number_as_text(struct text *out, const char *key, int64_t value)
{
    char text[NUMBER_LEN];
    snprintf(text, sizeof(text), "%" PRId64, value);
    put_text(out, key, text);
}

/* One side of a message: what it is of, and which side. */
struct side {
    const struct shop_hop *hop;
    const char *topic;
    const char *cluster_id;
    const char *key;
    const char *group;
    const char *message_id; /* of RabbitMQ */
    bool send;
};

static void put_cluster(struct text *out, const struct side *side)
{
    if (side->cluster_id != NULL)
        put_text(out, "messaging.kafka.cluster.id", side->cluster_id);
}

/* The offset is a string, and only the consumer names the record. */
static void put_kafkajs(struct text *out, const struct side *side)
{
    put_text(out, "messaging.system", "kafka");
    put_text(out, "messaging.destination.name", side->topic);
    put_text(out, "messaging.operation.name", side->send ? "send" : "process");
    put_text(out, "messaging.operation.type", side->send ? "send" : "process");
    put_text(out, "messaging.kafka.message.key", side->key);
    put_cluster(out, side);
    if (!side->send) {
        put_number_as_text(out, "messaging.destination.partition.id", side->hop->partition);
        put_number_as_text(out, "messaging.kafka.offset", side->hop->offset);
    }
}

static void put_java(struct text *out, const struct side *side)
{
    put_text(out, "messaging.system", "kafka");
    put_text(out, "messaging.destination.name", side->topic);
    put_text(out, "messaging.operation", side->send ? "publish" : "process");
    put_number_as_text(out, "messaging.destination.partition.id", side->hop->partition);
    put_number(out, "messaging.kafka.message.offset", side->hop->offset);
    put_text(out, "messaging.kafka.message.key", side->key);
    put_cluster(out, side);
    put_text(out, "messaging.client_id", side->send ? "producer-1" : "consumer-1");
    if (!side->send) {
        put_text(out, "messaging.kafka.consumer.group", side->group);
        put_number(out, "messaging.message.body.size", 187);
    }
}

static void put_kotel(struct text *out, const struct side *side)
{
    put_text(out, "messaging.system", "kafka");
    if (side->send) {
        put_text(out, "messaging.destination.kind", "topic");
        put_text(out, "messaging.destination.name", side->topic);
        put_number(out, "messaging.kafka.destination.partition", side->hop->partition);
    } else {
        put_text(out, "messaging.source.kind", "topic");
        put_text(out, "messaging.source.name", side->topic);
        put_number(out, "messaging.kafka.source.partition", side->hop->partition);
        put_text(out, "messaging.kafka.consumer.group", side->group);
    }
    put_text(out, "messaging.operation", side->send ? "publish" : "process");
    put_number(out, "messaging.kafka.message.offset", side->hop->offset);
    put_text(out, "messaging.kafka.message.key", side->key);
}

/* The names of the conventions before 1.17; of the queue only the span's name tells. */
static void put_amqplib(struct text *out, const struct side *side)
{
    put_text(out, "messaging.system", "rabbitmq");
    put_text(out, "messaging.protocol", "AMQP");
    put_text(out, "messaging.protocol_version", "0.9.1");
    put_text(out, "net.peer.name", "rabbitmq");
    put_number(out, "net.peer.port", 5672);
    put_text(out, "messaging.destination", side->topic);
    put_text(out, "messaging.destination_kind", "topic");
    put_text(out, "messaging.rabbitmq.routing_key", encode_routing_key);
    put_text(out, "messaging.message_id", side->message_id);
    if (!side->send)
        put_text(out, "messaging.operation", "process");
}

static void put_java_rabbitmq(struct text *out, const struct side *side)
{
    put_text(out, "messaging.system", "rabbitmq");
    put_text(out, "messaging.destination.name", side->topic);
    put_text(out, "messaging.rabbitmq.destination.routing_key", encode_routing_key);
    put_text(out, "messaging.operation", side->send ? "publish" : "process");
    put_number(out, "messaging.message.body.size", 187);
}

/* Go's amqp091 has no instrumentation: spans are opened by hand, after the conventions. */
static void put_by_hand(struct text *out, const struct side *side)
{
    put_text(out, "messaging.system", "rabbitmq");
    put_text(out, "messaging.destination.name", side->topic);
    put_text(out, "messaging.rabbitmq.destination.routing_key", encode_routing_key);
    put_text(out, "messaging.operation.name", side->send ? "publish" : "process");
    put_text(out, "messaging.operation.type", side->send ? "send" : "process");
}

static void put_rabbitmq_message(const struct encode_world *world,
                                 const struct shop_checkout *checkout,
                                 const struct shop_span *span, struct text *out)
{
    char message_id[ENCODE_MESSAGE_ID_LEN];
    encode_message_id(checkout, message_id);
    struct side side = {
        .hop = &checkout->hops[span->hop],
        .topic = world->exchange,
        .message_id = message_id,
        .send = span->kind == OTLP_KIND_PRODUCER,
    };
    switch (checkout->language[span->service]) {
    case SHOP_JAVA:
        put_java_rabbitmq(out, &side);
        break;
    case SHOP_GO:
        put_by_hand(out, &side);
        break;
    case SHOP_NODE:
    case SHOP_PYTHON:
    case SHOP_LANGUAGES:
        put_amqplib(out, &side);
        break;
    }
}

static void put_message(const struct encode_world *world, const struct shop_checkout *checkout,
                        const struct shop_span *span, struct text *out)
{
    if (span->hop >= SHOP_KAFKA_HOPS) {
        put_rabbitmq_message(world, checkout, span, out);
        return;
    }
    char group[NUMBER_LEN];
    snprintf(group, sizeof(group), "%s", shop_service_names[span->service]);
    struct side side = {
        .hop = &checkout->hops[span->hop],
        .topic = world->topics[span->hop],
        .cluster_id = world->cluster_id,
        .key = checkout->order,
        .group = group,
        .send = span->kind == OTLP_KIND_PRODUCER,
    };
    switch (checkout->language[span->service]) {
    case SHOP_JAVA:
        put_java(out, &side);
        break;
    case SHOP_GO:
        put_kotel(out, &side);
        break;
    case SHOP_NODE:
    case SHOP_PYTHON:
    case SHOP_LANGUAGES:
        put_kafkajs(out, &side);
        break;
    }
}

static void put_http(const struct shop_span *span, struct text *out)
{
    bool server = span->kind == OTLP_KIND_SERVER;
    const char *path = strchr(span->name, ' ');
    const char *host =
        server || span->peer == NULL ? shop_service_names[span->service] : span->peer;
    put_text(out, "http.request.method", "POST");
    put_text(out, server ? "url.path" : "url.template", path == NULL ? "/" : path + 1);
    put_text(out, "server.address", host);
    put_number(out, "server.port", 8080);
    put_text(out, "network.protocol.version", "1.1");
    put_number(out, "http.response.status_code", span->failed ? HTTP_BAD_GATEWAY : HTTP_OK);
    if (server)
        put_text(out, "user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0");
}

static void put_attributes(const struct encode_world *world,
                           const struct shop_checkout *checkout, uint32_t number,
                           struct text *out)
{
    const struct shop_span *span = &checkout->spans[number];
    bool database = span->peer != NULL && strcmp(span->peer, "postgresql") == 0;
    bool inserts_order = strcmp(span->name, "INSERT orders") == 0;
    if (span->hop != SHOP_NONE)
        put_message(world, checkout, span, out);
    else if (strncmp(span->name, "POST", 4) == 0)
        put_http(span, out);
    else if (database)
        put_text(out, "db.query.text",
                 inserts_order ? "INSERT INTO orders (id, customer, total) VALUES (?, ?, ?)"
                               : "INSERT INTO points (id, customer, count) VALUES (?, ?, ?)");
    else if (span->peer != NULL)
        put_text(out, "server.address", span->peer);
    if (database)
        put_text(out, "db.system.name", span->peer);
    if (span->parent == SHOP_NONE &&
        (span->kind == OTLP_KIND_SERVER || span->service == SHOP_LOYALTY))
        put_text(out, "customer.tier", checkout->tier);
    put_text(out, "app.order.id", checkout->order);
    if (span->failed)
        put_text(out, "error.type", "502");
}

static void put_status(const struct shop_span *span, struct text *out)
{
    if (!span->failed)
        return;
    struct text status;
    text_init(&status, STATUS_BYTES_MAX);
    otlp_write_bytes_field(&status, STATUS_MESSAGE, BYTES_LITERAL("refused by the other side"));
    otlp_write_varint_field(&status, STATUS_CODE, OTLP_STATUS_ERROR);
    otlp_write_bytes_field(out, OTLP_SPAN_STATUS, text_bytes(&status));
    text_clear(&status);
}

/* The link of a consumer that was told to link to the producer instead of following it. */
static void put_link(const struct shop_checkout *checkout, const struct shop_span *span,
                     struct text *out)
{
    if (span->kind != OTLP_KIND_CONSUMER || span->hop == SHOP_NONE)
        return;
    const struct shop_hop *hop = &checkout->hops[span->hop];
    if (hop->evidence != SHOP_LINK)
        return;
    const struct shop_span *send = &checkout->spans[hop->send];
    otlp_write_link(out, checkout->trace_id[send->piece], send->span_id,
                    OTLP_FLAGS_SAMPLED | OTLP_FLAGS_REMOTE_KNOWN | OTLP_FLAGS_REMOTE,
                    bytes_of(NULL, 0), bytes_of(NULL, 0));
}

void encode_span(const struct encode_world *world, const struct shop_checkout *checkout,
                 uint32_t number, struct text *out)
{
    const struct shop_span *span = &checkout->spans[number];
    const struct shop_span *parent =
        span->parent == SHOP_NONE ? NULL : &checkout->spans[span->parent];
    uint32_t flags = OTLP_FLAGS_SAMPLED | OTLP_FLAGS_REMOTE_KNOWN;
    if (parent != NULL && parent->service != span->service)
        flags |= OTLP_FLAGS_REMOTE;
    otlp_write_bytes_field(out, OTLP_SPAN_TRACE_ID,
                           bytes_of(checkout->trace_id[span->piece].byte, TRACE_ID_LEN));
    otlp_write_bytes_field(out, OTLP_SPAN_SPAN_ID, bytes_of(span->span_id.byte, SPAN_ID_LEN));
    if (parent != NULL)
        otlp_write_bytes_field(out, OTLP_SPAN_PARENT_ID,
                               bytes_of(parent->span_id.byte, SPAN_ID_LEN));
    otlp_write_fixed32_field(out, OTLP_SPAN_FLAGS, flags);
    otlp_write_bytes_field(out, OTLP_SPAN_NAME, bytes_text(span->name));
    otlp_write_varint_field(out, OTLP_SPAN_KIND, span->kind);
    otlp_write_fixed64_field(out, OTLP_SPAN_START, span->start_ns);
    otlp_write_fixed64_field(out, OTLP_SPAN_END, span->end_ns);
    put_attributes(world, checkout, number, out);
    put_link(checkout, span, out);
    put_status(span, out);
}

void encode_message_id(const struct shop_checkout *checkout, char ret[ENCODE_MESSAGE_ID_LEN])
{
    snprintf(ret, ENCODE_MESSAGE_ID_LEN, "notice-%" PRIu64, checkout->index);
}

bool encode_has_header(const struct shop_hop *hop)
{
    return hop->evidence != SHOP_COORDINATE;
}

void encode_traceparent(const struct shop_checkout *checkout, uint32_t hop,
                        char ret[ENCODE_TRACEPARENT_LEN + 1])
{
    const struct shop_span *send = &checkout->spans[checkout->hops[hop].send];
    struct spanbridge_context context = {.flags = FLAGS_W3C};
    memcpy(context.trace_id, checkout->trace_id[send->piece].byte, TRACE_ID_LEN);
    memcpy(context.span_id, send->span_id.byte, SPAN_ID_LEN);
    spanbridge_format_traceparent(&context, ret);
}
