#include <string.h>

#include "spanbridge/carrier.h"
#include "support/test.h"

#define FIRST  "00-0123456789abcdef0123456789abcdef-1111111111111111-01"
#define SECOND "00-0123456789abcdef0123456789abcdef-2222222222222222-00"

static struct spanbridge_header header(const char *name, const char *value)
{
    return (struct spanbridge_header){.name = name,
                                      .name_len = strlen(name),
                                      .value = value,
                                      .value_len = value == NULL ? 0 : strlen(value)};
}

static void expect(const struct spanbridge_context *context, uint8_t span_id_byte,
                   const char *tracestate)
{
    for (size_t i = 0; i < SPANBRIDGE_SPAN_ID_LEN; i++)
        assert_int_equal(context->span_id[i], span_id_byte);
    if (tracestate == NULL) {
        assert_null(context->tracestate);
        assert_int_equal(context->tracestate_len, 0);
        return;
    }
    assert_int_equal(context->tracestate_len, strlen(tracestate));
    assert_memory_equal(context->tracestate, tracestate, strlen(tracestate));
}

static void test_no_header(void **state)
{
    (void)state;
    struct spanbridge_context context;
    size_t at = 0;
    assert_int_equal(spanbridge_next_context(NULL, 0, &at, &context), SPANBRIDGE_ABSENT);
    assert_int_equal(at, 0);
    const struct spanbridge_header headers[] = {header("traceparen", FIRST),
                                                header("traceparent2", FIRST),
                                                header("tracestate", "a=1")};
    assert_int_equal(spanbridge_next_context(headers, 3, &at, &context), SPANBRIDGE_ABSENT);
    assert_int_equal(at, 3);
    assert_int_equal(spanbridge_next_context(headers, 3, &at, &context), SPANBRIDGE_ABSENT);
}

static void test_names_in_any_case_and_any_order(void **state)
{
    (void)state;
    const struct spanbridge_header headers[] = {
        header("TraceState", " a=1,b=2 "), header("other", "x"), header("TRACEPARENT", FIRST)};
    struct spanbridge_context context;
    size_t at = 0;
    assert_int_equal(spanbridge_next_context(headers, 3, &at, &context), SPANBRIDGE_OK);
    assert_int_equal(at, 3);
    expect(&context, 0x11, "a=1,b=2");
    assert_int_equal(context.flags, SPANBRIDGE_FLAG_SAMPLED);
    assert_int_equal(spanbridge_next_context(headers, 3, &at, &context), SPANBRIDGE_ABSENT);
}

static void test_duplicates_are_walked_in_order(void **state)
{
    (void)state;
    const struct spanbridge_header headers[] = {
        header("traceparent", FIRST), header("tracestate", "a=1"),
        header("traceparent", SECOND), header("tracestate", "b=2")};
    struct spanbridge_context context;
    size_t at = 0;
    assert_int_equal(spanbridge_next_context(headers, 4, &at, &context), SPANBRIDGE_OK);
    assert_int_equal(at, 1);
    expect(&context, 0x11, "a=1");
    assert_int_equal(spanbridge_next_context(headers, 4, &at, &context), SPANBRIDGE_OK);
    assert_int_equal(at, 3);
    expect(&context, 0x22, "a=1");
    assert_int_equal(spanbridge_next_context(headers, 4, &at, &context), SPANBRIDGE_ABSENT);
    assert_int_equal(at, 4);
}

static void test_the_walk_goes_on_behind_a_bad_one(void **state)
{
    (void)state;
    const struct spanbridge_header headers[] = {header("traceparent", NULL),
                                                header("traceparent", "ff" FIRST),
                                                header("traceparent", SECOND)};
    struct spanbridge_context context;
    struct spanbridge_context before;
    memset(&context, 0xa5, sizeof(context));
    memcpy(&before, &context, sizeof(context));
    size_t at = 0;
    assert_int_equal(spanbridge_next_context(headers, 3, &at, &context), SPANBRIDGE_NO_VALUE);
    assert_int_equal(at, 1);
    assert_int_equal(spanbridge_next_context(headers, 3, &at, &context),
                     SPANBRIDGE_BAD_VERSION);
    assert_int_equal(at, 2);
    assert_memory_equal(&context, &before, sizeof(context));
    assert_int_equal(spanbridge_next_context(headers, 3, &at, &context), SPANBRIDGE_OK);
    expect(&context, 0x22, NULL);
}

static void test_a_bad_tracestate_is_left_out(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "  ", "foo", "foo=1,foo=2", "FOO=1", NULL};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct spanbridge_header headers[] = {header("traceparent", FIRST),
                                                    header("tracestate", bad[i])};
        struct spanbridge_context context;
        size_t at = 0;
        assert_int_equal(spanbridge_next_context(headers, 2, &at, &context), SPANBRIDGE_OK);
        expect(&context, 0x11, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_header),
        cmocka_unit_test(test_names_in_any_case_and_any_order),
        cmocka_unit_test(test_duplicates_are_walked_in_order),
        cmocka_unit_test(test_the_walk_goes_on_behind_a_bad_one),
        cmocka_unit_test(test_a_bad_tracestate_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
