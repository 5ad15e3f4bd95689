#include "header.h"

#include <string.h>

#include "blank.h"

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool header_is_named(const struct spanbridge_header *header, const char *name, size_t len)
{
    if (header->name_len != len)
        return false;
    if (memcmp(header->name, name, len) == 0) /* as nearly all write it */
        return true;
    for (size_t i = 0; i < len; i++) {
        if (lower(header->name[i]) != name[i])
            return false;
    }
    return true;
}

static enum spanbridge_result check_value(const struct spanbridge_header *header)
{
    if (header->kind != SPANBRIDGE_VALUE_TEXT)
        return SPANBRIDGE_NOT_TEXT;
    return header->value == NULL ? SPANBRIDGE_NO_VALUE : SPANBRIDGE_OK;
}

enum spanbridge_result header_read_traceparent(const struct spanbridge_header *header,
                                               struct spanbridge_context *ret)
{
    enum spanbridge_result result = check_value(header);
    if (result != SPANBRIDGE_OK)
        return result;
    return spanbridge_parse_traceparent(header->value, header->value_len, ret);
}

/* Bounded before anything looks at it: the rest of a message is as long as its writer likes. */
static enum spanbridge_result check_list(const struct spanbridge_header *header)
{
    enum spanbridge_result result = check_value(header);
    if (result != SPANBRIDGE_OK)
        return result;
    if (header->value_len > SPANBRIDGE_TRACESTATE_READ_MAX)
        return SPANBRIDGE_TOO_LONG;
    return spanbridge_check_tracestate(header->value, header->value_len);
}

enum spanbridge_result header_read_tracestate(const struct spanbridge_header *header,
                                              struct spanbridge_context *context)
{
    enum spanbridge_result result = check_list(header);
    context->tracestate_result = (uint8_t)result;
    if (result != SPANBRIDGE_OK)
        return result;
    const char *text = header->value;
    size_t len = header->value_len;
    blank_trim(&text, &len);
    context->tracestate = len == 0 ? NULL : text;
    context->tracestate_len = len;
    return SPANBRIDGE_OK;
}
