#include "repair/fact.h"

#include <math.h>
#include <string.h>

#include "attributes.h"
#include "support/test.h"

enum { INTERNAL = 1, SERVER, CLIENT, PRODUCER, CONSUMER, ATTRIBUTES_MAX = 6 };

#define CONFLUENT "opentelemetry.instrumentation.confluent_kafka"
#define SARAMA    "github.com/dnwe/otelsarama"

static struct repair_fact fact_of(const struct test_attribute *attributes, uint8_t kind,
                                  const char *scope)
{
    struct repair_span_traits traits = {.kind = kind, .scope_name = bytes_text(scope)};
    struct repair_fact fact;
    make_fact(&fact, attributes, ATTRIBUTES_MAX, &traits);
    return fact;
}

static bool text_is(struct bytes at, const char *expected)
{
    return bytes_equal(at, bytes_text(expected));
}

static int64_t offset_of(const struct repair_value *value)
{
    struct repair_fact fact;
    repair_fact_init(&fact);
    for (size_t i = 0; i < repair_alias_count(); i++)
        if (strcmp(repair_alias_key(i), "messaging.kafka.offset") == 0)
            repair_fact_add(&fact, i, value);
    return fact.offset;
}

static void test_numbers_of_every_type(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t offset;
    } texts[] = {
        {"0", 0},
        {"42", 42},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", -1},
        {"99999999999999999999", -1},
        {"-1", -1},
        {"", -1},
        {" 1", -1},
        {"1 ", -1},
        {"1.0", -1},
        {"0x10", -1},
        {"+1", -1},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct repair_value value = {.type = REPAIR_VALUE_TEXT,
                                     .text = bytes_text(texts[i].text)};
        assert_true(offset_of(&value) == texts[i].offset);
    }
    static const struct {
        double number;
        int64_t offset;
    } doubles[] = {
        {0.0, 0},
        {12.0, 12},
        {9007199254740992.0, INT64_C(1) << 53},
        {0.5, -1},
        {-1.0, -1},
        {1e300, -1},
        {NAN, -1},
        {INFINITY, -1},
        {-INFINITY, -1},
        {9007199254740994.0, -1},
    };
    for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
        struct repair_value value = {.type = REPAIR_VALUE_DOUBLE, .number = doubles[i].number};
        assert_true(offset_of(&value) == doubles[i].offset);
    }
    struct repair_value value = {.type = REPAIR_VALUE_INT, .integer = INT64_MAX};
    assert_true(offset_of(&value) == INT64_MAX);
    value.integer = -1;
    assert_true(offset_of(&value) == -1);
    value.integer = INT64_MIN;
    assert_true(offset_of(&value) == -1);
    value = (struct repair_value){.type = REPAIR_VALUE_BOOL, .integer = 1};
    assert_true(offset_of(&value) == -1);
}

/* A sentinel or an empty text of a newer generation does not hide what an older one says. */
static void test_sentinels_do_not_hide(void **state)
{
    (void)state;
    static const struct test_attribute attributes[ATTRIBUTES_MAX] = {
        NUMBER("messaging.kafka.partition", 3),
        TEXT("messaging.destination.partition.id", "-1"),
        NUMBER("messaging.kafka.message.offset", 8),
        NUMBER("messaging.kafka.offset", -1),
        TEXT("messaging.destination", "orders"),
        TEXT("messaging.destination.name", ""),
    };
    struct repair_fact fact = fact_of(attributes, CONSUMER, "");
    assert_int_equal(fact.partition, 3);
    assert_int_equal(fact.offset, 8);
    assert_true(text_is(fact.destination, "orders"));
}

