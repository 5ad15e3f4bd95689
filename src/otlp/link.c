/*
 * The links of a span, for those who follow them; the scan only counts them.
 */
#include "core/ids.h"
#include "otlp/scan.h"
#include "otlp/write.h"
#include "wire.h"

enum { LINK_TRACE_ID = 1, LINK_SPAN_ID = 2, LINK_TRACE_STATE = 3, LINK_FLAGS = 6 };

static const uint8_t *take_id(struct bytes id, size_t len)
{
    return id.len == len ? id.at : NULL;
}

/* False: malformed, or a known field of the wrong type. */
static bool take_field(struct otlp_link *link, const struct wire_field *field)
{
    switch (field->number) {
    case LINK_TRACE_ID:
        link->trace_id = take_id(field->body, TRACE_ID_LEN);
        return field->type == WIRE_BYTES;
    case LINK_SPAN_ID:
        link->span_id = take_id(field->body, SPAN_ID_LEN);
        return field->type == WIRE_BYTES;
    case LINK_TRACE_STATE:
        link->trace_state = field->body;
        return field->type == WIRE_BYTES;
    case LINK_FLAGS:
        link->flags = (uint32_t)field->value;
        return field->type == WIRE_FIXED32;
    default:
        return true;
    }
}

static bool read_link(struct bytes raw, struct otlp_link *ret)
{
    struct otlp_link link = {.raw = raw};
    struct wire_cursor in = wire_open(raw);
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field) || !take_field(&link, &field))
            return false;
    }
    *ret = link;
    return true;
}

bool otlp_link_next(struct bytes *rest, struct otlp_link *ret)
{
    struct wire_cursor in = wire_open(*rest);
    struct otlp_link link;
    while (!wire_at_end(&in)) {
        struct wire_field field;
        if (!wire_next(&in, &field))
            break;
        if (field.number != OTLP_SPAN_LINKS)
            continue;
        if (field.type != WIRE_BYTES || !read_link(field.body, &link))
            break;
        *rest = wire_rest(&in);
        *ret = link;
        return true;
    }
    *rest = (struct bytes){0};
    return false;
}
