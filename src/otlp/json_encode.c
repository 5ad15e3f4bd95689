#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base64.h"
#include "core/arena.h"
#include "core/hex.h"
#include "json_schema.h"
#include "json_text.h"
#include "otlp/json.h"
#include "wire.h"

/* Seven messages around the first AnyValue, and three more for each level. */
enum { FRAMES_MAX = 7 + 3 * OTLP_DEPTH_MAX };

/* A message on its way.  Each of its known fields is looked for in all of its body. */
struct frame {
    const struct schema_message *message;
    struct bytes body;
    size_t next_field;
    const struct schema_field *list; /* the repeated field in hand, or NULL */
    struct wire_cursor list_at;
    bool list_open;
    bool any;      /* something stands before: a comma is due */
    uint32_t only; /* of a oneof: the number that counts; 0: all */
};

struct walk {
    struct text *out;
    struct arena joined; /* messages that came in several parts */
    size_t depth;
    struct frame frames[FRAMES_MAX];
};

static void append_comma(struct walk *walk, bool *any)
{
    if (*any)
        text_append_char(walk->out, ',');
    *any = true;
}

static void append_name(struct walk *walk, struct frame *frame,
                        const struct schema_field *field)
{
    append_comma(walk, &frame->any);
    text_append_char(walk->out, '"');
    text_append_text(walk->out, field->name);
    text_append_text(walk->out, "\":");
}

