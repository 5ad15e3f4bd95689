#include "fixture.h"

#include "core/memory.h"
#include "otlp/keys.h"
#include "otlp/scan.h"
#include "otlp/value.h"

static void on_hit(void *arg, const struct otlp_hit *hit)
{
    struct otlp_value value = otlp_value_read(hit->value);
    snprintf(arg, SEEN_TEXT_LEN, "%.*s", (int)value.bytes.len, (const char *)value.bytes.at);
}

static void test_resource_names_the_service(void **state)
{
    (void)state;
    struct shop_checkout checkout = fixture_notified();
    struct encode_envelopes *envelopes;
    struct otlp_keys *keys;
    uint16_t id;
    assert_int_equal(encode_envelopes_new(&envelopes), SB_OK);
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    assert_int_equal(otlp_keys_add(keys, BYTES_LITERAL("service.name"), &id), SB_OK);
    for (uint32_t i = 0; i < checkout.span_count; i++) {
        const struct otlp_envelope *envelope = encode_envelope_of(envelopes, &checkout, i);
        char service[SEEN_TEXT_LEN] = "";
        otlp_scan_resource(envelope->resource_fields, keys, on_hit, service);
        assert_string_equal(service, shop_service_names[checkout.spans[i].service]);
    }
    otlp_keys_free(keys);
    encode_envelopes_free(envelopes);
}

/* Repair goes by the scope where a library has its own ways. */
static void test_scope_names_the_kafka_library(void **state)
{
    (void)state;
    static const char *const names[SHOP_LANGUAGES] = {
        "@opentelemetry/instrumentation-kafkajs", "io.opentelemetry.kafka-clients-2.6",
        "github.com/twmb/franz-go/plugin/kotel", "opentelemetry.instrumentation.kafka"};
    struct encode_envelopes *envelopes;
    assert_int_equal(encode_envelopes_new(&envelopes), SB_OK);
    for (uint64_t i = 0; i < 50; i++) {
        struct shop_checkout checkout;
        shop_make(fixture_shop(1), i, FIXTURE_NOW_NS, &checkout);
        uint32_t process = checkout.hops[0].process;
        struct bytes name;
        struct bytes version;
        otlp_scan_scope(encode_envelope_of(envelopes, &checkout, process)->scope_fields, &name,
                        &version);
        enum shop_language language = checkout.language[checkout.spans[process].service];
        assert_true(bytes_equal(name, bytes_text(names[language])));
        assert_true(version.len > 0);
    }
    encode_envelopes_free(envelopes);
}

static void test_scope_names_the_rabbitmq_library(void **state)
{
    (void)state;
    struct shop_checkout checkout = fixture_notified();
    static const char *const names[] = {"@opentelemetry/instrumentation-amqplib", "shop"};
    struct encode_envelopes *envelopes;
    assert_int_equal(encode_envelopes_new(&envelopes), SB_OK);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t process = checkout.hops[SHOP_KAFKA_HOPS + i].process;
        struct bytes name;
        struct bytes version;
        otlp_scan_scope(encode_envelope_of(envelopes, &checkout, process)->scope_fields, &name,
                        &version);
        assert_true(bytes_equal(name, bytes_text(names[i])));
    }
    encode_envelopes_free(envelopes);
}

static void test_want_of_memory_is_told(void **state)
{
    (void)state;
    struct encode_envelopes *envelopes;
    enum sb_err err = SB_ERR_MEMORY;
    uint64_t nth = 1;
    for (; err != SB_OK; nth++) {
        memory_fail_at(nth);
        err = encode_envelopes_new(&envelopes);
        memory_fail_at(0);
        assert_true(err == SB_OK || err == SB_ERR_MEMORY);
    }
    assert_true(nth > 10);
    encode_envelopes_free(envelopes);
    encode_envelopes_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resource_names_the_service),
        cmocka_unit_test(test_scope_names_the_kafka_library),
        cmocka_unit_test(test_scope_names_the_rabbitmq_library),
        cmocka_unit_test(test_want_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
