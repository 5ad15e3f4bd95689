#include "otlp/write.h"

#include "otlp/value.h"
#include "support/test.h"
#include "wire.h"

static void test_varint_sizes(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits <= 64; bits++) {
        uint64_t value = bits == 0 ? 0 : UINT64_MAX >> (64 - bits);
        uint8_t buffer[OTLP_VARINT_MAX];
        assert_int_equal(otlp_varint_size(value), bits == 0 ? 1 : (bits + 6) / 7);
        assert_int_equal(otlp_varint_write(value, buffer), otlp_varint_size(value));
    }
}

static void expect(struct text *out, struct bytes expected)
{
    assert_int_equal(out->error, SB_OK);
    assert_true(bytes_equal(text_bytes(out), expected));
    text_reset(out);
}

static void test_fields_byte_by_byte(void **state)
{
    (void)state;
    struct text out;
    text_init(&out, 1000);
    otlp_write_varint_field(&out, 1, 300);
    expect(&out, BYTES_LITERAL("\x08\xac\x02"));
    otlp_write_fixed64_field(&out, 7, UINT64_C(0x0102030405060708));
    expect(&out, BYTES_LITERAL("\x39\x08\x07\x06\x05\x04\x03\x02\x01"));
    otlp_write_fixed32_field(&out, 16, 0x01020304);
    expect(&out, BYTES_LITERAL("\x85\x01\x04\x03\x02\x01"));
    otlp_write_bytes_field(&out, 5, BYTES_LITERAL("hi"));
    expect(&out, BYTES_LITERAL("\x2a\x02hi"));
    otlp_write_bytes_field(&out, 5, bytes_of(NULL, 0));
    expect(&out, BYTES_LITERAL("\x2a\x00"));
    text_clear(&out);
}

static struct otlp_value read_back(struct text *out, uint32_t field, struct bytes key)
{
    assert_int_equal(out->error, SB_OK);
    struct bytes rest = text_bytes(out);
    struct otlp_attribute attribute;
    assert_true(otlp_attribute_next(&rest, field, &attribute));
    assert_int_equal(rest.len, 0);
    assert_true(bytes_equal(attribute.key, key));
    struct otlp_value value = otlp_value_read(attribute.value);
    return value;
}

static void test_attributes_are_read_back(void **state)
{
    (void)state;
    static const uint32_t fields[] = {1, 3, 4, 9, 100};
    char long_key[300];
    memset(long_key, 'k', sizeof(long_key));
    const struct bytes keys[] = {BYTES_LITERAL(""), BYTES_LITERAL("key"),
                                 bytes_of(long_key, 300)};
    struct text out;
    text_init(&out, 10000);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) * 3; i++) {
        uint32_t field = fields[i / 3];
        struct bytes key = keys[i % 3];
        otlp_write_string_attribute(&out, field, key, BYTES_LITERAL("a\0b"));
        assert_true(bytes_equal(read_back(&out, field, key).bytes, BYTES_LITERAL("a\0b")));
        text_reset(&out);
        otlp_write_int_attribute(&out, field, key, INT64_MIN);
        assert_true(read_back(&out, field, key).integer == INT64_MIN);
        text_reset(&out);
        otlp_write_double_attribute(&out, field, key, -0.25);
        assert_true(read_back(&out, field, key).number == -0.25);
        text_reset(&out);
        otlp_write_bool_attribute(&out, field, key, true);
        struct otlp_value value = read_back(&out, field, key);
        assert_int_equal(value.type, OTLP_VALUE_BOOL);
        assert_int_equal(value.integer, 1);
        text_reset(&out);
    }
    text_clear(&out);
}

static void test_patches_win_and_keep_the_rest(void **state)
{
    (void)state;
    struct text out;
    struct trace_id trace = {{1}};
    struct span_id parent = {{2}};
    text_init(&out, 1000);
    otlp_write_bytes_field(&out, OTLP_SPAN_TRACE_ID, BYTES_LITERAL("0123456789abcdef"));
    otlp_write_bytes_field(&out, OTLP_SPAN_SPAN_ID, BYTES_LITERAL("01234567"));
    otlp_write_bytes_field(&out, OTLP_SPAN_NAME, BYTES_LITERAL("name"));
    otlp_write_fixed32_field(&out, OTLP_SPAN_FLAGS, 0x5);
    otlp_patch_trace_id(&out, trace);
    otlp_patch_parent_id(&out, parent);
    otlp_patch_flags(&out, 0x301);
    assert_int_equal(out.error, SB_OK);
    struct otlp_span span;
    otlp_scan_span(text_bytes(&out), &span);
    assert_int_equal(span.fault, OTLP_FAULT_NONE);
    assert_memory_equal(span.trace_id, trace.byte, TRACE_ID_LEN);
    assert_memory_equal(span.span_id, "01234567", SPAN_ID_LEN);
    assert_memory_equal(span.parent_id, parent.byte, SPAN_ID_LEN);
    assert_int_equal(span.flags, 0x301);
    assert_true(bytes_equal(span.name, BYTES_LITERAL("name")));
    text_clear(&out);
}

/* The lengths written are those of what follows, also beyond one byte. */
static void test_long_links(void **state)
{
    (void)state;
    static char state_text[500];
    memset(state_text, 'a', sizeof(state_text));
    struct text attributes;
    struct text out;
    struct trace_id trace = {{1}};
    struct span_id span = {{2}};
    text_init(&attributes, 10000);
    text_init(&out, 10000);
    for (size_t len = 0; len < sizeof(state_text); len += 7) {
        text_reset(&out);
        text_reset(&attributes);
        otlp_write_string_attribute(&attributes, 4, BYTES_LITERAL("k"),
                                    bytes_of(state_text, len));
        otlp_write_link(&out, trace, span, (uint32_t)len, bytes_of(state_text, len),
                        text_bytes(&attributes));
        struct bytes rest = text_bytes(&out);
        struct otlp_link link;
        assert_true(otlp_link_next(&rest, &link));
        assert_int_equal(rest.len, 0);
        assert_int_equal(link.trace_state.len, len);
        assert_int_equal(link.flags, len);
        struct otlp_attribute attribute;
        assert_true(otlp_attribute_next(&link.raw, 4, &attribute));
        assert_int_equal(otlp_value_read(attribute.value).bytes.len, len);
    }
    text_clear(&attributes);
    text_clear(&out);
}

static void test_the_error_sticks(void **state)
{
    (void)state;
    struct text out;
    text_init(&out, 20);
    for (int i = 0; i < 10; i++)
        otlp_write_string_attribute(&out, 9, BYTES_LITERAL("key"), BYTES_LITERAL("value"));
    assert_int_equal(out.error, SB_ERR_LIMIT);
    assert_true(out.len <= 20);
    text_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_varint_sizes),
        cmocka_unit_test(test_fields_byte_by_byte),
        cmocka_unit_test(test_attributes_are_read_back),
        cmocka_unit_test(test_patches_win_and_keep_the_rest),
        cmocka_unit_test(test_long_links),
        cmocka_unit_test(test_the_error_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
