/*
 * learned: the destinations for which consumer sides have been seen, by hash of their name.
 *
 * A trace that sent to one of them is worth waiting for: its other half will come.  Names come
 * from outside, so the set is of fixed size; what finds no room is not waited for.  Any
 * worker adds and asks; nothing is ever taken out.
 */
#ifndef SB_WORKER_LEARNED_H
#define SB_WORKER_LEARNED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LEARNED_SLOTS = 4096 };

struct learned {
    _Atomic uint64_t slots[LEARNED_SLOTS]; /* 0: empty */
};

void learned_add(struct learned *learned, uint64_t destination);
bool learned_has(const struct learned *learned, uint64_t destination);

#endif
