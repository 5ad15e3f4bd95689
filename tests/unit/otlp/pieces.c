#include "pieces.h"

#include "core/text.h"
#include "otlp/write.h"
#include "support/test.h"

enum { BYTES_MAX = 256 << 20 };

void pieces_init(struct pieces *pieces)
{
    arena_init(&pieces->arena, BYTES_MAX);
}

void pieces_clear(struct pieces *pieces)
{
    arena_clear(&pieces->arena);
}

static uint8_t *take(struct pieces *pieces, size_t len)
{
    uint8_t *at = arena_alloc(&pieces->arena, len == 0 ? 1 : len);
    assert_non_null(at);
    return at;
}

struct bytes pieces_join(struct pieces *pieces, const struct bytes *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    uint8_t *at = take(pieces, len);
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0)
            memcpy(at + filled, parts[i].at, parts[i].len);
        filled += parts[i].len;
    }
    return bytes_of(at, len);
}

struct bytes pieces_repeat(struct pieces *pieces, struct bytes part, size_t count)
{
    uint8_t *at = take(pieces, part.len * count);
    for (size_t i = 0; i < count; i++)
        memcpy(at + i * part.len, part.at, part.len);
    return bytes_of(at, part.len * count);
}

struct bytes pieces_fill(struct pieces *pieces, uint8_t value, size_t len)
{
    uint8_t *at = take(pieces, len);
    memset(at, value, len);
    return bytes_of(at, len);
}

/* Moves what `text` holds into the pieces. */
static struct bytes keep(struct pieces *pieces, struct text *text)
{
    assert_int_equal(text->error, SB_OK);
    struct bytes kept = pieces_join(pieces, (struct bytes[]){text_bytes(text)}, 1);
    text_clear(text);
    return kept;
}

struct bytes pieces_varint(struct pieces *pieces, uint32_t field, uint64_t value)
{
    struct text text;
    text_init(&text, BYTES_MAX);
    otlp_write_varint_field(&text, field, value);
    return keep(pieces, &text);
}

struct bytes pieces_fixed64(struct pieces *pieces, uint32_t field, uint64_t value)
{
    struct text text;
    text_init(&text, BYTES_MAX);
    otlp_write_fixed64_field(&text, field, value);
    return keep(pieces, &text);
}

struct bytes pieces_fixed32(struct pieces *pieces, uint32_t field, uint32_t value)
{
    struct text text;
    text_init(&text, BYTES_MAX);
    otlp_write_fixed32_field(&text, field, value);
    return keep(pieces, &text);
}

struct bytes pieces_field(struct pieces *pieces, uint32_t field, struct bytes body)
{
    struct text text;
    text_init(&text, BYTES_MAX);
    otlp_write_bytes_field(&text, field, body);
    return keep(pieces, &text);
}

struct bytes pieces_pair(struct pieces *pieces, const char *key, const char *value)
{
    struct bytes any = pieces_field(pieces, 1, bytes_text(value));
    return JOIN(pieces, pieces_field(pieces, 1, bytes_text(key)), pieces_field(pieces, 2, any));
}

/* Written from the inside out into one block, so that 20,000 levels take no 20,000 copies. */
struct bytes pieces_deep(struct pieces *pieces, size_t depth)
{
    enum { LEVEL_MAX = 2 * (1 + OTLP_VARINT_MAX) };
    assert_true(depth > 0);
    size_t room = depth * LEVEL_MAX;
    uint8_t *block = take(pieces, room);
    uint8_t *at = block + room;
    *--at = 'x';
    *--at = 1;
    *--at = 0x0a; /* the string */
    for (size_t level = 1; level < depth; level++) {
        /* AnyValue.array_value = 5 around ArrayValue.values = 1 */
        for (size_t i = 0; i < 2; i++) {
            uint8_t len[OTLP_VARINT_MAX];
            size_t len_len = otlp_varint_write((size_t)(block + room - at), len);
            at -= len_len;
            memcpy(at, len, len_len);
            *--at = i == 0 ? 0x0a : 0x2a;
        }
    }
    return bytes_of(at, (size_t)(block + room - at));
}

struct bytes pieces_ids(struct pieces *pieces)
{
    return JOIN(pieces,
                BYTES_LITERAL("\x0a\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"
                              "\x0c\x0d\x0e\x0f\x10"),
                BYTES_LITERAL("\x12\x08\x21\x22\x23\x24\x25\x26\x27\x28"));
}

struct bytes pieces_request(struct pieces *pieces, struct bytes scope_spans_fields)
{
    struct bytes scope_spans = pieces_field(pieces, 2, scope_spans_fields);
    return pieces_field(pieces, 1, scope_spans);
}

struct bytes pieces_request_of(struct pieces *pieces, struct bytes span)
{
    return pieces_request(pieces, pieces_field(pieces, 2, span));
}

enum otlp_fault pieces_scan(struct otlp_scan *scan, struct bytes request)
{
    enum otlp_fault fault = OTLP_FAULT_COUNT;
    assert_int_equal(otlp_scan_request(scan, request, &fault), SB_OK);
    assert_true(fault < OTLP_FAULT_COUNT);
    return fault;
}