static void test_text_fields_take_texts_only(void **state)
{
    (void)state;
    static const struct test_attribute attributes[ATTRIBUTES_MAX] = {
        NUMBER("messaging.destination.name", 7),
        NUMBER("messaging.system", 7),
        NUMBER("messaging.operation", 7),
        NUMBER("messaging.message.id", 7),
    };
    struct repair_fact fact = fact_of(attributes, INTERNAL, "");
    assert_int_equal(fact.destination.len, 0);
    assert_int_equal(fact.message_id.len, 0);
    assert_int_equal(fact.role, REPAIR_ROLE_UNKNOWN);
    assert_true(fact.any);
    static const struct test_attribute system[ATTRIBUTES_MAX] = {
        NUMBER("messaging.kafka.partition", 7), NUMBER("messaging.system", 7)};
    assert_int_equal(fact_of(system, INTERNAL, "").system, REPAIR_SYSTEM_KAFKA);
}

static void test_systems(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum repair_system system;
    } rows[] = {
        {"kafka", REPAIR_SYSTEM_KAFKA},       {"Kafka", REPAIR_SYSTEM_KAFKA},
        {"rabbitmq", REPAIR_SYSTEM_RABBITMQ}, {"RabbitMQ", REPAIR_SYSTEM_RABBITMQ},
        {"amqp", REPAIR_SYSTEM_RABBITMQ},     {"AMQP", REPAIR_SYSTEM_RABBITMQ},
        {"kafk", REPAIR_SYSTEM_UNKNOWN},      {"kafka2", REPAIR_SYSTEM_UNKNOWN},
        {"activemq", REPAIR_SYSTEM_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct test_attribute attributes[ATTRIBUTES_MAX] = {
            TEXT("messaging.system", rows[i].text)};
        assert_int_equal(fact_of(attributes, CLIENT, "").system, rows[i].system);
    }
}

static void test_batch_counts_are_cut_to_32_bits(void **state)
{
    (void)state;
    struct test_attribute attributes[ATTRIBUTES_MAX] = {
        NUMBER("messaging.batch.message_count", INT64_C(1) << 32)};
    assert_int_equal(fact_of(attributes, CONSUMER, "").batch_count, UINT32_MAX);
    attributes[0].integer = 3;
    assert_int_equal(fact_of(attributes, CONSUMER, "").batch_count, 3);
}

