#include "json_scalar.h"

#include <math.h>

#include "support/test.h"

/* The bytes of one field with number 5 made from JSON text, or NULL when it does not fit. */
static const char *put(enum schema_type type, const char *json, struct bytes *ret)
{
    static const char *const names[] = {"ZERO", "ONE", NULL};
    static uint8_t copy[200];
    struct schema_field field = {.name = "field", .number = 5, .type = type, .names = names};
    struct backward out;
    json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(value);
    assert_int_equal(backward_init(&out, sizeof(copy)), SB_OK);
    bool fits = json_scalar_put(&out, &field, value);
    assert_false(out.overflow);
    *ret = bytes_of(copy, backward_len(&out));
    memcpy(copy, backward_bytes(&out).at, ret->len);
    backward_clear(&out);
    json_decref(value);
    return fits ? (const char *)copy : NULL;
}

static void expect(enum schema_type type, const char *json, struct bytes expected)
{
    struct bytes out;
    assert_non_null(put(type, json, &out));
    assert_true(bytes_equal(out, expected));
}

static void refuse(enum schema_type type, const char *json)
{
    struct bytes out;
    assert_null(put(type, json, &out));
}

static void test_text_and_bytes(void **state)
{
    (void)state;
    expect(SCHEMA_TEXT, "\"a\\u0000b\"",
           BYTES_LITERAL("\x2a\x03"
                         "a\0b"));
    expect(SCHEMA_TEXT, "\"\"", BYTES_LITERAL("\x2a\x00"));
    refuse(SCHEMA_TEXT, "1");
    expect(SCHEMA_ID, "\"01Ab\"", BYTES_LITERAL("\x2a\x02\x01\xab"));
    expect(SCHEMA_ID, "\"\"", BYTES_LITERAL("\x2a\x00"));
    refuse(SCHEMA_ID, "\"01a\"");
    refuse(SCHEMA_ID, "\"01ag\"");
    refuse(SCHEMA_ID, "5");
    expect(SCHEMA_BASE64, "\"Zm9vYg==\"",
           BYTES_LITERAL("\x2a\x04"
                         "foob"));
    expect(SCHEMA_BASE64, "\"\"", BYTES_LITERAL("\x2a\x00"));
    refuse(SCHEMA_BASE64, "\"Z\"");
    refuse(SCHEMA_BASE64, "null");
}

static void test_bools_and_enums(void **state)
{
    (void)state;
    expect(SCHEMA_BOOL, "true", BYTES_LITERAL("\x28\x01"));
    expect(SCHEMA_BOOL, "false", BYTES_LITERAL("\x28\x00"));
    refuse(SCHEMA_BOOL, "1");
    refuse(SCHEMA_BOOL, "\"true\"");
    expect(SCHEMA_ENUM, "3", BYTES_LITERAL("\x28\x03"));
    expect(SCHEMA_ENUM, "\"ONE\"", BYTES_LITERAL("\x28\x01"));
    expect(SCHEMA_ENUM, "\"ZERO\"", BYTES_LITERAL("\x28\x00"));
    refuse(SCHEMA_ENUM, "\"TWO\"");
    refuse(SCHEMA_ENUM, "\"ON\"");
    refuse(SCHEMA_ENUM, "-1");
    refuse(SCHEMA_ENUM, "1.0");
}

static void test_integers(void **state)
{
    (void)state;
    static const enum schema_type types[] = {SCHEMA_UINT32, SCHEMA_INT64, SCHEMA_FIXED64,
                                             SCHEMA_FIXED32};
    for (size_t i = 0; i < 4; i++) {
        static const char *const wrong[] = {"\"\"",
                                            "\"+1\"",
                                            "\" 1\"",
                                            "\"1 \"",
                                            "\"1a\"",
                                            "\"0x1\"",
                                            "\"--1\"",
                                            "\"-\"",
                                            "1.0",
                                            "true",
                                            "{}",
                                            "\"1\\u0000\"",
                                            "\"18446744073709551616\"",
                                            "\"99999999999999999999999\""};
        for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++)
            refuse(types[i], wrong[j]);
        if (types[i] != SCHEMA_INT64) {
            refuse(types[i], "-1");
            refuse(types[i], "\"-1\"");
        }
    }
    expect(SCHEMA_UINT32, "4294967295", BYTES_LITERAL("\x28\xff\xff\xff\xff\x0f"));
    expect(SCHEMA_UINT32, "\"7\"", BYTES_LITERAL("\x28\x07"));
    refuse(SCHEMA_UINT32, "4294967296");
    expect(SCHEMA_FIXED32, "258", BYTES_LITERAL("\x2d\x02\x01\x00\x00"));
    refuse(SCHEMA_FIXED32, "4294967296");
    expect(SCHEMA_INT64, "\"-1\"",
           BYTES_LITERAL("\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    expect(SCHEMA_INT64, "-9223372036854775808",
           BYTES_LITERAL("\x28\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"));
    expect(SCHEMA_INT64, "\"-9223372036854775808\"",
           BYTES_LITERAL("\x28\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"));
    expect(SCHEMA_INT64, "\"9223372036854775807\"",
           BYTES_LITERAL("\x28\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));
    refuse(SCHEMA_INT64, "\"9223372036854775808\"");
    refuse(SCHEMA_INT64, "\"-9223372036854775809\"");
    expect(SCHEMA_FIXED64, "\"18446744073709551615\"",
           BYTES_LITERAL("\x29\xff\xff\xff\xff\xff\xff\xff\xff"));
    expect(SCHEMA_FIXED64, "0", BYTES_LITERAL("\x29\0\0\0\0\0\0\0\0"));
}

static double as_double(const char *json)
{
    struct bytes out;
    double number;
    assert_non_null(put(SCHEMA_DOUBLE, json, &out));
    assert_int_equal(out.len, 9);
    assert_int_equal(out.at[0], 0x29);
    memcpy(&number, out.at + 1, sizeof(number));
    return number;
}

static void test_doubles(void **state)
{
    (void)state;
    assert_true(as_double("1.5") == 1.5);
    assert_true(as_double("-3") == -3);
    assert_true(as_double("\"2.5e3\"") == 2500);
    assert_true(as_double("\"Infinity\"") == (double)INFINITY);
    assert_true(as_double("\"-Infinity\"") == -(double)INFINITY);
    assert_true(isnan(as_double("\"NaN\"")));
    static const char *const wrong[] = {"\"\"",         "\"nan\"", "\"inf\"",  "\"0x10\"",
                                        "\"1 \"",       "\" 1\"",  "\"-NaN\"", "\"1e\"",
                                        "\"1\\u0000\"", "true",    "\"-\""};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        refuse(SCHEMA_DOUBLE, wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_bytes),
        cmocka_unit_test(test_bools_and_enums),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
