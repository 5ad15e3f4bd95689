#include "core/err.h"

#include <string.h>

#include "support/test.h"

static void test_every_error_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = SB_OK; a <= SB_ERR_INTERNAL; a++) {
        const char *text = sb_err_text((enum sb_err)a);
        assert_string_not_equal(text, "");
        assert_string_not_equal(text, sb_err_text((enum sb_err)(SB_ERR_INTERNAL + 1)));
        for (int b = SB_OK; b < a; b++)
            assert_string_not_equal(text, sb_err_text((enum sb_err)b));
    }
}

static void test_an_unknown_error_has_a_text(void **state)
{
    (void)state;
    assert_string_equal(sb_err_text((enum sb_err)(SB_ERR_INTERNAL + 1)), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_error_has_a_text_of_its_own),
        cmocka_unit_test(test_an_unknown_error_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
