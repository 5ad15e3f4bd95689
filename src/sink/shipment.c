#include "shipment.h"

#include <string.h>

#include "core/assert.h"
#include "core/ids.h"
#include "core/memory.h"
#include "cut.h"

#define MODULE "sink"

enum {
    ROUND_BYTES = 2 << 20, /* of a round; the last record may reach past it */
    ROUND_BYTES_CAP = ROUND_BYTES + (1 << 30), /* no kind takes a record of 1 GB */
};

enum sb_err shipping_init(struct shipping *shipping, const struct shipping_options *options)
{
    *shipping = (struct shipping){.options = *options};
    trace_order_init(&shipping->trace_order, options->seed);
    shipping->shipments = memory_zalloc(options->count, sizeof(*shipping->shipments));
    if (shipping->shipments == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < options->count; i++) {
        struct shipment *shipment = &shipping->shipments[i];
        *shipment = (struct shipment){.shipping = shipping, .state = SHIPMENT_IDLE};
        text_init(&shipment->bytes, ROUND_BYTES_CAP);
    }
    return SB_OK;
}

static void clear_shipment(struct shipment *shipment)
{
    SB_ASSERT(shipment->state == SHIPMENT_IDLE);
    memory_free(shipment->order);
    memory_free(shipment->records);
    text_clear(&shipment->bytes);
}

void shipping_clear(struct shipping *shipping)
{
    for (uint32_t i = 0; shipping->shipments != NULL && i < shipping->options.count; i++)
        clear_shipment(&shipping->shipments[i]);
    memory_free(shipping->shipments);
    memory_free(shipping->spans);
    trace_order_clear(&shipping->trace_order);
}

enum sb_err shipment_load(struct shipment *shipment, struct sink_batch *batch)
{
    SB_ASSERT(shipment->state == SHIPMENT_IDLE && batch->span_count > 0);
    if (batch->span_count > shipment->order_room) {
        uint32_t *order =
            memory_realloc(shipment->order, batch->span_count, sizeof(*shipment->order));
        if (order == NULL)
            return SB_ERR_MEMORY;
        shipment->order = order;
        shipment->order_room = batch->span_count;
    }
    enum sb_err err = trace_order_spans(&shipment->shipping->trace_order, batch->spans,
                                        batch->span_count, shipment->order);
    if (err != SB_OK)
        return err;
    shipment->batch = batch;
    shipment->next = 0;
    shipment->record_count = 0;
    shipment->next_record = 0;
    shipment->again = false;
    shipment->state = SHIPMENT_WAITING;
    return SB_OK;
}

static void finish_batch(struct shipment *shipment)
{
    SB_ASSERT(shipment->under_way == 0);
    struct sink_batch *batch = shipment->batch;
    shipment->batch = NULL;
    shipment->state = SHIPMENT_IDLE;
    inlet_give_back(shipment->shipping->options.inlet, batch);
}

void shipping_give_back(struct shipping *shipping)
{
    for (uint32_t i = 0; i < shipping->options.count; i++)
        if (shipping->shipments[i].state != SHIPMENT_IDLE)
            finish_batch(&shipping->shipments[i]);
}

static void settle(struct shipment_record *record, enum sink_outcome outcome)
{
    struct shipment *shipment = record->shipment;
    struct inlet *inlet = shipment->shipping->options.inlet;
    for (uint32_t i = 0; i < record->count; i++) {
        uint32_t span = shipment->order[record->first + i];
        shipment->batch->spans[span].outcome = (uint8_t)outcome;
    }
    record->done = true;
    if (outcome == SINK_EXPORTED)
        INLET_COUNT(inlet, spans_exported, record->count);
    else
        INLET_COUNT(inlet, spans_too_large, record->count);
}

static void refuse_length(struct shipment_record *record)
{
    const struct shipping_options *options = &record->shipment->shipping->options;
    log_event(options->log, LOG_WARN, MODULE, "record_too_large",
              LOG_TEXT("sink", options->inlet->base.name),
              LOG_TEXT(options->place_key, options->place), LOG_NUMBER("bytes", record->len),
              LOG_NUMBER("spans", record->count));
    settle(record, SINK_TOO_LARGE);
}

/* Undelivered records' spans go back to the end of those that a round has taken. */
static void take_back(struct shipment *shipment)
{
    uint32_t to = shipment->next;
    for (uint32_t i = shipment->record_count; i-- > 0;) {
        const struct shipment_record *record = &shipment->records[i];
        if (record->done)
            continue;
        to -= record->count;
        memmove(shipment->order + to, shipment->order + record->first,
                record->count * sizeof(*shipment->order));
    }
    shipment->again = to < shipment->next;
    shipment->next = to;
    shipment->record_count = 0;
    shipment->next_record = 0;
}

/* Nothing of the round is to be sent or reported any more. */
static void end_round(struct shipment *shipment)
{
    take_back(shipment);
    shipment->state = SHIPMENT_WAITING;
    if (shipment->next == shipment->batch->span_count)
        finish_batch(shipment);
}

static void end_round_if_over(struct shipment *shipment)
{
    if (shipment->under_way == 0 && shipment_next(shipment) == NULL)
        end_round(shipment);
}

