/*
 * batch: spans on their way to one sink.
 *
 * A worker fills a batch, gives it to the sink, and gets it back with an outcome for every
 * span; only the worker frees it.  Between the two it belongs to the sink's thread.  The
 * encoded spans are stored in the batch itself; envelopes are borrowed from the worker,
 * which keeps them until the batch is back.
 */
#ifndef SB_SINK_BATCH_H
#define SB_SINK_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "core/ids.h"
#include "core/mailbox.h"
#include "core/text.h"
#include "otlp/scan.h"

/* What became of one span at one sink. */
enum sink_outcome {
    SINK_PENDING,   /* not decided yet: a batch that comes back so was not sent */
    SINK_EXPORTED,  /* acknowledged */
    SINK_REJECTED,  /* refused for good: by partial success, or for what it holds */
    SINK_TOO_LARGE, /* larger than the backend takes, even alone */
    SINK_LOST       /* drop_oldest only */
};

struct sink_span {
    const struct otlp_envelope *envelope;
    struct trace_id trace; /* that it leaves under, patches included */
    uint32_t at;           /* offset of the encoded Span body in the batch's bytes */
    uint32_t len;
    uint32_t ticket; /* the worker's own reference; the sink does not look at it */
    uint8_t outcome; /* enum sink_outcome, written by the sink */
    bool synthetic;
};

struct sink_batch {
    struct mailbox_item item; /* first: links it in whichever queue it stands */
    void *owner;              /* the worker's; the sink does not look at it */
    struct text bytes;
    struct sink_span *spans;
    uint32_t span_count;
    uint32_t span_room;
    uint64_t opened_ns; /* monotonic: when its first span came */
};

/* SB_ERR_MEMORY. */
enum sb_err sink_batch_new(uint32_t span_room, size_t bytes_max,
                           struct sink_batch **ret) SB_MUST_USE;
void sink_batch_free(struct sink_batch *batch);
void sink_batch_reset(struct sink_batch *batch); /* empties it, keeps the memory */

#endif
