#include "core/hex.h"

#include <stdio.h>

#include "support/random.h"
#include "support/test.h"

static void test_every_byte_goes_there_and_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)i;
        char digits[2];
        hex_encode(bytes_of(&byte, 1), digits);
        char expected[3];
        snprintf(expected, sizeof(expected), "%02x", i);
        assert_memory_equal(digits, expected, 2);
        uint8_t back = (uint8_t)~byte;
        assert_int_equal(hex_decode(bytes_of(digits, 2), false, &back, 1), SB_OK);
        assert_int_equal(back, byte);
    }
}

static bool is_hex_digit(unsigned c, bool any_case)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (any_case && c >= 'A' && c <= 'F');
}

static void test_every_other_character_is_refused(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        for (int place = 0; place < 4; place++) {
            uint8_t text[4] = {'1', '2', '3', '4'};
            text[place] = (uint8_t)c;
            uint8_t ret[2] = {0xaa, 0xbb};
            bool lower = hex_decode(bytes_of(text, 4), false, ret, 2) == SB_OK;
            assert_int_equal(lower, is_hex_digit(c, false));
            if (!lower)
                assert_true(ret[0] == 0xaa && ret[1] == 0xbb);
            bool any = hex_decode(bytes_of(text, 4), true, ret, 2) == SB_OK;
            assert_int_equal(any, is_hex_digit(c, true));
        }
    }
}

static void test_other_lengths_are_refused(void **state)
{
    (void)state;
    uint8_t ret[3] = {1, 2, 3};
    assert_int_equal(hex_decode(BYTES_LITERAL("aabb"), false, ret, 3), SB_ERR_INPUT);
    assert_int_equal(hex_decode(BYTES_LITERAL("aabbc"), false, ret, 3), SB_ERR_INPUT);
    assert_int_equal(hex_decode(BYTES_LITERAL("aabbccd"), false, ret, 3), SB_ERR_INPUT);
    assert_int_equal(hex_decode(BYTES_LITERAL(""), false, ret, 3), SB_ERR_INPUT);
    assert_true(ret[0] == 1 && ret[1] == 2 && ret[2] == 3);
    assert_int_equal(hex_decode(bytes_of(NULL, 0), false, ret, 0), SB_OK);
    hex_encode(bytes_of(NULL, 0), NULL);
}

static void test_upper_case_reads_the_same_value(void **state)
{
    (void)state;
    uint8_t ret[4];
    assert_int_equal(hex_decode(BYTES_LITERAL("DEadBEef"), true, ret, 4), SB_OK);
    assert_memory_equal(ret, "\xde\xad\xbe\xef", 4);
}

static void test_random_bytes_go_there_and_back(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 11);
    for (int i = 0; i < 2000; i++) {
        uint8_t in[40];
        uint8_t out[40];
        char digits[80];
        size_t len = random_below(&random, sizeof(in) + 1);
        random_fill(&random, in, len);
        hex_encode(bytes_of(in, len), digits);
        assert_int_equal(hex_decode(bytes_of(digits, 2 * len), false, out, len), SB_OK);
        assert_true(bytes_equal(bytes_of(in, len), bytes_of(out, len)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_goes_there_and_back),
        cmocka_unit_test(test_every_other_character_is_refused),
        cmocka_unit_test(test_other_lengths_are_refused),
        cmocka_unit_test(test_upper_case_reads_the_same_value),
        cmocka_unit_test(test_random_bytes_go_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
