#include "spanbridge/carrier.h"

#include "header.h"

static const struct spanbridge_header *find(const struct spanbridge_header *headers,
                                            size_t from, size_t count, const char *name,
                                            size_t name_len)
{
    for (size_t i = from; i < count; i++) {
        if (header_is_named(&headers[i], name, name_len))
            return &headers[i];
    }
    return NULL;
}

enum spanbridge_result spanbridge_next_context(const struct spanbridge_header *headers,
                                               size_t count, size_t *at,
                                               struct spanbridge_context *ret)
{
    const struct spanbridge_header *parent =
        find(headers, *at, count, HEADER_TRACEPARENT, sizeof(HEADER_TRACEPARENT) - 1);
    if (parent == NULL) {
        *at = count;
        return SPANBRIDGE_ABSENT;
    }
    *at = (size_t)(parent - headers) + 1;
    struct spanbridge_context context;
    enum spanbridge_result result = header_read_traceparent(parent, &context);
    if (result != SPANBRIDGE_OK)
        return result;
    const struct spanbridge_header *state =
        find(headers, 0, count, HEADER_TRACESTATE, sizeof(HEADER_TRACESTATE) - 1);
    /* One that breaks its grammar is left out: the traceparent stays valid. */
    if (state != NULL)
        (void)header_read_tracestate(state, &context);
    *ret = context;
    return SPANBRIDGE_OK;
}
