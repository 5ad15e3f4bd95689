#include "core/ids.h"

#include "support/test.h"

static const uint8_t wire[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                               0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

static void test_ids_are_written_in_wire_order(void **state)
{
    (void)state;
    char trace[TRACE_ID_HEX_LEN + 1];
    char span[SPAN_ID_HEX_LEN + 1];
    memset(trace, 'x', sizeof(trace));
    memset(span, 'x', sizeof(span));
    trace_id_format(trace_id_load(wire), trace);
    span_id_format(span_id_load(wire + 8), span);
    assert_string_equal(trace, "00112233445566778899aabbccddeeff");
    assert_string_equal(span, "8899aabbccddeeff");
}

static void test_one_bit_anywhere_makes_another_id(void **state)
{
    (void)state;
    struct trace_id trace = trace_id_load(wire);
    struct span_id span = span_id_load(wire);
    assert_true(trace_id_equal(trace, trace_id_load(wire)));
    assert_true(span_id_equal(span, span_id_load(wire)));
    for (int bit = 0; bit < 128; bit++) {
        struct trace_id other = trace;
        other.byte[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        assert_false(trace_id_equal(trace, other));
        struct trace_id one = {0};
        one.byte[bit / 8] = (uint8_t)(1U << (bit % 8));
        assert_false(trace_id_is_zero(one));
    }
    for (int bit = 0; bit < 64; bit++) {
        struct span_id other = span;
        other.byte[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        assert_false(span_id_equal(span, other));
        assert_true(span_id_number(span) != span_id_number(other));
        struct span_id one = {0};
        one.byte[bit / 8] = (uint8_t)(1U << (bit % 8));
        assert_false(span_id_is_zero(one));
    }
}

static void test_all_zero_is_none(void **state)
{
    (void)state;
    assert_true(trace_id_is_zero((struct trace_id){0}));
    assert_true(span_id_is_zero((struct span_id){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_are_written_in_wire_order),
        cmocka_unit_test(test_one_bit_anywhere_makes_another_id),
        cmocka_unit_test(test_all_zero_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
