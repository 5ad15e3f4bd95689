/*
 * request: one batch on its way through as many requests as it takes.
 *
 * First all its spans go in one request.  When a backend refuses that for its size or for
 * what it holds, the range of spans is cut in two, and again, until what is refused is a
 * single span.  The ranges still to be sent stand on a stack, the next one on top; halving
 * the top one keeps the stack no higher than the number of bits of a span count.
 */
#ifndef SB_SINK_REQUEST_H
#define SB_SINK_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/text.h"
#include "encoder.h"
#include "sink/batch.h"

enum { REQUEST_RANGES_MAX = 33 };

struct request_range {
    uint32_t first; /* index into the order */
    uint32_t count; /* at least 1 */
};

struct request {
    struct sink_batch *batch; /* NULL: none */
    uint32_t *order;
    uint32_t order_room;
    uint32_t range_count;
    struct request_range ranges[REQUEST_RANGES_MAX];
    struct text body;   /* the encoded top range; stays for the request's retries */
    size_t encoded_len; /* its bytes before compression */
};

void request_init(struct request *request);
void request_clear(struct request *request); /* its batch has been taken out */

/* Takes the batch and puts all its spans in one range; SB_ERR_MEMORY leaves it alone. */
enum sb_err request_load(struct request *request, struct encoder *encoder,
                         struct sink_batch *batch) SB_MUST_USE;

/* Encodes the top range into the body.  Errors as encoder_encode's. */
enum sb_err request_encode(struct request *request, struct encoder *encoder) SB_MUST_USE;

/* Spans of the top range. */
uint32_t request_span_count(const struct request *request);

/* Cuts the top range, of two spans at least, in two; the first half is the new top. */
void request_bisect(struct request *request);

/*
 * The top range is decided: `outcome` for its spans, but SINK_REJECTED for `rejected` of
 * them; it goes from the stack.  True when that was the last one: the batch is done.
 */
bool request_settle(struct request *request, enum sink_outcome outcome, uint32_t rejected);

/* Takes the batch out; spans not decided keep SINK_PENDING. */
struct sink_batch *request_unload(struct request *request);

#endif
