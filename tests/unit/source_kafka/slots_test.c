#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "slots.h"

static void items_stay_while_the_array_grows(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static int items[COUNT];
    struct slots slots;
    slots_init(&slots);
    assert_null(slots_get(&slots, 0));
    for (uint32_t i = 0; i < COUNT; i += 3)
        assert_int_equal(slots_set(&slots, i, &items[i]), SB_OK);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_ptr_equal(slots_get(&slots, i), i % 3 == 0 ? &items[i] : NULL);
    assert_null(slots_get(&slots, UINT32_MAX));
    assert_int_equal(slots_set(&slots, 3, NULL), SB_OK);
    assert_null(slots_get(&slots, 3));
    slots_clear(&slots);
    assert_null(slots_get(&slots, 0));
}

static void failed_growth_changes_nothing(void **state)
{
    (void)state;
    int item = 0;
    struct slots slots;
    slots_init(&slots);
    assert_int_equal(slots_set(&slots, 0, &item), SB_OK);
    memory_fail_at(1);
    assert_int_equal(slots_set(&slots, 1000, &item), SB_ERR_MEMORY);
    memory_fail_at(0);
    assert_ptr_equal(slots_get(&slots, 0), &item);
    assert_null(slots_get(&slots, 1000));
    assert_int_equal(slots_set(&slots, UINT32_MAX, &item), SB_ERR_MEMORY);
    slots_clear(&slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_stay_while_the_array_grows),
        cmocka_unit_test(failed_growth_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
