#include <string.h>

#include "spanbridge/context.h"
#include "support/test.h"

static void test_each_has_a_text_of_its_own(void **state)
{
    (void)state;
    enum { LAST = SPANBRIDGE_NO_RANDOM };
    const char *unknown = spanbridge_result_text((enum spanbridge_result)(LAST + 1));
    for (int i = 0; i <= LAST; i++) {
        const char *text = spanbridge_result_text((enum spanbridge_result)i);
        assert_string_not_equal(text, unknown);
        for (int other = 0; other < i; other++)
            assert_string_not_equal(text,
                                    spanbridge_result_text((enum spanbridge_result)other));
    }
}

/* Programs are compiled with these numbers. */
static void test_the_numbers_stay(void **state)
{
    (void)state;
    assert_int_equal(SPANBRIDGE_OK, 0);
    assert_int_equal(SPANBRIDGE_ABSENT, 1);
    assert_int_equal(SPANBRIDGE_UPPER_CASE, 8);
    assert_int_equal(SPANBRIDGE_NO_RANDOM, 14);
    assert_int_equal(sizeof(struct spanbridge_context), 8 * 4 + 7 * sizeof(void *));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_has_a_text_of_its_own),
        cmocka_unit_test(test_the_numbers_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
