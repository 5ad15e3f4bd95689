/*
 * memory: the allocator of all stages: malloc with a count, and with faults for tests.
 *
 * The count shows that the span path does not allocate once warm; a fault makes one chosen
 * allocation fail, so that tests can sweep every failure path.  Both work from any thread.
 * Memory comes from and goes back to malloc, so sanitizers see it.
 */
#ifndef SB_CORE_MEMORY_H
#define SB_CORE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* Return NULL when memory is short.  The caller frees with memory_free. */
void *memory_alloc(size_t len) SB_MUST_USE;
void *memory_zalloc(size_t count, size_t size) SB_MUST_USE; /* checks count * size */
void *memory_realloc(void *at, size_t count, size_t size) SB_MUST_USE;
char *memory_copy_text(const char *text) SB_MUST_USE; /* NULL stays NULL */
void memory_free(void *at);

/*
 * For large blocks that are filled from end to end, or looked up all over: in huge pages where
 * there are any, and made present at once, since a fault for each small page costs more than
 * copying into it.  Blocks shorter than MEMORY_PAGES_MIN come as memory_alloc gives them.
 */
enum { MEMORY_PAGES_MIN = 2 << 20 };
void *memory_alloc_pages(size_t len) SB_MUST_USE;

/* Allocations made since the process began. */
uint64_t memory_allocations(void);

/* The nth allocation from now fails (1: the next one); 0 switches faults off. */
void memory_fail_at(uint64_t nth);

#endif
