#include "request.h"

#include "core/assert.h"
#include "core/memory.h"
#include "grpc.h"

void request_init(struct request *request)
{
    *request = (struct request){0};
    text_init(&request->body, ENCODER_MESSAGE_MAX + GRPC_FRAME_LEN);
}

void request_clear(struct request *request)
{
    SB_ASSERT(request->batch == NULL);
    memory_free(request->order);
    text_clear(&request->body);
    request->order = NULL;
    request->order_room = 0;
}

enum sb_err request_load(struct request *request, struct encoder *encoder,
                         struct sink_batch *batch)
{
    SB_ASSERT(request->batch == NULL && batch->span_count > 0);
    if (batch->span_count > request->order_room) {
        uint32_t *order =
            memory_realloc(request->order, batch->span_count, sizeof(*request->order));
        if (order == NULL)
            return SB_ERR_MEMORY;
        request->order = order;
        request->order_room = batch->span_count;
    }
    enum sb_err err =
        order_spans(&encoder->order, batch->spans, batch->span_count, request->order);
    if (err != SB_OK)
        return err;
    request->batch = batch;
    request->ranges[0] = (struct request_range){.first = 0, .count = batch->span_count};
    request->range_count = 1;
    return SB_OK;
}

static struct request_range *top_of(struct request *request)
{
    SB_ASSERT(request->range_count > 0);
    return &request->ranges[request->range_count - 1];
}

enum sb_err request_encode(struct request *request, struct encoder *encoder)
{
    const struct request_range *top = top_of(request);
    struct encoder_range range = {.at = request->order + top->first, .count = top->count};
    return encoder_encode(encoder, request->batch, range, &request->body,
                          &request->encoded_len);
}

uint32_t request_span_count(const struct request *request)
{
    SB_ASSERT(request->range_count > 0);
    return request->ranges[request->range_count - 1].count;
}

void request_bisect(struct request *request)
{
    struct request_range *top = top_of(request);
    SB_ASSERT(top->count > 1 && request->range_count < REQUEST_RANGES_MAX);
    uint32_t half = top->count / 2;
    struct request_range first = {.first = top->first, .count = half};
    top->first += half;
    top->count -= half;
    request->ranges[request->range_count++] = first;
}

bool request_settle(struct request *request, enum sink_outcome outcome, uint32_t rejected)
{
    const struct request_range *top = top_of(request);
    SB_ASSERT(rejected <= top->count);
    for (uint32_t i = 0; i < top->count; i++) {
        /* Which spans a partial success means is not told: only their number is right. */
        uint32_t span = request->order[top->first + i];
        request->batch->spans[span].outcome = (uint8_t)(i < rejected ? SINK_REJECTED : outcome);
    }
    request->range_count--;
    return request->range_count == 0;
}

struct sink_batch *request_unload(struct request *request)
{
    struct sink_batch *batch = request->batch;
    request->batch = NULL;
    request->range_count = 0;
    return batch;
}
