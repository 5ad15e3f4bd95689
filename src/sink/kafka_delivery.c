#include "core/ids.h"
#include "kafka_sink.h"

/*
 * The broker refuses a whole request for its length, or for that of any record in it.  A
 * record longer than what requests may hold travels alone: of such a one it is sure.  The
 * others go again, in smaller records and requests.
 */
static bool is_sure(const struct kafka_sink *sink, const struct shipment_record *record)
{
    const struct shipping *shipping = &sink->shipping;
    bool alone = record->count == 1 && record->len >= shipping->record_bytes_max;
    return alone || shipping->record_bytes_max <= SHIPMENT_RECORD_BYTES_MIN;
}

static void on_failure(struct kafka_sink *sink, struct shipment_record *record,
                       rd_kafka_resp_err_t err)
{
    switch (err) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        if (is_sure(sink, record)) {
            shipment_report_too_large(record);
            return;
        }
        sink->smaller = true;
        break;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__FATAL:
        break; /* the producer has ended, or the sink ends */
    default:
        kafka_trouble_of_record(sink, err);
        break;
    }
    shipment_report(record, SINK_PENDING);
}

void kafka_delivery_on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    struct kafka_sink *sink = opaque;
    struct shipment_record *record = message->_private;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        on_failure(sink, record, message->err);
        return;
    }
    kafka_trouble_is_over(sink);
    shipment_report(record, SINK_EXPORTED);
}

static bool send_record(struct kafka_sink *sink, struct shipment_record *record)
{
    struct trace_id trace = shipment_trace(record);
    struct bytes body = shipment_body(record);
    char hex[TRACE_ID_HEX_LEN + 1];
    const void *key = trace.byte;
    size_t key_len = TRACE_ID_LEN;
    if (sink->options.key == SINK_KAFKA_KEY_HEX) {
        trace_id_format(trace, hex);
        key = hex;
        key_len = TRACE_ID_HEX_LEN;
    }
    /* The library copies the key; the value is ours until its report. */
    return rd_kafka_produce(sink->producer.topic, RD_KAFKA_PARTITION_UA, 0, (void *)body.at,
                            body.len, key, key_len, record) == 0;
}

void kafka_delivery_start(struct kafka_sink *sink, struct shipment *shipment)
{
    bool short_of_memory = shipment_make_round(shipment) != SB_OK;
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    struct shipment_record *record;
    bool any = false;
    while ((record = shipment_next(shipment)) != NULL) {
        if (!send_record(sink, record)) {
            err = rd_kafka_last_error();
            break; /* the others come after it */
        }
        shipment_sent(record);
        any = true;
    }
    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL || (short_of_memory && !any))
        retry_pause_begin(&sink->backoff);
    else if (err != RD_KAFKA_RESP_ERR_NO_ERROR && err != RD_KAFKA_RESP_ERR__FATAL)
        kafka_trouble_of_record(sink, err);
    shipment_send_no_more(shipment);
}
