#include "nesting.h"

#include <stdlib.h>

#include "pieces.h"
#include "support/test.h"

static enum otlp_fault check(struct bytes pair, const struct otlp_limits *limits)
{
    struct otlp_attribute attribute;
    return nesting_check(pair, limits, &attribute);
}

static struct bytes pair_of(struct pieces *pieces, struct bytes any)
{
    return JOIN(pieces, pieces_field(pieces, 1, BYTES_LITERAL("key")),
                pieces_field(pieces, 2, any));
}

/* An AnyValue that is a map with one pair. */
static struct bytes map_of(struct pieces *pieces, struct bytes key, struct bytes any)
{
    struct bytes pair =
        JOIN(pieces, pieces_field(pieces, 1, key), pieces_field(pieces, 2, any));
    return pieces_field(pieces, 6, pieces_field(pieces, 1, pair));
}

static int set_up(void **state)
{
    static struct pieces pieces;
    pieces_init(&pieces);
    *state = &pieces;
    return 0;
}

static int tear_down(void **state)
{
    pieces_clear(*state);
    return 0;
}

static void test_key_and_value_are_views(void **state)
{
    struct bytes pair = pieces_pair(*state, "key", "value");
    struct otlp_limits limits = otlp_limits_default();
    struct otlp_attribute attribute;
    assert_int_equal(nesting_check(pair, &limits, &attribute), OTLP_FAULT_NONE);
    assert_true(bytes_equal(attribute.key, BYTES_LITERAL("key")));
    assert_true(bytes_equal(attribute.value, BYTES_LITERAL("\x0a\x05value")));
    assert_true(attribute.key.at > pair.at && attribute.value.at < pair.at + pair.len);
}

static void test_absent_key_or_value(void **state)
{
    (void)state;
    struct otlp_limits limits = otlp_limits_default();
    struct otlp_attribute attribute;
    assert_int_equal(nesting_check(bytes_of(NULL, 0), &limits, &attribute), OTLP_FAULT_NONE);
    assert_int_equal(attribute.key.len, 0);
    assert_int_equal(attribute.value.len, 0);
    assert_int_equal(nesting_check(BYTES_LITERAL("\x12\x02\x18\x05"), &limits, &attribute),
                     OTLP_FAULT_NONE);
    assert_int_equal(attribute.key.len, 0);
    assert_int_equal(attribute.value.len, 2);
}

/* Later ones win, but merging an empty AnyValue changes nothing. */
static void test_repeated_keys_and_values(void **state)
{
    (void)state;
    struct otlp_limits limits = otlp_limits_default();
    struct otlp_attribute attribute;
    assert_int_equal(
        nesting_check(
            BYTES_LITERAL("\x0a\x01k\x12\x02\x18\x05\x12\x02\x18\x06\x0a\x01l\x12\x00"),
            &limits, &attribute),
        OTLP_FAULT_NONE);
    assert_true(bytes_equal(attribute.key, BYTES_LITERAL("l")));
    assert_true(bytes_equal(attribute.value, BYTES_LITERAL("\x18\x06")));
}

static void test_depth_of_arrays_is_limited_exactly(void **state)
{
    struct pieces *pieces = *state;
    for (uint32_t depth = 1; depth <= OTLP_DEPTH_MAX; depth++) {
        struct otlp_limits limits = otlp_limits_default();
        limits.depth_max = depth;
        assert_int_equal(check(pair_of(pieces, pieces_deep(pieces, depth)), &limits),
                         OTLP_FAULT_NONE);
        assert_int_equal(check(pair_of(pieces, pieces_deep(pieces, depth + 1)), &limits),
                         OTLP_FAULT_TOO_DEEP);
    }
}

static void test_depth_of_maps_is_limited_exactly(void **state)
{
    struct pieces *pieces = *state;
    struct otlp_limits limits = otlp_limits_default();
    limits.depth_max = OTLP_DEPTH_MAX;
    struct bytes any = BYTES_LITERAL("\x18\x05");
    for (uint32_t depth = 1; depth < OTLP_DEPTH_MAX; depth++)
        any = map_of(pieces, BYTES_LITERAL("k"), any);
    assert_int_equal(check(pair_of(pieces, any), &limits), OTLP_FAULT_NONE);
    any = map_of(pieces, BYTES_LITERAL("k"), any);
    assert_int_equal(check(pair_of(pieces, any), &limits), OTLP_FAULT_TOO_DEEP);
}

/* Siblings do not add up: the walk comes back up. */
static void test_wide_values_are_not_deep(void **state)
{
    struct pieces *pieces = *state;
    struct otlp_limits limits = otlp_limits_default();
    limits.depth_max = 3;
    struct bytes item = pieces_field(pieces, 1, pieces_deep(pieces, 2));
    struct bytes array = pieces_field(pieces, 5, pieces_repeat(pieces, item, 5000));
    assert_int_equal(check(pair_of(pieces, array), &limits), OTLP_FAULT_NONE);
}

static void test_20000_levels(void **state)
{
    struct pieces *pieces = *state;
    struct otlp_limits limits = otlp_limits_default();
    struct bytes pair = pair_of(pieces, pieces_deep(pieces, 20000));
    assert_int_equal(check(pair, &limits), OTLP_FAULT_TOO_DEEP);
}

