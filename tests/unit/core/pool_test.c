#include "core/pool.h"

#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { MODEL_MAX = 3000, ITEM_SIZE = 24 };

struct held {
    uint32_t index;
    uint8_t *at;
    uint8_t content[ITEM_SIZE];
};

static void take_one(struct pool *pool, struct random *random, struct held *ret)
{
    ret->index = pool_take(pool);
    assert_int_not_equal(ret->index, POOL_NONE);
    ret->at = pool_at(pool, ret->index);
    random_fill(random, ret->content, ITEM_SIZE);
    memcpy(ret->at, ret->content, ITEM_SIZE);
}

/* Items keep their address and content whatever is taken and given around them. */
static void test_random_takes_and_gives_against_a_model(void **state)
{
    (void)state;
    for (uint32_t chunk_bits = 0; chunk_bits <= 6; chunk_bits += 3) {
        static struct held held[MODEL_MAX];
        uint32_t count = 0;
        uint32_t most = 0;
        struct random random;
        random_init(&random, 17 + chunk_bits);
        struct pool pool;
        pool_init(&pool, ITEM_SIZE, chunk_bits);
        for (int step = 0; step < 30000; step++) {
            /* Phases that fill and phases that empty. */
            bool takes = random_chance(&random, step / 5000 % 2 == 0 ? 70 : 30);
            if (takes && count < MODEL_MAX) {
                take_one(&pool, &random, &held[count++]);
            } else if (count > 0) {
                uint32_t i = (uint32_t)random_below(&random, count);
                assert_ptr_equal(pool_at(&pool, held[i].index), held[i].at);
                assert_memory_equal(held[i].at, held[i].content, ITEM_SIZE);
                pool_give(&pool, held[i].index);
                held[i] = held[--count];
            }
            most = count > most ? count : most;
            assert_int_equal(pool.used, count);
        }
        for (uint32_t i = 0; i < count; i++)
            assert_memory_equal(held[i].at, held[i].content, ITEM_SIZE);
        /* No more was ever allocated than was held at once. */
        assert_int_equal(pool.next, most);
        size_t chunks = (most + (UINT32_C(1) << chunk_bits) - 1) >> chunk_bits;
        assert_int_equal(pool_bytes(&pool), (chunks << chunk_bits) * ITEM_SIZE);
        pool_clear(&pool);
        assert_int_equal(pool_bytes(&pool), 0);
    }
}

static void test_the_last_given_is_the_next_taken(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, 4, 4);
    uint32_t index[5];
    for (uint32_t i = 0; i < 5; i++) {
        index[i] = pool_take(&pool);
        assert_int_equal(index[i], i);
    }
    pool_give(&pool, index[1]);
    pool_give(&pool, index[4]);
    pool_give(&pool, index[2]);
    assert_int_equal(pool_take(&pool), index[2]);
    assert_int_equal(pool_take(&pool), index[4]);
    assert_int_equal(pool_take(&pool), index[1]);
    assert_int_equal(pool_take(&pool), 5);
    pool_clear(&pool);
}

static void test_a_warm_pool_does_not_allocate(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, 64, 3);
    uint32_t index[100];
    uint64_t warm = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            index[i] = pool_take(&pool);
        if (round == 0)
            warm = memory_allocations();
        for (int i = 0; i < 100; i++)
            pool_give(&pool, index[i]);
    }
    assert_int_equal(memory_allocations(), warm);
    pool_clear(&pool);
}

/* Beyond some size chunks share blocks: none of their items lies on another one. */
static void test_items_of_a_large_pool_keep_apart(void **state)
{
    (void)state;
    static const struct {
        size_t item_size;
        uint32_t chunk_bits;
    } pools[] = {{72, 7}, {144, 8}, {1000, 10}, {2048, 9}, {3000, 10}};
    for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
        struct pool pool;
        pool_init(&pool, pools[i].item_size, pools[i].chunk_bits);
        uint32_t count = (uint32_t)((9 << 20) / pools[i].item_size);
        for (uint32_t n = 0; n < count; n++) {
            assert_int_equal(pool_take(&pool), n);
            memset(pool_at(&pool, n), (int)(n % 251), pools[i].item_size);
        }
        for (uint32_t n = 0; n < count; n++) {
            const uint8_t *item = pool_at(&pool, n);
            assert_int_equal(item[0], n % 251);
            assert_int_equal(item[pools[i].item_size - 1], n % 251);
        }
        /* Items that share a block still count one by one. */
        size_t chunk_bytes = pools[i].item_size << pools[i].chunk_bits;
        assert_int_equal(pool_bytes(&pool), (count * pools[i].item_size + chunk_bytes - 1) /
                                                chunk_bytes * chunk_bytes);
        pool_clear(&pool);
    }
}

static void test_memory_shortage_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 12; nth++) {
        struct pool pool;
        pool_init(&pool, 8, 0);
        uint32_t expected = 0;
        int failed = 0;
        memory_fail_at(nth);
        for (int i = 0; i < 20; i++) {
            uint32_t index = pool_take(&pool);
            if (index == POOL_NONE) {
                failed++;
                assert_int_equal(pool.used, expected);
            } else {
                assert_int_equal(index, expected++);
                memset(pool_at(&pool, index), i, 8);
            }
        }
        memory_fail_at(0);
        assert_int_equal(failed, 1);
        pool_clear(&pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_takes_and_gives_against_a_model),
        cmocka_unit_test(test_the_last_given_is_the_next_taken),
        cmocka_unit_test(test_a_warm_pool_does_not_allocate),
        cmocka_unit_test(test_items_of_a_large_pool_keep_apart),
        cmocka_unit_test(test_memory_shortage_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
