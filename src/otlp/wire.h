/*
 * wire: the only reader of protobuf's encoding in the tree.
 *
 * A cursor walks one encoded message; every reader either moves it behind what it read or
 * fails, and then the message is malformed and the cursor is of no further use.  Lengths are
 * compared with what remains, never added to a pointer first.  Groups, field 0, varints of
 * more than ten bytes or 64 bits, and tags of more than 32 bits are refused.  Nothing here
 * recurses or allocates; views hold as long as the input does.
 *
 * Readers are inline since the scan spends its time here; only long varints are not.
 * Source: the protobuf encoding guide (https://protobuf.dev/programming-guides/encoding/).
 */
#ifndef SB_OTLP_WIRE_H
#define SB_OTLP_WIRE_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/bytes.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* The tag that announces field `number` of wire type `type`. */
#define WIRE_TAG(number, type) ((uint32_t)(number) << 3 | (uint32_t)(type))

#define WIRE_LIKELY(condition) __builtin_expect(!!(condition), 1)

/* Where the compiler's guess was measured to be wrong; see tests/bench/scan_bench.c. */
#define WIRE_INLINE   static inline __attribute__((always_inline))
#define WIRE_NOINLINE static __attribute__((noinline))

struct wire_cursor {
    const uint8_t *at;
    const uint8_t *end;
};

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;    /* VARINT, FIXED64, FIXED32 */
    struct bytes body; /* BYTES */
};

/* at is NULL only where end is too; no reader then looks at it. */
static inline struct wire_cursor wire_open(struct bytes message)
{
    if (message.len == 0)
        return (struct wire_cursor){message.at, message.at};
    return (struct wire_cursor){message.at, message.at + message.len};
}

static inline bool wire_at_end(const struct wire_cursor *in)
{
    return in->at == in->end;
}

static inline size_t wire_left(const struct wire_cursor *in)
{
    return (size_t)(in->end - in->at);
}

static inline struct bytes wire_rest(const struct wire_cursor *in)
{
    return bytes_of(in->at, wire_left(in));
}

/*
 * Reads a varint of two to ten bytes at `at` (at < end).  The byte behind it, or NULL when it
 * is cut off or too large.  Takes plain pointers so that callers' cursors stay in registers.
 */
const uint8_t *wire_varint_long(const uint8_t *at, const uint8_t *end, uint64_t *ret);

static inline bool wire_varint(struct wire_cursor *in, uint64_t *ret)
{
    if (in->at == in->end)
        return false;
    if (WIRE_LIKELY(*in->at < 0x80)) {
        *ret = *in->at++;
        return true;
    }
    /* Two bytes: the lengths of whole spans, and tags from field 16 on. */
    if (WIRE_LIKELY(in->end - in->at >= 2 && in->at[1] < 0x80)) {
        *ret = (uint64_t)(in->at[0] & 0x7f) | (uint64_t)in->at[1] << 7;
        in->at += 2;
        return true;
    }
    uint64_t value;
    const uint8_t *behind = wire_varint_long(in->at, in->end, &value);
    if (behind == NULL)
        return false;
    in->at = behind;
    *ret = value;
    return true;
}

/* Any tag that fits 32 bits; wire_skip or the caller's switch refuses unknown types. */
static inline bool wire_tag(struct wire_cursor *in, uint32_t *ret)
{
    uint64_t tag;
    if (!wire_varint(in, &tag) || tag > UINT32_MAX)
        return false;
    *ret = (uint32_t)tag;
    return true;
}

static inline bool wire_bytes(struct wire_cursor *in, struct bytes *ret)
{
    uint64_t len;
    if (!wire_varint(in, &len) || len > wire_left(in))
        return false;
    *ret = bytes_of(in->at, (size_t)len);
    in->at += len;
    return true;
}

static inline bool wire_fixed64(struct wire_cursor *in, uint64_t *ret)
{
    uint64_t value;
    if (wire_left(in) < sizeof(value))
        return false;
    memcpy(&value, in->at, sizeof(value));
    in->at += sizeof(value);
    *ret = le64toh(value);
    return true;
}

static inline bool wire_fixed32(struct wire_cursor *in, uint32_t *ret)
{
    uint32_t value;
    if (wire_left(in) < sizeof(value))
        return false;
    memcpy(&value, in->at, sizeof(value));
    in->at += sizeof(value);
    *ret = le32toh(value);
    return true;
}

/* The next field, whatever its type.  False: malformed.  Not to be called at the end. */
static inline bool wire_next(struct wire_cursor *in, struct wire_field *ret)
{
    uint32_t tag;
    if (!wire_tag(in, &tag) || tag >> 3 == 0)
        return false;
    ret->number = tag >> 3;
    ret->type = (enum wire_type)(tag & 7);
    ret->value = 0;
    ret->body = (struct bytes){0};
    switch (ret->type) {
    case WIRE_VARINT:
        return wire_varint(in, &ret->value);
    case WIRE_FIXED64:
        return wire_fixed64(in, &ret->value);
    case WIRE_BYTES:
        return wire_bytes(in, &ret->body);
    case WIRE_FIXED32: {
        uint32_t value;
        if (!wire_fixed32(in, &value))
            return false;
        ret->value = value;
        return true;
    }
    }
    return false; /* a group, or a type that does not exist */
}

/* As wire_skip, on plain values; NULL: malformed. */
const uint8_t *wire_skip_from(struct wire_cursor in, uint32_t tag);

/* Moves behind the content of the field that `tag` announced.  False: malformed. */
static inline bool wire_skip(struct wire_cursor *in, uint32_t tag)
{
    const uint8_t *behind = wire_skip_from(*in, tag);
    if (behind == NULL)
        return false;
    in->at = behind;
    return true;
}

#endif
