#include "await.h"

#include "support/test.h"

enum { WAIT = 10, HOLD = 100 };

static struct await await_new(uint32_t lanes)
{
    return (struct await){.wait_ns = WAIT, .hold_ns = HOLD, .lanes = lanes};
}

static void test_what_is_read_waits_for_the_other_source(void **state)
{
    (void)state;
    struct await await = await_new(1);
    assert_int_equal(await_until_ns(&await, true, 1000), 1000 + WAIT);
    assert_int_equal(await_until_ns(&await, true, 1050), 1050 + WAIT);
    assert_int_equal(await_until_ns(&await, false, 1060), 0);
}

/* A service of one source holds nothing while it is given its share. */
static void test_nothing_waits_where_nothing_is_read(void **state)
{
    (void)state;
    struct await await = await_new(0);
    assert_int_equal(await_until_ns(&await, true, 1000), 0);
    await.lanes = 1;
    assert_int_equal(await_until_ns(&await, true, 2000), 2000 + WAIT);
}

static void test_a_source_that_stays_away_is_not_waited_for(void **state)
{
    (void)state;
    struct await await = await_new(1);
    assert_int_equal(await_until_ns(&await, true, 1000), 1000 + WAIT);
    assert_int_equal(await_until_ns(&await, true, 1000 + HOLD - 1), 1000 + HOLD - 1 + WAIT);
    assert_int_equal(await_until_ns(&await, true, 1000 + HOLD), 0);
    assert_int_equal(await_until_ns(&await, true, 5000), 0);
    /* Once it has been back, it is. */
    assert_int_equal(await_until_ns(&await, false, 6000), 0);
    assert_int_equal(await_until_ns(&await, true, 7000), 7000 + WAIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read_waits_for_the_other_source),
        cmocka_unit_test(test_nothing_waits_where_nothing_is_read),
        cmocka_unit_test(test_a_source_that_stays_away_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
