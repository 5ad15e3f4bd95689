#include <string.h>

#include "blank.h"
#include "core/bytes.h"
#include "core/hex.h"
#include "ids.h"
#include "spanbridge/context.h"

/* Places in the text: version, trace id, parent id, flags, and the dash before each. */
enum {
    VERSION_AT = 0,
    TRACE_ID_AT = 3,
    SPAN_ID_AT = 36,
    FLAGS_AT = 53,
    VERSION_FORBIDDEN = 0xff,
    KNOWN_FLAGS = SPANBRIDGE_FLAG_SAMPLED | SPANBRIDGE_FLAG_RANDOM
};

static bool read_hex(const char *at, uint8_t *ret, size_t len)
{
    return hex_decode(bytes_of(at, 2 * len), false, ret, len) == SB_OK;
}

static bool is_hex_in_any_case(const char *at, size_t len)
{
    uint8_t ignored[SPANBRIDGE_TRACE_ID_LEN];
    return hex_decode(bytes_of(at, 2 * len), true, ignored, len) == SB_OK;
}

/* What the whole text must look like once its version is known. */
static enum spanbridge_result check_length(const char *text, size_t len, uint8_t version)
{
    if (len == SPANBRIDGE_TRACEPARENT_LEN)
        return SPANBRIDGE_OK;
    if (version == 0 || len < SPANBRIDGE_TRACEPARENT_LEN)
        return SPANBRIDGE_BAD_LENGTH;
    /* Later versions add fields, and each begins with a dash. */
    return text[SPANBRIDGE_TRACEPARENT_LEN] == '-' ? SPANBRIDGE_OK : SPANBRIDGE_BAD_GRAMMAR;
}

static bool has_dashes(const char *text)
{
    return text[TRACE_ID_AT - 1] == '-' && text[SPAN_ID_AT - 1] == '-' &&
           text[FLAGS_AT - 1] == '-';
}

/* Why ids or flags could not be read: a common fault of writers gets a name of its own. */
static enum spanbridge_result find_fault(const char *text)
{
    return has_dashes(text) &&
                   is_hex_in_any_case(text + TRACE_ID_AT, SPANBRIDGE_TRACE_ID_LEN) &&
                   is_hex_in_any_case(text + SPAN_ID_AT, SPANBRIDGE_SPAN_ID_LEN) &&
                   is_hex_in_any_case(text + FLAGS_AT, 1)
               ? SPANBRIDGE_UPPER_CASE
               : SPANBRIDGE_BAD_GRAMMAR;
}

enum spanbridge_result spanbridge_parse_traceparent(const char *text, size_t len,
                                                    struct spanbridge_context *ret)
{
    blank_trim(&text, &len);
    if (len < SPANBRIDGE_TRACEPARENT_LEN)
        return SPANBRIDGE_BAD_LENGTH;
    uint8_t version;
    if (!read_hex(text + VERSION_AT, &version, 1) || version == VERSION_FORBIDDEN)
        return SPANBRIDGE_BAD_VERSION;
    enum spanbridge_result result = check_length(text, len, version);
    if (result != SPANBRIDGE_OK)
        return result;

    struct spanbridge_context context = {.format = SPANBRIDGE_FORMAT_W3C,
                                         .tracestate_result = SPANBRIDGE_ABSENT};
    uint8_t flags;
    if (!has_dashes(text) ||
        !read_hex(text + TRACE_ID_AT, context.trace_id, SPANBRIDGE_TRACE_ID_LEN) ||
        !read_hex(text + SPAN_ID_AT, context.span_id, SPANBRIDGE_SPAN_ID_LEN) ||
        !read_hex(text + FLAGS_AT, &flags, 1))
        return find_fault(text);
    if (!ids_are_set(&context))
        return SPANBRIDGE_ZERO_ID;
    /* Of a version we do not know only the sampled bit may be understood. */
    context.flags = flags & (version == 0 ? KNOWN_FLAGS : SPANBRIDGE_FLAG_SAMPLED);
    *ret = context;
    return SPANBRIDGE_OK;
}

void spanbridge_format_traceparent(const struct spanbridge_context *context,
                                   char ret[SPANBRIDGE_TRACEPARENT_LEN + 1])
{
    uint8_t version = 0;
    uint8_t flags = context->flags & KNOWN_FLAGS;
    memset(ret, '-', SPANBRIDGE_TRACEPARENT_LEN);
    hex_encode(bytes_of(&version, 1), ret + VERSION_AT);
    hex_encode(bytes_of(context->trace_id, SPANBRIDGE_TRACE_ID_LEN), ret + TRACE_ID_AT);
    hex_encode(bytes_of(context->span_id, SPANBRIDGE_SPAN_ID_LEN), ret + SPAN_ID_AT);
    hex_encode(bytes_of(&flags, 1), ret + FLAGS_AT);
    ret[SPANBRIDGE_TRACEPARENT_LEN] = '\0';
}
