#include "support/test.h"

#include <string.h>

#include "confirms.h"

static struct confirms confirms;

static int clear(void **state)
{
    (void)state;
    memset(&confirms, 0, sizeof(confirms));
    return 0;
}

static void send(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(confirms_has_room(&confirms));
        confirms_add(&confirms);
    }
}

static void test_the_oldest_unconfirmed_holds_the_rest_back(void **state)
{
    (void)state;
    send(4);
    assert_true(confirms_take(&confirms, 2, false));
    assert_true(confirms_take(&confirms, 4, false));
    assert_int_equal(confirms.done, 0);
    assert_true(confirms_take(&confirms, 1, false));
    assert_int_equal(confirms.done, 2);
    assert_true(confirms_take(&confirms, 3, false));
    assert_int_equal(confirms.done, 4);
}

static void test_multiple_confirms_all_before(void **state)
{
    (void)state;
    send(10);
    assert_true(confirms_take(&confirms, 9, false));
    assert_true(confirms_take(&confirms, 8, true));
    assert_int_equal(confirms.done, 9);
}

static void test_what_is_not_out_is_refused(void **state)
{
    (void)state;
    send(3);
    assert_false(confirms_take(&confirms, 0, false));
    assert_false(confirms_take(&confirms, 4, true));
    assert_true(confirms_take(&confirms, 2, false));
    assert_false(confirms_take(&confirms, 2, false));
    assert_true(confirms_take(&confirms, 1, false));
    assert_false(confirms_take(&confirms, 1, true));
    assert_int_equal(confirms.done, 2);
}

static void test_there_is_room_for_so_many_and_their_places_are_used_again(void **state)
{
    (void)state;
    send(CONFIRMS_MAX);
    assert_false(confirms_has_room(&confirms));
    assert_true(confirms_take(&confirms, CONFIRMS_MAX, false));
    assert_false(confirms_has_room(&confirms));
    assert_true(confirms_take(&confirms, CONFIRMS_MAX - 1, true));
    assert_int_equal(confirms.done, CONFIRMS_MAX);
    send(CONFIRMS_MAX);
    assert_true(confirms_take(&confirms, CONFIRMS_MAX + 1, false));
    assert_int_equal(confirms.done, CONFIRMS_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_oldest_unconfirmed_holds_the_rest_back, clear),
        cmocka_unit_test_setup(test_multiple_confirms_all_before, clear),
        cmocka_unit_test_setup(test_what_is_not_out_is_refused, clear),
        cmocka_unit_test_setup(test_there_is_room_for_so_many_and_their_places_are_used_again,
                               clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
