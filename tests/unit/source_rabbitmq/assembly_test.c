#include "assembly.h"

#include "core/memory.h"
#include "support/test.h"

enum { BODY_MAX = 1 << 20, REDELIVERED = 5 /* the tag of a delivery that has come back */ };

static amqp_table_entry_t text(const char *name, const char *value)
{
    return (amqp_table_entry_t){
        .key = amqp_cstring_bytes(name),
        .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)}};
}

static amqp_table_entry_t number(const char *name, int64_t value)
{
    return (amqp_table_entry_t){.key = amqp_cstring_bytes(name),
                                .value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = value}};
}

static amqp_table_entry_t table(const char *name, int count, amqp_table_entry_t *entries)
{
    return (amqp_table_entry_t){
        .key = amqp_cstring_bytes(name),
        .value = {.kind = AMQP_FIELD_KIND_TABLE,
                  .value.table = {.num_entries = count, .entries = entries}}};
}

static struct amqp_event header_event(amqp_basic_properties_t *properties, uint64_t len)
{
    return (struct amqp_event){.kind = AMQP_HEADER, .body_len = len, .properties = properties};
}

static void begin(struct assembly *assembly, uint64_t tag)
{
    const struct amqp_event event = {.kind = AMQP_DELIVER,
                                     .tag = tag,
                                     .redelivered = tag == REDELIVERED,
                                     .routing_key = BYTES_LITERAL("key")};
    assert_int_equal(assembly_begin(assembly, &event), SB_OK);
}

/* A message with these headers and an empty body. */
static struct delivery *assemble(struct assembly *assembly, amqp_basic_properties_t *properties)
{
    struct delivery *delivery = NULL;
    begin(assembly, REDELIVERED);
    const struct amqp_event event = header_event(properties, 0);
    assert_int_equal(assembly_add(assembly, &event, &delivery), SB_OK);
    assert_non_null(delivery);
    return delivery;
}

static void test_parts_become_a_delivery(void **state)
{
    (void)state;
    struct assembly assembly = {.body_max = BODY_MAX};
    amqp_table_entry_t entries[] = {text("a", "1"), number("n", 2), text("", "unnamed")};
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG |
                                                    AMQP_BASIC_TIMESTAMP_FLAG,
                                          .timestamp = 1700000000,
                                          .headers = {.num_entries = 3, .entries = entries}};
    struct delivery *delivery;
    begin(&assembly, 9);
    const struct amqp_event header = header_event(&properties, 10);
    const struct amqp_event bodies[] = {{.kind = AMQP_BODY, .body = BYTES_LITERAL("01234")},
                                        {.kind = AMQP_BODY, .body = BYTES_LITERAL("56789")}};
    assert_int_equal(assembly_add(&assembly, &header, &delivery), SB_OK);
    assert_null(delivery);
    assert_int_equal(assembly_add(&assembly, &bodies[0], &delivery), SB_OK);
    assert_null(delivery);
    assert_int_equal(assembly_add(&assembly, &bodies[1], &delivery), SB_OK);
    assert_non_null(delivery);
    assert_true(bytes_equal(delivery_body(delivery), BYTES_LITERAL("0123456789")));
    assert_true(bytes_equal(delivery_piece(delivery, delivery->key), BYTES_LITERAL("key")));
    assert_int_equal(delivery->offset, 9);
    assert_false(delivery->has_offset);
    assert_true(delivery->has_time);
    assert_true(delivery->time_ms == INT64_C(1700000000000));
    assert_int_equal(delivery->header_count, 3);
    assert_true(bytes_equal(delivery_header(delivery, 0).value, BYTES_LITERAL("1")));
    assert_null(delivery_header(delivery, 1).value.at);
    assert_int_equal(delivery_header(delivery, 2).name.len, 0);
    memory_free(delivery);
}

