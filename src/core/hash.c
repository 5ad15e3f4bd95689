#include "core/hash.h"

#include <errno.h>
#include <sys/random.h>

#include "core/assert.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(struct bytes in, uint64_t seed)
{
    return XXH3_64bits_withSeed(in.at, in.len, seed);
}

void hash_stable_128(struct bytes in, uint64_t ret[2])
{
    XXH128_hash_t hash = XXH3_128bits(in.at, in.len);
    ret[0] = hash.high64;
    ret[1] = hash.low64;
}

uint64_t hash_random_seed(void)
{
    uint64_t seed;
    ssize_t got;
    do {
        got = getrandom(&seed, sizeof(seed), 0);
    } while (got < 0 && errno == EINTR);
    SB_ASSERT(got == (ssize_t)sizeof(seed));
    return seed;
}
