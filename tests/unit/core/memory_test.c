#include "core/memory.h"

#include <pthread.h>
#include <string.h>

#include "support/test.h"

static void test_every_allocation_is_counted(void **state)
{
    (void)state;
    uint64_t before = memory_allocations();
    void *a = memory_alloc(10);
    void *b = memory_zalloc(3, 7);
    a = memory_realloc(a, 20, 2);
    char *c = memory_copy_text("text");
    assert_int_equal(memory_allocations() - before, 4);
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free(NULL);
    assert_int_equal(memory_allocations() - before, 4);
}

static void test_zalloc_gives_zeroes(void **state)
{
    (void)state;
    static const uint8_t zeroes[4096];
    void *dirty = memory_alloc(sizeof(zeroes));
    assert_non_null(dirty);
    memset(dirty, 0xff, sizeof(zeroes));
    memory_free(dirty);
    void *at = memory_zalloc(64, 64);
    assert_non_null(at);
    assert_memory_equal(at, zeroes, sizeof(zeroes));
    memory_free(at);
}

static void test_realloc_keeps_the_content(void **state)
{
    (void)state;
    char *at = memory_realloc(NULL, 1, 4);
    assert_non_null(at);
    memcpy(at, "abc", 4);
    at = memory_realloc(at, 5000, 3);
    assert_non_null(at);
    assert_string_equal(at, "abc");
    memory_free(at);
}

static void test_products_that_overflow_are_refused(void **state)
{
    (void)state;
    size_t half = SIZE_MAX / 2 + 1;
    assert_null(memory_zalloc(half, 2));
    assert_null(memory_realloc(NULL, half, 2));
    assert_null(memory_realloc(NULL, 2, half));
}

static void test_empty_allocations_are_not_null(void **state)
{
    (void)state;
    void *at[4] = {memory_alloc(0), memory_zalloc(0, 8), memory_zalloc(8, 0),
                   memory_realloc(NULL, 0, 8)};
    for (int i = 0; i < 4; i++) {
        assert_non_null(at[i]);
        memory_free(at[i]);
    }
}

static void test_copy_of_text(void **state)
{
    (void)state;
    assert_null(memory_copy_text(NULL));
    const char *text = "spans";
    char *copy = memory_copy_text(text);
    assert_ptr_not_equal(copy, text);
    assert_string_equal(copy, text);
    memory_free(copy);
}

/* One allocation of each kind; tells whether it failed. */
static int fails(int kind)
{
    void *at = NULL;
    switch (kind) {
    case 0:
        at = memory_alloc(8);
        break;
    case 1:
        at = memory_zalloc(1, 8);
        break;
    case 2:
        at = memory_realloc(NULL, 1, 8);
        break;
    default:
        at = memory_copy_text("12345");
        break;
    }
    int failed = at == NULL;
    memory_free(at);
    return failed;
}

static void test_only_the_nth_allocation_fails(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 8; nth++) {
        memory_fail_at(nth);
        for (uint64_t i = 1; i <= 12; i++)
            assert_int_equal(fails((int)(i % 4)), i == nth);
    }
    memory_fail_at(2);
    memory_fail_at(0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(fails(i % 4), 0);
}

static void test_a_failed_realloc_leaves_the_block(void **state)
{
    (void)state;
    char *at = memory_copy_text("kept");
    memory_fail_at(1);
    assert_null(memory_realloc(at, 100, 1));
    assert_string_equal(at, "kept");
    memory_free(at);
}

enum { THREADS = 4, PER_THREAD = 2000 };

static void *allocate_many(void *arg)
{
    uintptr_t *ret_failed = arg;
    for (int i = 0; i < PER_THREAD; i++)
        *ret_failed += (uintptr_t)fails(i % 4);
    return NULL;
}

static void test_count_and_fault_hold_across_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    uintptr_t failed[THREADS] = {0};
    uint64_t before = memory_allocations();
    memory_fail_at(THREADS * PER_THREAD / 2);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_many, &failed[i]), 0);
    uintptr_t sum = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        sum += failed[i];
    }
    assert_int_equal(sum, 1);
    assert_int_equal(memory_allocations() - before, THREADS * PER_THREAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_is_counted),
        cmocka_unit_test(test_zalloc_gives_zeroes),
        cmocka_unit_test(test_realloc_keeps_the_content),
        cmocka_unit_test(test_products_that_overflow_are_refused),
        cmocka_unit_test(test_empty_allocations_are_not_null),
        cmocka_unit_test(test_copy_of_text),
        cmocka_unit_test(test_only_the_nth_allocation_fails),
        cmocka_unit_test(test_a_failed_realloc_leaves_the_block),
        cmocka_unit_test(test_count_and_fault_hold_across_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
