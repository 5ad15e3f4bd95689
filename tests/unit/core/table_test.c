#include "core/table.h"

#include <string.h>

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { MODEL_MAX = 5000 };

struct entry {
    uint64_t hash;
    uint32_t value;
};

struct model {
    struct entry entries[MODEL_MAX];
    uint32_t count;
};

/* What lookups and removal rely on: distances grow by one at most from slot to slot. */
static void check_order(const struct table *table)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i <= table->mask; i++) {
        struct table_slot slot = table->slots[i];
        struct table_slot before = table->slots[(i - 1) & table->mask];
        if (slot.tag == 0)
            continue;
        used++;
        uint32_t distance = (i - table_home(table, slot.tag)) & table->mask;
        uint32_t before_distance = (i - 1 - table_home(table, before.tag)) & table->mask;
        if (distance > 0) {
            assert_int_not_equal(before.tag, 0);
            assert_true(distance <= before_distance + 1);
        }
    }
    assert_int_equal(used, table->used);
    assert_true(table->used <= (table->mask + 1) / 8 * 7);
}

static uint32_t count_found(const struct table *table, uint64_t hash, uint32_t wanted)
{
    uint32_t value;
    uint32_t found = 0;
    struct table_cursor at = table_find(table, hash);
    while (table_next(table, &at, &value))
        found += value == wanted;
    return found;
}

static void check_all_found(const struct table *table, const struct model *model)
{
    for (uint32_t i = 0; i < model->count; i++) {
        table_prefetch(table, model->entries[i].hash);
        assert_int_equal(count_found(table, model->entries[i].hash, model->entries[i].value),
                         1);
    }
}

/* One random operation on both; `tags`: how many different tags there are, to force collisions. */
static void step(struct table *table, struct model *model, struct random *random, uint64_t tags,
                 uint32_t number)
{
    uint64_t hash = random_below(random, tags) << 32 | (random_next(random) & 0xffff);
    uint32_t i = model->count == 0 ? 0 : (uint32_t)random_below(random, model->count);
    /* Phases that fill and phases that empty. */
    uint64_t inserts = number / 8192 % 2 == 0 ? 6 : 3;
    uint64_t what = random_below(random, 10);
    if (what < inserts && model->count < MODEL_MAX) {
        assert_int_equal(table_insert(table, hash, number), SB_OK);
        model->entries[model->count++] = (struct entry){hash, number};
    } else if (what < 8 && model->count > 0) {
        assert_true(table_remove(table, model->entries[i].hash, model->entries[i].value));
        model->entries[i] = model->entries[--model->count];
    } else if (what == 8 && model->count > 0) {
        assert_true(
            table_replace(table, model->entries[i].hash, model->entries[i].value, number));
        model->entries[i].value = number;
    } else {
        assert_false(table_remove(table, hash, UINT32_MAX));
        assert_false(table_replace(table, hash, UINT32_MAX, 0));
        assert_int_equal(count_found(table, hash, UINT32_MAX), 0);
    }
    assert_int_equal(table->used, model->count);
}

static void run_against_model(uint64_t tags, uint64_t seed)
{
    static struct model model;
    model.count = 0;
    struct random random;
    random_init(&random, seed);
    struct table table;
    assert_int_equal(table_init(&table, 0), SB_OK);
    for (uint32_t number = 0; number < 60000; number++) {
        step(&table, &model, &random, tags, number);
        if (number % 4096 == 0 || (number < 2000 && number % 16 == 0)) {
            check_order(&table);
            check_all_found(&table, &model);
        }
    }
    check_order(&table);
    check_all_found(&table, &model);
    while (model.count > 0) {
        struct entry last = model.entries[--model.count];
        assert_true(table_remove(&table, last.hash, last.value));
    }
    for (uint32_t i = 0; i <= table.mask; i++)
        assert_int_equal(table.slots[i].tag, 0);
    table_clear(&table);
    assert_int_equal(table_bytes(&table), 0);
}

static void test_random_operations_against_a_model(void **state)
{
    (void)state;
    run_against_model(UINT64_C(1) << 32, 1);
    run_against_model(3000, 2);
}

static void test_heavy_collisions_against_a_model(void **state)
{
    (void)state;
    run_against_model(300, 3);
}

