#include "sink/batch.h"

#include "core/assert.h"
#include "core/memory.h"

enum sb_err sink_batch_new(uint32_t span_room, size_t bytes_max, struct sink_batch **ret)
{
    /* A span's place is a 32-bit offset. */
    SB_ASSERT(span_room > 0 && bytes_max <= UINT32_MAX);
    struct sink_batch *batch = memory_zalloc(1, sizeof(*batch));
    if (batch == NULL)
        return SB_ERR_MEMORY;
    batch->spans = memory_zalloc(span_room, sizeof(*batch->spans));
    if (batch->spans == NULL) {
        memory_free(batch);
        return SB_ERR_MEMORY;
    }
    batch->span_room = span_room;
    text_init(&batch->bytes, bytes_max);
    *ret = batch;
    return SB_OK;
}

void sink_batch_free(struct sink_batch *batch)
{
    if (batch == NULL)
        return;
    text_clear(&batch->bytes);
    memory_free(batch->spans);
    memory_free(batch);
}

void sink_batch_reset(struct sink_batch *batch)
{
    batch->item.next = NULL;
    text_reset(&batch->bytes);
    batch->span_count = 0;
    batch->opened_ns = 0;
}
