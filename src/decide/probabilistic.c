#include "probabilistic.h"

#include <math.h>
#include <stddef.h>

/* Source: the FNV authors' page; the constants of the 64-bit variant. */
#define FNV_OFFSET_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME        UINT64_C(0x100000001b3)

static uint64_t add_byte(uint64_t hash, uint8_t byte)
{
    return (hash ^ byte) * FNV_PRIME;
}

struct probabilistic probabilistic_init(double percentage, const char *salt)
{
    if (salt == NULL || salt[0] == '\0')
        salt = "default-hash-seed";
    struct probabilistic policy = {.basis = FNV_OFFSET_BASIS,
                                   .threshold = probabilistic_threshold(percentage),
                                   .none = !(percentage > 0)};
    for (const char *at = salt; *at != '\0'; at++)
        policy.basis = add_byte(policy.basis, (uint8_t)*at);
    return policy;
}

uint64_t probabilistic_threshold(double percentage)
{
    double ratio = percentage / 100;
    if (!(ratio > 0))
        return 0;
    if (ratio >= 1)
        return UINT64_MAX;
    /* Exact: scaling by 2^64 and rounding up to an integer lose no bit of a double. */
    return (uint64_t)ceil(ldexp(ratio, 64)) - 1;
}

uint64_t probabilistic_hash(const struct probabilistic *policy, struct trace_id id)
{
    uint64_t hash = policy->basis;
    for (size_t i = 0; i < TRACE_ID_LEN; i++)
        hash = add_byte(hash, id.byte[i]);
    return hash;
}