static void append_double(struct text *out, uint64_t encoded)
{
    double number;
    memcpy(&number, &encoded, sizeof(number));
    if (isnan(number)) {
        text_append_text(out, "\"NaN\"");
        return;
    }
    if (isinf(number)) {
        text_append_text(out, number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    if (number == 0 && signbit(number)) {
        text_append_text(out, "-0.0"); /* "-0" would be read as an integer */
        return;
    }
    /* The fewest digits that are read back as the same number; 17 always are. */
    enum { DIGITS_MIN = 15, DIGITS_MAX = 17 };
    char digits[32];
    for (int count = DIGITS_MIN; count <= DIGITS_MAX; count++) {
        snprintf(digits, sizeof(digits), "%.*g", count, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    text_append_text(out, digits);
}

static void append_hex(struct text *out, struct bytes in)
{
    text_append_char(out, '"');
    char *at = (char *)text_grow(out, 2 * in.len);
    if (at != NULL)
        hex_encode(in, at);
    text_append_char(out, '"');
}

static void append_base64(struct text *out, struct bytes in)
{
    text_append_char(out, '"');
    char *at = (char *)text_grow(out, base64_encoded_len(in.len));
    if (at != NULL)
        base64_encode(in, at);
    text_append_char(out, '"');
}

static void append_scalar(struct text *out, enum schema_type type,
                          const struct wire_field *field)
{
    switch (type) {
    case SCHEMA_TEXT:
        json_text_append(out, field->body);
        break;
    case SCHEMA_ID:
        append_hex(out, field->body);
        break;
    case SCHEMA_BASE64:
        append_base64(out, field->body);
        break;
    case SCHEMA_BOOL:
        text_append_text(out, field->value != 0 ? "true" : "false");
        break;
    case SCHEMA_ENUM:
    case SCHEMA_UINT32:
    case SCHEMA_FIXED32:
        text_printf(out, "%u", (unsigned)field->value);
        break;
    case SCHEMA_INT64:
        text_printf(out, "\"%lld\"", (long long)field->value);
        break;
    case SCHEMA_FIXED64:
        text_printf(out, "\"%llu\"", (unsigned long long)field->value);
        break;
    case SCHEMA_DOUBLE:
        append_double(out, field->value);
        break;
    case SCHEMA_MESSAGE:
        break;
    }
}

static const struct schema_field *find_field(const struct schema_message *message,
                                             uint32_t number)
{
    for (size_t i = 0; i < message->count; i++) {
        if (message->fields[i].number == number)
            return &message->fields[i];
    }
    return NULL;
}

/* Checks the types of all known fields, once for the walks that follow. */
static enum sb_err check_body(struct frame *frame)
{
    struct wire_cursor in = wire_open(frame->body);
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field))
            return SB_ERR_INPUT;
        const struct schema_field *known = find_field(frame->message, field.number);
        if (known == NULL)
            continue;
        if (field.type != schema_wire_type(known->type))
            return SB_ERR_INPUT;
        if (frame->message->one_of)
            frame->only = field.number;
    }
    return SB_OK;
}

static enum sb_err enter(struct walk *walk, const struct schema_message *message,
                         struct bytes body)
{
    if (walk->depth == FRAMES_MAX)
        return SB_ERR_LIMIT;
    struct frame *frame = &walk->frames[walk->depth++];
    *frame = (struct frame){.message = message, .body = body};
    text_append_char(walk->out, '{');
    return check_body(frame);
}

/* The next field with `number`; *in moves behind it.  The body has been checked. */
static bool next_of(struct wire_cursor *in, uint32_t number, struct wire_field *ret)
{
    while (!wire_at_end(in) && wire_next(in, ret)) {
        if (ret->number == number)
            return true;
    }
    return false;
}

/* All parts of a message that is not repeated: they merge when one stands behind the other. */
static enum sb_err join_parts(struct walk *walk, struct bytes body, uint32_t number,
                              struct bytes *ret)
{
    struct wire_cursor in = wire_open(body);
    struct wire_field field;
    size_t len = 0;
    while (next_of(&in, number, &field))
        len += field.body.len;
    uint8_t *at = arena_alloc(&walk->joined, len + 1);
    if (at == NULL)
        return SB_ERR_MEMORY;
    *ret = bytes_of(at, len);
    in = wire_open(body);
    while (next_of(&in, number, &field)) {
        memcpy(at, field.body.at, field.body.len);
        at += field.body.len;
    }
    return SB_OK;
}

/* A field that is not repeated: the last one, or all parts of a message. */
static enum sb_err write_single(struct walk *walk, struct frame *frame,
                                const struct schema_field *known)
{
    struct wire_cursor in = wire_open(frame->body);
    struct wire_field field;
    struct wire_field last = {0};
    size_t count = 0;
    while (next_of(&in, known->number, &field)) {
        last = field;
        count++;
    }
    if (count == 0)
        return SB_OK;
    append_name(walk, frame, known);
    if (known->type != SCHEMA_MESSAGE) {
        append_scalar(walk->out, known->type, &last);
        return SB_OK;
    }
    struct bytes body = last.body;
    if (count > 1) {
        enum sb_err err = join_parts(walk, frame->body, known->number, &body);
        if (err != SB_OK)
            return err;
    }
    return enter(walk, known->message, body);
}

/* The next item of the repeated field in hand, or the end of its array. */
static enum sb_err write_item(struct walk *walk, struct frame *frame)
{
    const struct schema_field *known = frame->list;
    struct wire_field field;
    if (!next_of(&frame->list_at, known->number, &field)) {
        if (frame->list_open)
            text_append_char(walk->out, ']');
        frame->list = NULL;
        return SB_OK;
    }
    if (!frame->list_open) {
        append_name(walk, frame, known);
        text_append_char(walk->out, '[');
    } else {
        text_append_char(walk->out, ',');
    }
    frame->list_open = true;
    if (known->type == SCHEMA_MESSAGE)
        return enter(walk, known->message, field.body);
    append_scalar(walk->out, known->type, &field);
    return SB_OK;
}

static enum sb_err write_field(struct walk *walk, struct frame *frame)
{
    const struct schema_field *known = &frame->message->fields[frame->next_field++];
    if (frame->message->one_of && frame->only != known->number)
        return SB_OK;
    if (!known->repeated)
        return write_single(walk, frame, known);
    frame->list = known;
    frame->list_at = wire_open(frame->body);
    frame->list_open = false;
    return SB_OK;
}

enum sb_err otlp_json_encode(struct bytes request, struct text *ret)
{
    struct walk walk;
    walk.out = ret;
    walk.depth = 0;
    /* Parts are joined on each level at most once, and then parts of the joined. */
    arena_init(&walk.joined, 4 * (request.len + 4096));
    enum sb_err err = enter(&walk, &schema_request, request);
    while (err == SB_OK && walk.depth > 0 && ret->error == SB_OK) {
        struct frame *frame = &walk.frames[walk.depth - 1];
        if (frame->list != NULL) {
            err = write_item(&walk, frame);
        } else if (frame->next_field < frame->message->count) {
            err = write_field(&walk, frame);
        } else {
            text_append_char(ret, '}');
            walk.depth--;
        }
    }
    arena_clear(&walk.joined);
    return err != SB_OK ? err : ret->error;
}
