#include "otlp/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "oracle.h"
#include "otlp/value.h"
#include "support/test.h"

static enum otlp_fault decode(struct bytes json, struct text *ret)
{
    struct otlp_limits limits = otlp_limits_default();
    enum otlp_fault fault = OTLP_FAULT_COUNT;
    text_init(ret, 64 << 20);
    assert_int_equal(otlp_json_decode(json, &limits, ret, &fault), SB_OK);
    assert_true(fault < OTLP_FAULT_COUNT);
    if (fault != OTLP_FAULT_NONE)
        assert_int_equal(ret->len, 0);
    return fault;
}

static enum otlp_fault fault_of(const char *json)
{
    struct text text;
    enum otlp_fault fault = decode(bytes_text(json), &text);
    text_clear(&text);
    return fault;
}

static void test_a_request_as_the_specification_shows_it(void **state)
{
    (void)state;
    const char *json =
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
        "\"value\":"
        "{\"stringValue\":\"cart\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"io\",\"version\":"
        "\"1\"},\"spans\":[{\"traceId\":\"5B8EFFF798038103D269B633813FC60C\",\"spanId\":"
        "\"eee19b7ec3c1b174\",\"parentSpanId\":\"eee19b7ec3c1b173\",\"name\":\"I'm a span\","
        "\"startTimeUnixNano\":\"1544712660000000000\",\"endTimeUnixNano\":1544712661000000000,"
        "\"kind\":\"SPAN_KIND_SERVER\",\"flags\":257,\"attributes\":[{\"key\":\"n\",\"value\":"
        "{\"intValue\":\"-5\"}},{\"key\":\"m\",\"value\":{\"kvlistValue\":{\"values\":[{"
        "\"key\":"
        "\"k\",\"value\":{\"arrayValue\":{\"values\":[{\"boolValue\":true},{}]}}}]}}}],"
        "\"status\":{\"code\":2},\"futureField\":{\"x\":[1]},\"trace_state\":5,\"links\":null}]"
        "}]}]}";
    struct text text;
    assert_int_equal(decode(bytes_text(json), &text), OTLP_FAULT_NONE);
    oracle_request *request = oracle_unpack(text_bytes(&text));
    assert_int_equal(request->n_resource_spans, 1);
    const oracle_resource_spans *resource_spans = request->resource_spans[0];
    assert_string_equal(resource_spans->resource->attributes[0]->value->string_value, "cart");
    assert_string_equal(resource_spans->scope_spans[0]->scope->version, "1");
    const oracle_span *span = resource_spans->scope_spans[0]->spans[0];
    assert_int_equal(span->trace_id.len, 16);
    assert_memory_equal(span->trace_id.data,
                        "\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c", 16);
    assert_memory_equal(span->parent_span_id.data, "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x73", 8);
    assert_string_equal(span->name, "I'm a span");
    assert_true(span->start_time_unix_nano == UINT64_C(1544712660000000000));
    assert_true(span->end_time_unix_nano == UINT64_C(1544712661000000000));
    assert_int_equal(span->kind, 2);
    assert_int_equal(span->flags, 257);
    assert_int_equal(span->n_attributes, 2);
    assert_int_equal(span->attributes[0]->value->int_value, -5);
    const oracle_any *inner = span->attributes[1]->value->kvlist_value->values[0]->value;
    assert_int_equal(inner->array_value->n_values, 2);
    assert_true(inner->array_value->values[0]->bool_value);
    assert_int_equal(inner->array_value->values[1]->value_case, 0);
    assert_int_equal(span->status->code, 2);
    assert_int_equal(span->n_links, 0);
    assert_string_equal(span->trace_state, "");
    spanbridge__oracle__export_trace_service_request__free_unpacked(request, NULL);
    text_clear(&text);
}

