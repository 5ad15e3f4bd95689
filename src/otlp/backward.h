/*
 * backward: writes protobuf from its end to its start.
 *
 * A message's length stands before it, and is known only behind it.  Written backwards it is
 * known in time: no byte is moved, and every length takes as few bytes as it can.
 */
#ifndef SB_OTLP_BACKWARD_H
#define SB_OTLP_BACKWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"

struct backward {
    uint8_t *block; /* owned */
    size_t room;
    size_t at;     /* where the last byte was written; what is written goes to the end */
    bool overflow; /* sticks: something did not fit */
};

/* SB_ERR_MEMORY. */
enum sb_err backward_init(struct backward *out, size_t room) SB_MUST_USE;
void backward_clear(struct backward *out);

/* What has been written so far; holds until the next write. */
struct bytes backward_bytes(const struct backward *out);
size_t backward_len(const struct backward *out);

void backward_put(struct backward *out, struct bytes in);
/* Room for `len` bytes before the others, or NULL. */
uint8_t *backward_grow(struct backward *out, size_t len);
/* Gives back the first `len` bytes of what backward_grow gave. */
void backward_shrink(struct backward *out, size_t len);

void backward_put_varint(struct backward *out, uint64_t value);
void backward_put_fixed64(struct backward *out, uint64_t value);
void backward_put_fixed32(struct backward *out, uint32_t value);

/* The tag and the length of the last `len` bytes written. */
void backward_put_head(struct backward *out, uint32_t field, size_t len);

#endif
