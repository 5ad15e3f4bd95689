#include <poll.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/log.h"
#include "kafka_sink.h"

#define MODULE "sink"

/* How long undelivered records are waited for at the end, once they have been purged. */
enum { PURGE_WAIT_MS = 5000, PURGE_STEP_MS = 50 };
enum { REQUEST_AROUND = 512, REQUEST_BYTES_MIN = 1 << 10 };

static uint64_t now_ns(const struct kafka_sink *sink)
{
    return clock_monotonic_ns(sink->options.clock);
}

void kafka_sink_move(struct kafka_sink *sink, enum sink_state state)
{
    int now = atomic_load_explicit(&sink->state, memory_order_relaxed);
    if (now == (int)state)
        return;
    /* From CONNECTING on every step is legal, but back to it and out of STOPPED. */
    SB_ASSERT(now != SINK_STOPPED && state != SINK_CONNECTING);
    atomic_store_explicit(&sink->state, (int)state, memory_order_relaxed);
}

void kafka_sink_pause(struct kafka_sink *sink)
{
    if (sink->closed_until_ns > 0)
        return; /* another record of the same trouble */
    sink->failures++;
    sink->closed_until_ns = now_ns(sink) + retry_wait_ns(&sink->retry, sink->failures);
}

void kafka_sink_give_back(struct kafka_sink *sink, struct sink_batch *batch)
{
    atomic_fetch_sub_explicit(&sink->queued_bytes, batch->bytes.len, memory_order_relaxed);
    sink->options.on_done(sink->options.on_done_arg, batch);
}

enum sb_err kafka_sink_open_producer(struct kafka_sink *sink)
{
    bool first = sink->value_bytes_max == 0;
    const struct producer_options options = {
        .sink = &sink->options,
        .batch_bytes = first ? 0 : sink->record_bytes_max + REQUEST_AROUND,
        .wake_fd = sink->wake_fd,
        .on_report = shipment_on_report,
        .on_error = kafka_trouble_on_error,
        .on_log = kafka_trouble_on_log,
        .opaque = sink,
    };
    enum sb_err err = producer_open(&options, &sink->producer);
    if (err != SB_OK || !first)
        return err;
    /* Room for the key, and for what the broker counts besides: the heads of record and batch. */
    SB_ASSERT(sink->producer.message_bytes_max > REQUEST_AROUND);
    sink->value_bytes_max = sink->producer.message_bytes_max - REQUEST_AROUND;
    sink->record_bytes_max = sink->value_bytes_max;
    return SB_OK;
}

/* The topic takes less than message.max.bytes: requests and records become shorter. */
static void halve_records(struct kafka_sink *sink)
{
    sink->smaller = false;
    sink->record_bytes_max /= 2;
    if (sink->record_bytes_max < REQUEST_BYTES_MIN)
        sink->record_bytes_max = REQUEST_BYTES_MIN;
    KAFKA_SINK_COUNT(sink, bisections, 1);
    log_event(sink->options.log, LOG_WARN, MODULE, "records_made_smaller",
              LOG_TEXT("sink", sink->options.name), LOG_TEXT("topic", sink->options.topic),
              LOG_NUMBER("record_bytes_max", sink->record_bytes_max),
              LOG_TEXT("reason", "the topic takes less than message.max.bytes"));
}

/* True when there is a producer that can be used. */
static bool has_producer(struct kafka_sink *sink)
{
    bool ends = sink->smaller || sink->broken;
    if (sink->closed_until_ns <= now_ns(sink))
        sink->closed_until_ns = 0;
    if (ends && sink->under_way > 0)
        return false; /* the last report wakes us */
    if (ends) {
        producer_close(&sink->producer);
        if (sink->smaller)
            halve_records(sink);
        if (sink->broken)
            kafka_sink_pause(sink);
        sink->broken = false;
    }
    if (sink->closed_until_ns > 0)
        return false;
    if (sink->producer.rk == NULL && kafka_sink_open_producer(sink) != SB_OK)
        kafka_sink_pause(sink);
    return sink->producer.rk != NULL;
}

