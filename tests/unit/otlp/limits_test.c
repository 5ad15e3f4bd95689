#include "otlp/scan.h"

#include "support/test.h"

static void test_the_documented_defaults(void **state)
{
    (void)state;
    struct otlp_limits limits = otlp_limits_default();
    assert_int_equal(limits.record_bytes_max, 16 * 1024 * 1024);
    assert_int_equal(limits.spans_max, 50000);
    assert_int_equal(limits.span_bytes_max, 4 * 1024 * 1024);
    assert_int_equal(limits.depth_max, 32);
    assert_int_equal(limits.attributes_max, 512);
    assert_int_equal(limits.events_max, 512);
    assert_int_equal(limits.links_max, 512);
    assert_int_equal(limits.key_bytes_max, 1024);
    assert_int_equal(limits.value_bytes_max, 64 * 1024);
}

/* They are metric labels and dead-letter headers: short, of one form, and all different. */
static void test_every_fault_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < OTLP_FAULT_COUNT; i++) {
        const char *text = otlp_fault_text((enum otlp_fault)i);
        assert_non_null(text);
        assert_true(strlen(text) > 0 && strlen(text) < 40);
        assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz_"), strlen(text));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(text, otlp_fault_text((enum otlp_fault)j));
    }
    assert_string_equal(otlp_fault_text(OTLP_FAULT_TRACE_ID), "invalid_trace_id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_documented_defaults),
        cmocka_unit_test(test_every_fault_has_a_text_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
