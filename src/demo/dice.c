#include "dice.h"

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014. */
#define GOLDEN_GAMMA UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct dice dice_of(uint64_t seed, uint64_t stream)
{
    return (struct dice){mix(mix(seed + GOLDEN_GAMMA) ^ (stream * GOLDEN_GAMMA))};
}

uint64_t dice_next(struct dice *dice)
{
    dice->state += GOLDEN_GAMMA;
    return mix(dice->state);
}

uint32_t dice_below(struct dice *dice, uint32_t bound)
{
    return (uint32_t)((dice_next(dice) >> 32) * bound >> 32);
}

uint32_t dice_between(struct dice *dice, uint32_t least, uint32_t most)
{
    return least + dice_below(dice, most - least + 1);
}

void dice_fill(struct dice *dice, uint8_t *ret, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t)dice_next(dice);
}
