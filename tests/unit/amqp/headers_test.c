#include "amqp/headers.h"

#include "support/test.h"

enum { ROOM = 8, BYTES = 1000 };

static amqp_table_entry_t text(const char *name, const char *value)
{
    return (amqp_table_entry_t){
        .key = amqp_cstring_bytes(name),
        .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)}};
}

static amqp_table_entry_t number(const char *name, uint8_t kind, uint64_t value)
{
    return (amqp_table_entry_t){.key = amqp_cstring_bytes(name),
                                .value = {.kind = kind, .value.u64 = value}};
}

static void test_texts_have_a_value_and_others_none(void **state)
{
    (void)state;
    amqp_table_entry_t entries[] = {text("a", "1"), number("n", AMQP_FIELD_KIND_I64, 2),
                                    text("b", "")};
    entries[2].value.kind = AMQP_FIELD_KIND_BYTES;
    const amqp_table_t table = {.num_entries = 3, .entries = entries};
    struct amqp_header flat[ROOM];
    bool cut = true;
    assert_int_equal(amqp_headers_flatten(&table, flat, ROOM, BYTES, &cut), 3);
    assert_false(cut);
    assert_true(bytes_equal(flat[0].value, BYTES_LITERAL("1")));
    assert_true(bytes_equal(flat[1].name, BYTES_LITERAL("n")));
    assert_null(flat[1].value.at);
    assert_non_null(flat[2].value.at); /* empty is not the same as none */
    assert_int_equal(flat[2].value.len, 0);
}

static void test_names_may_be_empty(void **state)
{
    (void)state;
    amqp_table_entry_t entries[] = {text("", "x")};
    entries[0].key = (amqp_bytes_t){.len = 0, .bytes = NULL};
    const amqp_table_t table = {.num_entries = 1, .entries = entries};
    struct amqp_header flat[ROOM];
    struct bytes value;
    bool cut;
    assert_int_equal(amqp_headers_flatten(&table, flat, ROOM, BYTES, &cut), 1);
    assert_int_equal(flat[0].name.len, 0);
    assert_true(amqp_headers_text(&table, "", &value));
    assert_true(bytes_equal(value, BYTES_LITERAL("x")));
}

static void test_both_bounds(void **state)
{
    (void)state;
    amqp_table_entry_t entries[] = {text("a", "12345"), text("b", "1234567890"),
                                    text("c", "12345")};
    const amqp_table_t table = {.num_entries = 3, .entries = entries};
    struct amqp_header flat[ROOM];
    bool cut;
    assert_int_equal(amqp_headers_flatten(&table, flat, 2, BYTES, &cut), 2);
    assert_true(cut);
    assert_int_equal(amqp_headers_flatten(&table, flat, ROOM, 12, &cut), 2);
    assert_true(cut);
    assert_true(bytes_equal(flat[1].name, BYTES_LITERAL("c")));
    assert_int_equal(amqp_headers_flatten(NULL, flat, ROOM, BYTES, &cut), 0);
    assert_false(cut);
}

static void test_integers_of_all_widths(void **state)
{
    (void)state;
    amqp_table_entry_t entries[] = {
        number("b", AMQP_FIELD_KIND_I8, 0xff),
        number("B", AMQP_FIELD_KIND_U8, 0xff),
        number("s", AMQP_FIELD_KIND_I16, 0xffff),
        number("u", AMQP_FIELD_KIND_U16, 0xffff),
        number("I", AMQP_FIELD_KIND_I32, 0xfffffffe),
        number("i", AMQP_FIELD_KIND_U32, 0xfffffffe),
        number("l", AMQP_FIELD_KIND_I64, UINT64_MAX),
        number("T", AMQP_FIELD_KIND_TIMESTAMP, 5),
        number("L", AMQP_FIELD_KIND_U64, UINT64_MAX),
        text("t", "7"),
    };
    const amqp_table_t table = {.num_entries = 10, .entries = entries};
    const struct {
        const char *name;
        int64_t value;
    } cases[] = {{"b", -1}, {"B", 255},        {"s", -1}, {"u", 65535},
                 {"I", -2}, {"i", 0xfffffffe}, {"l", -1}, {"T", 5}};
    int64_t value;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(amqp_headers_integer(&table, cases[i].name, &value));
        assert_true(value == cases[i].value);
    }
    assert_false(amqp_headers_integer(&table, "L", &value));
    assert_false(amqp_headers_integer(&table, "t", &value));
    assert_false(amqp_headers_integer(&table, "none", &value));
    assert_false(amqp_headers_integer(NULL, "none", &value));
}

static void test_a_table_within(void **state)
{
    (void)state;
    amqp_table_entry_t inner[] = {text("traceparent", "x")};
    amqp_table_entry_t entries[] = {
        text("headers", "no table"),
        {.key = amqp_cstring_bytes("properties"),
         .value = {.kind = AMQP_FIELD_KIND_TABLE,
                   .value.table = {.num_entries = 1, .entries = inner}}}};
    const amqp_table_t table = {.num_entries = 2, .entries = entries};
    const amqp_table_t *found = amqp_headers_table(&table, "properties");
    struct bytes value;
    assert_non_null(found);
    assert_true(amqp_headers_text(found, "traceparent", &value));
    assert_false(amqp_headers_text(&table, "properties", &value));
    assert_null(amqp_headers_table(&table, "headers"));
    assert_null(amqp_headers_table(&table, "none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_have_a_value_and_others_none),
        cmocka_unit_test(test_names_may_be_empty),
        cmocka_unit_test(test_both_bounds),
        cmocka_unit_test(test_integers_of_all_widths),
        cmocka_unit_test(test_a_table_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
