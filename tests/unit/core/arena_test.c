#include "core/arena.h"

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

enum { MODEL_MAX = 4000 };

struct piece {
    uint8_t *at;
    size_t len;
    uint8_t fill;
};

static void check_pieces(const struct piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < pieces[i].len; k++)
            assert_int_equal(pieces[i].at[k], pieces[i].fill);
}

static size_t random_len(struct random *random)
{
    switch (random_below(random, 10)) {
    case 0:
        return 0;
    case 1:
        return random_below(random, 20000);
    default:
        return random_below(random, 200);
    }
}

/* Every piece keeps its own content until all are taken back: none overlaps another. */
static void test_random_pieces_against_a_model(void **state)
{
    (void)state;
    static struct piece pieces[MODEL_MAX];
    struct random random;
    random_init(&random, 1);
    size_t bytes_max = 300 * 1000;
    struct arena arena;
    arena_init(&arena, bytes_max);
    size_t refused = 0;
    for (int round = 0; round < 20; round++) {
        size_t count = 0;
        size_t sum = 0;
        size_t wanted = random_below(&random, MODEL_MAX) + 1;
        for (size_t i = 0; i < wanted; i++) {
            size_t len = random_len(&random);
            uint8_t *at = arena_alloc(&arena, len);
            assert_true(arena.bytes_held <= bytes_max);
            if (at == NULL) {
                assert_true(sum + len > bytes_max / 4); /* it was not nearly empty */
                refused++;
                continue;
            }
            assert_int_equal((uintptr_t)at % 16, 0);
            pieces[count] = (struct piece){at, len, (uint8_t)random_next(&random)};
            memset(at, pieces[count].fill, len);
            sum += len;
            count++;
        }
        assert_true(sum <= arena.bytes_held);
        check_pieces(pieces, count);
        arena_clear(&arena);
        assert_int_equal(arena.bytes_held, 0);
    }
    assert_true(refused > 0);
}

static void test_empty_pieces_have_addresses_of_their_own(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096);
    void *a = arena_alloc(&arena, 0);
    void *b = arena_alloc(&arena, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    arena_clear(&arena);
}

static void test_the_cap_holds_and_a_refusal_spoils_nothing(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 10000);
    assert_null(arena_alloc(&arena, 10000)); /* the chunk's own head does not fit too */
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 20));
    assert_int_equal(arena.bytes_held, 0);
    assert_non_null(arena_alloc(&arena, 1000));
    /* A refusal while the chunk has room: it stays in use. */
    size_t held = arena.bytes_held;
    assert_null(arena_alloc(&arena, 9000));
    assert_non_null(arena_alloc(&arena, 3000));
    assert_int_equal(arena.bytes_held, held);
    assert_non_null(arena_alloc(&arena, 3000));
    assert_true(arena.bytes_held <= 10000);
    arena_clear(&arena);

    arena_init(&arena, 0);
    assert_null(arena_alloc(&arena, 0));
    arena_clear(&arena);
}

static void test_copies(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096);
    struct bytes in = BYTES_LITERAL("checkout");
    struct bytes copy = arena_copy(&arena, in);
    assert_ptr_not_equal(copy.at, in.at);
    assert_true(bytes_equal(copy, in));
    assert_int_equal(arena_copy(&arena, bytes_of(NULL, 0)).len, 0);
    uint8_t large[5000] = {0};
    struct bytes refused = arena_copy(&arena, bytes_of(large, sizeof(large)));
    assert_null(refused.at);
    assert_int_equal(refused.len, 0);
    arena_clear(&arena);
}

static void test_memory_shortage_is_survived(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 4; nth++) {
        struct arena arena;
        arena_init(&arena, SIZE_MAX);
        memory_fail_at(nth);
        int failed = 0;
        for (int i = 0; i < 30; i++) {
            uint8_t *at = arena_alloc(&arena, 1000);
            if (at == NULL)
                failed++;
            else
                memset(at, i, 1000);
        }
        memory_fail_at(0);
        assert_int_equal(failed, 1);
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_pieces_against_a_model),
        cmocka_unit_test(test_empty_pieces_have_addresses_of_their_own),
        cmocka_unit_test(test_the_cap_holds_and_a_refusal_spoils_nothing),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_memory_shortage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
