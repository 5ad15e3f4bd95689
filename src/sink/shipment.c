#include "core/assert.h"
#include "core/ids.h"
#include "core/log.h"
#include "core/memory.h"
#include "cut.h"
#include "kafka_sink.h"

#define MODULE "sink"

enum {
    ROUND_BYTES = 2 << 20,      /* of a round's records; the last one may reach past it */
    RECORD_BYTES_MIN = 1 << 10, /* records are not cut for less: the topic takes nothing */
    ROUND_BYTES_CAP = ROUND_BYTES + (1 << 30), /* librdkafka takes no message of 1 GB */
};

void shipment_init(struct shipment *shipment, struct kafka_sink *sink)
{
    *shipment = (struct shipment){.sink = sink, .state = SHIPMENT_IDLE};
    text_init(&shipment->bytes, ROUND_BYTES_CAP);
}

void shipment_clear(struct shipment *shipment)
{
    SB_ASSERT(shipment->state == SHIPMENT_IDLE);
    memory_free(shipment->order);
    memory_free(shipment->records);
    text_clear(&shipment->bytes);
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
    enum sb_err err = trace_order_spans(&shipment->sink->trace_order, batch->spans,
                                        batch->span_count, shipment->order);
    if (err != SB_OK)
        return err;
    shipment->batch = batch;
    shipment->next = 0;
    shipment->record_count = 0;
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
    inlet_give_back(&shipment->sink->inlet, batch);
}

void shipment_abort(struct shipment *shipment)
{
    if (shipment->state != SHIPMENT_IDLE)
        finish_batch(shipment);
}

static void settle(struct shipment *shipment, struct shipment_record *record,
                   enum sink_outcome outcome)
{
    for (uint32_t i = 0; i < record->count; i++) {
        uint32_t span = shipment->order[record->first + i];
        shipment->batch->spans[span].outcome = (uint8_t)outcome;
    }
    record->done = true;
    if (outcome == SINK_EXPORTED)
        INLET_COUNT(&shipment->sink->inlet, spans_exported, record->count);
    else
        INLET_COUNT(&shipment->sink->inlet, spans_too_large, record->count);
}

static void refuse_length(struct shipment *shipment, struct shipment_record *record)
{
    struct kafka_sink *sink = shipment->sink;
    log_event(sink->options.log, LOG_WARN, MODULE, "record_too_large",
              LOG_TEXT("sink", sink->options.name), LOG_TEXT("topic", sink->options.topic),
              LOG_NUMBER("bytes", record->len), LOG_NUMBER("spans", record->count));
    settle(shipment, record, SINK_TOO_LARGE);
}

/*
 * The broker refuses a whole request for its length, or for that of any record in it.  A
 * record longer than what requests may hold travels alone: of such a one it is sure.  The
 * others go again, in smaller records and requests.
 */
static void on_too_large(struct shipment *shipment, struct shipment_record *record)
{
    struct kafka_sink *sink = shipment->sink;
    bool alone = record->count == 1 && record->len >= sink->record_bytes_max;
    if (alone || sink->record_bytes_max <= RECORD_BYTES_MIN)
        refuse_length(shipment, record);
    else
        sink->smaller = true;
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
}

/* Nothing of the round is at librdkafka any more. */
static void end_round(struct shipment *shipment)
{
    take_back(shipment);
    shipment->state = SHIPMENT_WAITING;
    if (shipment->next == shipment->batch->span_count)
        finish_batch(shipment);
}

static void on_failure(struct shipment *shipment, struct shipment_record *record,
                       rd_kafka_resp_err_t err)
{
    switch (err) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        on_too_large(shipment, record);
        break;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__FATAL:
        break; /* the producer has ended, or the sink ends */
    default:
        kafka_trouble_of_record(shipment->sink, err);
        break;
    }
}

void shipment_on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    struct kafka_sink *sink = opaque;
    struct shipment_record *record = message->_private;
    struct shipment *shipment = record->shipment;
    SB_ASSERT(record->sent && !record->done && shipment->under_way > 0);
    shipment->under_way--;
    sink->under_way--;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_trouble_is_over(sink);
        settle(shipment, record, SINK_EXPORTED);
    } else {
        on_failure(shipment, record, message->err);
    }
    if (shipment->under_way == 0)
        end_round(shipment);
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