/* Operation first, then kind; an operation nobody knows leaves it to the kind. */
static void test_roles(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *operation;
        const char *name;
        uint8_t kind;
        enum repair_role role;
        const char *written;
    } rows[] = {
        {NULL, "publish", NULL, PRODUCER, REPAIR_ROLE_SEND, "publish"},
        {"send", NULL, "send", CLIENT, REPAIR_ROLE_SEND, "send"},
        {"publish", NULL, "basic.publish", CLIENT, REPAIR_ROLE_SEND, "publish"},
        {NULL, NULL, "basic.publish", CLIENT, REPAIR_ROLE_SEND, "basic.publish"},
        {"create", NULL, NULL, PRODUCER, REPAIR_ROLE_CREATE, "create"},
        {NULL, "receive", NULL, CONSUMER, REPAIR_ROLE_RECEIVE, "receive"},
        {"receive", NULL, "poll", CLIENT, REPAIR_ROLE_RECEIVE, "receive"},
        {NULL, NULL, "poll", CLIENT, REPAIR_ROLE_RECEIVE, "poll"},
        {NULL, NULL, "consume", CLIENT, REPAIR_ROLE_RECEIVE, "consume"},
        {NULL, NULL, "basic.get", CLIENT, REPAIR_ROLE_RECEIVE, "basic.get"},
        {NULL, "process", NULL, INTERNAL, REPAIR_ROLE_PROCESS, "process"},
        {NULL, "deliver", NULL, CONSUMER, REPAIR_ROLE_PROCESS, "deliver"},
        {NULL, NULL, "basic.deliver", CONSUMER, REPAIR_ROLE_PROCESS, "basic.deliver"},
        {"Process", NULL, NULL, CONSUMER, REPAIR_ROLE_PROCESS, "Process"},
        {"settle", NULL, "ack", CLIENT, REPAIR_ROLE_SETTLE, "settle"},
        {NULL, NULL, "ack", CLIENT, REPAIR_ROLE_SETTLE, "ack"},
        {NULL, NULL, "nack", CLIENT, REPAIR_ROLE_SETTLE, "nack"},
        {NULL, NULL, "reject", CLIENT, REPAIR_ROLE_SETTLE, "reject"},
        {NULL, NULL, "commit", CLIENT, REPAIR_ROLE_SETTLE, "commit"},
        {NULL, NULL, "basic.ack", CLIENT, REPAIR_ROLE_SETTLE, "basic.ack"},
        {NULL, NULL, "basic.nack", CLIENT, REPAIR_ROLE_SETTLE, "basic.nack"},
        {NULL, NULL, "basic.reject", CLIENT, REPAIR_ROLE_SETTLE, "basic.reject"},
        /* Two generations: the newer one, unless nobody knows its word. */
        {"process", "receive", NULL, CONSUMER, REPAIR_ROLE_PROCESS, "process"},
        {"frob", "receive", NULL, CLIENT, REPAIR_ROLE_RECEIVE, "receive"},
        {"frob", NULL, "poll", CLIENT, REPAIR_ROLE_RECEIVE, "poll"},
        {"frob", "frobnicate", "x", CONSUMER, REPAIR_ROLE_PROCESS, "frob"},
        {NULL, NULL, "frob", PRODUCER, REPAIR_ROLE_SEND, "frob"},
        {NULL, NULL, "frob", CLIENT, REPAIR_ROLE_UNKNOWN, "frob"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int turned = 0; turned < 2; turned++) {
            const char *keys[] = {"messaging.operation.type", "messaging.operation",
                                  "messaging.operation.name"};
            const char *texts[] = {rows[i].type, rows[i].operation, rows[i].name};
            struct test_attribute attributes[ATTRIBUTES_MAX] = {{0}};
            size_t count = 0;
            for (int n = 0; n < 3; n++) {
                int at = turned == 0 ? n : 2 - n;
                if (texts[at] != NULL)
                    attributes[count++] = (struct test_attribute)TEXT(keys[at], texts[at]);
            }
            struct repair_fact fact = fact_of(attributes, rows[i].kind, "");
            if (fact.role != rows[i].role || !text_is(fact.operation, rows[i].written))
                fail_msg("row %zu, turned %d: role %d", i, turned, fact.role);
        }
    }
}

static void test_roles_by_kind_alone(void **state)
{
    (void)state;
    static const struct test_attribute none[ATTRIBUTES_MAX] = {{0}};
    static const struct test_attribute some[ATTRIBUTES_MAX] = {
        TEXT("messaging.system", "kafka")};
    assert_int_equal(fact_of(none, PRODUCER, "").role, REPAIR_ROLE_SEND);
    assert_int_equal(fact_of(none, CONSUMER, "").role, REPAIR_ROLE_RECEIVE);
    assert_int_equal(fact_of(some, CONSUMER, "").role, REPAIR_ROLE_PROCESS);
    assert_int_equal(fact_of(none, CLIENT, "").role, REPAIR_ROLE_UNKNOWN);
    assert_int_equal(fact_of(some, CLIENT, "").role, REPAIR_ROLE_UNKNOWN);
    assert_int_equal(fact_of(none, INTERNAL, "").role, REPAIR_ROLE_UNKNOWN);
    assert_int_equal(fact_of(none, SERVER, "").role, REPAIR_ROLE_UNKNOWN);
}