static void test_what_is_no_request(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        " ",
        "{",
        "nul",
        "null",
        "5",
        "[]",
        "\"\"",
        "{}{}",
        "{} x",
        "{\"resourceSpans\":{}}",
        "{\"resourceSpans\":[5]}",
        "{\"resourceSpans\":[null]}",
        "{\"resourceSpans\":[[]]}",
        "{\"resourceSpans\":[{\"resource\":[]}]}",
        "{\"resourceSpans\":[{\"schemaUrl\":5}]}",
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"not hex\"}]}]}]}",
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"startTimeUnixNano\":1.5}]}]}]}",
        "{\"resourceSpans\":[{\"schemaUrl\":18446744073709551616}]}",
        "{\"resourceSpans\":[{\"schemaUrl\":\"\xff\"}]}",
        "{\"resourceSpans\":[{\"schemaUrl\":\"\\ud800\"}]}",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(fault_of(wrong[i]), OTLP_FAULT_JSON);
    assert_int_equal(fault_of("{}"), OTLP_FAULT_NONE);
    assert_int_equal(fault_of("{\"resourceSpans\":null,\"resource_spans\":5}"),
                     OTLP_FAULT_NONE);
    struct text text;
    assert_int_equal(decode(bytes_of(NULL, 0), &text), OTLP_FAULT_JSON);
    text_clear(&text);
}

/* Ids of a wrong length are the span's trouble, not the record's. */
static void test_wrong_ids_stay_with_their_span(void **state)
{
    (void)state;
    struct text text;
    assert_int_equal(decode(BYTES_LITERAL("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{"
                                          "\"traceId\":\"01\",\"spanId\":\"\"},{}]}]}]}"),
                            &text),
                     OTLP_FAULT_NONE);
    assert_true(
        bytes_equal(text_bytes(&text),
                    BYTES_LITERAL("\x0a\x0b\x12\x09\x12\x05\x0a\x01\x01\x12\x00\x12\x00")));
    text_clear(&text);
}

static void test_limits(void **state)
{
    (void)state;
    struct otlp_limits limits = otlp_limits_default();
    enum otlp_fault fault;
    struct text text;
    text_init(&text, 10);
    limits.record_bytes_max = 2;
    assert_int_equal(otlp_json_decode(BYTES_LITERAL("{}"), &limits, &text, &fault), SB_OK);
    assert_int_equal(fault, OTLP_FAULT_NONE);
    assert_int_equal(otlp_json_decode(BYTES_LITERAL("{} "), &limits, &text, &fault), SB_OK);
    assert_int_equal(fault, OTLP_FAULT_RECORD_TOO_LARGE);

    limits = otlp_limits_default();
    assert_int_equal(
        otlp_json_decode(BYTES_LITERAL("{\"resourceSpans\":[{\"schemaUrl\":\"0123456789\"}]}"),
                         &limits, &text, &fault),
        SB_OK);
    assert_int_equal(fault, OTLP_FAULT_RECORD_TOO_LARGE);
    assert_int_equal(text.error, SB_ERR_LIMIT);
    text_clear(&text);

    static char deep[200000];
    memset(deep, '[', sizeof(deep) - 1);
    assert_int_equal(fault_of(deep), OTLP_FAULT_TOO_DEEP);
}

/* Copies the text to `at`, with its NUL; where the NUL stands. */
static char *put(char *at, const char *text)
{
    size_t len = strlen(text);
    memcpy(at, text, len + 1);
    return at + len;
}

/* JSON of one attribute whose value is `depth` deep. */
static struct bytes deep_json(struct arena *arena, size_t depth)
{
    const char *head = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"
                       "\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\","
                       "\"events\":[{\"attributes\":[{\"key\":\"k\",\"value\":";
    const char *open = "{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":";
    const char *inside = "{\"intValue\":1}";
    const char *close = "}]}}";
    const char *tail = "}]}]}]}]}]}";
    size_t len =
        strlen(head) + depth * (strlen(open) + strlen(close)) + strlen(inside) + strlen(tail);
    char *text = arena_alloc(arena, len + 1);
    assert_non_null(text);
    char *at = put(text, head);
    for (size_t i = 1; i < depth; i++)
        at = put(at, open);
    at = put(at, inside);
    for (size_t i = 1; i < depth; i++)
        at = put(at, close);
    at = put(at, tail);
    return bytes_of(text, (size_t)(at - text));
}

