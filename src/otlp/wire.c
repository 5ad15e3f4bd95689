#include "wire.h"

enum { VARINT_BYTES_MAX = 10 };

const uint8_t *wire_varint_long(const uint8_t *at, const uint8_t *end, uint64_t *ret)
{
    uint64_t value = 0;
    size_t left = (size_t)(end - at);
    size_t most = left < VARINT_BYTES_MAX ? left : VARINT_BYTES_MAX;
    for (size_t i = 0; i < most; i++) {
        uint64_t byte = at[i];
        /* The tenth byte carries bit 63 alone. */
        if (i == VARINT_BYTES_MAX - 1 && byte > 1)
            return NULL;
        value |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *ret = value;
            return at + i + 1;
        }
    }
    return NULL;
}

static bool skip(struct wire_cursor *in, uint32_t type)
{
    uint64_t number;
    uint32_t small;
    struct bytes body;
    switch (type) {
    case WIRE_VARINT:
        return wire_varint(in, &number);
    case WIRE_FIXED64:
        return wire_fixed64(in, &number);
    case WIRE_BYTES:
        return wire_bytes(in, &body);
    case WIRE_FIXED32:
        return wire_fixed32(in, &small);
    default:
        return false;
    }
}

const uint8_t *wire_skip_from(struct wire_cursor in, uint32_t tag)
{
    if (tag >> 3 == 0 || !skip(&in, tag & 7))
        return NULL;
    return in.at;
}
