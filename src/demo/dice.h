/*
 * dice: numbers that look random and are the same for the same seed (splitmix64).
 */
#ifndef SB_DEMO_DICE_H
#define SB_DEMO_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* One stream of numbers for each pair. */
struct dice dice_of(uint64_t seed, uint64_t stream);

uint64_t dice_next(struct dice *dice);

/* Even in 0 ... bound - 1, but for a bias that nobody sees; bound > 0. */
uint32_t dice_below(struct dice *dice, uint32_t bound);

/* Even in least ... most. */
uint32_t dice_between(struct dice *dice, uint32_t least, uint32_t most);

void dice_fill(struct dice *dice, uint8_t *ret, size_t len);

#endif
