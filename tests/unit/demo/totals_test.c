#include "support/test.h"

#include <string.h>

#include "totals.h"

static const char line[] =
    "{\"read\":{\"records\":4,\"spans\":100},\"exported\":40,\"dropped\":{\"no_policy\":50,"
    "\"x\":8},\"head\":0,\"held\":2,\"balance\":-3,\"synthetic\":7,\"traces\":{\"kept\":5,"
    "\"dropped\":6},\"repairs\":{\"link\":{\"parent\":9,\"link\":1},\"coordinate\":{\"parent\":"
    "11}}}";

static void test_figures_are_read(void **state)
{
    (void)state;
    struct totals totals;
    assert_true(totals_read(line, &totals));
    assert_int_equal(totals.read_records, 4);
    assert_int_equal(totals.read_spans, 100);
    assert_int_equal(totals.exported, 40);
    assert_int_equal(totals.dropped, 58);
    assert_int_equal(totals.held, 2);
    assert_int_equal(totals.synthetic, 7);
    assert_int_equal(totals.traces_kept, 5);
    assert_int_equal(totals.traces_dropped, 6);
    assert_int_equal(totals.balance, -3);
    assert_int_equal(totals.parents[SHOP_LINK], 9);
    assert_int_equal(totals.links[SHOP_LINK], 1);
    assert_int_equal(totals.parents[SHOP_COORDINATE], 11);
    assert_int_equal(totals.parents[SHOP_HEADER], 0);
}

static void test_what_is_not_there_is_no_zero(void **state)
{
    (void)state;
    struct totals totals;
    char broken[sizeof(line)];
    memcpy(broken, line, sizeof(line));
    memcpy(strstr(broken, "balance"), "valance", 7);
    assert_false(totals_read(broken, &totals));
    assert_false(totals_read("{}", &totals));
    assert_false(totals_read("", &totals));
    assert_false(totals_read("{\"read\":", &totals));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures_are_read),
        cmocka_unit_test(test_what_is_not_there_is_no_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
