/*
 * aliases: old trace ids and the canonical ids they were merged under, for late spans and
 * for links that still name the old id.
 *
 * Bounded by count; the oldest go first.  One worker.
 */
#ifndef SB_WORKER_ALIASES_H
#define SB_WORKER_ALIASES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ids.h"
#include "core/table.h"

struct alias {
    struct trace_id old;
    struct trace_id canonical;
};

struct aliases {
    struct alias *items; /* a ring, `count_max` long; grown by doubling up to that */
    uint32_t room;
    uint32_t count_max;
    uint32_t first;
    uint32_t count;
    struct table by_old;
    uint64_t seed;
};

enum sb_err aliases_init(struct aliases *aliases, uint32_t count_max,
                         uint64_t seed) SB_MUST_USE;
void aliases_clear(struct aliases *aliases);

/* SB_ERR_MEMORY: not remembered. */
enum sb_err aliases_put(struct aliases *aliases, struct trace_id old,
                        struct trace_id canonical) SB_MUST_USE;

bool aliases_get(const struct aliases *aliases, struct trace_id old, struct trace_id *ret);

#endif
