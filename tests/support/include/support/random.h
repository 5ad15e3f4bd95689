/*
 * random: numbers that look random and are the same for the same seed (splitmix64), so that a
 * model test that fails can be repeated.
 */
#ifndef SB_SUPPORT_RANDOM_H
#define SB_SUPPORT_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

void random_init(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);

/* Even in 0 ... bound - 1, up to a bias that tests do not care about; bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* Even in least ... most. */
uint64_t random_between(struct random *random, uint64_t least, uint64_t most);

/* True `percent` times in a hundred. */
bool random_chance(struct random *random, unsigned percent);

void random_fill(struct random *random, void *at, size_t len);

#endif
