#include "assembly.h"

#include "amqp/headers.h"
#include "core/assert.h"
#include "core/memory.h"

enum {
    HEADERS_MAX = 256,
    HEADER_BYTES_MAX = 64 << 10,
    BODY_FIRST_MAX = AMQP_FRAME_BYTES_MAX, /* room for a body before any of it has come */
    MS_PER_SECOND = 1000
};

struct record_header delivery_header(const struct delivery *delivery, uint32_t index)
{
    const struct delivery_header *headers = (const struct delivery_header *)(delivery + 1);
    return (struct record_header){.name = delivery_piece(delivery, headers[index].name),
                                  .value = delivery_piece(delivery, headers[index].value)};
}

enum sb_err assembly_begin(struct assembly *assembly, const struct amqp_event *event)
{
    if (assembly->stage != ASSEMBLY_IDLE)
        return SB_ERR_INPUT;
    assembly->stage = ASSEMBLY_HEADER;
    assembly->tag = event->tag;
    assembly->redelivered = event->redelivered;
    assembly->key_len = (uint8_t)event->routing_key.len; /* a short string is no longer */
    memcpy(assembly->key, event->routing_key.at, assembly->key_len);
    return SB_OK;
}

static struct piece put(struct delivery *block, uint32_t *at, struct bytes in)
{
    struct piece piece = {.at = in.at == NULL ? 0 : *at, .len = (uint32_t)in.len};
    if (in.at != NULL && in.len > 0)
        memcpy((uint8_t *)block + *at, in.at, in.len);
    *at += (uint32_t)in.len;
    return piece;
}

/* The routing key that the traced message had: the first of the list. */
static struct bytes traced_key(const amqp_table_t *headers)
{
    const amqp_field_value_t *keys = amqp_headers_find(headers, "routing_keys");
    if (keys == NULL || keys->kind != AMQP_FIELD_KIND_ARRAY ||
        keys->value.array.num_entries < 1 ||
        keys->value.array.entries[0].kind != AMQP_FIELD_KIND_UTF8)
        return bytes_of("", 0);
    return amqp_view(keys->value.array.entries[0].value.bytes);
}

/* What the block holds besides the body, as it is in the frame. */
struct parts {
    const amqp_table_t *broker; /* headers of the message as it came */
    const amqp_table_t *own;    /* of the message that was sent: another one in the firehose */
    int64_t time_s;             /* of the property; 0: none */
    struct amqp_header headers[HEADERS_MAX];
    size_t header_count;
    struct bytes key;
};

/* By the header that RabbitMQ's interceptor sets, in ms; else by the property, in s. */
static void read_time(const struct parts *parts, struct delivery *ret)
{
    int64_t time_ms;
    if (amqp_headers_integer(parts->own, "timestamp_in_ms", &time_ms) && time_ms >= 0) {
        ret->has_time = true;
        ret->time_ms = time_ms;
    } else if (parts->time_s > 0 && parts->time_s <= INT64_MAX / MS_PER_SECOND) {
        ret->has_time = true;
        ret->time_ms = parts->time_s * MS_PER_SECOND;
    }
}

static void look_at(const struct assembly *assembly, const amqp_basic_properties_t *properties,
                    struct parts *ret)
{
    bool cut; /* beyond the limits nobody looks at them */
    ret->broker =
        (properties->_flags & AMQP_BASIC_HEADERS_FLAG) != 0 ? &properties->headers : NULL;
    ret->key = bytes_of(assembly->key, assembly->key_len);
    ret->own = ret->broker;
    ret->time_s = (properties->_flags & AMQP_BASIC_TIMESTAMP_FLAG) != 0 &&
                          properties->timestamp <= INT64_MAX
                      ? (int64_t)properties->timestamp
                      : 0;
    if (assembly->firehose) {
        const amqp_table_t *traced = amqp_headers_table(ret->broker, "properties");
        ret->own = amqp_headers_table(traced, "headers");
        ret->key = traced_key(ret->broker);
        if (!amqp_headers_integer(traced, "timestamp", &ret->time_s))
            ret->time_s = 0;
    }
    ret->header_count =
        amqp_headers_flatten(ret->own, ret->headers, HEADERS_MAX, HEADER_BYTES_MAX, &cut);
}