void shipping_forget(struct shipping *shipping)
{
    shipping->under_way = 0;
    for (uint32_t i = 0; i < shipping->options.count; i++) {
        struct shipment *shipment = &shipping->shipments[i];
        shipment->under_way = 0;
        if (shipment->state == SHIPMENT_SENDING)
            end_round(shipment);
    }
}

static enum sb_err grow_records(struct shipment *shipment)
{
    if (shipment->record_count < shipment->record_room)
        return SB_OK;
    uint32_t room = shipment->record_room == 0 ? 256 : shipment->record_room * 2;
    struct shipment_record *records =
        memory_realloc(shipment->records, room, sizeof(*shipment->records));
    if (records == NULL)
        return SB_ERR_MEMORY;
    shipment->records = records;
    shipment->record_room = room;
    return SB_OK;
}

static enum sb_err view_spans(struct shipping *shipping, const struct cut_range *range,
                              uint32_t count)
{
    if (count > shipping->span_room) {
        struct otlp_request_span *spans =
            memory_realloc(shipping->spans, count, sizeof(*spans));
        if (spans == NULL)
            return SB_ERR_MEMORY;
        shipping->spans = spans;
        shipping->span_room = count;
    }
    const struct sink_batch *batch = range->batch;
    for (uint32_t i = 0; i < count; i++) {
        const struct sink_span *span = &batch->spans[range->order[range->first + i]];
        SB_ASSERT(span->at <= batch->bytes.len && span->len <= batch->bytes.len - span->at);
        shipping->spans[i] = (struct otlp_request_span){
            .envelope = span->envelope,
            .body = bytes_of(batch->bytes.at + span->at, span->len),
        };
    }
    return SB_OK;
}

/* Makes one more record; a span that no record can hold gets its outcome instead. */
static enum sb_err make_record(struct shipment *shipment, const struct cut_range *range)
{
    struct shipping *shipping = shipment->shipping;
    size_t len;
    uint32_t count = cut_next(range, shipping->record_bytes_max, &len);
    enum sb_err err = grow_records(shipment);
    if (err != SB_OK)
        return err;
    struct shipment_record record = {.shipment = shipment,
                                     .first = range->first,
                                     .count = count,
                                     .at = shipment->bytes.len,
                                     .len = len};
    if (len > shipping->value_bytes_max) {
        refuse_length(&record);
    } else {
        err = view_spans(shipping, range, count);
        if (err == SB_OK) {
            otlp_write_request(&shipment->bytes, shipping->spans, count);
            err = shipment->bytes.error;
        }
        if (err != SB_OK)
            return err;
        record.len = shipment->bytes.len - record.at;
    }
    shipment->records[shipment->record_count++] = record;
    shipment->next += count;
    return SB_OK;
}

enum sb_err shipment_make_round(struct shipment *shipment)
{
    SB_ASSERT(shipment->state == SHIPMENT_WAITING && shipment->under_way == 0);
    enum sb_err err = SB_OK;
    struct cut_range range = {
        .batch = shipment->batch, .order = shipment->order, .end = shipment->batch->span_count};
    text_reset(&shipment->bytes);
    shipment->record_count = 0;
    shipment->next_record = 0;
    shipment->state = SHIPMENT_SENDING;
    while (err == SB_OK && shipment->next < range.end && shipment->bytes.len < ROUND_BYTES) {
        range.first = shipment->next;
        err = make_record(shipment, &range);
    }
    end_round_if_over(shipment);
    return err;
}

struct shipment_record *shipment_next(struct shipment *shipment)
{
    while (shipment->next_record < shipment->record_count) {
        struct shipment_record *record = &shipment->records[shipment->next_record];
        if (!record->done && !record->sent)
            return record;
        shipment->next_record++;
    }
    return NULL;
}

struct bytes shipment_body(const struct shipment_record *record)
{
    return bytes_of(record->shipment->bytes.at + record->at, record->len);
}

struct trace_id shipment_trace(const struct shipment_record *record)
{
    const struct shipment *shipment = record->shipment;
    return shipment->batch->spans[shipment->order[record->first]].trace;
}

void shipment_sent(struct shipment_record *record)
{
    struct shipment *shipment = record->shipment;
    struct inlet *inlet = shipment->shipping->options.inlet;
    SB_ASSERT(shipment->state == SHIPMENT_SENDING && !record->sent && !record->done);
    record->sent = true;
    shipment->under_way++;
    shipment->shipping->under_way++;
    INLET_COUNT(inlet, requests, 1);
    INLET_COUNT(inlet, retries, shipment->again);
    INLET_COUNT(inlet, bytes_sent, record->len);
}

void shipment_send_no_more(struct shipment *shipment)
{
    if (shipment->state != SHIPMENT_SENDING)
        return;
    shipment->next_record = shipment->record_count;
    end_round_if_over(shipment);
}

static void take_report(struct shipment_record *record)
{
    struct shipment *shipment = record->shipment;
    SB_ASSERT(record->sent && !record->done && shipment->under_way > 0);
    shipment->under_way--;
    shipment->shipping->under_way--;
}

void shipment_report(struct shipment_record *record, enum sink_outcome outcome)
{
    take_report(record);
    if (outcome != SINK_PENDING)
        settle(record, outcome);
    end_round_if_over(record->shipment);
}

void shipment_report_too_large(struct shipment_record *record)
{
    take_report(record);
    refuse_length(record);
    end_round_if_over(record->shipment);
}
