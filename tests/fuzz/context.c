/*
 * Trace contexts out of any header lists: results are valid contexts inside the headers, and
 * what is written from them is read as the same again.
 *
 * Input: headers side by side, each a name up to '=' and a value up to the end of the line.
 */
#include <string.h>

#include "core/assert.h"
#include "spanbridge/carrier.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

enum { HEADERS_MAX = 64 };

static size_t split(const char *text, size_t len, struct spanbridge_header *ret)
{
    size_t count = 0;
    while (len > 0 && count < HEADERS_MAX) {
        const char *line_end = memchr(text, '\n', len);
        size_t line = line_end == NULL ? len : (size_t)(line_end - text);
        const char *equals = memchr(text, '=', line);
        size_t name = equals == NULL ? line : (size_t)(equals - text);
        ret[count] = (struct spanbridge_header){.name = text, .name_len = name};
        if (equals != NULL) {
            ret[count].value = equals + 1;
            ret[count].value_len = line - name - 1;
        }
        count++;
        size_t step = line_end == NULL ? line : line + 1;
        text += step;
        len -= step;
    }
    return count;
}

static void check_traceparent(const struct spanbridge_context *context)
{
    static const uint8_t zeros[SPANBRIDGE_TRACE_ID_LEN];
    SB_ASSERT(memcmp(context->trace_id, zeros, SPANBRIDGE_TRACE_ID_LEN) != 0);
    SB_ASSERT(memcmp(context->span_id, zeros, SPANBRIDGE_SPAN_ID_LEN) != 0);
    SB_ASSERT((context->flags & ~3) == 0);
    char text[SPANBRIDGE_TRACEPARENT_LEN + 1];
    struct spanbridge_context again;
    spanbridge_format_traceparent(context, text);
    SB_ASSERT(strlen(text) == SPANBRIDGE_TRACEPARENT_LEN);
    SB_ASSERT(spanbridge_parse_traceparent(text, strlen(text), &again) == SPANBRIDGE_OK);
    SB_ASSERT(memcmp(again.trace_id, context->trace_id, SPANBRIDGE_TRACE_ID_LEN) == 0);
    SB_ASSERT(memcmp(again.span_id, context->span_id, SPANBRIDGE_SPAN_ID_LEN) == 0);
    SB_ASSERT(again.flags == context->flags);
}

static void check_tracestate(const char *text, size_t len)
{
    struct spanbridge_tracestate_member member;
    size_t at = 0;
    size_t members = 0;
    bool valid = spanbridge_check_tracestate(text, len) == SPANBRIDGE_OK;
    while (spanbridge_next_tracestate_member(text, len, &at, &member)) {
        SB_ASSERT(at <= len && member.key >= text);
        SB_ASSERT(member.key + member.key_len <= text + len);
        SB_ASSERT(member.value + member.value_len <= text + len);
        members++;
    }
    SB_ASSERT(!valid || members <= SPANBRIDGE_TRACESTATE_MEMBERS_MAX);

    for (size_t size = 1; size <= SPANBRIDGE_TRACESTATE_LEN_MAX + 100; size += 87) {
        char out[SPANBRIDGE_TRACESTATE_LEN_MAX + 100];
        char twice[sizeof(out)];
        memset(out, 'x', sizeof(out));
        size_t written = spanbridge_format_tracestate(text, len, out, size);
        SB_ASSERT(written < size && written <= SPANBRIDGE_TRACESTATE_LEN_MAX && written <= len);
        SB_ASSERT(strlen(out) == written && (valid || written == 0));
        SB_ASSERT(spanbridge_check_tracestate(out, written) == SPANBRIDGE_OK);
        SB_ASSERT(spanbridge_format_tracestate(out, written, twice, size) == written);
        SB_ASSERT(memcmp(out, twice, written + 1) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct spanbridge_header headers[HEADERS_MAX];
    const char *text = (const char *)at;
    size_t count = split(text, len, headers);
    size_t next = 0;
    for (;;) {
        size_t before = next;
        struct spanbridge_context context;
        enum spanbridge_result result =
            spanbridge_next_context(headers, count, &next, &context);
        if (result == SPANBRIDGE_ABSENT)
            break;
        SB_ASSERT(next > before && next <= count);
        if (result != SPANBRIDGE_OK)
            continue;
        check_traceparent(&context);
        if (context.tracestate == NULL) {
            SB_ASSERT(context.tracestate_len == 0);
            continue;
        }
        SB_ASSERT(context.tracestate >= text &&
                  context.tracestate + context.tracestate_len <= text + len);
        SB_ASSERT(spanbridge_check_tracestate(context.tracestate, context.tracestate_len) ==
                  SPANBRIDGE_OK);
    }
    SB_ASSERT(next == count);
    for (size_t i = 0; i < count; i++) {
        if (headers[i].value != NULL)
            check_tracestate(headers[i].value, headers[i].value_len);
    }
    return 0;
}