static void test_entries_of_one_hash_all_come(void **state)
{
    (void)state;
    struct table table;
    assert_int_equal(table_init(&table, 0), SB_OK);
    uint64_t hash = UINT64_C(0x1234567800000000);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(table_insert(&table, hash, i), SB_OK);
    bool seen[50] = {false};
    uint32_t value;
    struct table_cursor at = table_find(&table, hash);
    while (table_next(&table, &at, &value)) {
        assert_true(value < 50);
        assert_false(seen[value]);
        seen[value] = true;
    }
    for (int i = 0; i < 50; i++)
        assert_true(seen[i]);
    table_clear(&table);
}

static void test_a_tag_of_zero_is_stored_too(void **state)
{
    (void)state;
    struct table table;
    assert_int_equal(table_init(&table, 0), SB_OK);
    assert_int_equal(table_insert(&table, 0, 7), SB_OK);
    assert_int_equal(table_insert(&table, 5, 8), SB_OK);
    assert_int_equal(count_found(&table, 0, 7), 1);
    assert_int_equal(count_found(&table, 0, 8), 1);
    assert_true(table_remove(&table, 0, 7));
    assert_int_equal(count_found(&table, 0, 7), 0);
    table_clear(&table);
}

/* Looking for what is not there must stop early, not at the next empty slot. */
static void test_misses_are_short_in_a_full_table(void **state)
{
    (void)state;
    enum { ROOM = 7 * 1024, MISSES = 10000 };
    struct table table;
    struct random random;
    random_init(&random, 51);
    assert_int_equal(table_init(&table, ROOM), SB_OK);
    for (uint32_t i = 0; i < ROOM; i++)
        assert_int_equal(table_insert(&table, random_next(&random), i), SB_OK);
    assert_int_equal(table.mask + 1, 8 * 1024);
    uint64_t probes = 0;
    for (int i = 0; i < MISSES; i++) {
        uint32_t value;
        struct table_cursor at = table_find(&table, random_next(&random));
        while (table_next(&table, &at, &value)) {
        }
        probes += at.distance;
    }
    /* About 4 at this load; linear probing up to an empty slot would take 32. */
    assert_in_range(probes, MISSES, 8 * MISSES);
    table_clear(&table);
}

static void test_room_is_made_at_once(void **state)
{
    (void)state;
    for (uint32_t room = 0; room < 3000; room += 37) {
        struct table table;
        assert_int_equal(table_init(&table, room), SB_OK);
        size_t bytes = table_bytes(&table);
        assert_int_equal(bytes, (table.mask + 1) * 8);
        for (uint32_t i = 0; i < room; i++)
            assert_int_equal(table_insert(&table, (uint64_t)i << 32, i), SB_OK);
        assert_int_equal(table_bytes(&table), bytes);
        table_clear(&table);
    }
}

static void test_memory_shortage_changes_nothing(void **state)
{
    (void)state;
    struct table table = {.used = 99};
    memory_fail_at(1);
    assert_int_equal(table_init(&table, 10), SB_ERR_MEMORY);
    assert_int_equal(table.used, 99);
    for (uint64_t nth = 1; nth <= 6; nth++) {
        assert_int_equal(table_init(&table, 0), SB_OK);
        memory_fail_at(nth);
        int failed = 0;
        for (uint32_t i = 0; i < 500; i++) {
            uint64_t hash = (uint64_t)i << 32;
            if (table_insert(&table, hash, i) != SB_OK) {
                failed++;
                check_order(&table);
                assert_int_equal(table.used, i);
                assert_int_equal(count_found(&table, hash, i), 0);
                assert_int_equal(table_insert(&table, hash, i), SB_OK);
            }
        }
        memory_fail_at(0);
        assert_int_equal(failed, 1);
        for (uint32_t i = 0; i < 500; i++)
            assert_int_equal(count_found(&table, (uint64_t)i << 32, i), 1);
        table_clear(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations_against_a_model),
        cmocka_unit_test(test_heavy_collisions_against_a_model),
        cmocka_unit_test(test_entries_of_one_hash_all_come),
        cmocka_unit_test(test_a_tag_of_zero_is_stored_too),
        cmocka_unit_test(test_misses_are_short_in_a_full_table),
        cmocka_unit_test(test_room_is_made_at_once),
        cmocka_unit_test(test_memory_shortage_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
