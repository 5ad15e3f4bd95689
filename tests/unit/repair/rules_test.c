#include <string.h>

#include "repair/hops.h"
#include "support/test.h"

/* The names that users meet in attributes and metrics, and the order of strength. */
static void test_every_rule(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char class;
    } rows[] = {
        {"same_trace", 'A'},
        {"link", 'A'},
        {"coordinate", 'A'},
        {"header_at_coordinate", 'A'},
    };
    assert_int_equal(sizeof(rows) / sizeof(rows[0]), REPAIR_RULE_COUNT);
    for (int i = 0; i < REPAIR_RULE_COUNT; i++) {
        assert_string_equal(repair_rule_text((enum repair_rule)i), rows[i].text);
        assert_int_equal(repair_rule_class((enum repair_rule)i), rows[i].class);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
