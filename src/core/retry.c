#include "core/retry.h"

#include "core/assert.h"

void retry_init(struct retry *retry, uint64_t initial_ns, uint64_t max_ns, uint64_t seed)
{
    *retry = (struct retry){.initial_ns = initial_ns, .max_ns = max_ns, .random = seed};
    if (retry->max_ns < retry->initial_ns)
        retry->max_ns = retry->initial_ns;
}

/* splitmix64 (Steele, Lea, Flood 2014): one word of state, even output. */
uint64_t retry_random(struct retry *retry)
{
    retry->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = retry->random;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

uint64_t retry_wait_ns(struct retry *retry, uint32_t failures)
{
    SB_ASSERT(failures > 0);
    uint64_t bound_ns = retry->initial_ns;
    for (uint32_t i = 1; i < failures && bound_ns < retry->max_ns; i++)
        bound_ns = bound_ns > retry->max_ns / 2 ? retry->max_ns : bound_ns * 2;
    /* The bias of the remainder is far below what a wait could show. */
    return bound_ns == UINT64_MAX ? retry_random(retry) : retry_random(retry) % (bound_ns + 1);
}