static enum sb_err view_spans(struct kafka_sink *sink, const struct cut_range *range,
                              uint32_t count)
{
    if (count > sink->span_room) {
        struct otlp_request_span *spans = memory_realloc(sink->spans, count, sizeof(*spans));
        if (spans == NULL)
            return SB_ERR_MEMORY;
        sink->spans = spans;
        sink->span_room = count;
    }
    const struct sink_batch *batch = range->batch;
    for (uint32_t i = 0; i < count; i++) {
        const struct sink_span *span = &batch->spans[range->order[range->first + i]];
        SB_ASSERT(span->at <= batch->bytes.len && span->len <= batch->bytes.len - span->at);
        sink->spans[i] = (struct otlp_request_span){
            .envelope = span->envelope,
            .body = bytes_of(batch->bytes.at + span->at, span->len),
        };
    }
    return SB_OK;
}

/* Makes one more record; a span that no record can hold gets its outcome instead. */
static enum sb_err make_record(struct shipment *shipment, const struct cut_range *range)
{
    struct kafka_sink *sink = shipment->sink;
    size_t len;
    uint32_t count = cut_next(range, sink->record_bytes_max, &len);
    enum sb_err err = grow_records(shipment);
    if (err != SB_OK)
        return err;
    struct shipment_record record = {.shipment = shipment,
                                     .first = range->first,
                                     .count = count,
                                     .at = shipment->bytes.len,
                                     .len = len};
    if (len > sink->value_bytes_max) {
        refuse_length(shipment, &record);
    } else {
        err = view_spans(sink, range, count);
        if (err == SB_OK) {
            otlp_write_request(&shipment->bytes, sink->spans, count);
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

/* SB_ERR_MEMORY: with what has been made the round can go on. */
static enum sb_err make_round(struct shipment *shipment)
{
    enum sb_err err = SB_OK;
    struct cut_range range = {
        .batch = shipment->batch, .order = shipment->order, .end = shipment->batch->span_count};
    text_reset(&shipment->bytes);
    shipment->record_count = 0;
    while (err == SB_OK && shipment->next < range.end && shipment->bytes.len < ROUND_BYTES) {
        range.first = shipment->next;
        err = make_record(shipment, &range);
    }
    return err;
}

static bool send_record(struct shipment *shipment, struct shipment_record *record)
{
    struct kafka_sink *sink = shipment->sink;
    uint32_t first = shipment->order[record->first];
    struct trace_id trace = shipment->batch->spans[first].trace;
    char hex[TRACE_ID_HEX_LEN + 1];
    const void *key = trace.byte;
    size_t key_len = TRACE_ID_LEN;
    if (sink->options.key == SINK_KAFKA_KEY_HEX) {
        trace_id_format(trace, hex);
        key = hex;
        key_len = TRACE_ID_HEX_LEN;
    }
    /* The library copies the key; the value is ours until its report. */
    int failed =
        rd_kafka_produce(sink->producer.topic, RD_KAFKA_PARTITION_UA, 0,
                         shipment->bytes.at + record->at, record->len, key, key_len, record);
    if (failed != 0)
        return false;
    record->sent = true;
    shipment->under_way++;
    sink->under_way++;
    return true;
}

void shipment_start(struct shipment *shipment)
{
    SB_ASSERT(shipment->state == SHIPMENT_WAITING && shipment->under_way == 0);
    struct kafka_sink *sink = shipment->sink;
    bool short_of_memory = make_round(shipment) != SB_OK;
    uint64_t records = 0;
    uint64_t bytes = 0;
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    shipment->state = SHIPMENT_SENDING;
    for (uint32_t i = 0; i < shipment->record_count; i++) {
        struct shipment_record *record = &shipment->records[i];
        if (record->done)
            continue;
        if (!send_record(shipment, record)) {
            err = rd_kafka_last_error();
            break; /* the others come after it */
        }
        records++;
        bytes += record->len;
    }
    INLET_COUNT(&sink->inlet, requests, records);
    INLET_COUNT(&sink->inlet, retries, shipment->again ? records : 0);
    INLET_COUNT(&sink->inlet, bytes_sent, bytes);
    bool full = err == RD_KAFKA_RESP_ERR__QUEUE_FULL;
    if (full || (short_of_memory && records == 0))
        kafka_sink_pause(sink);
    else if (err != RD_KAFKA_RESP_ERR_NO_ERROR && err != RD_KAFKA_RESP_ERR__FATAL)
        kafka_trouble_of_record(sink, err);
    if (shipment->under_way == 0)
        end_round(shipment);
}
