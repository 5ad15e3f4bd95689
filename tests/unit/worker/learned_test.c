#include "learned.h"
#include "support/test.h"

static struct learned learned;

static int set_up(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < LEARNED_SLOTS; i++)
        atomic_store(&learned.slots[i], 0);
    return 0;
}

static void test_what_was_added_is_known(void **state)
{
    (void)state;
    const uint64_t names[] = {0, 7, 7 + LEARNED_SLOTS, UINT64_MAX};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_false(learned_has(&learned, names[i]));
        learned_add(&learned, names[i]);
        learned_add(&learned, names[i]);
        for (size_t j = 0; j <= i; j++)
            assert_true(learned_has(&learned, names[j]));
    }
    assert_false(learned_has(&learned, 8 + LEARNED_SLOTS));
}

/* Names come from outside: what finds no room is not remembered, and pushes nothing out. */
static void test_the_set_is_bounded(void **state)
{
    (void)state;
    enum { SAME_SLOT = 100 };
    uint32_t known = 0;
    for (uint64_t i = 0; i < SAME_SLOT; i++)
        learned_add(&learned, 5 + i * LEARNED_SLOTS);
    for (uint64_t i = 0; i < SAME_SLOT; i++) {
        bool has = learned_has(&learned, 5 + i * LEARNED_SLOTS);
        assert_true(!has || known == i); /* the first ones */
        known += has;
    }
    assert_true(known > 0 && known < SAME_SLOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_what_was_added_is_known, set_up),
        cmocka_unit_test_setup(test_the_set_is_bounded, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
