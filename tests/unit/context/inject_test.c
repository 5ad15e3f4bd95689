#include <string.h>

#include "list_carrier.h"
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

static void test_into_no_headers(void **state)
{
    (void)state;
    struct list_carrier list;
    struct spanbridge_context context = context_of("a=1");
    struct spanbridge_context again;
    list_carrier_init(&list);
    assert_int_equal(spanbridge_inject(&context, &list.carrier), SPANBRIDGE_OK);
    assert_int_equal(list.count, 2);
    list_carrier_expect(&list, 0, "traceparent", PARENT);
    list_carrier_expect(&list, 1, "tracestate", "a=1");
    assert_int_equal(spanbridge_extract(&list.carrier, &again), SPANBRIDGE_OK);
    assert_memory_equal(again.trace_id, context.trace_id, sizeof(again.trace_id));
    assert_memory_equal(again.span_id, context.span_id, sizeof(again.span_id));
}

/* In every spelling and number; what is not the context's stays, in its order. */
static void test_what_was_there_is_replaced(void **state)
{
    (void)state;
    struct list_carrier list;
    struct spanbridge_context context = context_of("a=1");
    list_carrier_init(&list);
    list_carrier_add(&list, "before", "1");
    list_carrier_add(&list, "traceparent", OLD);
    list_carrier_add(&list, "TraceParent", OLD);
    list_carrier_add(&list, "tracestate", "x=1");
    list_carrier_add(&list, "between", "2");
    list_carrier_add(&list, "tracestate", "y=1");
    assert_int_equal(spanbridge_inject(&context, &list.carrier), SPANBRIDGE_OK);
    assert_int_equal(list.count, 4);
    list_carrier_expect(&list, 0, "before", "1");
    list_carrier_expect(&list, 1, "between", "2");
    list_carrier_expect(&list, 2, "traceparent", PARENT);
    list_carrier_expect(&list, 3, "tracestate", "a=1");
}

/* A tracestate belongs to its trace: an old one goes, a bad one does not come. */
static void test_without_a_tracestate(void **state)
{
    (void)state;
    static const char *const none[] = {NULL, "", "no list", "a=1\r\nx: 2"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct list_carrier list;
        struct spanbridge_context context = context_of(none[i]);
        list_carrier_init(&list);
        list_carrier_add(&list, "tracestate", "x=1");
        assert_int_equal(spanbridge_inject(&context, &list.carrier), SPANBRIDGE_OK);
        assert_int_equal(list.count, 1);
        list_carrier_expect(&list, 0, "traceparent", PARENT);
    }
}

static void test_a_long_tracestate_is_cut(void **state)
{
    (void)state;
    char text[1201];
    char expected[505];
    struct list_carrier list;
    for (int i = 0; i < 12; i++) { /* members of 100 characters, with the comma of each */
        memset(text + 100 * i, 'v', 100);
        memcpy(text + 100 * i, (char[]){(char)('a' + i), '='}, 2);
        text[100 * i + 99] = ',';
    }
    text[1200] = '\0';
    struct spanbridge_context context = context_of(text);
    list_carrier_init(&list);
    assert_int_equal(spanbridge_inject(&context, &list.carrier), SPANBRIDGE_OK);
    memcpy(expected, text, 499);
    expected[499] = '\0';
    list_carrier_expect(&list, 1, "tracestate", expected);
}

static void test_what_is_no_context_changes_nothing(void **state)
{
    (void)state;
    struct list_carrier list;
    list_carrier_init(&list);
    list_carrier_add(&list, "traceparent", OLD);
    struct spanbridge_context context = context_of(NULL);
    memset(context.span_id, 0, sizeof(context.span_id));
    assert_int_equal(spanbridge_inject(&context, &list.carrier), SPANBRIDGE_ZERO_ID);
    context = context_of(NULL);
    memset(context.trace_id, 0, sizeof(context.trace_id));
    assert_int_equal(spanbridge_inject(&context, &list.carrier), SPANBRIDGE_ZERO_ID);
    context = context_of(NULL);
    struct spanbridge_carrier incomplete = list.carrier;
    incomplete.on_set = NULL;
    assert_int_equal(spanbridge_inject(&context, &incomplete), SPANBRIDGE_REFUSED);
    incomplete = list.carrier;
    incomplete.on_remove = NULL;
    assert_int_equal(spanbridge_inject(&context, &incomplete), SPANBRIDGE_REFUSED);
    assert_int_equal(list.removals, 0);
    assert_int_equal(list.count, 1);
}

static void test_what_a_carrier_answers_is_handed_on(void **state)
{
    (void)state;
    struct spanbridge_context context = context_of("a=1");
    for (size_t call = 1; call <= 2; call++) {
        struct list_carrier list;
        list_carrier_init(&list);
        list.failing_removal = call;
        list.failure = SPANBRIDGE_REFUSED;
        assert_int_equal(spanbridge_inject(&context, &list.carrier), SPANBRIDGE_REFUSED);
        assert_int_equal(list.sets, 0);
        list_carrier_init(&list);
        list.failing_set = call;
        list.failure = SPANBRIDGE_NO_MEMORY;
        assert_int_equal(spanbridge_inject(&context, &list.carrier), SPANBRIDGE_NO_MEMORY);
        assert_int_equal(list.count, call - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_into_no_headers),
        cmocka_unit_test(test_what_was_there_is_replaced),
        cmocka_unit_test(test_without_a_tracestate),
        cmocka_unit_test(test_a_long_tracestate_is_cut),
        cmocka_unit_test(test_what_is_no_context_changes_nothing),
        cmocka_unit_test(test_what_a_carrier_answers_is_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
