#include <string.h>

#include "list_carrier.h"
#include "support/test.h"

#define TRACE  "0123456789abcdef0123456789abcdef"
#define FIRST  "00-" TRACE "-1111111111111111-01"
#define SECOND "00-" TRACE "-2222222222222222-00"
#define UPPER  "00-0123456789ABCDEF0123456789abcdef-2222222222222222-00"

static enum spanbridge_result extract(struct list_carrier *list, struct spanbridge_context *ret)
{
    return spanbridge_extract(&list->carrier, ret);
}

/* Expects that result, and that the context is as it was. */
static void expect_failure(struct list_carrier *list, enum spanbridge_result expected)
{
    struct spanbridge_context context;
    struct spanbridge_context before;
    memset(&context, 0xa5, sizeof(context));
    memcpy(&before, &context, sizeof(context));
    assert_int_equal(extract(list, &context), expected);
    assert_memory_equal(&context, &before, sizeof(context));
}

static void test_a_context_among_others(void **state)
{
    (void)state;
    struct list_carrier list;
    struct spanbridge_context context;
    list_carrier_init(&list);
    list_carrier_add(&list, "TraceState", " a=1,b=2 ");
    list_carrier_add(&list, "", "x");
    list_carrier_add(&list, "TRACEPARENT", FIRST);
    list_carrier_add(&list, "traceparent2", SECOND);
    memset(&context, 0xa5, sizeof(context));
    assert_int_equal(extract(&list, &context), SPANBRIDGE_OK);
    assert_int_equal(context.span_id[7], 0x11);
    assert_int_equal(context.trace_id[0], 0x01);
    assert_int_equal(context.flags, SPANBRIDGE_FLAG_SAMPLED);
    assert_int_equal(context.format, SPANBRIDGE_FORMAT_W3C);
    assert_int_equal(context.tracestate_result, SPANBRIDGE_OK);
    assert_int_equal(context.tracestate_len, 7);
    assert_memory_equal(context.tracestate, "a=1,b=2", 7);
    for (size_t i = 0; i < sizeof(context.reserved) / sizeof(context.reserved[0]); i++)
        assert_int_equal(context.reserved[i], 0);
}

static void test_no_context(void **state)
{
    (void)state;
    struct list_carrier list;
    list_carrier_init(&list);
    expect_failure(&list, SPANBRIDGE_ABSENT);
    list_carrier_add(&list, "tracestate", "a=1");
    expect_failure(&list, SPANBRIDGE_ABSENT);
    list.carrier.on_get = NULL;
    expect_failure(&list, SPANBRIDGE_ABSENT);
}

static void test_the_last_valid_one_wins(void **state)
{
    (void)state;
    struct list_carrier list;
    struct spanbridge_context context;
    list_carrier_init(&list);
    list_carrier_add(&list, "traceparent", FIRST);
    list_carrier_add(&list, "tracestate", "a=1");
    list_carrier_add(&list, "Traceparent", SECOND);
    list_carrier_add(&list, "tracestate", "b=2");
    assert_int_equal(extract(&list, &context), SPANBRIDGE_OK);
    assert_int_equal(context.span_id[0], 0x22);
    assert_memory_equal(context.tracestate, "b=2", 3);
    /* Bad ones behind it change nothing. */
    list_carrier_add(&list, "traceparent", "nonsense");
    list_carrier_add(&list, "traceparent", NULL);
    list_carrier_add(&list, "tracestate", "B=2");
    list_carrier_add(&list, "tracestate", NULL);
    assert_int_equal(extract(&list, &context), SPANBRIDGE_OK);
    assert_int_equal(context.span_id[0], 0x22);
    assert_memory_equal(context.tracestate, "b=2", 3);
    assert_int_equal(context.tracestate_result, SPANBRIDGE_OK);
}

static void test_the_reason_of_the_last_bad_one(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum spanbridge_result result;
    } bad[] = {
        {NULL, SPANBRIDGE_NO_VALUE},
        {"", SPANBRIDGE_BAD_LENGTH},
        {UPPER, SPANBRIDGE_UPPER_CASE},
        {"\"" FIRST "\"", SPANBRIDGE_BAD_VERSION},
        {"ff" FIRST, SPANBRIDGE_BAD_VERSION},
        {"00-" TRACE "-0000000000000000-01", SPANBRIDGE_ZERO_ID},
        {"00-" TRACE "-\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4\xf3\xf2\xf1\xf0-01",
         SPANBRIDGE_BAD_GRAMMAR},
    };
    struct list_carrier list;
    list_carrier_init(&list);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        list_carrier_add(&list, "traceparent", bad[i].value);
        expect_failure(&list, bad[i].result);
    }
    list.headers[0].kind = SPANBRIDGE_VALUE_OTHER;
    list.count = 1;
    expect_failure(&list, SPANBRIDGE_NOT_TEXT);
}

static void test_huge_values(void **state)
{
    (void)state;
    static char huge[4 << 20];
    struct list_carrier list;
    struct spanbridge_context context;
    list_carrier_init(&list);
    list_carrier_add(&list, "traceparent", FIRST);
    list_carrier_add(&list, "tracestate", "a=1");
    memset(huge, ',', sizeof(huge));
    list.headers[1].value = huge;
    list.headers[1].value_len = sizeof(huge);
    assert_int_equal(extract(&list, &context), SPANBRIDGE_OK);
    assert_null(context.tracestate);
    assert_int_equal(context.tracestate_result, SPANBRIDGE_TOO_LONG);
    list.headers[0].value = huge;
    list.headers[0].value_len = sizeof(huge);
    expect_failure(&list, SPANBRIDGE_BAD_VERSION);
    memset(huge, ' ', sizeof(huge));
    expect_failure(&list, SPANBRIDGE_BAD_LENGTH);
}

static void test_a_bad_tracestate_leaves_the_traceparent(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum spanbridge_result result;
    } lists[] = {{"", SPANBRIDGE_OK},
                 {NULL, SPANBRIDGE_NO_VALUE},
                 {"foo=1,foo=2", SPANBRIDGE_BAD_GRAMMAR},
                 {"FOO=1", SPANBRIDGE_BAD_GRAMMAR}};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct list_carrier list;
        struct spanbridge_context context;
        list_carrier_init(&list);
        list_carrier_add(&list, "traceparent", FIRST);
        list_carrier_add(&list, "tracestate", lists[i].value);
        assert_int_equal(extract(&list, &context), SPANBRIDGE_OK);
        assert_null(context.tracestate);
        assert_int_equal(context.tracestate_len, 0);
        assert_int_equal(context.tracestate_result, lists[i].result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_context_among_others),
        cmocka_unit_test(test_no_context),
        cmocka_unit_test(test_the_last_valid_one_wins),
        cmocka_unit_test(test_the_reason_of_the_last_bad_one),
        cmocka_unit_test(test_huge_values),
        cmocka_unit_test(test_a_bad_tracestate_leaves_the_traceparent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