static size_t size_of(const struct parts *parts)
{
    size_t size =
        sizeof(struct delivery) + parts->header_count * sizeof(struct delivery_header);
    for (size_t i = 0; i < parts->header_count; i++)
        size += parts->headers[i].name.len + parts->headers[i].value.len;
    return size + parts->key.len;
}

static void fill(const struct assembly *assembly, const struct parts *parts,
                 struct delivery *ret)
{
    *ret = (struct delivery){.tag = assembly->tag,
                             .offset = (int64_t)assembly->tag,
                             .redelivered = assembly->redelivered,
                             .header_count = (uint32_t)parts->header_count};
    struct delivery_header *table = (struct delivery_header *)(ret + 1);
    uint32_t at = (uint32_t)(sizeof(*ret) + parts->header_count * sizeof(*table));
    for (size_t i = 0; i < parts->header_count; i++)
        table[i] = (struct delivery_header){.name = put(ret, &at, parts->headers[i].name),
                                            .value = put(ret, &at, parts->headers[i].value)};
    ret->key = put(ret, &at, parts->key);
    ret->body_at = at;
    read_time(parts, ret);
    int64_t offset;
    if (amqp_headers_integer(parts->broker, "x-stream-offset", &offset) && offset >= 0) {
        ret->has_offset = true;
        ret->offset = assembly->stream ? offset : ret->offset;
    }
    /* The first time it says nothing but what the publisher wrote. */
    if (assembly->redelivered)
        (void)amqp_headers_integer(parts->broker, "x-delivery-count", &ret->returns);
}

static enum sb_err take_header(struct assembly *assembly, const struct amqp_event *event)
{
    struct parts parts;
    look_at(assembly, event->properties, &parts);
    size_t body = event->body_len < BODY_FIRST_MAX ? (size_t)event->body_len : BODY_FIRST_MAX;
    bool too_large = event->body_len > assembly->body_max;
    size_t room = size_of(&parts) + (too_large ? 0 : body);
    struct delivery *block = memory_alloc(room);
    if (block == NULL)
        return SB_ERR_MEMORY;
    fill(assembly, &parts, block);
    if (too_large)
        block->flaw = RECORD_TOO_LARGE;
    assembly->block = block;
    assembly->room = room;
    assembly->left = event->body_len;
    assembly->stage = ASSEMBLY_BODY;
    return SB_OK;
}

/* Room for the next part: doubled, but never beyond what is announced. */
static bool make_room(struct assembly *assembly, size_t len)
{
    struct delivery *block = assembly->block;
    size_t used = block->body_at + block->body_len;
    if (len <= assembly->room - used)
        return true;
    size_t whole = used + (size_t)assembly->left;
    size_t room = assembly->room * 2;
    if (room < used + len)
        room = used + len;
    if (room > whole)
        room = whole;
    block = memory_realloc(block, room, 1);
    if (block == NULL)
        return false;
    assembly->block = block;
    assembly->room = room;
    return true;
}

static enum sb_err take_body(struct assembly *assembly, struct bytes body)
{
    if (body.len > assembly->left)
        return SB_ERR_INPUT;
    struct delivery *block = assembly->block;
    if (block->flaw == RECORD_WHOLE) {
        if (!make_room(assembly, body.len))
            return SB_ERR_MEMORY;
        block = assembly->block;
        memcpy((uint8_t *)block + block->body_at + block->body_len, body.at, body.len);
        block->body_len += body.len;
    }
    assembly->left -= body.len;
    return SB_OK;
}

enum sb_err assembly_add(struct assembly *assembly, const struct amqp_event *event,
                         struct delivery **ret)
{
    enum sb_err err = SB_ERR_INPUT;
    *ret = NULL;
    if (assembly->stage == ASSEMBLY_HEADER && event->kind == AMQP_HEADER)
        err = take_header(assembly, event);
    else if (assembly->stage == ASSEMBLY_BODY && event->kind == AMQP_BODY)
        err = take_body(assembly, event->body);
    if (err != SB_OK || assembly->left > 0)
        return err;
    assembly->block->bytes = assembly->room;
    *ret = assembly->block;
    assembly->block = NULL;
    assembly->stage = ASSEMBLY_IDLE;
    return SB_OK;
}

void assembly_clear(struct assembly *assembly)
{
    memory_free(assembly->block);
    assembly->block = NULL;
    assembly->stage = ASSEMBLY_IDLE;
}