static struct sink_batch *take_first(struct kafka_sink *sink)
{
    struct sink_batch *batch = sink->first;
    sink->first = (struct sink_batch *)batch->item.next;
    if (sink->first == NULL)
        sink->last = NULL;
    return batch;
}

/* Gives an idle shipment the oldest batch.  False: none, or no memory for it. */
static bool feed(struct kafka_sink *sink, struct shipment *shipment)
{
    if (sink->first == NULL)
        return false;
    if (shipment_load(shipment, sink->first) != SB_OK) {
        kafka_sink_pause(sink);
        return false;
    }
    (void)take_first(sink);
    return true;
}

static void run_shipment(struct kafka_sink *sink, struct shipment *shipment)
{
    while (sink->closed_until_ns == 0 && !sink->broken) {
        if (shipment->state == SHIPMENT_IDLE && !feed(sink, shipment))
            return;
        if (shipment->state != SHIPMENT_WAITING)
            return;
        shipment_start(shipment);
    }
}

/* Starts what can start now. */
static void run_shipments(struct kafka_sink *sink)
{
    if (!has_producer(sink))
        return;
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++)
        run_shipment(sink, &sink->shipments[i]);
}

static void take_inbox(struct kafka_sink *sink)
{
    struct mailbox_item *item = mailbox_take_all(&sink->inbox);
    while (item != NULL) {
        struct sink_batch *batch = (struct sink_batch *)item;
        item = item->next;
        batch->item.next = NULL;
        if (batch->span_count == 0) {
            kafka_sink_give_back(sink, batch);
            continue;
        }
        if (sink->last == NULL)
            sink->first = batch;
        else
            sink->last->item.next = &batch->item;
        sink->last = batch;
    }
}

static void wait_for_work(struct kafka_sink *sink)
{
    int wait_ms = -1;
    if (sink->closed_until_ns > 0) {
        uint64_t now = now_ns(sink);
        uint64_t left_ns = sink->closed_until_ns > now ? sink->closed_until_ns - now : 0;
        wait_ms = (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
    }
    struct pollfd wait = {.fd = sink->wake_fd, .events = POLLIN};
    uint64_t count;
    if (poll(&wait, 1, wait_ms) > 0)
        (void)!read(sink->wake_fd, &count, sizeof(count));
}

/* What is at librdkafka comes back undelivered, unless its answer was on its way. */
static void purge(struct kafka_sink *sink)
{
    if (sink->producer.rk == NULL)
        return;
    rd_kafka_purge(sink->producer.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int waited_ms = 0; sink->under_way > 0 && waited_ms < PURGE_WAIT_MS;
         waited_ms += PURGE_STEP_MS)
        rd_kafka_poll(sink->producer.rk, PURGE_STEP_MS);
    producer_close(&sink->producer); /* from here on nothing points into shipments */
    sink->under_way = 0;
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++)
        sink->shipments[i].under_way = 0;
}

void kafka_sink_give_all_back(struct kafka_sink *sink)
{
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++)
        shipment_abort(&sink->shipments[i]);
    take_inbox(sink);
    while (sink->first != NULL)
        kafka_sink_give_back(sink, take_first(sink));
}

void *kafka_sink_run(void *arg)
{
    struct kafka_sink *sink = arg;
    while (!atomic_load_explicit(&sink->stopping, memory_order_acquire)) {
        take_inbox(sink);
        if (sink->producer.rk != NULL)
            rd_kafka_poll(sink->producer.rk, 0);
        run_shipments(sink);
        wait_for_work(sink);
    }
    purge(sink);
    kafka_sink_give_all_back(sink);
    kafka_sink_move(sink, SINK_STOPPED);
    return NULL;
}
