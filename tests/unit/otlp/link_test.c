#include "otlp/scan.h"
#include "otlp/value.h"

#include "otlp/write.h"
#include "pieces.h"
#include "support/test.h"

static struct trace_id trace_id(uint8_t fill)
{
    struct trace_id id;
    memset(id.byte, fill, sizeof(id.byte));
    return id;
}

static struct span_id span_id(uint8_t fill)
{
    struct span_id id;
    memset(id.byte, fill, sizeof(id.byte));
    return id;
}

static void test_links_between_other_fields(void **state)
{
    (void)state;
    struct text span;
    text_init(&span, 4096);
    otlp_write_varint_field(&span, OTLP_SPAN_KIND, 3);
    otlp_write_link(&span, trace_id(1), span_id(2), 0x301, BYTES_LITERAL("a=b"),
                    bytes_of(NULL, 0));
    otlp_write_bytes_field(&span, OTLP_SPAN_NAME, BYTES_LITERAL("name"));
    otlp_write_link(&span, trace_id(3), span_id(4), 0, bytes_of(NULL, 0),
                    BYTES_LITERAL("\x22\x03\x0a\x01k"));

    struct bytes rest = text_bytes(&span);
    struct otlp_link link;
    assert_true(otlp_link_next(&rest, &link));
    assert_memory_equal(link.trace_id, trace_id(1).byte, TRACE_ID_LEN);
    assert_memory_equal(link.span_id, span_id(2).byte, SPAN_ID_LEN);
    assert_int_equal(link.flags, 0x301);
    assert_true(bytes_equal(link.trace_state, BYTES_LITERAL("a=b")));
    assert_true(link.raw.len > 24);
    assert_true(otlp_link_next(&rest, &link));
    assert_memory_equal(link.trace_id, trace_id(3).byte, TRACE_ID_LEN);
    assert_int_equal(link.flags, 0);
    assert_int_equal(link.trace_state.len, 0);
    struct otlp_attribute attribute;
    assert_true(otlp_attribute_next(&link.raw, 4, &attribute));
    assert_true(bytes_equal(attribute.key, BYTES_LITERAL("k")));
    assert_false(otlp_link_next(&rest, &link));
    assert_false(otlp_link_next(&rest, &link));
    text_clear(&span);
}

static void test_ids_of_other_lengths(void **state)
{
    (void)state;
    struct bytes rest = BYTES_LITERAL("\x6a\x05\x0a\x01x\x12\x00\x6a\x00");
    struct otlp_link link;
    for (int i = 0; i < 2; i++) {
        assert_true(otlp_link_next(&rest, &link));
        assert_null(link.trace_id);
        assert_null(link.span_id);
    }
    assert_false(otlp_link_next(&rest, &link));
}

static void test_the_last_id_counts(void **state)
{
    (void)state;
    struct pieces pieces;
    pieces_init(&pieces);
    struct bytes body = JOIN(&pieces, pieces_field(&pieces, 2, BYTES_LITERAL("firstone")),
                             pieces_field(&pieces, 2, BYTES_LITERAL("lastones")));
    struct bytes rest = pieces_field(&pieces, 13, body);
    struct otlp_link link;
    assert_true(otlp_link_next(&rest, &link));
    assert_memory_equal(link.span_id, "lastones", SPAN_ID_LEN);
    pieces_clear(&pieces);
}

static void test_malformed_links_end_the_walk(void **state)
{
    (void)state;
    const struct bytes bad[] = {
        BYTES_LITERAL("\x68\x01"),         /* a number */
        BYTES_LITERAL("\x6a\x05\x0a"),     /* cut off */
        BYTES_LITERAL("\x6a\x02\x08\x01"), /* the trace id is a number */
        BYTES_LITERAL("\x6a\x02\x10\x01"), BYTES_LITERAL("\x6a\x02\x18\x01"),
        BYTES_LITERAL("\x6a\x02\x30\x01"), /* flags as a varint */
        BYTES_LITERAL("\x6a\x02\x0a\x09"), /* the trace id is cut off */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct bytes rest = bad[i];
        struct otlp_link link;
        assert_false(otlp_link_next(&rest, &link));
        assert_int_equal(rest.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links_between_other_fields),
        cmocka_unit_test(test_ids_of_other_lengths),
        cmocka_unit_test(test_the_last_id_counts),
        cmocka_unit_test(test_malformed_links_end_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
