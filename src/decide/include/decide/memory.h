/*
 * memory: remembers verdicts exactly, so that a late span follows its trace's verdict.
 *
 * Bounded by bytes; the oldest verdict is forgotten first; no false matches.  At most 24
 * bytes an id with the table's slack.  One per worker.
 */
#ifndef SB_DECIDE_MEMORY_H
#define SB_DECIDE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ids.h"
#include "decide/decide.h"

struct decide_memory;

/*
 * All of bytes_max is taken at once, and nothing later (untouched pages cost no memory where
 * the system hands them out lazily).  Below about 1 KiB nothing is remembered.  SB_ERR_MEMORY.
 */
enum sb_err decide_memory_new(size_t bytes_max, uint64_t hash_seed,
                              struct decide_memory **ret) SB_MUST_USE;
void decide_memory_free(struct decide_memory *memory);

/* Remembers, or replaces the verdict; the id then keeps its age. */
void decide_memory_put(struct decide_memory *memory, struct trace_id id,
                       struct decide_verdict verdict);

/* False: not known, or forgotten. */
bool decide_memory_get(const struct decide_memory *memory, struct trace_id id,
                       struct decide_verdict *ret);

void decide_memory_prefetch(const struct decide_memory *memory, struct trace_id id);

/*
 * Verdicts that can be found now, and the bytes they and all others may take.  For tests, which
 * hold what is remembered against a model, and its bytes against the bound.
 */
uint64_t decide_memory_count(const struct decide_memory *memory);
size_t decide_memory_bytes(const struct decide_memory *memory);

#endif