static void test_what_the_broker_says_in_headers(void **state)
{
    (void)state;
    struct assembly assembly = {.body_max = BODY_MAX, .stream = true};
    amqp_table_entry_t entries[] = {number("x-stream-offset", 77),
                                    number("x-delivery-count", 3),
                                    number("timestamp_in_ms", 1234)};
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG |
                                                    AMQP_BASIC_TIMESTAMP_FLAG,
                                          .timestamp = 9,
                                          .headers = {.num_entries = 3, .entries = entries}};
    struct delivery *delivery = assemble(&assembly, &properties);
    assert_true(delivery->has_offset);
    assert_int_equal(delivery->offset, 77);
    assert_int_equal(delivery->tag, 5);
    assert_int_equal(delivery->returns, 3);
    assert_int_equal(delivery->time_ms, 1234);
    memory_free(delivery);
    /* Times and offsets that can not be. */
    amqp_table_entry_t odd[] = {number("x-stream-offset", -1), text("timestamp_in_ms", "1")};
    properties.headers = (amqp_table_t){.num_entries = 2, .entries = odd};
    properties.timestamp = UINT64_MAX;
    delivery = assemble(&assembly, &properties);
    assert_false(delivery->has_offset);
    assert_false(delivery->has_time);
    memory_free(delivery);
}

/* The broker adds these two headers; before, and elsewhere, they are the publisher's words. */
static void test_what_a_publisher_says_in_headers(void **state)
{
    (void)state;
    struct assembly assembly = {.body_max = BODY_MAX};
    amqp_table_entry_t entries[] = {number("x-stream-offset", 77),
                                    number("x-delivery-count", 3)};
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG,
                                          .headers = {.num_entries = 2, .entries = entries}};
    struct delivery *delivery;
    begin(&assembly, 9);
    const struct amqp_event header = header_event(&properties, 0);
    assert_int_equal(assembly_add(&assembly, &header, &delivery), SB_OK);
    assert_non_null(delivery);
    assert_int_equal(delivery->offset, 9);
    assert_int_equal(delivery->returns, 0);
    assert_true(delivery->has_offset);
    memory_free(delivery);
}

static void test_the_firehose_shows_the_message_within(void **state)
{
    (void)state;
    struct assembly assembly = {.body_max = BODY_MAX, .firehose = true};
    amqp_table_entry_t inner[] = {text("traceparent", "00-x")};
    amqp_table_entry_t traced[] = {table("headers", 1, inner), number("timestamp", 12)};
    amqp_field_value_t keys[] = {
        {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes("order.created")}};
    amqp_table_entry_t entries[] = {
        text("exchange_name", "orders"),
        {.key = amqp_cstring_bytes("routing_keys"),
         .value = {.kind = AMQP_FIELD_KIND_ARRAY,
                   .value.array = {.num_entries = 1, .entries = keys}}},
        table("properties", 2, traced)};
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG,
                                          .headers = {.num_entries = 3, .entries = entries}};
    struct delivery *delivery = assemble(&assembly, &properties);
    assert_int_equal(delivery->header_count, 1);
    assert_true(bytes_equal(delivery_header(delivery, 0).name, BYTES_LITERAL("traceparent")));
    assert_true(
        bytes_equal(delivery_piece(delivery, delivery->key), BYTES_LITERAL("order.created")));
    assert_int_equal(delivery->time_ms, 12000);
    memory_free(delivery);
    properties._flags = 0; /* and one that says nothing of all that */
    delivery = assemble(&assembly, &properties);
    assert_int_equal(delivery->header_count, 0);
    memory_free(delivery);
}

static void test_an_announced_body_costs_nothing(void **state)
{
    (void)state;
    struct assembly assembly = {.body_max = SIZE_MAX};
    amqp_basic_properties_t properties = {._flags = 0};
    struct delivery *delivery;
    begin(&assembly, 1);
    const struct amqp_event header = header_event(&properties, UINT64_C(1) << 40);
    assert_int_equal(assembly_add(&assembly, &header, &delivery), SB_OK);
    assert_true(assembly.room < (1 << 18));
    assembly_clear(&assembly);
    assert_int_equal(assembly.stage, ASSEMBLY_IDLE);
}

static void test_a_long_body_grows(void **state)
{
    (void)state;
    enum { PART = 100000, PARTS = 9 };
    struct assembly assembly = {.body_max = BODY_MAX};
    amqp_basic_properties_t properties = {._flags = 0};
    static uint8_t part[PART];
    struct delivery *delivery = NULL;
    begin(&assembly, 1);
    const struct amqp_event header = header_event(&properties, (uint64_t)PART * PARTS);
    assert_int_equal(assembly_add(&assembly, &header, &delivery), SB_OK);
    for (uint8_t i = 0; i < PARTS; i++) {
        memset(part, i, sizeof(part));
        const struct amqp_event body = {.kind = AMQP_BODY, .body = bytes_of(part, PART)};
        assert_null(delivery);
        assert_int_equal(assembly_add(&assembly, &body, &delivery), SB_OK);
    }
    assert_non_null(delivery);
    assert_int_equal(delivery->body_len, (size_t)PART * PARTS);
    for (uint8_t i = 0; i < PARTS; i++)
        assert_int_equal(delivery_body(delivery).at[(size_t)i * PART + PART / 2], i);
    memory_free(delivery);
}

