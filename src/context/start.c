#include <string.h>
#include <unistd.h>

#include "ids.h"

/* Random bytes, not all zero: chance may give zeros, and zero means none. */
static enum spanbridge_result draw(uint8_t *ret, size_t len)
{
    do {
        if (getentropy(ret, len) != 0)
            return SPANBRIDGE_NO_RANDOM;
    } while (ids_are_zero(ret, len));
    return SPANBRIDGE_OK;
}

enum spanbridge_result spanbridge_start_trace(struct spanbridge_context *ret)
{
    uint8_t ids[SPANBRIDGE_TRACE_ID_LEN + SPANBRIDGE_SPAN_ID_LEN];
    struct spanbridge_context context = {
        /* The ids are random indeed, which is what the second flag promises. */
        .flags = SPANBRIDGE_FLAG_SAMPLED | SPANBRIDGE_FLAG_RANDOM,
        .format = SPANBRIDGE_FORMAT_W3C,
        .tracestate_result = SPANBRIDGE_ABSENT};
    do {
        if (draw(ids, sizeof(ids)) != SPANBRIDGE_OK)
            return SPANBRIDGE_NO_RANDOM;
        memcpy(context.trace_id, ids, SPANBRIDGE_TRACE_ID_LEN);
        memcpy(context.span_id, ids + SPANBRIDGE_TRACE_ID_LEN, SPANBRIDGE_SPAN_ID_LEN);
    } while (!ids_are_set(&context));
    *ret = context;
    return SPANBRIDGE_OK;
}

enum spanbridge_result spanbridge_start_span(const struct spanbridge_context *parent,
                                             struct spanbridge_context *ret)
{
    uint8_t span_id[SPANBRIDGE_SPAN_ID_LEN];
    if (!ids_are_set(parent))
        return SPANBRIDGE_ZERO_ID;
    if (draw(span_id, sizeof(span_id)) != SPANBRIDGE_OK)
        return SPANBRIDGE_NO_RANDOM;
    if (ret != parent)
        *ret = *parent;
    memcpy(ret->span_id, span_id, sizeof(span_id));
    return SPANBRIDGE_OK;
}
