#include <poll.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/log.h"
#include "kafka_sink.h"

#define MODULE "sink"

/* How long undelivered records are waited for at the end, once they have been purged. */
enum { PURGE_WAIT_MS = 5000, PURGE_STEP_MS = 50 };
enum { REQUEST_AROUND = 512 };

enum sb_err kafka_sink_open_producer(struct inlet *inlet)
{
    struct kafka_sink *sink = (struct kafka_sink *)inlet;
    bool first = sink->shipping.value_bytes_max == 0;
    const struct producer_options options = {
        .sink = &sink->options,
        .batch_bytes = first ? 0 : sink->shipping.record_bytes_max + REQUEST_AROUND,
        .wake_fd = inlet->wake_fd,
        .on_report = kafka_delivery_on_report,
        .on_error = kafka_trouble_on_error,
        .on_log = kafka_trouble_on_log,
        .opaque = sink,
    };
    enum sb_err err = producer_open(&options, &sink->producer);
    if (err != SB_OK || !first)
        return err;
    /* Room for the key, and for what the broker counts besides: the heads of record and batch. */
    SB_ASSERT(sink->producer.message_bytes_max > REQUEST_AROUND);
    sink->shipping.value_bytes_max = sink->producer.message_bytes_max - REQUEST_AROUND;
    sink->shipping.record_bytes_max = sink->shipping.value_bytes_max;
    return SB_OK;
}

/* The topic takes less than message.max.bytes: requests and records become shorter. */
static void halve_records(struct kafka_sink *sink)
{
    sink->smaller = false;
    size_t *bytes_max = &sink->shipping.record_bytes_max;
    *bytes_max /= 2;
    if (*bytes_max < SHIPMENT_RECORD_BYTES_MIN)
        *bytes_max = SHIPMENT_RECORD_BYTES_MIN;
    INLET_COUNT(&sink->inlet, bisections, 1);
    log_event(sink->options.log, LOG_WARN, MODULE, "records_made_smaller",
              LOG_TEXT("sink", sink->options.name), LOG_TEXT("topic", sink->options.topic),
              LOG_NUMBER("record_bytes_max", *bytes_max),
              LOG_TEXT("reason", "the topic takes less than message.max.bytes"));
}

/* True when there is a producer that can be used. */
static bool has_producer(struct kafka_sink *sink)
{
    bool ends = sink->smaller || sink->broken;
    if (ends && sink->shipping.under_way > 0)
        return false; /* the last report wakes us */
    if (ends) {
        producer_close(&sink->producer);
        if (sink->smaller)
            halve_records(sink);
        if (sink->broken)
            retry_pause_begin(&sink->backoff);
        sink->broken = false;
    }
    if (!retry_pause_is_open(&sink->backoff))
        return false;
    if (sink->producer.rk == NULL && kafka_sink_open_producer(&sink->inlet) != SB_OK)
        retry_pause_begin(&sink->backoff);
    return sink->producer.rk != NULL;
}

/* Gives an idle shipment the oldest batch.  False: none, or no memory for it. */
static bool feed(struct kafka_sink *sink, struct shipment *shipment)
{
    if (sink->inlet.first == NULL)
        return false;
    if (shipment_load(shipment, sink->inlet.first) != SB_OK) {
        retry_pause_begin(&sink->backoff);
        return false;
    }
    (void)inlet_take_first(&sink->inlet);
    return true;
}

static void run_shipment(struct kafka_sink *sink, struct shipment *shipment)
{
    while (retry_pause_is_open(&sink->backoff) && !sink->broken) {
        if (shipment->state == SHIPMENT_IDLE && !feed(sink, shipment))
            return;
        if (shipment->state != SHIPMENT_WAITING)
            return;
        kafka_delivery_start(sink, shipment);
    }
}

/* Starts what can start now. */
static void run_shipments(struct kafka_sink *sink)
{
    if (!has_producer(sink))
        return;
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++)
        run_shipment(sink, &sink->shipping.shipments[i]);
}

static void wait_for_work(struct kafka_sink *sink)
{
    uint64_t left_ns = retry_pause_left_ns(&sink->backoff);
    int wait_ms = left_ns == UINT64_MAX ? -1 : (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
    struct pollfd wait = {.fd = sink->inlet.wake_fd, .events = POLLIN};
    if (poll(&wait, 1, wait_ms) > 0)
        inlet_clear_wake(&sink->inlet);
}

/* What is at librdkafka comes back undelivered, unless its answer was on its way. */
static void purge(struct kafka_sink *sink)
{
    if (sink->producer.rk == NULL)
        return;
    rd_kafka_purge(sink->producer.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int waited_ms = 0; sink->shipping.under_way > 0 && waited_ms < PURGE_WAIT_MS;
         waited_ms += PURGE_STEP_MS)
        rd_kafka_poll(sink->producer.rk, PURGE_STEP_MS);
    producer_close(&sink->producer); /* from here on nothing points into shipments */
    shipping_forget(&sink->shipping);
}

void kafka_sink_run(struct inlet *inlet)
{
    struct kafka_sink *sink = (struct kafka_sink *)inlet;
    while (!inlet_is_stopping(inlet)) {
        inlet_take_in(inlet);
        if (sink->producer.rk != NULL)
            rd_kafka_poll(sink->producer.rk, 0);
        run_shipments(sink);
        wait_for_work(sink);
    }
    purge(sink);
}
