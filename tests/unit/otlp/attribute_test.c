#include "attribute.h"

#include "otlp/write.h"
#include "pieces.h"
#include "support/random.h"
#include "support/test.h"

enum { TAG = WIRE_TAG(9, WIRE_BYTES) };

/* What the fast path says of a whole field: its length and the attribute, or 0. */
static size_t read_plain(struct bytes field, const struct attribute_rules *rules,
                         struct otlp_attribute *ret)
{
    size_t len;
    size_t key_len;
    if (!attribute_plain_head(field.at, field.len, TAG, rules->plain_bytes_max, &len,
                              &key_len) ||
        !attribute_plain_value(field.at, len, key_len, &ret->value))
        return 0;
    ret->key = bytes_of(field.at + ATTRIBUTE_KEY_AT, key_len);
    return len;
}

/* True: the fast path took it.  Fails where the fast path and the walk differ. */
static bool check_both_ways(struct bytes field, const struct attribute_rules *rules)
{
    struct otlp_attribute plain;
    size_t len = read_plain(field, rules, &plain);
    if (len == 0)
        return false;
    struct otlp_attribute walked;
    struct wire_cursor in = wire_open(field);
    uint32_t tag;
    assert_true(wire_tag(&in, &tag));
    assert_int_equal(tag, TAG);
    assert_int_equal(attribute_read_any(&in, rules, &walked), OTLP_FAULT_NONE);
    assert_ptr_equal(in.at, field.at + len);
    assert_ptr_equal(walked.key.at, plain.key.at);
    assert_int_equal(walked.key.len, plain.key.len);
    assert_ptr_equal(walked.value.at, plain.value.at);
    assert_int_equal(walked.value.len, plain.value.len);
    return true;
}

/* False: it holds a varint of ten bytes, which may overflow and is left to the walk. */
static bool write_random_attribute(struct random *random, struct text *out)
{
    uint8_t noise[200];
    random_fill(random, noise, sizeof(noise));
    struct bytes key = bytes_of(noise, random_below(random, 60));
    struct bytes value = bytes_of(noise + 60, random_below(random, 140));
    int64_t number = (int64_t)(random_next(random) >> random_below(random, 64));
    switch (random_below(random, 5)) {
    case 0:
        otlp_write_int_attribute(out, 9, key, number);
        return number >= 0;
    case 1:
        otlp_write_bool_attribute(out, 9, key, random_chance(random, 50));
        return true;
    case 2:
        otlp_write_double_attribute(out, 9, key, 1.5);
        return true;
    default:
        otlp_write_string_attribute(out, 9, key, value);
        return true;
    }
}

/* The fast path takes all short attributes as encoders write them, and says the same. */
static void test_plain_attributes_take_the_fast_path(void **state)
{
    (void)state;
    struct otlp_limits limits = otlp_limits_default();
    struct attribute_rules rules = attribute_rules_make(&limits);
    struct random random;
    struct text text;
    random_init(&random, 1);
    text_init(&text, 4096);
    for (int round = 0; round < 20000; round++) {
        text_reset(&text);
        bool is_plain = write_random_attribute(&random, &text);
        struct bytes field = text_bytes(&text);
        is_plain = is_plain && field.at[1] < 0x80;
        assert_int_equal(check_both_ways(field, &rules), is_plain);
        for (size_t cut = 0; cut < field.len; cut++)
            assert_false(check_both_ways(bytes_of(field.at, cut), &rules));
    }
    text_clear(&text);
}

/* Broken ones: what the fast path takes, the walk takes too. */
static void test_the_fast_path_takes_nothing_else(void **state)
{
    (void)state;
    struct otlp_limits limits = otlp_limits_default();
    struct random random;
    struct text text;
    size_t taken = 0;
    random_init(&random, 2);
    text_init(&text, 4096);
    for (int round = 0; round < 300000; round++) {
        limits.key_bytes_max = (uint32_t)random_between(&random, 1, 200);
        limits.value_bytes_max = (uint32_t)random_between(&random, 1, 200);
        struct attribute_rules rules = attribute_rules_make(&limits);
        text_reset(&text);
        write_random_attribute(&random, &text);
        size_t flips = random_between(&random, 1, 3);
        for (size_t i = 0; i < flips; i++)
            ((uint8_t *)text.at)[random_below(&random, text.len)] ^=
                (uint8_t)(1 << random_below(&random, 8));
        taken += check_both_ways(text_bytes(&text), &rules);
    }
    assert_true(taken > 1000);
    text_clear(&text);
}

