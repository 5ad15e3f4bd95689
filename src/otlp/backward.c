#include "backward.h"

#include "core/assert.h"
#include "core/memory.h"
#include "otlp/write.h"
#include "wire.h"

enum sb_err backward_init(struct backward *out, size_t room)
{
    uint8_t *block = memory_alloc(room);
    if (block == NULL)
        return SB_ERR_MEMORY;
    *out = (struct backward){.block = block, .room = room, .at = room};
    return SB_OK;
}

void backward_clear(struct backward *out)
{
    memory_free(out->block);
    *out = (struct backward){0};
}

size_t backward_len(const struct backward *out)
{
    return out->room - out->at;
}

struct bytes backward_bytes(const struct backward *out)
{
    return bytes_of(out->block + out->at, backward_len(out));
}

uint8_t *backward_grow(struct backward *out, size_t len)
{
    if (out->overflow || len > out->at) {
        out->overflow = true;
        return NULL;
    }
    out->at -= len;
    return out->block + out->at;
}

void backward_shrink(struct backward *out, size_t len)
{
    SB_ASSERT(len <= backward_len(out));
    out->at += len;
}

void backward_put(struct backward *out, struct bytes in)
{
    uint8_t *at = backward_grow(out, in.len);
    if (at != NULL && in.len > 0)
        memcpy(at, in.at, in.len);
}

void backward_put_varint(struct backward *out, uint64_t value)
{
    uint8_t buffer[OTLP_VARINT_MAX];
    backward_put(out, bytes_of(buffer, otlp_varint_write(value, buffer)));
}

void backward_put_fixed64(struct backward *out, uint64_t value)
{
    uint64_t little = htole64(value);
    backward_put(out, bytes_of(&little, sizeof(little)));
}

void backward_put_fixed32(struct backward *out, uint32_t value)
{
    uint32_t little = htole32(value);
    backward_put(out, bytes_of(&little, sizeof(little)));
}

void backward_put_head(struct backward *out, uint32_t field, size_t len)
{
    backward_put_varint(out, len);
    backward_put_varint(out, WIRE_TAG(field, WIRE_BYTES));
}
