#include <stdio.h>

#include "core/memory.h"
#include "otlp/json.h"
#include "pieces.h"
#include "support/test.h"

static void expect(struct bytes request, const char *json)
{
    struct text text;
    text_init(&text, 100000);
    assert_int_equal(otlp_json_encode(request, &text), SB_OK);
    assert_string_equal(text_string(&text), json);
    text_clear(&text);
}

static void refuse(struct bytes request, enum sb_err err)
{
    struct text text;
    text_init(&text, 100000);
    assert_int_equal(otlp_json_encode(request, &text), err);
    text_clear(&text);
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

static void test_every_form_of_a_scalar(void **state)
{
    struct pieces *pieces = *state;
    struct bytes span =
        JOIN(pieces, pieces_ids(pieces), pieces_field(pieces, 5, BYTES_LITERAL("a\"\xff")),
             pieces_varint(pieces, 6, 3), pieces_fixed64(pieces, 7, UINT64_MAX),
             pieces_field(pieces, 15, BYTES_LITERAL("\x18\x02")),
             pieces_fixed32(pieces, 16, 0xffffffff), pieces_varint(pieces, 90, 1));
    expect(pieces_request_of(pieces, span),
           "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"
           "\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"2122232425262728\",\"name\":"
           "\"a\\\"\xef\xbf\xbd\",\"kind\":3,\"startTimeUnixNano\":\"18446744073709551615\","
           "\"status\":{\"code\":2},\"flags\":4294967295}]}]}]}");
    expect(bytes_of(NULL, 0), "{}");
}

static struct bytes attribute_of(struct pieces *pieces, struct bytes any)
{
    return pieces_field(pieces, 9, pieces_field(pieces, 2, any));
}

static void value_becomes(struct pieces *pieces, struct bytes any, const char *json)
{
    char expected[500];
    snprintf(expected, sizeof(expected),
             "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"attributes\":[{\"value\":%s}]"
             "}]}]}]}",
             json);
    expect(pieces_request_of(pieces, attribute_of(pieces, any)), expected);
}

static void test_every_form_of_a_value(void **state)
{
    struct pieces *pieces = *state;
    value_becomes(pieces, bytes_of(NULL, 0), "{}");
    value_becomes(pieces, BYTES_LITERAL("\x0a\x00"), "{\"stringValue\":\"\"}");
    value_becomes(pieces, BYTES_LITERAL("\x10\x00"), "{\"boolValue\":false}");
    value_becomes(pieces, BYTES_LITERAL("\x10\x05"), "{\"boolValue\":true}");
    value_becomes(pieces, BYTES_LITERAL("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                  "{\"intValue\":\"-1\"}");
    value_becomes(pieces, BYTES_LITERAL("\x21\x9a\x99\x99\x99\x99\x99\xb9\x3f"),
                  "{\"doubleValue\":0.1}");
    value_becomes(pieces, BYTES_LITERAL("\x21\0\0\0\0\0\0\0\x80"), "{\"doubleValue\":-0.0}");
    value_becomes(pieces, BYTES_LITERAL("\x21\0\0\0\0\0\0\xf0\x7f"),
                  "{\"doubleValue\":\"Infinity\"}");
    value_becomes(pieces, BYTES_LITERAL("\x21\0\0\0\0\0\0\xf0\xff"),
                  "{\"doubleValue\":\"-Infinity\"}");
    value_becomes(pieces, BYTES_LITERAL("\x21\0\0\0\0\0\0\xf8\x7f"),
                  "{\"doubleValue\":\"NaN\"}");
    value_becomes(pieces,
                  BYTES_LITERAL("\x3a\x04"
                                "foob"),
                  "{\"bytesValue\":\"Zm9vYg==\"}");
    value_becomes(pieces, BYTES_LITERAL("\x2a\x00"), "{\"arrayValue\":{}}");
    value_becomes(pieces, BYTES_LITERAL("\x2a\x06\x0a\x00\x0a\x02\x18\x01"),
                  "{\"arrayValue\":{\"values\":[{},{\"intValue\":\"1\"}]}}");
    value_becomes(pieces, BYTES_LITERAL("\x32\x05\x0a\x03\x0a\x01k"),
                  "{\"kvlistValue\":{\"values\":[{\"key\":\"k\"}]}}");
    /* Of several the last counts. */
    value_becomes(pieces, BYTES_LITERAL("\x2a\x00\x18\x01\x0a\x01x"),
                  "{\"stringValue\":\"x\"}");
}

/* Fields between other fields, scalars twice, and messages in parts. */
static void test_scattered_fields(void **state)
{
    struct pieces *pieces = *state;
    struct bytes a = pieces_field(pieces, 9, pieces_field(pieces, 1, BYTES_LITERAL("a")));
    struct bytes b = pieces_field(pieces, 9, pieces_field(pieces, 1, BYTES_LITERAL("b")));
    struct bytes error = pieces_field(pieces, 15, BYTES_LITERAL("\x18\x02"));
    struct bytes oops = pieces_field(pieces, 15, BYTES_LITERAL("\x12\x04oops"));
    struct bytes span = JOIN(pieces, error, a, pieces_varint(pieces, 6, 1), b, oops,
                             pieces_varint(pieces, 6, 2));
    expect(pieces_request_of(pieces, span),
           "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"kind\":2,\"attributes\":[{"
           "\"key\":\"a\"},{\"key\":\"b\"}],"
           "\"status\":{\"message\":\"oops\",\"code\":2}}]}]}]}");
}

static void test_malformed(void **state)
{
    struct pieces *pieces = *state;
    refuse(BYTES_LITERAL("\x0a"), SB_ERR_INPUT);
    refuse(BYTES_LITERAL("\x08\x01"), SB_ERR_INPUT);
    refuse(pieces_request_of(pieces, BYTES_LITERAL("\x30")), SB_ERR_INPUT);
    refuse(pieces_request_of(pieces, BYTES_LITERAL("\x32\x00")), SB_ERR_INPUT);
    refuse(pieces_request_of(pieces, BYTES_LITERAL("\x7a\x02\x1a\x00")), SB_ERR_INPUT);
}

static void test_depth(void **state)
{
    struct pieces *pieces = *state;
    struct text text;
    text_init(&text, 1 << 20);
    struct bytes request =
        pieces_request_of(pieces, attribute_of(pieces, pieces_deep(pieces, OTLP_DEPTH_MAX)));
    assert_int_equal(otlp_json_encode(request, &text), SB_OK);
    text_clear(&text);
    refuse(pieces_request_of(pieces, attribute_of(pieces, pieces_deep(pieces, 20000))),
           SB_ERR_LIMIT);
}

static void test_cap_and_short_memory(void **state)
{
    struct pieces *pieces = *state;
    struct bytes error = pieces_field(pieces, 15, BYTES_LITERAL("\x18\x02"));
    struct bytes request = pieces_request_of(pieces, JOIN(pieces, error, error));
    struct text text;
    text_init(&text, 20);
    assert_int_equal(otlp_json_encode(request, &text), SB_ERR_LIMIT);
    text_clear(&text);
    text_init(&text, 1000);
    for (uint64_t nth = 1; nth < 20; nth++) {
        memory_fail_at(nth);
        enum sb_err err = otlp_json_encode(request, &text);
        memory_fail_at(0);
        text_clear(&text);
        if (err == SB_OK) {
            assert_true(nth > 2);
            return;
        }
        assert_int_equal(err, SB_ERR_MEMORY);
    }
    fail_msg("allocations never ended");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_every_form_of_a_scalar),
        CASE(test_every_form_of_a_value),
        CASE(test_scattered_fields),
        CASE(test_malformed),
        CASE(test_depth),
        CASE(test_cap_and_short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
