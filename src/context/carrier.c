#include <string.h>

#include "blank.h"
#include "spanbridge/context.h"

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* `name` is in lower case. */
static bool is_named(const struct spanbridge_header *header, const char *name)
{
    size_t len = strlen(name);
    if (header->name_len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (lower(header->name[i]) != name[i])
            return false;
    }
    return true;
}

static const struct spanbridge_header *find(const struct spanbridge_header *headers,
                                            size_t from, size_t count, const char *name)
{
    for (size_t i = from; i < count; i++) {
        if (is_named(&headers[i], name))
            return &headers[i];
    }
    return NULL;
}

/* A tracestate that breaks its grammar is left out: the traceparent stays valid. */
static void take_tracestate(const struct spanbridge_header *header,
                            struct spanbridge_context *context)
{
    if (header == NULL || header->value == NULL)
        return;
    const char *text = header->value;
    size_t len = header->value_len;
    blank_trim(&text, &len);
    if (len == 0 || spanbridge_check_tracestate(text, len) != SPANBRIDGE_OK)
        return;
    context->tracestate = text;
    context->tracestate_len = len;
}

enum spanbridge_result spanbridge_next_context(const struct spanbridge_header *headers,
                                               size_t count, size_t *at,
                                               struct spanbridge_context *ret)
{
    const struct spanbridge_header *parent = find(headers, *at, count, "traceparent");
    if (parent == NULL) {
        *at = count;
        return SPANBRIDGE_ABSENT;
    }
    *at = (size_t)(parent - headers) + 1;
    if (parent->value == NULL)
        return SPANBRIDGE_BAD_LENGTH;
    struct spanbridge_context context;
    enum spanbridge_result result =
        spanbridge_parse_traceparent(parent->value, parent->value_len, &context);
    if (result != SPANBRIDGE_OK)
        return result;
    take_tracestate(find(headers, 0, count, "tracestate"), &context);
    *ret = context;
    return SPANBRIDGE_OK;
}
