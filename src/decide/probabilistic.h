/*
 * probabilistic: which trace ids a percentage keeps; the same ones as the Collector's
 * tail_sampling policy of that name.
 */
#ifndef SB_DECIDE_PROBABILISTIC_H
#define SB_DECIDE_PROBABILISTIC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ids.h"

struct probabilistic {
    uint64_t basis;     /* the hash's state after the salt */
    uint64_t threshold; /* kept: hash <= threshold */
    bool none;          /* a percentage of 0 or less, where even a hash of 0 is not kept */
};

/* `salt` NULL or "": "default-hash-seed".  A percentage that is no number keeps none. */
struct probabilistic probabilistic_init(double percentage, const char *salt);

/*
 * The greatest hash that is kept: all below ratio * 2^64 are, where ratio = percentage / 100
 * in double arithmetic.  The Collector multiplies ratio by 2^64 - 1 with 64 significant bits
 * and cuts that to an integer; a double has 53 bits, so both give the same number for every
 * ratio (checked with exact fractions on 200,000 of them, powers of two and their
 * neighbours included).
 */
uint64_t probabilistic_threshold(double percentage);

/* FNV-1a, 64 bits, over the salt and then the id's 16 bytes. */
uint64_t probabilistic_hash(const struct probabilistic *policy, struct trace_id id);

static inline bool probabilistic_keeps(const struct probabilistic *policy, struct trace_id id)
{
    return !policy->none && probabilistic_hash(policy, id) <= policy->threshold;
}

#endif
