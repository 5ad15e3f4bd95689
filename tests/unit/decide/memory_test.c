#include "decide/memory.h"

#include <string.h>

#include "core/hash.h"
#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { MODEL_MAX = 4000, SEED = 99 };

struct model_entry {
    struct trace_id id;
    struct decide_verdict verdict;
};

/* Oldest first; puts beyond `room` forget the oldest. */
struct model {
    struct model_entry entries[MODEL_MAX];
    uint32_t count;
    uint32_t room;
};

static struct model_entry *model_find(struct model *model, struct trace_id id)
{
    for (uint32_t i = 0; i < model->count; i++)
        if (trace_id_equal(model->entries[i].id, id))
            return &model->entries[i];
    return NULL;
}

static void model_put(struct model *model, struct trace_id id, struct decide_verdict verdict)
{
    struct model_entry *entry = model_find(model, id);
    if (entry != NULL) {
        entry->verdict = verdict;
        return;
    }
    if (model->count == model->room) {
        model->count--;
        memmove(model->entries, model->entries + 1, model->count * sizeof(*entry));
    }
    model->entries[model->count++] = (struct model_entry){.id = id, .verdict = verdict};
}

static struct decide_verdict random_verdict(struct random *random)
{
    return (struct decide_verdict){.keep = random_chance(random, 50),
                                   .policy = random_chance(random, 30)
                                                 ? DECIDE_NO_POLICY
                                                 : (uint16_t)random_below(random, 64)};
}

/* The upper half is often empty, as where ids have 64 bits. */
static struct trace_id numbered_id(uint64_t number)
{
    struct trace_id id = {.byte = {0}};
    memcpy(id.byte + 8, &number, sizeof(number));
    return id;
}

/* How many ids fit: put until one more does not raise the count. */
static uint32_t find_room(size_t bytes)
{
    struct decide_memory *memory = NULL;
    assert_int_equal(decide_memory_new(bytes, SEED, &memory), SB_OK);
    uint32_t room = 0;
    for (;;) {
        decide_memory_put(memory, numbered_id(room + 1),
                          (struct decide_verdict){.policy = DECIDE_NO_POLICY});
        if (decide_memory_count(memory) != room + 1)
            break;
        room++;
    }
    decide_memory_free(memory);
    return room;
}

static void check_equal(const struct decide_memory *memory, struct model *model,
                        struct trace_id id)
{
    struct decide_verdict verdict = {.keep = true, .policy = 12345};
    struct model_entry *entry = model_find(model, id);
    assert_int_equal(decide_memory_get(memory, id, &verdict), entry != NULL);
    assert_int_equal(verdict.policy, entry != NULL ? entry->verdict.policy : 12345);
    assert_int_equal(verdict.keep, entry != NULL ? entry->verdict.keep : true);
}

static void test_random_puts_and_gets_against_a_model(void **state)
{
    (void)state;
    static const size_t sizes[] = {640, 1200, 20000, 60000};
    for (size_t size = 0; size < sizeof(sizes) / sizeof(sizes[0]); size++) {
        static struct model model;
        model = (struct model){.room = find_room(sizes[size])};
        assert_in_range(model.room, 21, MODEL_MAX);
        struct random random;
        random_init(&random, 5 + size);
        struct decide_memory *memory = NULL;
        assert_int_equal(decide_memory_new(sizes[size], SEED + size, &memory), SB_OK);
        for (int step = 0; step < 12000; step++) {
            struct trace_id id = numbered_id(random_below(&random, model.room * 2));
            if (random_chance(&random, 60)) {
                struct decide_verdict verdict = random_verdict(&random);
                decide_memory_put(memory, id, verdict);
                model_put(&model, id, verdict);
            } else {
                decide_memory_prefetch(memory, id);
                check_equal(memory, &model, id);
            }
            assert_int_equal(decide_memory_count(memory), model.count);
        }
        for (uint64_t number = 0; number < model.room * 2; number++)
            check_equal(memory, &model, numbered_id(number));
        decide_memory_free(memory);
    }
}

static void test_every_verdict_comes_back(void **state)
{
    (void)state;
    struct decide_memory *memory = NULL;
    assert_int_equal(decide_memory_new(4096, SEED, &memory), SB_OK);
    for (unsigned policy = 0; policy <= DECIDE_POLICIES_MAX; policy++) {
        for (int keep = 0; keep < 2; keep++) {
            struct decide_verdict in = {
                .keep = keep == 1,
                .policy = policy == DECIDE_POLICIES_MAX ? DECIDE_NO_POLICY : (uint16_t)policy};
            decide_memory_put(memory, numbered_id(1), in);
            struct decide_verdict out;
            assert_true(decide_memory_get(memory, numbered_id(1), &out));
            assert_int_equal(out.keep, in.keep);
            assert_int_equal(out.policy, in.policy);
        }
    }
    assert_int_equal(decide_memory_count(memory), 1);
    decide_memory_free(memory);
}

