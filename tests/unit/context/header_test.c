#include "header.h"

#include <string.h>

#include "support/test.h"

#define PARENT "00-0123456789abcdef0123456789abcdef-1111111111111111-01"

static struct spanbridge_header header(const char *name, const char *value)
{
    return (struct spanbridge_header){.name = name,
                                      .name_len = strlen(name),
                                      .value = value,
                                      .value_len = value == NULL ? 0 : strlen(value)};
}

static void test_names_in_any_case(void **state)
{
    (void)state;
    static const char *const same[] = {"traceparent", "TRACEPARENT", "TraceParent"};
    static const char *const other[] = {
        "", "traceparen", "traceparent2", "tracestates", "tracep\x41rent2", "traceparen\xd4"};
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        struct spanbridge_header it = header(same[i], "");
        assert_true(header_is_named(&it, HEADER_TRACEPARENT, 11));
        assert_false(header_is_named(&it, HEADER_TRACESTATE, 10));
    }
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        struct spanbridge_header it = header(other[i], "");
        assert_false(header_is_named(&it, HEADER_TRACEPARENT, 11));
    }
    /* '[' is not a kind of '{', nor are '@' and '`'. */
    struct spanbridge_header odd = header("@", "");
    assert_false(header_is_named(&odd, "`", 1));
    const struct spanbridge_header nameless = {.name = NULL, .name_len = 0};
    assert_false(header_is_named(&nameless, HEADER_TRACEPARENT, 11));
}

static void test_values_that_are_no_text(void **state)
{
    (void)state;
    struct spanbridge_context context;
    struct spanbridge_header it = header("traceparent", NULL);
    assert_int_equal(header_read_traceparent(&it, &context), SPANBRIDGE_NO_VALUE);
    it = header("traceparent", PARENT);
    it.kind = SPANBRIDGE_VALUE_OTHER;
    assert_int_equal(header_read_traceparent(&it, &context), SPANBRIDGE_NOT_TEXT);
    /* A value that must not be looked at. */
    it.value = NULL;
    it.value_len = 1000;
    assert_int_equal(header_read_traceparent(&it, &context), SPANBRIDGE_NOT_TEXT);
    it.kind = SPANBRIDGE_VALUE_TEXT;
    assert_int_equal(header_read_traceparent(&it, &context), SPANBRIDGE_NO_VALUE);
    it = header("traceparent", PARENT);
    assert_int_equal(header_read_traceparent(&it, &context), SPANBRIDGE_OK);
}

static void test_a_tracestate_and_its_reasons(void **state)
{
    (void)state;
    static char longest[SPANBRIDGE_TRACESTATE_READ_MAX + 1];
    struct spanbridge_context context = {0};
    struct spanbridge_header it = header("tracestate", " a=1 ");
    assert_int_equal(header_read_tracestate(&it, &context), SPANBRIDGE_OK);
    assert_int_equal(context.tracestate_len, 3);
    assert_memory_equal(context.tracestate, "a=1", 3);
    it = header("tracestate", "a");
    assert_int_equal(header_read_tracestate(&it, &context), SPANBRIDGE_BAD_GRAMMAR);
    assert_int_equal(context.tracestate_result, SPANBRIDGE_BAD_GRAMMAR);
    assert_int_equal(context.tracestate_len, 3); /* the rest is untouched */

    memset(longest, ',', sizeof(longest));
    memcpy(longest, "b=2", 3);
    it = (struct spanbridge_header){.value = longest, .value_len = sizeof(longest)};
    assert_int_equal(header_read_tracestate(&it, &context), SPANBRIDGE_TOO_LONG);
    it.value_len--;
    assert_int_equal(header_read_tracestate(&it, &context), SPANBRIDGE_OK);
    assert_int_equal(context.tracestate_result, SPANBRIDGE_OK);
    assert_ptr_equal(context.tracestate, longest);
    it = header("tracestate", " \t");
    assert_int_equal(header_read_tracestate(&it, &context), SPANBRIDGE_OK);
    assert_null(context.tracestate);
    assert_int_equal(context.tracestate_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_in_any_case),
        cmocka_unit_test(test_values_that_are_no_text),
        cmocka_unit_test(test_a_tracestate_and_its_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
