#include "support/random.h"

#include <string.h>

#include "core/assert.h"

void random_init(struct random *random, uint64_t seed)
{
    random->state = seed;
}

uint64_t random_next(struct random *random)
{
    uint64_t z = (random->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    SB_ASSERT(bound > 0);
    return random_next(random) % bound;
}

uint64_t random_between(struct random *random, uint64_t least, uint64_t most)
{
    SB_ASSERT(least <= most);
    uint64_t span = most - least;
    return span == UINT64_MAX ? random_next(random) : least + random_below(random, span + 1);
}

bool random_chance(struct random *random, unsigned percent)
{
    return random_below(random, 100) < percent;
}

void random_fill(struct random *random, void *at, size_t len)
{
    uint8_t *to = at;
    while (len > 0) {
        uint64_t number = random_next(random);
        size_t part = len < sizeof(number) ? len : sizeof(number);
        memcpy(to, &number, part);
        to += part;
        len -= part;
    }
}
