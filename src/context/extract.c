#include "header.h"
#include "spanbridge/carrier.h"

/* What a walk over the headers has found so far. */
struct found {
    struct spanbridge_context parent; /* without its tracestate */
    struct spanbridge_context state;  /* only its tracestate; apart, since it may come first */
    enum spanbridge_result parent_result;
    bool has_parent;
};

static void look_at(const struct spanbridge_header *header, struct found *found)
{
    if (header_is_named(header, HEADER_TRACEPARENT, sizeof(HEADER_TRACEPARENT) - 1)) {
        found->parent_result = header_read_traceparent(header, &found->parent);
        if (found->parent_result == SPANBRIDGE_OK)
            found->has_parent = true;
    } else if (header_is_named(header, HEADER_TRACESTATE, sizeof(HEADER_TRACESTATE) - 1)) {
        (void)header_read_tracestate(header, &found->state);
    }
}

enum spanbridge_result spanbridge_extract(const struct spanbridge_carrier *carrier,
                                          struct spanbridge_context *ret)
{
    struct found found = {.parent_result = SPANBRIDGE_ABSENT,
                          .state.tracestate_result = SPANBRIDGE_ABSENT};
    struct spanbridge_header header;
    if (carrier->on_get == NULL)
        return SPANBRIDGE_ABSENT;
    for (size_t i = 0; carrier->on_get(carrier->arg, i, &header); i++)
        look_at(&header, &found);
    if (!found.has_parent)
        return found.parent_result;
    *ret = found.parent;
    ret->tracestate = found.state.tracestate;
    ret->tracestate_len = found.state.tracestate_len;
    /* A hint for who has none: behind a valid one a bad duplicate does not matter. */
    ret->tracestate_result =
        found.state.tracestate == NULL ? found.state.tracestate_result : (uint8_t)SPANBRIDGE_OK;
    return SPANBRIDGE_OK;
}
