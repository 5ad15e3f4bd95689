/*
 * hash: seeded 64-bit hashes for tables, and stable ones for derived ids.
 */
#ifndef SB_CORE_HASH_H
#define SB_CORE_HASH_H

#include <stdint.h>

#include "core/bytes.h"
#include "core/ids.h"

__extension__ typedef unsigned __int128 hash_wide; /* not ISO C, hence the typedef */

/* XXH3 of `in` under `seed`. */
uint64_t hash_bytes(struct bytes in, uint64_t seed);

/* Two independent stable 64-bit values from `in`, equal in every process (XXH3-128). */
void hash_stable_128(struct bytes in, uint64_t ret[2]);

/*
 * Mixes both halves of a trace id with the seed: ids are chosen by others, and some have
 * only 64 bits that vary.
 */
static inline uint64_t hash_trace_id(struct trace_id id, uint64_t seed)
{
    uint64_t high;
    uint64_t low;
    memcpy(&high, id.byte, 8);
    memcpy(&low, id.byte + 8, 8);
    hash_wide product = (hash_wide)(high ^ seed) * ((low ^ (seed << 1)) | UINT64_C(1));
    uint64_t mixed = (uint64_t)product ^ (uint64_t)(product >> 64) ^ low;
    return mixed * UINT64_C(0x9E3779B97F4A7C15) ^ (mixed >> 29);
}

/* A seed nobody can guess, from the system's random source. */
uint64_t hash_random_seed(void);

#endif