static void test_a_body_beyond_the_cap_is_thrown_away(void **state)
{
    (void)state;
    struct assembly assembly = {.body_max = 4};
    amqp_basic_properties_t properties = {._flags = 0};
    struct delivery *delivery;
    const struct amqp_event body = {.kind = AMQP_BODY, .body = BYTES_LITERAL("01234")};
    begin(&assembly, 1);
    const struct amqp_event header = header_event(&properties, 5);
    assert_int_equal(assembly_add(&assembly, &header, &delivery), SB_OK);
    assert_int_equal(assembly_add(&assembly, &body, &delivery), SB_OK);
    assert_non_null(delivery);
    assert_int_equal(delivery->flaw, RECORD_TOO_LARGE);
    assert_int_equal(delivery->body_len, 0);
    memory_free(delivery);
}

static void test_frames_out_of_order(void **state)
{
    (void)state;
    struct assembly assembly = {.body_max = BODY_MAX};
    amqp_basic_properties_t properties = {._flags = 0};
    struct delivery *delivery;
    const struct amqp_event header = header_event(&properties, 3);
    const struct amqp_event body = {.kind = AMQP_BODY, .body = BYTES_LITERAL("01234")};
    const struct amqp_event deliver = {.kind = AMQP_DELIVER, .routing_key = BYTES_LITERAL("")};
    assert_int_equal(assembly_add(&assembly, &header, &delivery), SB_ERR_INPUT);
    assert_int_equal(assembly_add(&assembly, &body, &delivery), SB_ERR_INPUT);
    begin(&assembly, 1);
    assert_int_equal(assembly_add(&assembly, &body, &delivery), SB_ERR_INPUT);
    assert_int_equal(assembly_begin(&assembly, &deliver), SB_ERR_INPUT);
    assert_int_equal(assembly_add(&assembly, &header, &delivery), SB_OK);
    assert_int_equal(assembly_add(&assembly, &header, &delivery), SB_ERR_INPUT);
    assert_int_equal(assembly_add(&assembly, &body, &delivery), SB_ERR_INPUT); /* too much */
    assert_null(delivery);
    assembly_clear(&assembly);
}

static void test_memory_is_short(void **state)
{
    (void)state;
    struct assembly assembly = {.body_max = SIZE_MAX};
    amqp_basic_properties_t properties = {._flags = 0};
    struct delivery *delivery;
    static const uint8_t part[AMQP_FRAME_BYTES_MAX];
    const struct amqp_event header = header_event(&properties, UINT64_C(1) << 30);
    const struct amqp_event body = {.kind = AMQP_BODY, .body = bytes_of(part, sizeof(part))};
    begin(&assembly, 1);
    memory_fail_at(1);
    assert_int_equal(assembly_add(&assembly, &header, &delivery), SB_ERR_MEMORY);
    memory_fail_at(0);
    assert_int_equal(assembly_add(&assembly, &header, &delivery), SB_OK);
    assert_int_equal(assembly_add(&assembly, &body, &delivery), SB_OK);
    memory_fail_at(1);
    assert_int_equal(assembly_add(&assembly, &body, &delivery), SB_ERR_MEMORY);
    memory_fail_at(0);
    assembly_clear(&assembly);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_become_a_delivery),
        cmocka_unit_test(test_what_the_broker_says_in_headers),
        cmocka_unit_test(test_what_a_publisher_says_in_headers),
        cmocka_unit_test(test_the_firehose_shows_the_message_within),
        cmocka_unit_test(test_an_announced_body_costs_nothing),
        cmocka_unit_test(test_a_long_body_grows),
        cmocka_unit_test(test_a_body_beyond_the_cap_is_thrown_away),
        cmocka_unit_test(test_frames_out_of_order),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
