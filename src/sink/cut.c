#include "cut.h"

#include "core/assert.h"

/* Tag and length of a message of less than 4 GiB. */
enum { HEAD_LEN = 6 };

static size_t envelope_len(const struct otlp_envelope *envelope)
{
    return (size_t)2 * HEAD_LEN + envelope->resource_fields.len + envelope->scope_fields.len;
}

uint32_t cut_next(const struct cut_range *range, size_t bytes_max, size_t *ret_len)
{
    const struct sink_span *spans = range->batch->spans;
    const struct sink_span *before = NULL;
    size_t len = 0;
    uint32_t at = range->first;
    for (; at < range->end; at++) {
        SB_ASSERT(range->order[at] < range->batch->span_count);
        const struct sink_span *span = &spans[range->order[at]];
        if (before != NULL && !trace_id_equal(span->trace, before->trace))
            break;
        size_t more = HEAD_LEN + (size_t)span->len;
        if (before == NULL || span->envelope != before->envelope)
            more += envelope_len(span->envelope);
        if (before != NULL && len + more > bytes_max)
            break;
        len += more;
        before = span;
    }
    *ret_len = len;
    return at - range->first;
}
