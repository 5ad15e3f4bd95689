#include "fixture.h"

#include "otlp/scan.h"
#include "otlp/value.h"
#include "otlp/write.h"
#include "spanbridge/context.h"

enum { BODY_BYTES_MAX = 4096, MANY = 500 };

/* The attribute's text or number as text; "" when it is not there. */
static void read_attribute(struct bytes body, const char *key, char ret[64])
{
    struct otlp_attribute attribute;
    ret[0] = '\0';
    while (otlp_attribute_next(&body, OTLP_SPAN_ATTRIBUTES, &attribute)) {
        if (!bytes_equal(attribute.key, bytes_text(key)))
            continue;
        struct otlp_value value = otlp_value_read(attribute.value);
        if (value.type == OTLP_VALUE_INT)
            snprintf(ret, 64, "int %ld", (long)value.integer);
        else
            snprintf(ret, 64, "%.*s", (int)value.bytes.len, (const char *)value.bytes.at);
    }
}

static void expect(struct bytes body, const char *key, const char *value)
{
    char found[64];
    read_attribute(body, key, found);
    assert_string_equal(found, value);
}

/* A checkout whose hop `hop` is of that evidence, its message at partition 3, offset 41. */
static struct shop_checkout find(enum shop_evidence evidence, uint32_t hop)
{
    for (uint64_t i = 0;; i++) {
        struct shop_checkout checkout;
        shop_make(fixture_shop(1), i, FIXTURE_NOW_NS, &checkout);
        if (hop >= checkout.hop_count || checkout.hops[hop].evidence != evidence)
            continue;
        for (uint32_t j = 0; j < SHOP_KAFKA_HOPS; j++) {
            checkout.hops[j].partition = 3;
            checkout.hops[j].offset = 41;
        }
        return checkout;
    }
}

static struct bytes encode(const struct shop_checkout *checkout, uint32_t number,
                           struct text *out)
{
    text_reset(out);
    encode_span(&fixture_world, checkout, number, out);
    assert_int_equal(out->error, SB_OK);
    return text_bytes(out);
}

static void test_spans_scan_clean(void **state)
{
    (void)state;
    struct shop shop = fixture_shop(1);
    struct text out;
    text_init(&out, BODY_BYTES_MAX);
    for (uint64_t i = 0; i < MANY; i++) {
        struct shop_checkout checkout;
        shop.rabbitmq = i % 2 == 1;
        shop_make(shop, i, FIXTURE_NOW_NS, &checkout);
        for (uint32_t number = 0; number < checkout.span_count; number++) {
            const struct shop_span *from = &checkout.spans[number];
            struct otlp_span span;
            otlp_scan_span(encode(&checkout, number, &out), &span);
            assert_int_equal(span.fault, OTLP_FAULT_NONE);
            assert_memory_equal(span.span_id, from->span_id.byte, SPAN_ID_LEN);
            assert_memory_equal(span.trace_id, checkout.trace_id[from->piece].byte,
                                TRACE_ID_LEN);
            assert_int_equal(span.parent_id == NULL, from->parent == SHOP_NONE);
            assert_int_equal(span.kind, from->kind);
            assert_int_equal(span.status == OTLP_STATUS_ERROR, from->failed);
            assert_true(span.start_ns == from->start_ns && span.end_ns == from->end_ns);
        }
    }
    text_clear(&out);
}

static void test_remote_parents_are_marked(void **state)
{
    (void)state;
    struct shop_checkout checkout = find(SHOP_HEADER, 0);
    struct text out;
    text_init(&out, BODY_BYTES_MAX);
    struct otlp_span span;
    otlp_scan_span(encode(&checkout, 0, &out), &span);
    assert_int_equal(span.flags, OTLP_FLAGS_SAMPLED | OTLP_FLAGS_REMOTE_KNOWN);
    otlp_scan_span(encode(&checkout, 2, &out), &span); /* checkout, called by web */
    assert_int_equal(span.flags,
                     OTLP_FLAGS_SAMPLED | OTLP_FLAGS_REMOTE_KNOWN | OTLP_FLAGS_REMOTE);
    text_clear(&out);
}

