#include "otlp/value.h"

#include "otlp/write.h"
#include "pieces.h"
#include "support/test.h"

static void test_each_type(void **state)
{
    (void)state;
    struct otlp_value value = otlp_value_read(BYTES_LITERAL("\x0a\x02hi"));
    assert_int_equal(value.type, OTLP_VALUE_STRING);
    assert_true(bytes_equal(value.bytes, BYTES_LITERAL("hi")));
    value = otlp_value_read(BYTES_LITERAL("\x10\x01"));
    assert_int_equal(value.type, OTLP_VALUE_BOOL);
    assert_int_equal(value.integer, 1);
    value = otlp_value_read(BYTES_LITERAL("\x10\x80\x80\x04")); /* any number but 0 is true */
    assert_int_equal(value.integer, 1);
    value = otlp_value_read(BYTES_LITERAL("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    assert_int_equal(value.type, OTLP_VALUE_INT);
    assert_int_equal(value.integer, -1);
    value = otlp_value_read(BYTES_LITERAL("\x21\0\0\0\0\0\0\xf8\xbf"));
    assert_int_equal(value.type, OTLP_VALUE_DOUBLE);
    assert_true(value.number == -1.5);
    value = otlp_value_read(BYTES_LITERAL("\x2a\x03\x0a\x01?"));
    assert_int_equal(value.type, OTLP_VALUE_ARRAY);
    assert_true(bytes_equal(value.bytes, BYTES_LITERAL("\x0a\x01?")));
    value = otlp_value_read(BYTES_LITERAL("\x32\x00"));
    assert_int_equal(value.type, OTLP_VALUE_MAP);
    assert_int_equal(value.bytes.len, 0);
    value = otlp_value_read(BYTES_LITERAL("\x3a\x02\0\xff"));
    assert_int_equal(value.type, OTLP_VALUE_BYTES);
    assert_true(bytes_equal(value.bytes, BYTES_LITERAL("\0\xff")));
}

static void test_the_last_one_counts(void **state)
{
    (void)state;
    struct otlp_value value = otlp_value_read(BYTES_LITERAL("\x0a\x02hi\x18\x05"));
    assert_int_equal(value.type, OTLP_VALUE_INT);
    assert_int_equal(value.integer, 5);
    assert_int_equal(value.bytes.len, 0);
    value = otlp_value_read(BYTES_LITERAL("\x18\x05\x0a\x02hi"));
    assert_int_equal(value.type, OTLP_VALUE_STRING);
    assert_int_equal(value.integer, 0);
}

static void test_empty_and_malformed(void **state)
{
    (void)state;
    assert_int_equal(otlp_value_read(bytes_of(NULL, 0)).type, OTLP_VALUE_EMPTY);
    assert_int_equal(otlp_value_read(BYTES_LITERAL("\x48\x01")).type, OTLP_VALUE_EMPTY);
    const struct bytes wrong[] = {
        BYTES_LITERAL("\x08\x01"),       /* a string as a number */
        BYTES_LITERAL("\x1a\x01x"),      /* a number as a string */
        BYTES_LITERAL("\x0a\x02hi\x0a"), /* cut off behind a good one */
        BYTES_LITERAL("\x0a\x05hi"),     BYTES_LITERAL("\x21\x01"),
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(otlp_value_read(wrong[i]).type, OTLP_VALUE_EMPTY);
}

static void test_a_walk_over_attributes(void **state)
{
    (void)state;
    struct pieces pieces;
    pieces_init(&pieces);
    struct bytes message = JOIN(
        &pieces, pieces_ids(&pieces), pieces_field(&pieces, 9, pieces_pair(&pieces, "a", "1")),
        pieces_varint(&pieces, 6, 3), pieces_field(&pieces, 9, bytes_of(NULL, 0)),
        pieces_field(&pieces, 9, pieces_pair(&pieces, "b", "2")),
        pieces_fixed32(&pieces, 16, 1));
    struct bytes rest = message;
    struct otlp_attribute attribute;
    assert_true(otlp_attribute_next(&rest, 9, &attribute));
    assert_true(bytes_equal(attribute.key, BYTES_LITERAL("a")));
    assert_true(bytes_equal(attribute.value, BYTES_LITERAL("\x0a\x01"
                                                           "1")));
    assert_true(otlp_attribute_next(&rest, 9, &attribute));
    assert_int_equal(attribute.key.len, 0);
    assert_int_equal(attribute.value.len, 0);
    assert_true(otlp_attribute_next(&rest, 9, &attribute));
    assert_true(bytes_equal(attribute.key, BYTES_LITERAL("b")));
    assert_false(otlp_attribute_next(&rest, 9, &attribute));
    assert_false(otlp_attribute_next(&rest, 9, &attribute));
    rest = message;
    assert_false(otlp_attribute_next(&rest, 3, &attribute));
    pieces_clear(&pieces);
}

static void test_a_walk_ends_at_what_is_malformed(void **state)
{
    (void)state;
    struct pieces pieces;
    pieces_init(&pieces);
    struct bytes good = pieces_field(&pieces, 9, pieces_pair(&pieces, "a", "1"));
    const struct bytes bad[] = {
        BYTES_LITERAL("\x4a\x05"),         /* cut off */
        BYTES_LITERAL("\x48\x05"),         /* a number */
        BYTES_LITERAL("\x4a\x02\x08\x01"), /* the key is a number */
        BYTES_LITERAL("\x4a\x02\x0a\x07"), /* the key is cut off */
        BYTES_LITERAL("\x0b"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct bytes rest = JOIN(&pieces, good, bad[i], good);
        struct otlp_attribute attribute;
        assert_true(otlp_attribute_next(&rest, 9, &attribute));
        assert_false(otlp_attribute_next(&rest, 9, &attribute));
        assert_int_equal(rest.len, 0);
        assert_true(bytes_equal(attribute.key, BYTES_LITERAL("a")));
    }
    pieces_clear(&pieces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type),
        cmocka_unit_test(test_the_last_one_counts),
        cmocka_unit_test(test_empty_and_malformed),
        cmocka_unit_test(test_a_walk_over_attributes),
        cmocka_unit_test(test_a_walk_ends_at_what_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
