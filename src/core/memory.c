#include "core/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The only globals that change: counts of the process as a whole, for tests and metrics. */
static _Atomic uint64_t allocations;
static _Atomic uint64_t until_fault; /* 0: no fault is planned */

/* Counts the allocation; true when it is the one that has to fail. */
static bool count_one(void)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    uint64_t left = atomic_load_explicit(&until_fault, memory_order_relaxed);
    while (left != 0) {
        if (atomic_compare_exchange_weak_explicit(&until_fault, &left, left - 1,
                                                  memory_order_relaxed, memory_order_relaxed))
            return left == 1;
    }
    return false;
}

void *memory_alloc(size_t len)
{
    if (count_one())
        return NULL;
    return malloc(len == 0 ? 1 : len);
}

/* Each step is a hint: where the kernel does not know it, nothing is lost. */
static void make_present(void *at, size_t len)
{
#ifdef MADV_HUGEPAGE
    madvise(at, len, MADV_HUGEPAGE);
#endif
#ifdef MADV_POPULATE_WRITE
    madvise(at, len, MADV_POPULATE_WRITE);
#endif
}

void *memory_alloc_pages(size_t len)
{
    if (len < MEMORY_PAGES_MIN)
        return memory_alloc(len);
    if (count_one())
        return NULL;
    void *at;
    if (posix_memalign(&at, MEMORY_PAGES_MIN, len) != 0)
        return NULL;
    make_present(at, len);
    return at;
}

void *memory_zalloc(size_t count, size_t size)
{
    if (count_one())
        return NULL;
    size_t len;
    if (__builtin_mul_overflow(count, size, &len)) /* sanitizers make calloc abort on it */
        return NULL;
    return calloc(1, len == 0 ? 1 : len);
}

void *memory_realloc(void *at, size_t count, size_t size)
{
    if (count_one())
        return NULL;
    size_t len;
    if (__builtin_mul_overflow(count, size, &len))
        return NULL;
    return realloc(at, len == 0 ? 1 : len);
}

char *memory_copy_text(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t len = strlen(text) + 1;
    char *copy = memory_alloc(len);
    if (copy != NULL)
        memcpy(copy, text, len);
    return copy;
}

void memory_free(void *at)
{
    free(at);
}

uint64_t memory_allocations(void)
{
    return atomic_load_explicit(&allocations, memory_order_relaxed);
}

void memory_fail_at(uint64_t nth)
{
    atomic_store_explicit(&until_fault, nth, memory_order_relaxed);
}