static void test_kafkajs_names_the_record_at_the_consumer_only(void **state)
{
    (void)state;
    struct shop_checkout checkout = find(SHOP_HEADER, 0);
    struct text out;
    text_init(&out, BODY_BYTES_MAX);
    struct bytes send = encode(&checkout, checkout.hops[0].send, &out);
    expect(send, "messaging.system", "kafka");
    expect(send, "messaging.destination.name", "orders");
    expect(send, "messaging.operation.type", "send");
    expect(send, "messaging.kafka.cluster.id", "cluster-1");
    expect(send, "messaging.destination.partition.id", "");
    expect(send, "messaging.kafka.offset", "");
    struct bytes process = encode(&checkout, checkout.hops[0].process, &out);
    expect(process, "messaging.operation.type", "process");
    expect(process, "messaging.destination.partition.id", "3");
    expect(process, "messaging.kafka.offset", "41"); /* as text */
    assert_true(encode_has_header(&checkout.hops[0]));
    text_clear(&out);
}

static void test_java_names_the_record_on_both_sides(void **state)
{
    (void)state;
    struct shop_checkout checkout = find(SHOP_COORDINATE, 0);
    struct text out;
    text_init(&out, BODY_BYTES_MAX);
    struct bytes send = encode(&checkout, checkout.hops[0].send, &out);
    expect(send, "messaging.operation", "publish");
    expect(send, "messaging.destination.partition.id", "3");
    expect(send, "messaging.kafka.message.offset", "int 41");
    struct bytes process = encode(&checkout, checkout.hops[0].process, &out);
    expect(process, "messaging.operation", "process");
    expect(process, "messaging.destination.partition.id", "3");
    expect(process, "messaging.kafka.message.offset", "int 41");
    expect(process, "messaging.kafka.consumer.group", "payment");
    assert_false(encode_has_header(&checkout.hops[0]));
    text_clear(&out);
}

static void test_kotel_links_to_the_producer(void **state)
{
    (void)state;
    struct shop_checkout checkout = find(SHOP_LINK, 1);
    struct text out;
    text_init(&out, BODY_BYTES_MAX);
    struct bytes process = encode(&checkout, checkout.hops[1].process, &out);
    expect(process, "messaging.source.name", "shipments");
    expect(process, "messaging.kafka.source.partition", "int 3");
    expect(process, "messaging.kafka.message.offset", "int 41");
    struct otlp_link link;
    assert_true(otlp_link_next(&process, &link));
    const struct shop_span *send = &checkout.spans[checkout.hops[1].send];
    assert_memory_equal(link.trace_id, checkout.trace_id[send->piece].byte, TRACE_ID_LEN);
    assert_memory_equal(link.span_id, send->span_id.byte, SPAN_ID_LEN);
    assert_false(otlp_link_next(&process, &link));
    text_clear(&out);
}

/* A checkout of a shop with RabbitMQ whose warehouse is written in that language. */
static struct shop_checkout find_notified(enum shop_language warehouse)
{
    for (uint64_t i = 0;; i++) {
        struct shop_checkout checkout;
        shop_make((struct shop){.seed = 1, .rabbitmq = true}, i, FIXTURE_NOW_NS, &checkout);
        if (checkout.hop_count == SHOP_HOPS && checkout.language[SHOP_WAREHOUSE] == warehouse)
            return checkout;
    }
}

static void test_libraries_of_rabbitmq_name_the_exchange(void **state)
{
    (void)state;
    static const struct {
        enum shop_language language;
        const char *destination;
        const char *routing_key;
    } libraries[] = {
        {SHOP_NODE, "messaging.destination", "messaging.rabbitmq.routing_key"},
        {SHOP_JAVA, "messaging.destination.name", "messaging.rabbitmq.destination.routing_key"},
        {SHOP_GO, "messaging.destination.name", "messaging.rabbitmq.destination.routing_key"},
    };
    struct text out;
    text_init(&out, BODY_BYTES_MAX);
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        struct shop_checkout checkout = find_notified(libraries[i].language);
        struct bytes send = encode(&checkout, checkout.hops[SHOP_MAILS].send, &out);
        expect(send, "messaging.system", "rabbitmq");
        expect(send, libraries[i].destination, "notify");
        expect(send, libraries[i].routing_key, "order.shipped");
        expect(send, "messaging.kafka.message.key", "");
        expect(send, "messaging.destination.partition.id", "");
    }
    text_clear(&out);
}

