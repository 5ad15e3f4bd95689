/*
 * ring: a bounded queue of messages from one thread to one other, without locks.
 *
 * Messages are of any length up to a quarter of the ring.  The writer reserves space, fills
 * it and commits; the reader gets messages in place, in order, and releases them.  A reader
 * that found the ring empty is told to be woken: ring_commit says so, and the caller wakes
 * by its own means.
 */
#ifndef SB_CORE_RING_H
#define SB_CORE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"

struct ring;

/* `bytes` is rounded up to a power of two, 4 KiB at least.  SB_ERR_MEMORY. */
enum sb_err ring_new(size_t bytes, struct ring **ret) SB_MUST_USE;
void ring_free(struct ring *ring);

/* The longest message ring_reserve can ever give. */
size_t ring_message_max(const struct ring *ring);

/*
 * Writer: 8-byte aligned room for `len` bytes; NULL when the ring is full now, and always past
 * ring_message_max.  A second reserve before the commit forgets the first.
 */
void *ring_reserve(struct ring *ring, size_t len) SB_MUST_USE;

/* Writer: publishes the reserved message, cut to `len`.  True: the reader sleeps, wake it. */
bool ring_commit(struct ring *ring, size_t len);

/* Reader: the oldest message, valid until ring_release.  False: the ring is empty. */
bool ring_peek(struct ring *ring, struct bytes *ret);
void ring_release(struct ring *ring);

/*
 * Reader: says that it is about to sleep; false: a message has come, do not sleep.  At most one
 * ring_commit returns true per call; it may do so though the reader is awake by then, so a
 * wake-up must be harmless.
 */
bool ring_sleep(struct ring *ring);

#endif
