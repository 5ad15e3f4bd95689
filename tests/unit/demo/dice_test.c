#include "support/test.h"

#include "dice.h"

static void test_same_seed_gives_same_numbers(void **state)
{
    (void)state;
    struct dice a = dice_of(3, 4);
    struct dice b = dice_of(3, 4);
    struct dice c = dice_of(3, 5);
    uint64_t first = dice_next(&a);
    assert_true(first == dice_next(&b));
    assert_true(first != dice_next(&c));
}

static void test_bounds_are_met(void **state)
{
    (void)state;
    struct dice dice = dice_of(1, 1);
    uint32_t counts[6] = {0};
    for (int i = 0; i < 60000; i++)
        counts[dice_between(&dice, 1, 6) - 1]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(counts[i], 9500, 10500);
    for (int i = 0; i < 100; i++)
        assert_int_equal(dice_below(&dice, 1), 0);
}

static void test_fill_writes_all_bytes(void **state)
{
    (void)state;
    struct dice dice = dice_of(1, 1);
    uint8_t or_of_all[9] = {0};
    for (int i = 0; i < 64; i++) {
        uint8_t bytes[9] = {0};
        dice_fill(&dice, bytes, 8);
        for (int j = 0; j < 9; j++)
            or_of_all[j] |= bytes[j];
    }
    for (int j = 0; j < 8; j++)
        assert_int_equal(or_of_all[j], 0xff);
    assert_int_equal(or_of_all[8], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_gives_same_numbers),
        cmocka_unit_test(test_bounds_are_met),
        cmocka_unit_test(test_fill_writes_all_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