static void test_mailer_behind_rabbitmq_keeps_a_link(void **state)
{
    (void)state;
    struct shop_checkout checkout = find_notified(SHOP_JAVA);
    const struct shop_span *send = &checkout.spans[checkout.hops[SHOP_MAILS].send];
    char id[ENCODE_MESSAGE_ID_LEN];
    struct otlp_link link;
    struct text out;
    text_init(&out, BODY_BYTES_MAX);
    struct bytes process = encode(&checkout, checkout.hops[SHOP_MAILS].process, &out);
    encode_message_id(&checkout, id);
    expect(process, "messaging.system", "rabbitmq");
    expect(process, "messaging.destination", "notify");
    expect(process, "messaging.operation", "process");
    expect(process, "messaging.message_id", id);
    assert_true(otlp_link_next(&process, &link));
    assert_memory_equal(link.trace_id, checkout.trace_id[send->piece].byte, TRACE_ID_LEN);
    assert_memory_equal(link.span_id, send->span_id.byte, SPAN_ID_LEN);
    assert_false(otlp_link_next(&process, &link));
    assert_true(encode_has_header(&checkout.hops[SHOP_MAILS]));
    text_clear(&out);
}

static void test_loyalty_behind_rabbitmq_tells_of_no_message(void **state)
{
    (void)state;
    struct shop_checkout checkout = find_notified(SHOP_NODE);
    struct otlp_link link;
    struct text out;
    text_init(&out, BODY_BYTES_MAX);
    struct bytes process = encode(&checkout, checkout.hops[SHOP_POINTS].process, &out);
    expect(process, "messaging.destination.name", "notify");
    expect(process, "messaging.operation.type", "process");
    expect(process, "messaging.message_id", "");
    expect(process, "customer.tier", checkout.tier);
    assert_false(otlp_link_next(&process, &link));
    text_clear(&out);
}

static void test_customer_tier_stands_on_the_root(void **state)
{
    (void)state;
    struct shop_checkout checkout = find(SHOP_LINK, 1);
    struct text out;
    text_init(&out, BODY_BYTES_MAX);
    expect(encode(&checkout, 0, &out), "customer.tier", checkout.tier);
    expect(encode(&checkout, 1, &out), "customer.tier", "");
    text_clear(&out);
}

static void test_traceparent_names_the_send_span(void **state)
{
    (void)state;
    struct shop_checkout checkout = find(SHOP_HEADER, 1);
    char text[ENCODE_TRACEPARENT_LEN + 1];
    struct spanbridge_context context;
    encode_traceparent(&checkout, 1, text);
    assert_int_equal(spanbridge_parse_traceparent(text, strlen(text), &context), SPANBRIDGE_OK);
    assert_memory_equal(context.trace_id, checkout.trace_id[1].byte, TRACE_ID_LEN);
    assert_memory_equal(context.span_id, checkout.spans[checkout.hops[1].send].span_id.byte,
                        SPAN_ID_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_scan_clean),
        cmocka_unit_test(test_remote_parents_are_marked),
        cmocka_unit_test(test_kafkajs_names_the_record_at_the_consumer_only),
        cmocka_unit_test(test_java_names_the_record_on_both_sides),
        cmocka_unit_test(test_kotel_links_to_the_producer),
        cmocka_unit_test(test_libraries_of_rabbitmq_name_the_exchange),
        cmocka_unit_test(test_mailer_behind_rabbitmq_keeps_a_link),
        cmocka_unit_test(test_loyalty_behind_rabbitmq_tells_of_no_message),
        cmocka_unit_test(test_customer_tier_stands_on_the_root),
        cmocka_unit_test(test_traceparent_names_the_send_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
