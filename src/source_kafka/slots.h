/*
 * slots: a growing array of pointers, one writer, any number of readers, no lock.
 *
 * Growing copies the array; what readers may still look at is kept until slots_clear, so all
 * copies together are less than twice the last one.
 */
#ifndef SB_SOURCE_KAFKA_SLOTS_H
#define SB_SOURCE_KAFKA_SLOTS_H

#include <stdint.h>

#include "core/err.h"

struct slots_block;

struct slots {
    struct slots_block *_Atomic block;
};

void slots_init(struct slots *slots);
void slots_clear(struct slots *slots); /* no reader may be left */

/* The writer.  SB_ERR_MEMORY: nothing has changed. */
enum sb_err slots_set(struct slots *slots, uint32_t index, void *item) SB_MUST_USE;

/* Any thread; NULL where nothing was set. */
void *slots_get(const struct slots *slots, uint32_t index);

#endif
