#include "utf8.h"

#include "support/test.h"

static unsigned length(const char *at)
{
    return utf8_length((const uint8_t *)at);
}

static void test_characters(void **state)
{
    (void)state;
    assert_int_equal(length("a"), 1);
    assert_int_equal(length(""), 1); /* the end itself */
    assert_int_equal(length("\xc2\x80"), 2);
    assert_int_equal(length("\xdf\xbf"), 2);
    assert_int_equal(length("\xe0\xa0\x80"), 3);
    assert_int_equal(length("\xed\x9f\xbf"), 3);
    assert_int_equal(length("\xef\xbf\xbd"), 3);
    assert_int_equal(length("\xf0\x90\x80\x80"), 4);
    assert_int_equal(length("\xf4\x8f\xbf\xbf"), 4);
}

static void test_malformed_ones(void **state)
{
    (void)state;
    static const char *const malformed[] = {"\x80", /* a continuation alone */
                                            "\xbf",
                                            "\xc0\x80",
                                            "\xc1\xbf", /* overlong */
                                            "\xc2",
                                            "\xc2\x41",
                                            "\xe1\x80", /* cut */
                                            "\xe1\x80\x41",
                                            "\xe0\x9f\xbf",     /* overlong */
                                            "\xed\xa0\x80",     /* half of a pair */
                                            "\xf0\x8f\xbf\xbf", /* overlong */
                                            "\xf4\x90\x80\x80", /* beyond the last plane */
                                            "\xf5\x80\x80\x80",
                                            "\xf1\x80\x80", /* cut */
                                            "\xff"};
    for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++)
        assert_int_equal(length(malformed[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_malformed_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
