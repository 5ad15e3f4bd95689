#include "support/test.h"

#include <stdio.h>

#include "names.h"

static void expect_short(const char *text, const char *expected)
{
    char copy[NAMES_LEN];
    snprintf(copy, sizeof(copy), "%s", text);
    names_shorten(copy);
    assert_string_equal(copy, expected);
}

static void test_mark_is_taken_out_again(void **state)
{
    (void)state;
    char name[NAMES_LEN];
    names_make("orders", 0x1a2b3c, name);
    assert_string_equal(name, "orders-spanbridge-demo-001a2b3c");
    expect_short(name, "orders");
    expect_short("orders-spanbridge-demo-001a2b3c queue", "orders queue");
}

static void test_other_names_stay(void **state)
{
    (void)state;
    expect_short("", "");
    expect_short("orders queue", "orders queue");
    expect_short("x-spanbridge-demo-", "x-spanbridge-demo-");
    expect_short("x-spanbridge-demo-1a2b", "x-spanbridge-demo-1a2b");
    expect_short("x-spanbridge-demo-of mine", "x-spanbridge-demo-of mine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mark_is_taken_out_again),
        cmocka_unit_test(test_other_names_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
