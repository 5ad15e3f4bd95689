#include "spanbridge/kafka.h"

#include "support/test.h"

#define PARENT "00-0123456789abcdef0123456789abcdef-1111111111111111-01"
#define OLD    "00-fedcba9876543210fedcba9876543210-2222222222222222-00"

static struct spanbridge_context context_of(const char *tracestate)
{
    struct spanbridge_context context;
    assert_int_equal(spanbridge_parse_traceparent(PARENT, strlen(PARENT), &context),
                     SPANBRIDGE_OK);
    context.tracestate = tracestate;
    context.tracestate_len = tracestate == NULL ? 0 : strlen(tracestate);
    return context;
}

static void expect(const rd_kafka_headers_t *headers, size_t at, const char *name,
                   const char *value)
{
    const char *found;
    const void *found_value;
    size_t len;
    assert_int_equal(rd_kafka_header_get_all(headers, at, &found, &found_value, &len),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_string_equal(found, name);
    assert_int_equal(len, strlen(value));
    assert_memory_equal(found_value, value, len);
}

static void test_there_and_back(void **state)
{
    (void)state;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    struct spanbridge_context context = context_of("a=1");
    struct spanbridge_context again;
    assert_int_equal(spanbridge_kafka_extract(NULL, &again), SPANBRIDGE_ABSENT);
    assert_int_equal(spanbridge_kafka_extract(headers, &again), SPANBRIDGE_ABSENT);
    assert_int_equal(spanbridge_kafka_inject(&context, headers), SPANBRIDGE_OK);
    assert_int_equal(rd_kafka_header_cnt(headers), 2);
    expect(headers, 0, "traceparent", PARENT);
    expect(headers, 1, "tracestate", "a=1");
    assert_int_equal(spanbridge_kafka_extract(headers, &again), SPANBRIDGE_OK);
    assert_memory_equal(again.trace_id, context.trace_id, sizeof(again.trace_id));
    assert_memory_equal(again.span_id, context.span_id, sizeof(again.span_id));
    assert_int_equal(again.flags, SPANBRIDGE_FLAG_SAMPLED);
    assert_int_equal(again.tracestate_len, 3);
    assert_memory_equal(again.tracestate, "a=1", 3);
    rd_kafka_headers_destroy(headers);
}

static void test_every_spelling_is_replaced(void **state)
{
    (void)state;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(0);
    struct spanbridge_context context = context_of(NULL);
    rd_kafka_header_add(headers, "order", -1, "7", 1);
    rd_kafka_header_add(headers, "TraceParent", -1, OLD, -1);
    rd_kafka_header_add(headers, "traceparent", -1, OLD, -1);
    rd_kafka_header_add(headers, "TRACESTATE", -1, "x=1", -1);
    rd_kafka_header_add(headers, "traceparent", -1, NULL, 0);
    rd_kafka_header_add(headers, "traceparents", -1, "stays", -1);
    rd_kafka_header_add(headers, "", 0, "stays, too", -1);
    assert_int_equal(spanbridge_kafka_inject(&context, headers), SPANBRIDGE_OK);
    assert_int_equal(rd_kafka_header_cnt(headers), 4);
    expect(headers, 0, "order", "7");
    expect(headers, 1, "traceparents", "stays");
    expect(headers, 2, "", "stays, too");
    expect(headers, 3, "traceparent", PARENT);
    rd_kafka_headers_destroy(headers);
}

static void test_bad_values(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        ssize_t len;
        enum spanbridge_result result;
    } bad[] = {
        {NULL, 0, SPANBRIDGE_NO_VALUE},
        {"", 0, SPANBRIDGE_BAD_LENGTH},
        {"\0\0\0\0\0\0\0\7", 8, SPANBRIDGE_BAD_LENGTH},
        {"\"" PARENT "\"", -1, SPANBRIDGE_BAD_VERSION},
        {"00-0123456789ABCDEF0123456789ABCDEF-1111111111111111-01", -1, SPANBRIDGE_UPPER_CASE}};
    struct spanbridge_context context;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        rd_kafka_header_add(headers, "traceparent", -1, bad[i].value, bad[i].len);
        assert_int_equal(spanbridge_kafka_extract(headers, &context), bad[i].result);
    }
    /* And a good one before and behind them. */
    rd_kafka_header_add(headers, "traceparent", -1, PARENT, -1);
    rd_kafka_header_add(headers, "traceparent", -1, "behind", -1);
    assert_int_equal(spanbridge_kafka_extract(headers, &context), SPANBRIDGE_OK);
    rd_kafka_headers_destroy(headers);
}

/* A name that holds a NUL is what librdkafka shows of it; removal must come to an end. */
static void test_a_name_with_a_nul(void **state)
{
    (void)state;
    struct spanbridge_context context = context_of(NULL);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(0);
    rd_kafka_header_add(headers, "traceparent\0x", 13, OLD, -1);
    assert_int_equal(spanbridge_kafka_inject(&context, headers), SPANBRIDGE_OK);
    assert_int_equal(spanbridge_kafka_extract(headers, &context), SPANBRIDGE_OK);
    assert_int_equal(context.span_id[0], 0x11);
    rd_kafka_headers_destroy(headers);
}

static void test_no_context_is_not_written(void **state)
{
    (void)state;
    const struct spanbridge_context none = {.flags = 1};
    rd_kafka_headers_t *headers = rd_kafka_headers_new(0);
    assert_int_equal(spanbridge_kafka_inject(&none, headers), SPANBRIDGE_ZERO_ID);
    assert_int_equal(rd_kafka_header_cnt(headers), 0);
    rd_kafka_headers_destroy(headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_every_spelling_is_replaced),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_a_name_with_a_nul),
        cmocka_unit_test(test_no_context_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
