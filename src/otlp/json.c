#include "otlp/json.h"

#include <jansson.h>

#include "backward.h"
#include "core/assert.h"
#include "json_bound.h"
#include "json_scalar.h"
#include "json_schema.h"

/* A message on its way.  Fields and items are taken from the last to the first. */
struct frame {
    const struct schema_message *message;
    const json_t *object;
    size_t fields_left;               /* before this one all are still to come */
    const struct schema_field *field; /* the one being written */
    const json_t *items;              /* its array, when it is repeated */
    size_t items_left;
    size_t len_before; /* what had been written when the message began */
};

/* The parser has bounded the depth, and each frame is an object. */
struct walk {
    struct backward out;
    size_t depth;
    struct frame frames[SCHEMA_JSON_DEPTH_MAX];
};

/* False: `value` is no object. */
static bool enter(struct walk *walk, const struct schema_message *message, const json_t *value)
{
    if (!json_is_object(value))
        return false;
    SB_ASSERT(walk->depth < SCHEMA_JSON_DEPTH_MAX);
    walk->frames[walk->depth++] = (struct frame){
        .message = message,
        .object = value,
        .fields_left = message->count,
        .len_before = backward_len(&walk->out),
    };
    return true;
}

/* Back to the message around, which now knows the length of the one inside. */
static void leave(struct walk *walk)
{
    const struct frame *inner = &walk->frames[--walk->depth];
    if (walk->depth == 0)
        return;
    const struct frame *outer = &walk->frames[walk->depth - 1];
    backward_put_head(&walk->out, outer->field->number,
                      backward_len(&walk->out) - inner->len_before);
}

static bool take_value(struct walk *walk, const struct schema_field *field, const json_t *value)
{
    if (field->type == SCHEMA_MESSAGE)
        return enter(walk, field->message, value);
    return json_scalar_put(&walk->out, field, value);
}

/* Goes on to the next field that is there.  False: it is not what it must be. */
static bool take_field(struct walk *walk, struct frame *frame)
{
    frame->field = &frame->message->fields[--frame->fields_left];
    const json_t *value = json_object_get(frame->object, frame->field->name);
    if (value == NULL || json_is_null(value))
        return true;
    if (!frame->field->repeated)
        return take_value(walk, frame->field, value);
    if (!json_is_array(value))
        return false;
    frame->items = value;
    frame->items_left = json_array_size(value);
    return true;
}

/* False: the text is JSON, but no request. */
static bool write_backwards(struct walk *walk, const json_t *root)
{
    bool fits = enter(walk, &schema_request, root);
    while (fits && walk->depth > 0) {
        struct frame *frame = &walk->frames[walk->depth - 1];
        if (frame->items_left > 0)
            fits = take_value(walk, frame->field,
                              json_array_get(frame->items, --frame->items_left));
        else if (frame->fields_left > 0)
            fits = take_field(walk, frame);
        else
            leave(walk);
    }
    return fits;
}

/* Protobuf needs less than JSON for everything but very long strings in arrays. */
static size_t room_for(struct bytes json)
{
    return json.len + json.len / 1024 + 64;
}

static enum sb_err encode(struct bytes json, const json_t *root, struct text *ret,
                          enum otlp_fault *ret_fault)
{
    struct walk walk;
    walk.depth = 0;
    enum sb_err err = backward_init(&walk.out, room_for(json));
    if (err != SB_OK)
        return err;
    if (!write_backwards(&walk, root)) {
        *ret_fault = OTLP_FAULT_JSON;
    } else {
        SB_ASSERT(!walk.out.overflow);
        text_append(ret, backward_bytes(&walk.out));
        err = ret->error == SB_ERR_LIMIT ? SB_OK : ret->error;
        *ret_fault = ret->error == SB_OK ? OTLP_FAULT_NONE : OTLP_FAULT_RECORD_TOO_LARGE;
    }
    backward_clear(&walk.out);
    return err;
}

enum sb_err otlp_json_decode(struct bytes json, const struct otlp_limits *limits,
                             struct text *ret, enum otlp_fault *ret_fault)
{
    if (json.len > limits->record_bytes_max) {
        *ret_fault = OTLP_FAULT_RECORD_TOO_LARGE;
        return SB_OK;
    }
    enum otlp_fault fault = json_bound_check(json);
    if (fault != OTLP_FAULT_NONE) {
        *ret_fault = fault;
        return SB_OK;
    }
    json_error_t error;
    json_t *root = json_loadb(json.len == 0 ? "" : (const char *)json.at, json.len,
                              JSON_ALLOW_NUL, &error);
    if (root == NULL) {
        if (json_error_code(&error) == json_error_out_of_memory)
            return SB_ERR_MEMORY;
        *ret_fault = OTLP_FAULT_JSON;
        return SB_OK;
    }
    enum sb_err err = encode(json, root, ret, ret_fault);
    json_decref(root);
    return err;
}
