/*
 * egress: see egress.h.
 */
#include "egress.h"

#include "core/assert.h"
#include "core/memory.h"

enum { TICKET_CHUNK_BITS = 10, BATCH_SPANS_AT_FIRST = 1024 };

enum sb_err egress_init(struct egress *egress, const struct worker_options *options,
                        struct envelopes *envelopes, void *owner)
{
    *egress = (struct egress){.options = options, .envelopes = envelopes, .owner = owner};
    pool_init(&egress->tickets, sizeof(struct ticket), TICKET_CHUNK_BITS);
    mailbox_init(&egress->returned);
    egress->open = memory_zalloc(options->sink_count, sizeof(struct sink_batch *));
    return egress->open == NULL ? SB_ERR_MEMORY : SB_OK;
}

void egress_clear(struct egress *egress)
{
    if (egress->open == NULL)
        return;
    for (uint32_t i = 0; i < egress->options->sink_count; i++)
        sink_batch_free(egress->open[i]);
    for (struct mailbox_item *item = mailbox_take_all(&egress->returned); item != NULL;) {
        struct mailbox_item *next = item->next;
        sink_batch_free((struct sink_batch *)item);
        item = next;
    }
    mailbox_clear(&egress->returned);
    while (egress->free_batches != NULL) {
        struct sink_batch *batch = egress->free_batches;
        egress->free_batches = (struct sink_batch *)batch->item.next;
        sink_batch_free(batch);
    }
    memory_free(egress->open);
    egress->open = NULL;
    pool_clear(&egress->tickets);
}

static void submit(struct egress *egress, uint32_t sink)
{
    struct sink_batch *batch = egress->open[sink];
    egress->open[sink] = NULL;
    egress->last_len = batch->bytes.len;
    egress->batches_out++;
    sink_submit(egress->options->sinks[sink], batch);
}

static struct sink_batch *take_batch(struct egress *egress)
{
    struct sink_batch *batch = egress->free_batches;
    if (batch != NULL) {
        egress->free_batches = (struct sink_batch *)batch->item.next;
        return batch;
    }
    /* A span with its patches may be longer than a batch is meant to be. */
    size_t bytes_max = (size_t)UINT32_MAX;
    if (sink_batch_new(BATCH_SPANS_AT_FIRST, bytes_max, &batch) != SB_OK)
        return NULL;
    batch->owner = egress->owner;
    /* As long as the last one: growing copies, and what there is no memory for can wait. */
    text_grow(&batch->bytes, egress->last_len);
    text_reset(&batch->bytes);
    return batch;
}

/* The batch of that sink with room for `len` more bytes; NULL: memory is short. */
static struct sink_batch *batch_for(struct egress *egress, uint32_t sink, size_t len,
                                    uint64_t now_ns)
{
    const struct worker_batching *limits = &egress->options->batching[sink];
    struct sink_batch *batch = egress->open[sink];
    if (batch != NULL && (batch->span_count >= limits->spans_max ||
                          batch->bytes.len + len > limits->bytes_max)) {
        submit(egress, sink);
        batch = NULL;
    }
    if (batch == NULL) {
        batch = take_batch(egress);
        if (batch == NULL)
            return NULL;
        batch->opened_ns = now_ns;
        egress->open[sink] = batch;
    }
    return batch;
}

static enum sb_err grow_spans(struct sink_batch *batch)
{
    if (batch->span_count < batch->span_room)
        return SB_OK;
    uint32_t room = batch->span_room * 2;
    struct sink_span *spans = memory_realloc(batch->spans, room, sizeof(*spans));
    if (spans == NULL)
        return SB_ERR_MEMORY;
    batch->spans = spans;
    batch->span_room = room;
    return SB_OK;
}

