#include "core/utf8.h"

#include "support/test.h"

struct sequence_example {
    const char *bytes;
    size_t len;
    size_t expected;
};

/* RFC 3629, section 4: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
static void test_sequences(void **state)
{
    (void)state;
    static const struct sequence_example examples[] = {
        {"a", 1, 1},
        {"\xc2\x80", 2, 2},
        {"\xc0\x80", 2, 0},
        {"\xc1\xbf", 2, 0},
        {"\xdf\xbf", 2, 2},
        {"\xe0\xa0\x80", 3, 3},
        {"\xe0\x9f\xbf", 3, 0},
        {"\xed\x9f\xbf", 3, 3},
        {"\xed\xa0\x80", 3, 0},
        {"\xef\xbf\xbf", 3, 3},
        {"\xf0\x90\x80\x80", 4, 4},
        {"\xf0\x8f\xbf\xbf", 4, 0},
        {"\xf4\x8f\xbf\xbf", 4, 4},
        {"\xf4\x90\x80\x80", 4, 0},
        {"\xf5\x80\x80\x80", 4, 0},
        {"\x80", 1, 0},
        {"\xc2", 1, 0},
        {"\xe2\x82", 2, 0},
        {"\xc2\x20", 2, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
        assert_int_equal(utf8_sequence(bytes_of(examples[i].bytes, examples[i].len)),
                         examples[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