static void test_limits_have_a_top(void **state)
{
    (void)state;
    struct otlp_limits limits = otlp_limits_default();
    limits.depth_max = limits.attributes_max = limits.events_max = limits.links_max =
        UINT32_MAX;
    struct attribute_rules rules = attribute_rules_make(&limits);
    assert_int_equal(rules.limits.depth_max, OTLP_DEPTH_MAX);
    assert_int_equal(rules.limits.attributes_max, OTLP_COUNT_MAX);
    assert_int_equal(rules.limits.events_max, OTLP_COUNT_MAX);
    assert_int_equal(rules.limits.links_max, OTLP_COUNT_MAX);
    assert_int_equal(rules.plain_bytes_max, 127);
    limits.depth_max = 0;
    limits.key_bytes_max = 20;
    rules = attribute_rules_make(&limits);
    assert_int_equal(rules.limits.depth_max, 1);
    assert_int_equal(rules.plain_bytes_max, 20);
}

static enum otlp_fault check_message(struct bytes message, const struct attribute_shape *shape,
                                     uint32_t attributes_max)
{
    struct otlp_limits limits = otlp_limits_default();
    limits.attributes_max = attributes_max;
    struct attribute_rules rules = attribute_rules_make(&limits);
    uint32_t count = 0;
    return attribute_check_message(message, shape, &rules, &count);
}

static const struct {
    const struct attribute_shape *shape;
    uint32_t attributes;
    const char *types; /* by field number: b bytes, v varint, l fixed64, i fixed32 */
} shapes[] = {
    {&attribute_shape_event, 3, "?lbbv"},
    {&attribute_shape_link, 4, "?bbbbvi"},
    {&attribute_shape_resource, 1, "?bvb"},
    {&attribute_shape_scope, 3, "?bbbv"},
};

static void test_known_fields_must_have_their_type(void **state)
{
    (void)state;
    struct pieces pieces;
    pieces_init(&pieces);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (uint32_t field = 1; field <= 8; field++) {
            const struct {
                char type;
                struct bytes encoded;
            } each[] = {
                {'b', pieces_field(&pieces, field, bytes_of(NULL, 0))},
                {'v', pieces_varint(&pieces, field, 1)},
                {'l', pieces_fixed64(&pieces, field, 1)},
                {'i', pieces_fixed32(&pieces, field, 1)},
            };
            bool known = field < strlen(shapes[i].types);
            for (size_t j = 0; j < 4; j++)
                assert_int_equal(check_message(each[j].encoded, shapes[i].shape, 10),
                                 !known || shapes[i].types[field] == each[j].type
                                     ? OTLP_FAULT_NONE
                                     : OTLP_FAULT_MALFORMED);
        }
    }
    pieces_clear(&pieces);
}

static void test_attributes_are_counted_and_checked(void **state)
{
    (void)state;
    struct pieces pieces;
    pieces_init(&pieces);
    struct bytes plain = pieces_pair(&pieces, "k", "v");
    struct bytes deep = pieces_field(&pieces, 2, pieces_deep(&pieces, 33));
    struct bytes nested = pieces_field(&pieces, 2, pieces_deep(&pieces, 32));
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        const struct attribute_shape *shape = shapes[i].shape;
        uint32_t field = shapes[i].attributes;
        struct bytes mixed = JOIN(&pieces, pieces_field(&pieces, field, plain),
                                  pieces_field(&pieces, field, nested));
        struct bytes many = pieces_repeat(&pieces, mixed, 5);
        assert_int_equal(check_message(many, shape, 10), OTLP_FAULT_NONE);
        assert_int_equal(check_message(many, shape, 9), OTLP_FAULT_TOO_MANY_ATTRIBUTES);
        struct bytes bad = JOIN(&pieces, mixed, pieces_field(&pieces, field, deep));
        assert_int_equal(check_message(bad, shape, 10), OTLP_FAULT_TOO_DEEP);
    }
    pieces_clear(&pieces);
}

/* A tag may be longer than needed; the attribute behind it must not slip through. */
static void test_attributes_behind_long_tags_are_checked(void **state)
{
    (void)state;
    struct pieces pieces;
    pieces_init(&pieces);
    struct bytes deep = pieces_field(&pieces, 2, pieces_deep(&pieces, 33));
    struct bytes field = pieces_field(&pieces, 3, deep);
    struct bytes long_tag =
        JOIN(&pieces, BYTES_LITERAL("\x9a\x00"), bytes_of(field.at + 1, field.len - 1));
    assert_int_equal(check_message(long_tag, &attribute_shape_event, 10), OTLP_FAULT_TOO_DEEP);
    assert_int_equal(check_message(BYTES_LITERAL("\x9a\x00\x00"), &attribute_shape_event, 0),
                     OTLP_FAULT_TOO_MANY_ATTRIBUTES);
    pieces_clear(&pieces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_attributes_take_the_fast_path),
        cmocka_unit_test(test_the_fast_path_takes_nothing_else),
        cmocka_unit_test(test_limits_have_a_top),
        cmocka_unit_test(test_known_fields_must_have_their_type),
        cmocka_unit_test(test_attributes_are_counted_and_checked),
        cmocka_unit_test(test_attributes_behind_long_tags_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