static void test_sides(void **state)
{
    (void)state;
    static const struct {
        enum repair_role role;
        bool producer;
        bool consumer;
    } rows[] = {
        {REPAIR_ROLE_UNKNOWN, false, false}, {REPAIR_ROLE_CREATE, true, false},
        {REPAIR_ROLE_SEND, true, false},     {REPAIR_ROLE_RECEIVE, false, true},
        {REPAIR_ROLE_PROCESS, false, true},  {REPAIR_ROLE_SETTLE, false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct repair_fact fact = {.role = rows[i].role};
        assert_int_equal(repair_fact_is_producer(&fact), rows[i].producer);
        assert_int_equal(repair_fact_is_consumer(&fact), rows[i].consumer);
    }
}

static void test_dotted_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *topic; /* said besides; NULL: not */
        int64_t partition; /* said besides; -1: not */
        const char *id;
        const char *destination; /* NULL: the id is left alone */
        int64_t found_partition;
        int64_t found_offset;
    } rows[] = {
        {"orders", 3, "orders.3.17", "orders", 3, 17},
        {NULL, -1, "orders.3.17", "orders", 3, 17},
        {"eu.orders.v1", 0, "eu.orders.v1.0.0", "eu.orders.v1", 0, 0},
        {NULL, -1, "eu.orders.v1.0.0", "eu.orders.v1", 0, 0},
        {NULL, -1, "1.2.3.4", "1.2", 3, 4},
        /* It contradicts the rest of the span. */
        {"orders", -1, "payments.3.17", NULL, -1, -1},
        {"orders", 4, "orders.3.17", NULL, 4, -1},
        /* It is no coordinate. */
        {"orders", 3, "orders.3", NULL, 3, -1},
        {"orders", 3, "orders", NULL, 3, -1},
        {"orders", 3, "orders.3.", NULL, 3, -1},
        {"orders", 3, "orders..17", NULL, 3, -1},
        {"orders", 3, "orders.3.x", NULL, 3, -1},
        {"orders", 3, "orders.-3.17", NULL, 3, -1},
        {NULL, -1, ".3.17", NULL, -1, -1},
        {NULL, -1, "..", NULL, -1, -1},
        {NULL, -1, ".", NULL, -1, -1},
        {NULL, -1, "3.17", NULL, -1, -1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct test_attribute attributes[ATTRIBUTES_MAX] = {
            TEXT("messaging.message_id", rows[i].id)};
        int count = 1;
        if (rows[i].topic != NULL)
            attributes[count++] =
                (struct test_attribute)TEXT("messaging.destination", rows[i].topic);
        if (rows[i].partition >= 0)
            attributes[count++] =
                (struct test_attribute)NUMBER("messaging.kafka.partition", rows[i].partition);
        struct repair_fact fact = fact_of(attributes, CONSUMER, CONFLUENT);
        assert_int_equal(fact.partition, rows[i].found_partition);
        assert_int_equal(fact.offset, rows[i].found_offset);
        if (rows[i].destination != NULL)
            assert_true(text_is(fact.destination, rows[i].destination));
        assert_true(text_is(fact.message_id, rows[i].destination != NULL ? "" : rows[i].id));
        /* Nobody else's message id is taken apart. */
        fact = fact_of(attributes, CONSUMER, "somebody");
        assert_int_equal(fact.offset, -1);
        assert_true(text_is(fact.message_id, rows[i].id));
    }
}

static void test_an_offset_of_its_own_beats_a_hidden_one(void **state)
{
    (void)state;
    static const struct test_attribute dotted[ATTRIBUTES_MAX] = {
        TEXT("messaging.message.id", "orders.3.17"), NUMBER("messaging.kafka.offset", 18)};
    assert_int_equal(fact_of(dotted, CONSUMER, CONFLUENT).offset, 18);
    static const struct test_attribute bare[ATTRIBUTES_MAX] = {
        TEXT("messaging.message.id", "17"), NUMBER("messaging.kafka.offset", 18)};
    assert_int_equal(fact_of(bare, CONSUMER, SARAMA).offset, 18);
}

static void test_bare_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        int64_t offset;
    } rows[] = {{"17", 17}, {"x17", -1}, {"-1", -1}, {"", -1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct test_attribute attributes[ATTRIBUTES_MAX] = {
            TEXT("messaging.message.id", rows[i].id)};
        assert_int_equal(fact_of(attributes, CONSUMER, SARAMA).offset, rows[i].offset);
        assert_int_equal(fact_of(attributes, CONSUMER, "somebody").offset, -1);
        assert_true(text_is(fact_of(attributes, CONSUMER, SARAMA).message_id,
                            rows[i].offset >= 0 ? "" : rows[i].id));
    }
}

