#include <string.h>

#include "repair/fact.h"
#include "repair/resolve.h"
#include "support/random.h"
#include "support/test.h"

enum { COUNT = 3000 };

static bool key_equal(struct repair_key a, struct repair_key b)
{
    return a.word[0] == b.word[0] && a.word[1] == b.word[1];
}

/* Stored by nobody, but shared between processes and versions: a change here is a break. */
static void test_values_never_change(void **state)
{
    (void)state;
    struct repair_key key = repair_coordinate_key(BYTES_LITERAL("cluster"),
                                                  BYTES_LITERAL("orders"), 3, 1234567890123);
    assert_true(key.word[0] == UINT64_C(0x97cb74a6aeb371ad));
    assert_true(key.word[1] == UINT64_C(0xeabc0b5aa4f3492e));
    assert_true(repair_destination_hash(BYTES_LITERAL("orders")) ==
                UINT64_C(0xd3047ab9cc789b9d));
    struct span_id consumer = {.byte = {1, 2, 3, 4, 5, 6, 7, 8}};
    static const uint8_t expected[SPAN_ID_LEN] = {0x55, 0xbf, 0x52, 0x36,
                                                  0xbc, 0x9f, 0x8b, 0xc2};
    assert_memory_equal(repair_queue_span_id(key, consumer).byte, expected, SPAN_ID_LEN);
}

static void test_every_part_of_a_coordinate_counts(void **state)
{
    (void)state;
    const struct repair_key keys[] = {
        repair_coordinate_key(BYTES_LITERAL(""), BYTES_LITERAL("orders"), 0, 0),
        repair_coordinate_key(BYTES_LITERAL("a"), BYTES_LITERAL("orders"), 0, 0),
        repair_coordinate_key(BYTES_LITERAL("ao"), BYTES_LITERAL("rders"), 0, 0),
        repair_coordinate_key(BYTES_LITERAL("orders"), BYTES_LITERAL(""), 0, 0),
        repair_coordinate_key(BYTES_LITERAL(""), BYTES_LITERAL("orders"), 1, 0),
        repair_coordinate_key(BYTES_LITERAL(""), BYTES_LITERAL("orders"), 0, 1),
        repair_coordinate_key(BYTES_LITERAL(""), BYTES_LITERAL("orders"), 0,
                              INT64_C(0x100000000)),
        repair_coordinate_key(BYTES_LITERAL(""), BYTES_LITERAL("orders "), 0, 0),
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        for (size_t n = 0; n < i; n++)
            assert_false(key_equal(keys[i], keys[n]));
    struct repair_key again =
        repair_coordinate_key(bytes_of(NULL, 0), BYTES_LITERAL("orders"), 0, 0);
    assert_true(key_equal(keys[0], again));
}

static void test_long_destinations(void **state)
{
    (void)state;
    static char text[70000];
    memset(text, 'x', sizeof(text));
    struct bytes whole = bytes_of(text, sizeof(text));
    struct bytes part = bytes_of(text, sizeof(text) - 1);
    assert_false(key_equal(repair_coordinate_key(whole, whole, 0, 0),
                           repair_coordinate_key(whole, part, 0, 0)));
    assert_true(repair_destination_hash(whole) != repair_destination_hash(part));
    assert_true(repair_destination_hash(bytes_of(NULL, 0)) ==
                repair_destination_hash(BYTES_LITERAL("")));
}

/* Distinct for each consumer of each coordinate, never zero, and no coordinate's key. */
static void test_queue_span_ids_are_distinct(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 8);
    static struct span_id ids[COUNT];
    for (int i = 0; i < COUNT; i++) {
        struct repair_key key =
            repair_coordinate_key(bytes_of(NULL, 0), BYTES_LITERAL("orders"), i / 100, 7);
        uint64_t number = (uint64_t)(i % 100);
        struct span_id consumer;
        memcpy(consumer.byte, &number, sizeof(number));
        ids[i] = repair_queue_span_id(key, consumer);
        assert_false(span_id_is_zero(ids[i]));
        assert_true(span_id_equal(ids[i], repair_queue_span_id(key, consumer)));
        for (int n = 0; n < 20 && i > 0; n++)
            assert_false(span_id_equal(ids[i], ids[random_below(&random, (uint64_t)i)]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_never_change),
        cmocka_unit_test(test_every_part_of_a_coordinate_counts),
        cmocka_unit_test(test_long_destinations),
        cmocka_unit_test(test_queue_span_ids_are_distinct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
