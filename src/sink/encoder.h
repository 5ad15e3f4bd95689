/*
 * encoder: turns a range of a batch's spans into the bytes of one request.
 *
 * The span bytes are copied once, from the batch into the request's own buffer; libcurl
 * sends from there.  With compression the plain bytes go through one buffer that all
 * requests of the sink share.  One encoder per sink, in its thread; nothing is allocated
 * once its buffers are warm.
 */
#ifndef SB_SINK_ENCODER_H
#define SB_SINK_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "compress.h"
#include "order.h"
#include "otlp/write.h"
#include "sink/batch.h"
#include "sink/otlp.h"

/* The client's side of the message size limit that the OTLP specification recommends. */
enum { ENCODER_MESSAGE_MAX = 64 * 1024 * 1024 };

/* Some indexes of a batch's spans, as order_spans ordered them; a borrowed view. */
struct encoder_range {
    const uint32_t *at;
    uint32_t count;
};

struct encoder {
    enum sink_otlp_protocol protocol;
    enum sink_compression compression;
    struct compressor *compressor;
    struct order order;
    struct text plain; /* with compression: the request before it */
    struct otlp_request_span *spans;
    uint32_t span_room;
};

/* SB_ERR_MEMORY.  Clear it even after a failure. */
enum sb_err encoder_init(struct encoder *encoder, enum sink_otlp_protocol protocol,
                         enum sink_compression compression) SB_MUST_USE;
void encoder_clear(struct encoder *encoder);

/*
 * Replaces the content of `out` by the request with these spans of the batch, compressed
 * and framed.  *ret_len: encoded bytes before compression.
 * SB_ERR_LIMIT: larger than ENCODER_MESSAGE_MAX; SB_ERR_MEMORY; SB_ERR_INTERNAL.
 */
enum sb_err encoder_encode(struct encoder *encoder, const struct sink_batch *batch,
                           struct encoder_range range, struct text *out,
                           size_t *ret_len) SB_MUST_USE;

#endif
