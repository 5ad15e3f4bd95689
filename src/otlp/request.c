/*
 * Whole requests out of spans as they were kept: only the wrappers are encoded anew.
 */
#include "core/assert.h"
#include "otlp/write.h"
#include "wire.h"

enum { REQUEST_RESOURCE_SPANS = 1, RESOURCE_SPANS_SCOPE_SPANS = 2, SCOPE_SPANS_SPANS = 2 };

/* Spans side by side with one envelope, and the lengths of the messages around them. */
struct run {
    const struct otlp_request_span *spans;
    size_t count;
    size_t scope_spans_len;
    size_t resource_spans_len;
};

/* All wrappers have one-byte tags. */
static size_t wrapped(size_t len)
{
    return 1 + otlp_varint_size(len) + len;
}

static struct run run_measure(const struct otlp_request_span *spans, size_t count)
{
    const struct otlp_envelope *envelope = spans[0].envelope;
    struct run run = {.spans = spans, .scope_spans_len = envelope->scope_fields.len};
    while (run.count < count && spans[run.count].envelope == envelope)
        run.scope_spans_len += wrapped(spans[run.count++].body.len);
    run.resource_spans_len = envelope->resource_fields.len + wrapped(run.scope_spans_len);
    return run;
}

static uint8_t *put_head(uint8_t *at, uint32_t field, size_t len)
{
    *at++ = (uint8_t)WIRE_TAG(field, WIRE_BYTES);
    return at + otlp_varint_write(len, at);
}

static uint8_t *put_bytes(uint8_t *at, struct bytes in)
{
    if (in.len > 0)
        memcpy(at, in.at, in.len);
    return at + in.len;
}

static uint8_t *run_put(uint8_t *at, const struct run *run)
{
    const struct otlp_envelope *envelope = run->spans[0].envelope;
    at = put_head(at, REQUEST_RESOURCE_SPANS, run->resource_spans_len);
    at = put_bytes(at, envelope->resource_fields);
    at = put_head(at, RESOURCE_SPANS_SCOPE_SPANS, run->scope_spans_len);
    at = put_bytes(at, envelope->scope_fields);
    for (size_t i = 0; i < run->count; i++) {
        at = put_head(at, SCOPE_SPANS_SPANS, run->spans[i].body.len);
        at = put_bytes(at, run->spans[i].body);
    }
    return at;
}

void otlp_write_request(struct text *out, const struct otlp_request_span *spans, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count;) {
        struct run run = run_measure(spans + i, count - i);
        total += wrapped(run.resource_spans_len);
        i += run.count;
    }
    if (total == 0)
        return;
    uint8_t *at = text_grow(out, total);
    if (at == NULL)
        return; /* the error sticks in out */
    const uint8_t *end = at + total;
    for (size_t i = 0; i < count;) {
        struct run run = run_measure(spans + i, count - i);
        at = run_put(at, &run);
        i += run.count;
    }
    SB_ASSERT(at == end);
}