static enum sb_err add_to_batch(struct egress *egress, struct sink_batch *batch,
                                const struct egress_span *span, uint32_t ticket)
{
    enum sb_err err = grow_spans(batch);
    if (err != SB_OK)
        return err;
    size_t at = batch->bytes.len;
    size_t len = span->raw.len + span->patch.len;
    uint8_t *body = text_grow(&batch->bytes, len);
    batch->bytes.error = SB_OK; /* it is tried again, with this batch */
    if (body == NULL)
        return SB_ERR_MEMORY;
    memcpy(body, span->raw.at, span->raw.len);
    if (span->patch.len > 0)
        memcpy(body + span->raw.len, span->patch.at, span->patch.len);
    batch->spans[batch->span_count++] = (struct sink_span){
        .envelope = &envelopes_at(egress->envelopes, span->envelope)->view,
        .trace = span->trace,
        .at = (uint32_t)at,
        .len = (uint32_t)len,
        .ticket = ticket,
        .outcome = SINK_PENDING,
        .synthetic = span->record == RECORD_NONE,
    };
    envelopes_hold(egress->envelopes, span->envelope);
    return SB_OK;
}

/* Takes the span out of the batches of the first `sinks` sinks, where it is the last. */
static void undo(struct egress *egress, uint32_t sinks, uint32_t envelope)
{
    for (uint32_t i = 0; i < sinks; i++) {
        struct sink_batch *batch = egress->open[i];
        batch->bytes.len = batch->spans[--batch->span_count].at;
        envelopes_release(egress->envelopes, envelope);
    }
}

enum sb_err egress_add(struct egress *egress, const struct egress_span *span, uint64_t now_ns)
{
    uint32_t ticket = pool_take(&egress->tickets);
    if (ticket == POOL_NONE)
        return SB_ERR_MEMORY;
    uint32_t sinks = egress->options->sink_count;
    for (uint32_t i = 0; i < sinks; i++) {
        struct sink_batch *batch =
            batch_for(egress, i, span->raw.len + span->patch.len, now_ns);
        if (batch == NULL || add_to_batch(egress, batch, span, ticket) != SB_OK) {
            undo(egress, i, span->envelope);
            pool_give(&egress->tickets, ticket);
            return SB_ERR_MEMORY;
        }
    }
    *(struct ticket *)pool_at(&egress->tickets, ticket) = (struct ticket){
        .record = span->record,
        .pending = (uint8_t)sinks,
        .outcome = SINK_EXPORTED,
    };
    return SB_OK;
}

bool egress_has_room(const struct egress *egress)
{
    for (uint32_t i = 0; i < egress->options->sink_count; i++) {
        if (!sink_has_room(egress->options->sinks[i]))
            return false;
    }
    return true;
}

static uint64_t due_ns(const struct egress *egress, uint32_t sink)
{
    return egress->open[sink]->opened_ns + egress->options->batching[sink].linger_ns;
}

void egress_flush(struct egress *egress, uint64_t now_ns)
{
    for (uint32_t i = 0; i < egress->options->sink_count; i++) {
        const struct sink_batch *batch = egress->open[i];
        if (batch != NULL && batch->span_count > 0 && due_ns(egress, i) <= now_ns)
            submit(egress, i);
    }
}

/* The worse of two outcomes: anything is worse than exported. */
static uint8_t worse(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static void collect_batch(struct egress *egress, struct sink_batch *batch,
                          egress_fn on_finished, void *arg)
{
    for (uint32_t i = 0; i < batch->span_count; i++) {
        const struct sink_span *span = &batch->spans[i];
        if (span->outcome != SINK_PENDING) { /* else the sink was stopped: it stays held */
            struct ticket *ticket = pool_at(&egress->tickets, span->ticket);
            SB_ASSERT(ticket->pending > 0);
            ticket->outcome = worse(ticket->outcome, span->outcome);
            if (--ticket->pending == 0) {
                on_finished(arg, ticket, batch, span);
                pool_give(&egress->tickets, span->ticket);
            }
        }
        envelopes_release_view(egress->envelopes, span->envelope);
    }
    sink_batch_reset(batch);
    batch->item.next = (struct mailbox_item *)egress->free_batches;
    egress->free_batches = batch;
    egress->batches_out--;
}

bool egress_collect(struct egress *egress, egress_fn on_finished, void *arg)
{
    struct mailbox_item *item = mailbox_take_all(&egress->returned);
    bool any = item != NULL;
    while (item != NULL) {
        struct mailbox_item *next = item->next;
        collect_batch(egress, (struct sink_batch *)item, on_finished, arg);
        item = next;
    }
    return any;
}