static void test_long_keys_and_values_at_any_depth(void **state)
{
    struct pieces *pieces = *state;
    struct otlp_limits limits = otlp_limits_default();
    limits.key_bytes_max = 300;
    limits.value_bytes_max = 400;
    struct bytes key = pieces_fill(pieces, 'k', 300);
    struct bytes long_key = pieces_fill(pieces, 'k', 301);
    struct bytes text = pieces_fill(pieces, 'v', 400);
    struct bytes long_text = pieces_fill(pieces, 'v', 401);
    struct bytes empty = bytes_of(NULL, 0);

    assert_int_equal(check(pieces_field(pieces, 1, key), &limits), OTLP_FAULT_NONE);
    assert_int_equal(check(pieces_field(pieces, 1, long_key), &limits),
                     OTLP_FAULT_KEY_TOO_LONG);
    assert_int_equal(check(pair_of(pieces, map_of(pieces, key, empty)), &limits),
                     OTLP_FAULT_NONE);
    assert_int_equal(check(pair_of(pieces, map_of(pieces, long_key, empty)), &limits),
                     OTLP_FAULT_KEY_TOO_LONG);
    static const uint32_t kinds[] = {1, 7}; /* string and bytes */
    for (size_t i = 0; i < 2; i++) {
        struct bytes fits = pieces_field(pieces, kinds[i], text);
        struct bytes too_long = pieces_field(pieces, kinds[i], long_text);
        assert_int_equal(check(pair_of(pieces, fits), &limits), OTLP_FAULT_NONE);
        assert_int_equal(check(pair_of(pieces, too_long), &limits), OTLP_FAULT_VALUE_TOO_LONG);
        assert_int_equal(check(pair_of(pieces, map_of(pieces, key, fits)), &limits),
                         OTLP_FAULT_NONE);
        assert_int_equal(check(pair_of(pieces, map_of(pieces, key, too_long)), &limits),
                         OTLP_FAULT_VALUE_TOO_LONG);
    }
}

static void test_wrong_wire_types(void **state)
{
    struct pieces *pieces = *state;
    struct otlp_limits limits = otlp_limits_default();
    assert_int_equal(check(BYTES_LITERAL("\x08\x01"), &limits), OTLP_FAULT_MALFORMED);
    assert_int_equal(check(BYTES_LITERAL("\x10\x01"), &limits), OTLP_FAULT_MALFORMED);
    for (uint32_t field = 1; field <= 7; field++) {
        bool is_varint = field == 2 || field == 3;
        struct bytes any = pieces_varint(pieces, field, 1);
        assert_int_equal(check(pair_of(pieces, any), &limits),
                         is_varint ? OTLP_FAULT_NONE : OTLP_FAULT_MALFORMED);
        any = pieces_fixed64(pieces, field, 1);
        assert_int_equal(check(pair_of(pieces, any), &limits),
                         field == 4 ? OTLP_FAULT_NONE : OTLP_FAULT_MALFORMED);
        any = pieces_field(pieces, field, bytes_of(NULL, 0));
        assert_int_equal(check(pair_of(pieces, any), &limits),
                         is_varint || field == 4 ? OTLP_FAULT_MALFORMED : OTLP_FAULT_NONE);
    }
    /* ArrayValue.values and KeyValueList.values as numbers */
    assert_int_equal(check(pair_of(pieces, BYTES_LITERAL("\x2a\x02\x08\x01")), &limits),
                     OTLP_FAULT_MALFORMED);
    assert_int_equal(check(pair_of(pieces, BYTES_LITERAL("\x32\x02\x08\x01")), &limits),
                     OTLP_FAULT_MALFORMED);
}

static void test_unknown_fields_are_passed_over(void **state)
{
    struct pieces *pieces = *state;
    struct otlp_limits limits = otlp_limits_default();
    struct bytes unknown =
        JOIN(pieces, pieces_varint(pieces, 90, 1), pieces_fixed32(pieces, 91, 1),
             pieces_field(pieces, 92, BYTES_LITERAL("\xff\xff")));
    struct bytes list = JOIN(pieces, unknown, pieces_field(pieces, 1, unknown));
    struct bytes any = JOIN(pieces, unknown, pieces_field(pieces, 5, list));
    struct bytes pair = JOIN(pieces, unknown, pair_of(pieces, any), unknown);
    assert_int_equal(check(pair, &limits), OTLP_FAULT_NONE);
}

/* A field that reaches beyond the message it is in is cut off there, not at the outer end. */
static void test_cut_off_everywhere(void **state)
{
    struct pieces *pieces = *state;
    struct otlp_limits limits = otlp_limits_default();
    struct bytes any = map_of(pieces, BYTES_LITERAL("inner"), pieces_deep(pieces, 3));
    struct bytes pair = pair_of(pieces, any);
    assert_int_equal(check(pair, &limits), OTLP_FAULT_NONE);
    for (size_t len = 0; len < pair.len; len++) {
        bool between_fields = len == 0 || len == 5;
        uint8_t *exact = malloc(len == 0 ? 1 : len); /* ASan sees one byte too far */
        assert_non_null(exact);
        memcpy(exact, pair.at, len);
        assert_int_equal(check(bytes_of(exact, len), &limits),
                         between_fields ? OTLP_FAULT_NONE : OTLP_FAULT_MALFORMED);
        free(exact);
    }
    assert_int_equal(check(BYTES_LITERAL("\x12\x04\x0a\x05"
                                         "abcde"),
                           &limits),
                     OTLP_FAULT_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_key_and_value_are_views, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_absent_key_or_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_repeated_keys_and_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_depth_of_arrays_is_limited_exactly, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_depth_of_maps_is_limited_exactly, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_wide_values_are_not_deep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_20000_levels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_keys_and_values_at_any_depth, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_wire_types, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_fields_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cut_off_everywhere, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
