#include "nesting.h"

#include "core/assert.h"
#include "wire.h"

/* Field numbers of opentelemetry.proto.common.v1. */
enum { PAIR_KEY = 1, PAIR_VALUE = 2, LIST_VALUES = 1 };
enum {
    ANY_STRING = 1,
    ANY_BOOL = 2,
    ANY_INT = 3,
    ANY_DOUBLE = 4,
    ANY_ARRAY = 5,
    ANY_MAP = 6,
    ANY_BYTES = 7
};

enum frame_kind { FRAME_PAIR, FRAME_ANY, FRAME_ARRAY, FRAME_MAP };

/* Each AnyValue may add three messages: itself, its list, and the list's pair. */
enum { FRAMES_MAX = 1 + 3 * OTLP_DEPTH_MAX };

struct frame {
    const uint8_t *end;
    enum frame_kind kind;
};

struct walk {
    const struct otlp_limits *limits;
    struct otlp_attribute outer;
    uint32_t depth; /* AnyValues around the cursor */
    uint32_t top;   /* index of the innermost frame */
    struct frame frames[FRAMES_MAX];
};

static enum otlp_fault enter(struct walk *walk, enum frame_kind kind, struct bytes body)
{
    if (kind == FRAME_ANY && ++walk->depth > walk->limits->depth_max)
        return OTLP_FAULT_TOO_DEEP;
    walk->top++;
    SB_ASSERT(walk->top < FRAMES_MAX);
    walk->frames[walk->top] = (struct frame){.end = body.at + body.len, .kind = kind};
    return OTLP_FAULT_NONE;
}

static enum otlp_fault pair_field(struct walk *walk, const struct wire_field *field)
{
    if (field->number != PAIR_KEY && field->number != PAIR_VALUE)
        return OTLP_FAULT_NONE;
    if (field->type != WIRE_BYTES)
        return OTLP_FAULT_MALFORMED;
    if (field->number == PAIR_KEY) {
        if (field->body.len > walk->limits->key_bytes_max)
            return OTLP_FAULT_KEY_TOO_LONG;
        if (walk->top == 0)
            walk->outer.key = field->body;
        return OTLP_FAULT_NONE;
    }
    if (walk->top == 0 && (field->body.len > 0 || walk->outer.value.at == NULL))
        walk->outer.value = field->body;
    return enter(walk, FRAME_ANY, field->body);
}

static enum otlp_fault any_field(struct walk *walk, const struct wire_field *field)
{
    enum wire_type expected = WIRE_BYTES;
    switch (field->number) {
    case ANY_BOOL:
    case ANY_INT:
        expected = WIRE_VARINT;
        break;
    case ANY_DOUBLE:
        expected = WIRE_FIXED64;
        break;
    case ANY_STRING:
    case ANY_ARRAY:
    case ANY_MAP:
    case ANY_BYTES:
        break;
    default:
        return OTLP_FAULT_NONE;
    }
    if (field->type != expected)
        return OTLP_FAULT_MALFORMED;
    if (field->number == ANY_ARRAY)
        return enter(walk, FRAME_ARRAY, field->body);
    if (field->number == ANY_MAP)
        return enter(walk, FRAME_MAP, field->body);
    if (expected == WIRE_BYTES && field->body.len > walk->limits->value_bytes_max)
        return OTLP_FAULT_VALUE_TOO_LONG;
    return OTLP_FAULT_NONE;
}

static enum otlp_fault list_field(struct walk *walk, const struct wire_field *field,
                                  enum frame_kind item)
{
    if (field->number != LIST_VALUES)
        return OTLP_FAULT_NONE;
    if (field->type != WIRE_BYTES)
        return OTLP_FAULT_MALFORMED;
    return enter(walk, item, field->body);
}

static enum otlp_fault take_field(struct walk *walk, const struct wire_field *field)
{
    switch (walk->frames[walk->top].kind) {
    case FRAME_PAIR:
        return pair_field(walk, field);
    case FRAME_ANY:
        return any_field(walk, field);
    case FRAME_ARRAY:
        return list_field(walk, field, FRAME_ANY);
    case FRAME_MAP:
        return list_field(walk, field, FRAME_PAIR);
    }
    return OTLP_FAULT_MALFORMED;
}

enum otlp_fault nesting_check(struct bytes key_value, const struct otlp_limits *limits,
                              struct otlp_attribute *ret)
{
    SB_ASSERT(limits->depth_max <= OTLP_DEPTH_MAX);
    struct walk walk; /* not cleared: the frames are 5 KiB, and written before they are read */
    walk.limits = limits;
    walk.outer = (struct otlp_attribute){0};
    walk.depth = 0;
    walk.top = 0;

    struct wire_cursor in = wire_open(key_value);
    walk.frames[0] = (struct frame){.end = in.end, .kind = FRAME_PAIR};
    for (;;) {
        const struct frame *frame = &walk.frames[walk.top];
        if (in.at == frame->end) {
            if (walk.top == 0)
                break;
            if (frame->kind == FRAME_ANY)
                walk.depth--;
            walk.top--;
            continue;
        }
        uint32_t before = walk.top;
        struct wire_field field;
        in.end = frame->end;
        if (!wire_next(&in, &field))
            return OTLP_FAULT_MALFORMED;
        enum otlp_fault fault = take_field(&walk, &field);
        if (fault != OTLP_FAULT_NONE)
            return fault;
        if (walk.top != before) {
            SB_ASSERT(field.body.at != NULL); /* only fields of bytes are entered */
            in.at = field.body.at;            /* go on inside instead of behind */
        }
    }
    *ret = walk.outer;
    return OTLP_FAULT_NONE;
}
