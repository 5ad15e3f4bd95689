#include "header.h"
#include "ids.h"
#include "spanbridge/carrier.h"

static enum spanbridge_result set(const struct spanbridge_carrier *carrier, const char *name,
                                  size_t name_len, const char *value, size_t value_len)
{
    const struct spanbridge_header header = {.name = name,
                                             .name_len = name_len,
                                             .value = value,
                                             .value_len = value_len,
                                             .kind = SPANBRIDGE_VALUE_TEXT};
    return carrier->on_set(carrier->arg, &header);
}

enum spanbridge_result spanbridge_inject(const struct spanbridge_context *context,
                                         const struct spanbridge_carrier *carrier)
{
    if (!ids_are_set(context))
        return SPANBRIDGE_ZERO_ID;
    if (carrier->on_remove == NULL || carrier->on_set == NULL)
        return SPANBRIDGE_REFUSED;
    char traceparent[SPANBRIDGE_TRACEPARENT_LEN + 1];
    char tracestate[SPANBRIDGE_TRACESTATE_LEN_MAX + 1];
    size_t tracestate_len = 0;
    spanbridge_format_traceparent(context, traceparent);
    if (context->tracestate != NULL)
        tracestate_len = spanbridge_format_tracestate(
            context->tracestate, context->tracestate_len, tracestate, sizeof(tracestate));

    /* The old tracestate goes even where there is no new one: it belongs to another trace. */
    enum spanbridge_result result = carrier->on_remove(carrier->arg, HEADER_TRACESTATE);
    if (result == SPANBRIDGE_OK)
        result = carrier->on_remove(carrier->arg, HEADER_TRACEPARENT);
    if (result == SPANBRIDGE_OK)
        result = set(carrier, HEADER_TRACEPARENT, sizeof(HEADER_TRACEPARENT) - 1, traceparent,
                     SPANBRIDGE_TRACEPARENT_LEN);
    if (result == SPANBRIDGE_OK && tracestate_len > 0)
        result = set(carrier, HEADER_TRACESTATE, sizeof(HEADER_TRACESTATE) - 1, tracestate,
                     tracestate_len);
    return result;
}
