#include "sink/kafka.h"

#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/log.h"
#include "core/memory.h"
#include "kafka_sink.h"

#define MODULE "sink"

/* Far above any sensible setting: this catches a slip. */
enum { IN_FLIGHT_MAX = 1024 };

static void wake(struct kafka_sink *sink)
{
    uint64_t one = 1;
    /* Fails only when the counter is full, and then the thread has been woken before. */
    (void)!write(sink->wake_fd, &one, sizeof(one));
}

static void submit(struct sink *base, struct sink_batch *batch)
{
    struct kafka_sink *sink = (struct kafka_sink *)base;
    atomic_fetch_add_explicit(&sink->queued_bytes, batch->bytes.len, memory_order_relaxed);
    if (mailbox_post(&sink->inbox, &batch->item))
        wake(sink);
}

static size_t queued_bytes(const struct sink *base)
{
    const struct kafka_sink *sink = (const struct kafka_sink *)base;
    return atomic_load_explicit(&sink->queued_bytes, memory_order_relaxed);
}

static void read_counters(const struct sink *base, struct sink_counters *ret)
{
    const struct kafka_sink *sink = (const struct kafka_sink *)base;
#define READ_COUNTER(name)                                                                     \
    ret->name = atomic_load_explicit(&sink->counters.name, memory_order_relaxed);
    SINK_COUNTERS(READ_COUNTER)
#undef READ_COUNTER
}

static enum sink_state state(const struct sink *base)
{
    const struct kafka_sink *sink = (const struct kafka_sink *)base;
    return (enum sink_state)atomic_load_explicit(&sink->state, memory_order_relaxed);
}

static void stop(struct sink *base)
{
    struct kafka_sink *sink = (struct kafka_sink *)base;
    if (!sink->stopped) {
        sink->stopped = true;
        atomic_store_explicit(&sink->stopping, true, memory_order_release);
        wake(sink);
        int failed = pthread_join(sink->thread, NULL);
        SB_ASSERT(failed == 0);
    }
    /* Whoever submitted while the thread ended gets it back all the same. */
    kafka_sink_give_all_back(sink);
}

static void free_sink(struct sink *base)
{
    if (base == NULL)
        return;
    struct kafka_sink *sink = (struct kafka_sink *)base;
    SB_ASSERT(sink->stopped || !sink->started);
    producer_close(&sink->producer);
    for (uint32_t i = 0; sink->shipments != NULL && i < sink->options.in_flight_max; i++)
        shipment_clear(&sink->shipments[i]);
    memory_free(sink->shipments);
    memory_free(sink->spans);
    trace_order_clear(&sink->trace_order);
    if (sink->wake_fd >= 0)
        (void)close(sink->wake_fd);
    mailbox_clear(&sink->inbox);
    memory_free(sink);
}

static const struct sink_ops kafka_ops = {
    .submit = submit,
    .queued_bytes = queued_bytes,
    .read_counters = read_counters,
    .state = state,
    .stop = stop,
    .free = free_sink,
};

static enum sb_err make_shipments(struct kafka_sink *sink)
{
    sink->shipments = memory_zalloc(sink->options.in_flight_max, sizeof(*sink->shipments));
    if (sink->shipments == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++)
        shipment_init(&sink->shipments[i], sink);
    return SB_OK;
}

/* Signals are the main thread's business; librdkafka's threads take the mask over, too. */
static enum sb_err start_threads(struct kafka_sink *sink)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return SB_ERR_INTERNAL;
    enum sb_err err = kafka_sink_open_producer(sink);
    if (err == SB_OK) {
        sink->started = pthread_create(&sink->thread, NULL, kafka_sink_run, sink) == 0;
        err = sink->started ? SB_OK : SB_ERR_INTERNAL;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err != SB_OK)
        return err;
    char name[16]; /* what Linux takes, NUL included */
    (void)snprintf(name, sizeof(name), "sink-%s", sink->options.name);
    (void)pthread_setname_np(sink->thread, name);
    return SB_OK;
}

enum sb_err sink_kafka_new(const struct sink_kafka_options *options, struct sink **ret)
{
    if (options->in_flight_max == 0 || options->in_flight_max > IN_FLIGHT_MAX) {
        log_event(options->log, LOG_ERROR, MODULE, "sink_config",
                  LOG_TEXT("sink", options->name),
                  LOG_TEXT("error", "in_flight is out of range"));
        return SB_ERR_CONFIG;
    }
    struct kafka_sink *sink = memory_zalloc(1, sizeof(*sink));
    if (sink == NULL)
        return SB_ERR_MEMORY;
    sink->base = (struct sink){
        .ops = &kafka_ops, .name = options->name, .queue_bytes_max = options->queue_bytes_max};
    sink->options = *options;
    atomic_init(&sink->state, SINK_CONNECTING);
    mailbox_init(&sink->inbox);
    retry_init(&sink->retry, options->backoff_initial_ns, options->backoff_max_ns,
               options->seed);
    trace_order_init(&sink->trace_order, options->seed);
    sink->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    enum sb_err err = sink->wake_fd < 0 ? SB_ERR_INTERNAL : make_shipments(sink);
    if (err == SB_OK)
        err = start_threads(sink);
    if (err != SB_OK) {
        free_sink(&sink->base);
        return err;
    }
    *ret = &sink->base;
    return SB_OK;
}

/* More than the library's own word for it: which broker, and what it said. */
static void note_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    (void)rk;
    char *why = opaque;
    if (err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        (void)snprintf(why, SINK_KAFKA_WHY_LEN, "%s", reason);
}

static void ignore_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

bool sink_kafka_reach(const struct sink *base, uint32_t wait_ms,
                      char ret_why[SINK_KAFKA_WHY_LEN])
{
    const struct kafka_sink *sink = (const struct kafka_sink *)base;
    /* A producer of its own: the sink's may be replaced at any time by the sink's thread. */
    const struct producer_options options = {.sink = &sink->options,
                                             .wake_fd = -1,
                                             .on_error = note_error,
                                             .on_log = ignore_log,
                                             .opaque = ret_why};
    struct producer producer;
    ret_why[0] = '\0';
    if (producer_open(&options, &producer) != SB_OK)
        return false;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t err =
        rd_kafka_metadata(producer.rk, 0, producer.topic, &metadata, (int)wait_ms);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1)
        err = metadata->topics[0].err;
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_poll(producer.rk, 0); /* note_error */
    if (ret_why[0] == '\0')
        (void)snprintf(ret_why, SINK_KAFKA_WHY_LEN, "%s", rd_kafka_err2str(err));
    producer_close(&producer);
    return err == RD_KAFKA_RESP_ERR_NO_ERROR;
}
