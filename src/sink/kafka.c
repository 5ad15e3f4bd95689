#include "sink/kafka.h"

#include <stdio.h>

#include "core/log.h"
#include "core/memory.h"
#include "kafka_sink.h"

#define MODULE "sink"

/* Far above any sensible setting: this catches a slip. */
enum { IN_FLIGHT_MAX = 1024 };

static void give_back(struct inlet *inlet)
{
    struct kafka_sink *sink = (struct kafka_sink *)inlet;
    shipping_give_back(&sink->shipping);
}

static void free_sink(struct inlet *inlet)
{
    struct kafka_sink *sink = (struct kafka_sink *)inlet;
    producer_close(&sink->producer);
    shipping_clear(&sink->shipping);
    inlet_clear(inlet);
    memory_free(sink);
}

static const struct inlet_kind kafka_kind = {
    .open = kafka_sink_open_producer,
    .run = kafka_sink_run,
    .give_back = give_back,
    .free = free_sink,
};

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
    sink->options = *options;
    struct retry retry;
    retry_init(&retry, options->backoff_initial_ns, options->backoff_max_ns, options->seed);
    retry_pause_init(&sink->backoff, &retry, options->clock);
    const struct inlet_options inlet_options = {.name = options->name,
                                                .queue_bytes_max = options->queue_bytes_max,
                                                .on_done = options->on_done,
                                                .on_done_arg = options->on_done_arg};
    enum sb_err err = inlet_init(&sink->inlet, &kafka_kind, &inlet_options);
    const struct shipping_options shipping_options = {.inlet = &sink->inlet,
                                                      .log = options->log,
                                                      .place_key = "topic",
                                                      .place = options->topic,
                                                      .count = options->in_flight_max,
                                                      .seed = options->seed};
    if (err == SB_OK)
        err = shipping_init(&sink->shipping, &shipping_options);
    if (err == SB_OK)
        err = inlet_start(&sink->inlet);
    if (err != SB_OK) {
        free_sink(&sink->inlet);
        return err;
    }
    *ret = &sink->inlet.base;
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