/* Up to the top of depth_max the scan judges, so that other spans are not touched. */
static void test_depth_is_judged_by_the_scan(void **state)
{
    (void)state;
    struct arena arena;
    struct otlp_limits limits = otlp_limits_default();
    struct otlp_keys *keys;
    struct otlp_scan *scan;
    arena_init(&arena, 1 << 20);
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    assert_int_equal(otlp_scan_new(&limits, keys, &scan), SB_OK);
    static const struct {
        size_t depth;
        enum otlp_fault record;
        enum otlp_fault span;
    } cases[] = {
        {1, OTLP_FAULT_NONE, OTLP_FAULT_NONE},
        {32, OTLP_FAULT_NONE, OTLP_FAULT_NONE},
        {33, OTLP_FAULT_NONE, OTLP_FAULT_TOO_DEEP},
        {OTLP_DEPTH_MAX, OTLP_FAULT_NONE, OTLP_FAULT_TOO_DEEP},
        {OTLP_DEPTH_MAX + 10, OTLP_FAULT_TOO_DEEP, OTLP_FAULT_NONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text text;
        enum otlp_fault fault;
        uint32_t count;
        assert_int_equal(decode(deep_json(&arena, cases[i].depth), &text), cases[i].record);
        assert_int_equal(otlp_scan_request(scan, text_bytes(&text), &fault), SB_OK);
        assert_int_equal(fault, OTLP_FAULT_NONE);
        const struct otlp_span *spans = otlp_scan_spans(scan, &count);
        assert_int_equal(count, cases[i].record == OTLP_FAULT_NONE);
        if (count > 0)
            assert_int_equal(spans[0].fault, cases[i].span);
        text_clear(&text);
    }
    otlp_scan_free(scan);
    otlp_keys_free(keys);
    arena_clear(&arena);
}

/* Both directions: what protobuf-c packed comes back byte by byte, up to its defaults. */
static void test_there_and_back(void **state)
{
    (void)state;
    struct arena arena;
    struct random random;
    struct text json;
    arena_init(&arena, 64 << 20);
    random_init(&random, 6);
    text_init(&json, 64 << 20);
    for (int round = 0; round < 200; round++) {
        arena_clear(&arena);
        text_reset(&json);
        oracle_request *request = oracle_random(&arena, &random);
        struct bytes packed = oracle_pack(&arena, request);
        assert_int_equal(otlp_json_encode(packed, &json), SB_OK);
        assert_null(memchr(json.at, '\n', json.len)); /* one line */
        struct text back;
        assert_int_equal(decode(text_bytes(&json), &back), OTLP_FAULT_NONE);
        oracle_request *again = oracle_unpack(text_bytes(&back));
        struct bytes repacked = oracle_pack(&arena, again);
        assert_true(bytes_equal(repacked, packed));
        spanbridge__oracle__export_trace_service_request__free_unpacked(again, NULL);
        text_clear(&back);
    }
    text_clear(&json);
    arena_clear(&arena);
}

static void test_short_memory(void **state)
{
    (void)state;
    struct otlp_limits limits = otlp_limits_default();
    struct bytes json = BYTES_LITERAL("{\"resourceSpans\":[{\"schemaUrl\":\"url\"}]}");
    for (uint64_t nth = 1; nth <= 3; nth++) {
        struct text text;
        enum otlp_fault fault = OTLP_FAULT_COUNT;
        text_init(&text, 1000);
        memory_fail_at(nth);
        enum sb_err err = otlp_json_decode(json, &limits, &text, &fault);
        memory_fail_at(0);
        assert_int_equal(err, nth < 3 ? SB_ERR_MEMORY : SB_OK); /* the block, and the text */
        text_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_as_the_specification_shows_it),
        cmocka_unit_test(test_what_is_no_request),
        cmocka_unit_test(test_wrong_ids_stay_with_their_span),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_depth_is_judged_by_the_scan),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
