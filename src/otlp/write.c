#include "otlp/write.h"

#include "wire.h"

/* Field numbers of KeyValue, AnyValue and Span.Link. */
enum { PAIR_KEY = 1, PAIR_VALUE = 2 };
enum { ANY_STRING = 1, ANY_BOOL = 2, ANY_INT = 3, ANY_DOUBLE = 4 };
enum { LINK_TRACE_ID = 1, LINK_SPAN_ID = 2, LINK_TRACE_STATE = 3, LINK_FLAGS = 6 };

size_t otlp_varint_size(uint64_t value)
{
    /* Seven bits each; zero takes one byte too. */
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    return (bits + 6) / 7;
}

size_t otlp_varint_write(uint64_t value, uint8_t ret[OTLP_VARINT_MAX])
{
    size_t len = 0;
    while (value >= 0x80) {
        ret[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    ret[len++] = (uint8_t)value;
    return len;
}

static void append_varint(struct text *out, uint64_t value)
{
    uint8_t buffer[OTLP_VARINT_MAX];
    text_append(out, bytes_of(buffer, otlp_varint_write(value, buffer)));
}

static void append_tag(struct text *out, uint32_t field, enum wire_type type)
{
    append_varint(out, WIRE_TAG(field, type));
}

/* The tag and length of a message whose `len` bytes the caller appends next. */
static void append_head(struct text *out, uint32_t field, size_t len)
{
    append_tag(out, field, WIRE_BYTES);
    append_varint(out, len);
}

/* Bytes of a field of bytes with its tag and length. */
static size_t bytes_field_size(uint32_t field, size_t len)
{
    return otlp_varint_size(WIRE_TAG(field, WIRE_BYTES)) + otlp_varint_size(len) + len;
}

void otlp_write_varint_field(struct text *out, uint32_t field, uint64_t value)
{
    append_tag(out, field, WIRE_VARINT);
    append_varint(out, value);
}

void otlp_write_fixed64_field(struct text *out, uint32_t field, uint64_t value)
{
    uint64_t little = htole64(value);
    append_tag(out, field, WIRE_FIXED64);
    text_append(out, bytes_of(&little, sizeof(little)));
}

void otlp_write_fixed32_field(struct text *out, uint32_t field, uint32_t value)
{
    uint32_t little = htole32(value);
    append_tag(out, field, WIRE_FIXED32);
    text_append(out, bytes_of(&little, sizeof(little)));
}

void otlp_write_bytes_field(struct text *out, uint32_t field, struct bytes value)
{
    append_head(out, field, value.len);
    text_append(out, value);
}

/* A KeyValue up to its AnyValue, whose `value_len` bytes the caller appends next. */
static void append_pair(struct text *out, uint32_t field, struct bytes key, size_t value_len)
{
    append_head(out, field,
                bytes_field_size(PAIR_KEY, key.len) + bytes_field_size(PAIR_VALUE, value_len));
    otlp_write_bytes_field(out, PAIR_KEY, key);
    append_head(out, PAIR_VALUE, value_len);
}

void otlp_write_string_attribute(struct text *out, uint32_t field, struct bytes key,
                                 struct bytes value)
{
    append_pair(out, field, key, bytes_field_size(ANY_STRING, value.len));
    otlp_write_bytes_field(out, ANY_STRING, value);
}

void otlp_write_int_attribute(struct text *out, uint32_t field, struct bytes key, int64_t value)
{
    append_pair(out, field, key, 1 + otlp_varint_size((uint64_t)value));
    otlp_write_varint_field(out, ANY_INT, (uint64_t)value);
}

void otlp_write_double_attribute(struct text *out, uint32_t field, struct bytes key,
                                 double value)
{
    uint64_t encoded;
    memcpy(&encoded, &value, sizeof(encoded));
    append_pair(out, field, key, 1 + sizeof(encoded));
    otlp_write_fixed64_field(out, ANY_DOUBLE, encoded);
}

void otlp_write_bool_attribute(struct text *out, uint32_t field, struct bytes key, bool value)
{
    append_pair(out, field, key, 2);
    otlp_write_varint_field(out, ANY_BOOL, value);
}

void otlp_patch_trace_id(struct text *out, struct trace_id id)
{
    otlp_write_bytes_field(out, OTLP_SPAN_TRACE_ID, bytes_of(id.byte, TRACE_ID_LEN));
}

void otlp_patch_parent_id(struct text *out, struct span_id id)
{
    otlp_write_bytes_field(out, OTLP_SPAN_PARENT_ID, bytes_of(id.byte, SPAN_ID_LEN));
}

void otlp_patch_flags(struct text *out, uint32_t flags)
{
    otlp_write_fixed32_field(out, OTLP_SPAN_FLAGS, flags);
}

void otlp_write_link(struct text *out, struct trace_id trace, struct span_id span,
                     uint32_t flags, struct bytes trace_state, struct bytes attributes)
{
    size_t len = bytes_field_size(LINK_TRACE_ID, TRACE_ID_LEN) +
                 bytes_field_size(LINK_SPAN_ID, SPAN_ID_LEN) + attributes.len;
    if (trace_state.len > 0)
        len += bytes_field_size(LINK_TRACE_STATE, trace_state.len);
    if (flags != 0)
        len += 1 + sizeof(flags);

    append_head(out, OTLP_SPAN_LINKS, len);
    otlp_write_bytes_field(out, LINK_TRACE_ID, bytes_of(trace.byte, TRACE_ID_LEN));
    otlp_write_bytes_field(out, LINK_SPAN_ID, bytes_of(span.byte, SPAN_ID_LEN));
    if (trace_state.len > 0)
        otlp_write_bytes_field(out, LINK_TRACE_STATE, trace_state);
    text_append(out, attributes);
    if (flags != 0)
        otlp_write_fixed32_field(out, LINK_FLAGS, flags);
}
