#include "wire.h"

#include "otlp/write.h"
#include "support/test.h"

static bool read_varint(struct bytes in, uint64_t *ret, size_t *ret_left)
{
    struct wire_cursor cursor = wire_open(in);
    if (!wire_varint(&cursor, ret))
        return false;
    *ret_left = wire_left(&cursor);
    return true;
}

static void test_varints_of_all_sizes(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits <= 64; bits++) {
        uint64_t value = bits == 0 ? 0 : UINT64_MAX >> (64 - bits);
        uint8_t buffer[OTLP_VARINT_MAX + 1] = {0};
        size_t len = otlp_varint_write(value, buffer);
        uint64_t read = ~value;
        size_t left;
        assert_true(read_varint(bytes_of(buffer, len + 1), &read, &left));
        assert_true(read == value);
        assert_int_equal(left, 1);
        for (size_t cut = 0; cut < len; cut++)
            assert_false(read_varint(bytes_of(buffer, cut), &read, &left));
    }
}

static void test_varints_longer_than_needed_are_read(void **state)
{
    (void)state;
    uint64_t value;
    size_t left;
    assert_true(read_varint(BYTES_LITERAL("\x85\x00"), &value, &left));
    assert_int_equal(value, 5);
    assert_true(
        read_varint(BYTES_LITERAL("\x85\x80\x80\x80\x80\x80\x80\x80\x80\x00"), &value, &left));
    assert_int_equal(value, 5);
}

static void test_varints_beyond_ten_bytes_or_64_bits_are_refused(void **state)
{
    (void)state;
    uint64_t value;
    size_t left;
    assert_true(
        read_varint(BYTES_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &value, &left));
    assert_true(value == UINT64_MAX);
    assert_false(
        read_varint(BYTES_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), &value, &left));
    assert_false(read_varint(BYTES_LITERAL("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),
                             &value, &left));
}

static bool read_field(struct bytes in, struct wire_field *ret)
{
    struct wire_cursor cursor = wire_open(in);
    struct wire_cursor skipped = wire_open(in);
    bool read = wire_next(&cursor, ret);
    uint32_t tag;
    /* Both ways over a field agree. */
    assert_int_equal(wire_tag(&skipped, &tag) && wire_skip(&skipped, tag), read);
    if (read)
        assert_ptr_equal(skipped.at, cursor.at);
    return read;
}

static void test_a_field_of_each_type(void **state)
{
    (void)state;
    struct wire_field field;
    assert_true(read_field(BYTES_LITERAL("\x08\x96\x01"), &field));
    assert_int_equal(field.number, 1);
    assert_int_equal(field.type, WIRE_VARINT);
    assert_int_equal(field.value, 150);

    assert_true(read_field(BYTES_LITERAL("\x39\x01\x02\x03\x04\x05\x06\x07\x08"), &field));
    assert_int_equal(field.number, 7);
    assert_int_equal(field.type, WIRE_FIXED64);
    assert_true(field.value == UINT64_C(0x0807060504030201));

    assert_true(read_field(BYTES_LITERAL("\x0a\x02hi"), &field));
    assert_int_equal(field.type, WIRE_BYTES);
    assert_true(bytes_equal(field.body, BYTES_LITERAL("hi")));

    assert_true(read_field(BYTES_LITERAL("\x85\x01\x01\x02\x03\x04"), &field));
    assert_int_equal(field.number, 16);
    assert_int_equal(field.type, WIRE_FIXED32);
    assert_true(field.value == 0x04030201);
}

static void test_what_is_no_field(void **state)
{
    (void)state;
    const struct bytes wrong[] = {
        BYTES_LITERAL("\x00\x01"), /* field 0 */
        BYTES_LITERAL("\x02\x00"), /* field 0 with bytes */
        BYTES_LITERAL("\x0b\x0c"), /* a group */
        BYTES_LITERAL("\x0c"),     /* the end of a group */
        BYTES_LITERAL("\x0e\x01"), /* types that do not exist */
        BYTES_LITERAL("\x0f\x01"),
        BYTES_LITERAL("\x88\x80\x80\x80\x10\x00"), /* a tag of 33 bits */
        BYTES_LITERAL("\x08"),                     /* cut off */
        BYTES_LITERAL("\x39\x01\x02\x03\x04\x05\x06\x07"),
        BYTES_LITERAL("\x0d\x01\x02\x03"),
        BYTES_LITERAL("\x0a"),
        BYTES_LITERAL("\x0a\x03hi"),
        BYTES_LITERAL("\x0a\x80\x80\x80\x80\x04hi"), /* claims 1 GiB */
        BYTES_LITERAL("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01hi"),
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct wire_field field;
        assert_false(read_field(wrong[i], &field));
    }
}

static void test_the_largest_field_number(void **state)
{
    (void)state;
    struct wire_field field;
    assert_true(read_field(BYTES_LITERAL("\xf8\xff\xff\xff\x0f\x07"), &field));
    assert_int_equal(field.number, (1u << 29) - 1);
}

static void test_an_empty_message(void **state)
{
    (void)state;
    struct wire_cursor in = wire_open(bytes_of(NULL, 0));
    assert_true(wire_at_end(&in));
    assert_int_equal(wire_left(&in), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_varints_of_all_sizes),
        cmocka_unit_test(test_varints_longer_than_needed_are_read),
        cmocka_unit_test(test_varints_beyond_ten_bytes_or_64_bits_are_refused),
        cmocka_unit_test(test_a_field_of_each_type),
        cmocka_unit_test(test_what_is_no_field),
        cmocka_unit_test(test_the_largest_field_number),
        cmocka_unit_test(test_an_empty_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
