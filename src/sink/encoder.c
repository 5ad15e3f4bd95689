#include "encoder.h"

#include "core/assert.h"
#include "core/memory.h"
#include "grpc.h"

enum sb_err encoder_init(struct encoder *encoder, enum sink_otlp_protocol protocol,
                         enum sink_compression compression)
{
    *encoder = (struct encoder){.protocol = protocol, .compression = compression};
    order_init(&encoder->order);
    text_init(&encoder->plain, ENCODER_MESSAGE_MAX);
    return compressor_new(compression, &encoder->compressor);
}

void encoder_clear(struct encoder *encoder)
{
    compressor_free(encoder->compressor);
    order_clear(&encoder->order);
    text_clear(&encoder->plain);
    memory_free(encoder->spans);
    encoder->compressor = NULL;
    encoder->spans = NULL;
    encoder->span_room = 0;
}

/* Views of the spans, in their order, for otlp_write_request. */
static enum sb_err view_spans(struct encoder *encoder, const struct sink_batch *batch,
                              struct encoder_range range)
{
    if (range.count > encoder->span_room) {
        struct otlp_request_span *spans =
            memory_realloc(encoder->spans, range.count, sizeof(*spans));
        if (spans == NULL)
            return SB_ERR_MEMORY;
        encoder->spans = spans;
        encoder->span_room = range.count;
    }
    for (uint32_t i = 0; i < range.count; i++) {
        SB_ASSERT(range.at[i] < batch->span_count);
        const struct sink_span *span = &batch->spans[range.at[i]];
        SB_ASSERT(span->at <= batch->bytes.len && span->len <= batch->bytes.len - span->at);
        encoder->spans[i] = (struct otlp_request_span){
            .envelope = span->envelope,
            .body = bytes_of(batch->bytes.at + span->at, span->len),
        };
    }
    return SB_OK;
}

enum sb_err encoder_encode(struct encoder *encoder, const struct sink_batch *batch,
                           struct encoder_range range, struct text *out, size_t *ret_len)
{
    enum sb_err err = view_spans(encoder, batch, range);
    if (err != SB_OK)
        return err;
    bool compressed = encoder->compression != SINK_COMPRESSION_NONE;
    size_t frame = encoder->protocol == SINK_OTLP_GRPC ? GRPC_FRAME_LEN : 0;
    text_reset(out);
    if (text_grow(out, frame) == NULL)
        return out->error;
    struct text *plain = compressed ? &encoder->plain : out;
    if (compressed)
        text_reset(plain);
    size_t start = plain->len;
    otlp_write_request(plain, encoder->spans, range.count);
    if (plain->error != SB_OK)
        return plain->error;
    size_t plain_len = plain->len - start;
    if (compressed)
        err = compressor_append(encoder->compressor, text_bytes(plain), out);
    if (err != SB_OK)
        return err;
    if (frame > 0)
        grpc_write_frame((uint8_t *)out->at, compressed, out->len - frame);
    *ret_len = plain_len;
    return SB_OK;
}
