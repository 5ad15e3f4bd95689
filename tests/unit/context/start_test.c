#include <string.h>

#include "ids.h"
#include "support/test.h"

static void test_a_new_trace(void **state)
{
    (void)state;
    struct spanbridge_context first;
    struct spanbridge_context second;
    char text[SPANBRIDGE_TRACEPARENT_LEN + 1];
    memset(&first, 0xa5, sizeof(first));
    assert_int_equal(spanbridge_start_trace(&first), SPANBRIDGE_OK);
    assert_int_equal(spanbridge_start_trace(&second), SPANBRIDGE_OK);
    assert_true(ids_are_set(&first) && ids_are_set(&second));
    assert_memory_not_equal(first.trace_id, second.trace_id, sizeof(first.trace_id));
    assert_memory_not_equal(first.span_id, second.span_id, sizeof(first.span_id));
    assert_null(first.tracestate);
    assert_int_equal(first.tracestate_len, 0);
    spanbridge_format_traceparent(&first, text);
    assert_string_equal(text + 53, "03");
}

/* Trace, flags and tracestate go on; the random bit is passed on as it came. */
static void test_a_new_span(void **state)
{
    (void)state;
    struct spanbridge_context parent = {
        .trace_id = {1}, .span_id = {2}, .tracestate = "a=1", .tracestate_len = 3};
    for (uint8_t flags = 0; flags < 4; flags++) {
        struct spanbridge_context child;
        parent.flags = flags;
        assert_int_equal(spanbridge_start_span(&parent, &child), SPANBRIDGE_OK);
        assert_memory_equal(child.trace_id, parent.trace_id, sizeof(child.trace_id));
        assert_memory_not_equal(child.span_id, parent.span_id, sizeof(child.span_id));
        assert_true(ids_are_set(&child));
        assert_int_equal(child.flags, flags);
        assert_ptr_equal(child.tracestate, parent.tracestate);
        assert_int_equal(child.tracestate_len, 3);
    }
    struct spanbridge_context itself = parent;
    assert_int_equal(spanbridge_start_span(&itself, &itself), SPANBRIDGE_OK);
    assert_memory_not_equal(itself.span_id, parent.span_id, sizeof(itself.span_id));
}

static void test_a_span_below_nothing(void **state)
{
    (void)state;
    const struct spanbridge_context nothing[] = {{.span_id = {2}}, {.trace_id = {1}}};
    struct spanbridge_context child;
    struct spanbridge_context before;
    memset(&child, 0xa5, sizeof(child));
    memcpy(&before, &child, sizeof(child));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(spanbridge_start_span(&nothing[i], &child), SPANBRIDGE_ZERO_ID);
    assert_memory_equal(&child, &before, sizeof(child));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_trace),
        cmocka_unit_test(test_a_new_span),
        cmocka_unit_test(test_a_span_below_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
