#include "tally.h"

#include <string.h>

#include "core/memory.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };
enum { RESOURCE_SPANS = 1, SCOPE_SPANS = 2, SPANS = 2, TRACE_ID = 1, SPAN_ID = 2 };

struct tally {
    struct tally_options options;
    struct tally_result seen;
    uint8_t *traces; /* by index: a bit for each span that came */
};

enum sb_err tally_new(const struct tally_options *options, struct tally **ret)
{
    struct tally *tally = memory_zalloc(1, sizeof(*tally));
    if (tally == NULL)
        return SB_ERR_MEMORY;
    tally->options = *options;
    tally->traces = memory_zalloc(options->plan.traces, 1);
    if (tally->traces == NULL) {
        memory_free(tally);
        return SB_ERR_MEMORY;
    }
    *ret = tally;
    return SB_OK;
}

void tally_free(struct tally *tally)
{
    if (tally == NULL)
        return;
    memory_free(tally->traces);
    memory_free(tally);
}

/* One field off the front of `*rest`; false at the end, and *ok false where it is malformed. */
struct field {
    uint32_t number;
    struct bytes body; /* of length-delimited fields, else empty */
};

static bool take_varint(struct bytes *rest, uint64_t *ret)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && rest->len > 0; shift += 7) {
        uint8_t byte = *rest->at;
        *rest = bytes_of(rest->at + 1, rest->len - 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool take_field(struct bytes *rest, bool *ok, struct field *ret)
{
    uint64_t tag;
    uint64_t len = 0;
    if (rest->len == 0)
        return false;
    *ok = false;
    if (!take_varint(rest, &tag))
        return false;
    *ret = (struct field){.number = (uint32_t)(tag >> 3)};
    switch (tag & 7) {
    case WIRE_VARINT:
        if (!take_varint(rest, &len))
            return false;
        len = 0;
        break;
    case WIRE_FIXED64:
        len = 8;
        break;
    case WIRE_FIXED32:
        len = 4;
        break;
    case WIRE_BYTES:
        if (!take_varint(rest, &len))
            return false;
        break;
    default:
        return false;
    }
    if (len > rest->len)
        return false;
    if ((tag & 7) == WIRE_BYTES)
        ret->body = bytes_of(rest->at, (size_t)len);
    *rest = bytes_of(rest->at + len, rest->len - (size_t)len);
    *ok = true;
    return true;
}

static void count_span(struct tally *tally, const uint8_t *trace_at, const uint8_t *span_at)
{
    const struct load_plan *plan = &tally->options.plan;
    uint32_t trace;
    uint32_t piece;
    uint32_t owner;
    uint32_t span;
    tally->seen.spans++;
    if (!load_read_span_id(plan, span_id_load(span_at), &owner, &span)) {
        tally->seen.foreign++;
        return;
    }
    uint32_t place = tally->options.pieces ? load_piece_of(plan->kind, span) : 0;
    if (!load_read_trace_id(plan, trace_id_load(trace_at), &trace, &piece) || trace != owner ||
        piece != place)
        tally->seen.misplaced++;
    uint8_t bit = (uint8_t)(1u << span);
    if (tally->traces[owner] & bit)
        tally->seen.duplicates++;
    tally->traces[owner] |= bit;
}

/* The last one of a field counts: that is how ids are patched. */
static bool walk_span(struct tally *tally, struct bytes span)
{
    struct bytes trace_id = {0};
    struct bytes span_id = {0};
    struct field field;
    bool ok = true;
    while (take_field(&span, &ok, &field)) {
        if (field.number == TRACE_ID)
            trace_id = field.body;
        else if (field.number == SPAN_ID)
            span_id = field.body;
    }
    if (!ok || trace_id.len != TRACE_ID_LEN || span_id.len != SPAN_ID_LEN)
        return false;
    count_span(tally, trace_id.at, span_id.at);
    return true;
}

static bool walk_scope_spans(struct tally *tally, struct bytes scope_spans)
{
    struct field field;
    bool ok = true;
    while (take_field(&scope_spans, &ok, &field))
        if (field.number == SPANS && !walk_span(tally, field.body))
            return false;
    return ok;
}

static bool walk_resource_spans(struct tally *tally, struct bytes resource_spans)
{
    struct field field;
    bool ok = true;
    while (take_field(&resource_spans, &ok, &field))
        if (field.number == SCOPE_SPANS && !walk_scope_spans(tally, field.body))
            return false;
    return ok;
}

void tally_add(struct tally *tally, struct bytes request)
{
    struct field field;
    bool ok = true;
    bool fine = true;
    tally->seen.requests++;
    tally->seen.bytes += request.len;
    while (fine && take_field(&request, &ok, &field))
        if (field.number == RESOURCE_SPANS)
            fine = walk_resource_spans(tally, field.body);
    if (!ok || !fine)
        tally->seen.malformed++;
}

/* The spans of a trace that had to be kept, as bits. */
static uint8_t expected_bits(const struct tally_options *options, uint32_t index)
{
    if (options->share)
        return load_in_share(&options->plan, index) ? UINT8_MAX : 0;
    if (!options->pieces)
        return load_keeps(&options->plan, index, -1) ? UINT8_MAX : 0;
    bool kept[LOAD_PIECES];
    for (int piece = 0; piece < LOAD_PIECES; piece++)
        kept[piece] = load_keeps(&options->plan, index, piece);
    uint8_t bits = 0;
    for (uint32_t span = 0; span < LOAD_SPANS_PER_TRACE; span++)
        if (kept[load_piece_of(options->plan.kind, span)])
            bits |= (uint8_t)(1u << span);
    return bits;
}

static uint64_t count_bits(unsigned bits)
{
    return (uint64_t)__builtin_popcount(bits);
}

struct tally_result tally_judge(const struct tally *tally)
{
    struct tally_result result = tally->seen;
    for (uint32_t index = 0; index < tally->options.plan.traces; index++) {
        unsigned expected = expected_bits(&tally->options, index);
        unsigned came = tally->traces[index];
        result.expected += count_bits(expected);
        result.missing += count_bits(expected & ~came);
        result.wrong_keep += count_bits(came & ~expected);
        result.torn += came != 0 && (expected & ~came) != 0;
    }
    return result;
}

bool tally_is_right(const struct tally_result *result)
{
    return result->expected > 0 && result->missing == 0 && result->wrong_keep == 0 &&
           result->duplicates == 0 && result->misplaced == 0 && result->malformed == 0;
}
