#include "backoff.h"

#include "core/clock.h"

enum { DOUBLINGS_MAX = 5 };
#define FIRST_NS (1 * NS_PER_S)
#define MOST_NS  (30 * NS_PER_S)

/* splitmix64 (Steele, Lea, Flood 2014): one word of state, even output. */
static uint64_t next_random(struct backoff *backoff)
{
    backoff->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = backoff->random;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

uint64_t backoff_fail_ns(struct backoff *backoff)
{
    uint32_t doublings = backoff->failures < DOUBLINGS_MAX ? backoff->failures : DOUBLINGS_MAX;
    uint64_t bound_ns = FIRST_NS << doublings;
    if (bound_ns > MOST_NS)
        bound_ns = MOST_NS;
    backoff->failures++;
    return next_random(backoff) % (bound_ns + 1);
}

void backoff_reset(struct backoff *backoff)
{
    backoff->failures = 0;
}