/* The bound of the design: 24 bytes an id, everything counted, and never above bytes_max. */
static void test_bytes_an_id(void **state)
{
    (void)state;
    static const size_t sizes[] = {16 * 1024, 1024 * 1024, 8 * 1024 * 1024};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct decide_memory *memory = NULL;
        assert_int_equal(decide_memory_new(sizes[i], SEED, &memory), SB_OK);
        size_t bytes = decide_memory_bytes(memory);
        decide_memory_free(memory);
        assert_true(bytes <= sizes[i]);
        double each = (double)bytes / find_room(sizes[i]);
        print_message("%zu bytes: %.2f an id\n", bytes, each);
        assert_true(each <= 24.0);
        assert_true(bytes + 64 >= sizes[i] / 24 * 23); /* and it is used */
    }
}

static void test_nothing_is_allocated_after_new(void **state)
{
    (void)state;
    struct decide_memory *memory = NULL;
    uint64_t before = memory_allocations();
    assert_int_equal(decide_memory_new(100000, SEED, &memory), SB_OK);
    assert_int_equal(memory_allocations() - before, 3);
    for (uint64_t i = 0; i < 20000; i++)
        decide_memory_put(memory, numbered_id(i), (struct decide_verdict){.keep = true});
    assert_int_equal(memory_allocations() - before, 3);
    decide_memory_free(memory);
}

static void test_too_small_remembers_nothing(void **state)
{
    (void)state;
    struct decide_memory *memory = NULL;
    assert_int_equal(decide_memory_new(100, SEED, &memory), SB_OK);
    struct decide_verdict verdict = {.keep = true};
    decide_memory_put(memory, numbered_id(1), verdict);
    decide_memory_prefetch(memory, numbered_id(1));
    assert_false(decide_memory_get(memory, numbered_id(1), &verdict));
    assert_int_equal(decide_memory_count(memory), 0);
    decide_memory_free(memory);
    decide_memory_free(NULL);
}

/*
 * Ids chosen so that all of them want one pair of buckets (the test knows the seed, the
 * world does not): the oldest give way, the rest is right.
 */
static void test_crowded_buckets_forget_their_oldest(void **state)
{
    (void)state;
    enum { WANTED = 40, FIT = 32 };
    size_t bytes = 8 * 1024; /* 34 buckets */
    uint32_t buckets = (find_room(bytes) * 3 / 2 + 15) / 16;
    struct trace_id ids[WANTED];
    int found = 0;
    for (uint64_t number = 0; found < WANTED; number++) {
        uint64_t hash = hash_trace_id(numbered_id(number), SEED);
        uint64_t first = (hash & UINT32_MAX) * buckets >> 32;
        uint64_t second = (hash >> 32) * buckets >> 32;
        if (first + second == 1)
            ids[found++] = numbered_id(number);
    }
    struct decide_memory *memory = NULL;
    assert_int_equal(decide_memory_new(bytes, SEED, &memory), SB_OK);
    for (int i = 0; i < WANTED; i++) {
        struct decide_verdict verdict = {.keep = true, .policy = (uint16_t)i};
        decide_memory_put(memory, ids[i], verdict);
        assert_int_equal(decide_memory_count(memory), i < FIT ? i + 1 : FIT);
        assert_true(decide_memory_get(memory, ids[i], &verdict));
        assert_int_equal(verdict.policy, i);
    }
    /* Which of the first ones went depends on their buckets; of the last none did. */
    for (int i = WANTED - 8; i < WANTED; i++) {
        struct decide_verdict verdict;
        assert_true(decide_memory_get(memory, ids[i], &verdict));
    }
    /* Once around the ring: places whose ids were pushed out are taken again. */
    for (uint64_t number = 1U << 20; number < (1U << 20) + 2000; number++)
        decide_memory_put(memory, numbered_id(number), (struct decide_verdict){.keep = true});
    assert_int_equal(decide_memory_count(memory), find_room(bytes));
    decide_memory_free(memory);
}

/* In the smallest memory nothing is pushed out: an id's two buckets are never the same. */
static void test_two_buckets_hold_all_they_should(void **state)
{
    (void)state;
    enum { SMALLEST = 640, ROOM = 21 };
    assert_int_equal(find_room(SMALLEST), ROOM);
    struct decide_memory *memory = NULL;
    assert_int_equal(decide_memory_new(SMALLEST, SEED, &memory), SB_OK);
    uint32_t put = 0;
    for (uint64_t number = 0; put < ROOM; number++) {
        uint64_t hash = hash_trace_id(numbered_id(number), SEED);
        if ((hash & (UINT64_C(1) << 63 | UINT64_C(1) << 31)) != 0)
            continue; /* wants the second bucket too */
        decide_memory_put(memory, numbered_id(number), (struct decide_verdict){.keep = true});
        put++;
    }
    assert_int_equal(decide_memory_count(memory), ROOM);
    decide_memory_free(memory);
}

static void test_memory_shortage_is_reported(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 2; nth++) {
        struct decide_memory *memory = NULL;
        memory_fail_at(nth);
        assert_int_equal(decide_memory_new(10000, SEED, &memory), SB_ERR_MEMORY);
        memory_fail_at(0);
        assert_null(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_puts_and_gets_against_a_model),
        cmocka_unit_test(test_every_verdict_comes_back),
        cmocka_unit_test(test_bytes_an_id),
        cmocka_unit_test(test_nothing_is_allocated_after_new),
        cmocka_unit_test(test_too_small_remembers_nothing),
        cmocka_unit_test(test_crowded_buckets_forget_their_oldest),
        cmocka_unit_test(test_two_buckets_hold_all_they_should),
        cmocka_unit_test(test_memory_shortage_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
