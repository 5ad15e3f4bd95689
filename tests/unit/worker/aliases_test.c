#include "aliases.h"

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

static struct trace_id id_of(uint64_t number)
{
    struct trace_id id = {{0}};
    memcpy(id.byte + 4, &number, sizeof(number));
    return id;
}

static void expect(const struct aliases *aliases, uint64_t old, uint64_t canonical)
{
    struct trace_id found;
    assert_true(aliases_get(aliases, id_of(old), &found));
    assert_true(trace_id_equal(found, id_of(canonical)));
}

static void expect_none(const struct aliases *aliases, uint64_t old)
{
    struct trace_id found = id_of(77);
    assert_false(aliases_get(aliases, id_of(old), &found));
    assert_true(trace_id_equal(found, id_of(77)));
}

static void test_an_alias_is_found_and_replaced(void **state)
{
    (void)state;
    struct aliases aliases;
    assert_int_equal(aliases_init(&aliases, 1000, 5), SB_OK);
    expect_none(&aliases, 1);
    assert_int_equal(aliases_put(&aliases, id_of(1), id_of(2)), SB_OK);
    expect(&aliases, 1, 2);
    expect_none(&aliases, 2);
    assert_int_equal(aliases_put(&aliases, id_of(1), id_of(3)), SB_OK);
    expect(&aliases, 1, 3);
    assert_int_equal(aliases.count, 1);
    aliases_clear(&aliases);
}

static void test_the_oldest_are_forgotten_first(void **state)
{
    (void)state;
    /* Below, at and above what a table starts with; no power of two. */
    static const uint32_t maxima[] = {1, 7, 256, 257, 1000};
    for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
        uint32_t max = maxima[i];
        struct aliases aliases;
        assert_int_equal(aliases_init(&aliases, max, 5), SB_OK);
        for (uint64_t n = 0; n < 3 * (uint64_t)max + 5; n++) {
            assert_int_equal(aliases_put(&aliases, id_of(n), id_of(n + 1000000)), SB_OK);
            expect(&aliases, n, n + 1000000);
            assert_true(aliases.count <= max);
            uint64_t oldest = n + 1 > max ? n + 1 - max : 0;
            expect(&aliases, oldest, oldest + 1000000);
            if (oldest > 0)
                expect_none(&aliases, oldest - 1);
        }
        aliases_clear(&aliases);
    }
}

/* A ring of the ids in their order of age is the model. */
static void test_random_puts_against_a_model(void **state)
{
    (void)state;
    enum { MAX = 300, IDS = 500, STEPS = 20000 };
    struct aliases aliases;
    struct random random;
    random_init(&random, 4);
    assert_int_equal(aliases_init(&aliases, MAX, 9), SB_OK);
    static uint64_t ids[MAX];
    static uint64_t values[MAX];
    uint32_t count = 0;
    for (int step = 0; step < STEPS; step++) {
        uint64_t id = random_below(&random, IDS);
        uint64_t value = random_next(&random);
        assert_int_equal(aliases_put(&aliases, id_of(id), id_of(value)), SB_OK);
        uint32_t at = 0;
        while (at < count && ids[at] != id)
            at++;
        if (at == count && count == MAX) {
            memmove(ids, ids + 1, sizeof(ids) - sizeof(ids[0]));
            memmove(values, values + 1, sizeof(values) - sizeof(values[0]));
            at--;
        } else if (at == count) {
            count++;
        }
        ids[at] = id;
        values[at] = value;
        uint32_t look = (uint32_t)random_below(&random, count);
        expect(&aliases, ids[look], values[look]);
        assert_int_equal(aliases.count, count);
        assert_int_equal(aliases.by_old.used, count);
    }
    for (uint64_t id = 0; id < IDS; id++) {
        bool known = false;
        for (uint32_t i = 0; i < count; i++)
            known |= ids[i] == id;
        if (!known)
            expect_none(&aliases, id);
    }
    aliases_clear(&aliases);
}

static void test_memory_shortage_changes_nothing(void **state)
{
    (void)state;
    enum { PUTS = 600 };
    uint64_t nth = 1;
    for (bool failed = true; failed; nth++) {
        failed = false;
        struct aliases aliases = {0};
        memory_fail_at(nth);
        enum sb_err err = aliases_init(&aliases, 1000, 5);
        failed = err != SB_OK;
        for (uint64_t n = 0; err == SB_OK && n < PUTS; n++) {
            if (aliases_put(&aliases, id_of(n), id_of(n + 1)) == SB_OK)
                continue;
            failed = true;
            expect_none(&aliases, n);
            if (n > 0)
                expect(&aliases, n - 1, n);
            assert_int_equal(aliases_put(&aliases, id_of(n), id_of(n + 1)), SB_OK);
        }
        memory_fail_at(0);
        for (uint64_t n = 0; err == SB_OK && n < PUTS; n++)
            expect(&aliases, n, n + 1);
        aliases_clear(&aliases);
    }
    assert_true(nth > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_alias_is_found_and_replaced),
        cmocka_unit_test(test_the_oldest_are_forgotten_first),
        cmocka_unit_test(test_random_puts_against_a_model),
        cmocka_unit_test(test_memory_shortage_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