/* Producers that never learn their offset say 0; consumers mean it. */
static void test_zero_offsets_of_producers(void **state)
{
    (void)state;
    static const struct test_attribute zero[ATTRIBUTES_MAX] = {
        TEXT("messaging.destination.name", "orders"),
        NUMBER("messaging.kafka.destination.partition", 0),
        NUMBER("messaging.kafka.message.offset", 0),
    };
    static const struct test_attribute bare[ATTRIBUTES_MAX] = {
        TEXT("messaging.message.id", "0")};
    assert_int_equal(fact_of(zero, PRODUCER, "checkout").offset, -1);
    assert_int_equal(fact_of(zero, CONSUMER, "checkout").offset, 0);
    assert_int_equal(fact_of(zero, PRODUCER, "").offset, 0);
    assert_int_equal(fact_of(bare, PRODUCER, SARAMA).offset, -1);
    assert_int_equal(fact_of(bare, CONSUMER, SARAMA).offset, 0);
}

static void test_rabbitmq_destinations(void **state)
{
    (void)state;
    static const struct {
        const char *scope;
        uint8_t kind;
        const char *written;
        const char *destination;
    } rows[] = {
        {"", PRODUCER, "amq.default", ""},
        {"", CONSUMER, "<default>", ""},
        {"", PRODUCER, "amq.topic", "amq.topic"},
        {"opentelemetry.instrumentation.aio_pika", PRODUCER, "orders,new", "orders"},
        {"opentelemetry.instrumentation.aio_pika", PRODUCER, ",queue", "queue"},
        {"opentelemetry.instrumentation.aio_pika", PRODUCER, "orders", "orders"},
        {"opentelemetry.instrumentation.aio_pika", PRODUCER, ",", ""},
        {"opentelemetry.instrumentation.aio_pika", CONSUMER, "a,b", "a,b"},
        {"opentelemetry.instrumentation.pika", PRODUCER, "a,b", "a,b"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct test_attribute attributes[ATTRIBUTES_MAX] = {
            TEXT("messaging.system", "rabbitmq"),
            TEXT("messaging.destination", rows[i].written)};
        struct repair_fact fact = fact_of(attributes, rows[i].kind, rows[i].scope);
        if (!text_is(fact.destination, rows[i].destination))
            fail_msg("row %zu", i);
        attributes[0].text = "kafka"; /* there such names mean themselves */
        fact = fact_of(attributes, rows[i].kind, rows[i].scope);
        assert_true(text_is(fact.destination, rows[i].written));
    }
}

static void test_whole_coordinates(void **state)
{
    (void)state;
    struct repair_fact fact = {
        .destination = BYTES_LITERAL("orders"), .partition = 0, .offset = 0};
    assert_true(repair_fact_has_coordinate(&fact));
    fact.partition = -1;
    assert_false(repair_fact_has_coordinate(&fact));
    fact.partition = 0;
    fact.offset = -1;
    assert_false(repair_fact_has_coordinate(&fact));
    fact.offset = 0;
    fact.destination.len = 0;
    assert_false(repair_fact_has_coordinate(&fact));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_of_every_type),
        cmocka_unit_test(test_sentinels_do_not_hide),
        cmocka_unit_test(test_text_fields_take_texts_only),
        cmocka_unit_test(test_systems),
        cmocka_unit_test(test_batch_counts_are_cut_to_32_bits),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_roles_by_kind_alone),
        cmocka_unit_test(test_sides),
        cmocka_unit_test(test_dotted_offsets),
        cmocka_unit_test(test_an_offset_of_its_own_beats_a_hidden_one),
        cmocka_unit_test(test_bare_offsets),
        cmocka_unit_test(test_zero_offsets_of_producers),
        cmocka_unit_test(test_rabbitmq_destinations),
        cmocka_unit_test(test_whole_coordinates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
