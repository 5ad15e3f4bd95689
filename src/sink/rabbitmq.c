#include "sink/rabbitmq.h"

#include <stdio.h>
#include <string.h>

#include "amqp/thread.h"
#include "core/log.h"
#include "core/memory.h"
#include "rabbitmq_sink.h"
#include "routing_key.h"

#define MODULE "sink"

/* Far above any sensible setting: this catches a slip. */
enum { IN_FLIGHT_MAX = 1024 };
/* Traces are split beyond what RabbitMQ 4 takes by default; no broker takes more than the other. */
enum { RECORD_BYTES_MAX = 16 << 20, VALUE_BYTES_MAX = 128 << 20 };

static void give_back(struct inlet *inlet)
{
    struct rabbitmq_sink *sink = (struct rabbitmq_sink *)inlet;
    shipping_give_back(&sink->shipping);
}

static void free_sink(struct inlet *inlet)
{
    struct rabbitmq_sink *sink = (struct rabbitmq_sink *)inlet;
    amqp_link_free(sink->link);
    confirms_clear(&sink->confirms);
    shipping_clear(&sink->shipping);
    memory_free(sink->waits);
    inlet_clear(inlet);
    memory_free(sink);
}

static const struct inlet_kind rabbitmq_kind = {
    .run = rabbitmq_sink_run,
    .interrupt = rabbitmq_sink_interrupt,
    .give_back = give_back,
    .free = free_sink,
};

static enum sb_err refuse_config(const struct sink_rabbitmq_options *options, const char *what)
{
    log_event(options->log, LOG_ERROR, MODULE, "sink_config", LOG_TEXT("sink", options->name),
              LOG_TEXT("error", what));
    return SB_ERR_CONFIG;
}

static enum sb_err check_options(const struct sink_rabbitmq_options *options)
{
    if (options->in_flight_max == 0 || options->in_flight_max > IN_FLIGHT_MAX)
        return refuse_config(options, "in_flight is out of range");
    if (options->heartbeat_ns < NS_PER_S || options->timeout_ns == 0)
        return refuse_config(options, "heartbeat or timeout is out of range");
    if (strlen(options->exchange) > AMQP_SHORT_TEXT_MAX)
        return refuse_config(options, "the exchange's name is too long");
    if (routing_key_check(options->routing_key) != SB_OK)
        return refuse_config(options,
                             "routing_key has an unknown word in braces, or is too long");
    return SB_OK;
}

static struct amqp_link_options link_options(const struct sink_rabbitmq_options *options)
{
    return (struct amqp_link_options){
        .url = options->url,
        .ca_file = options->tls_ca,
        .certificate_file = options->tls_certificate,
        .key_file = options->tls_key,
        .insecure = options->tls_insecure,
        .heartbeat_s = (uint32_t)(options->heartbeat_ns / NS_PER_S),
        .timeout_ns = options->timeout_ns,
        .client_name = options->client_name,
        .clock = options->clock,
    };
}

static enum sb_err make_link(struct rabbitmq_sink *sink)
{
    char why[AMQP_WHY_LEN] = "";
    const struct amqp_link_options options = link_options(&sink->options);
    enum sb_err err = amqp_link_new(&options, &sink->link, why);
    if (err == SB_ERR_CONFIG)
        return refuse_config(&sink->options, why);
    if (err == SB_OK && options.insecure && strncmp(options.url, "amqps:", 6) == 0)
        log_event(sink->options.log, LOG_WARN, MODULE, "tls_insecure",
                  LOG_TEXT("sink", sink->options.name),
                  LOG_TEXT("warning", "the broker's certificate is not checked"));
    return err;
}

static enum sb_err make_shipping(struct rabbitmq_sink *sink)
{
    const struct sink_rabbitmq_options *options = &sink->options;
    const struct shipping_options shipping_options = {.inlet = &sink->inlet,
                                                      .log = options->log,
                                                      .place_key = "exchange",
                                                      .place = options->exchange,
                                                      .count = options->in_flight_max,
                                                      .seed = options->seed};
    enum sb_err err = shipping_init(&sink->shipping, &shipping_options);
    if (err != SB_OK)
        return err;
    sink->shipping.value_bytes_max = VALUE_BYTES_MAX;
    sink->shipping.record_bytes_max = RECORD_BYTES_MAX;
    sink->waits = memory_zalloc(options->in_flight_max, sizeof(*sink->waits));
    if (sink->waits == NULL)
        return SB_ERR_MEMORY;
    struct retry retry;
    for (uint32_t i = 0; i < options->in_flight_max; i++) {
        retry_init(&retry, options->backoff_initial_ns, options->backoff_max_ns,
                   options->seed + i + 1);
        retry_pause_init(&sink->waits[i], &retry, options->clock);
    }
    retry_init(&retry, options->backoff_initial_ns, options->backoff_max_ns, options->seed);
    retry_pause_init(&sink->backoff, &retry, options->clock);
    return SB_OK;
}

enum sb_err sink_rabbitmq_new(const struct sink_rabbitmq_options *options, struct sink **ret)
{
    enum sb_err err = check_options(options);
    if (err != SB_OK)
        return err;
    struct rabbitmq_sink *sink = memory_zalloc(1, sizeof(*sink));
    if (sink == NULL)
        return SB_ERR_MEMORY;
    sink->options = *options;
    confirms_init(&sink->confirms);
    const struct inlet_options inlet_options = {.name = options->name,
                                                .queue_bytes_max = options->queue_bytes_max,
                                                .stack_bytes = AMQP_THREAD_STACK_BYTES,
                                                .on_done = options->on_done,
                                                .on_done_arg = options->on_done_arg};
    err = inlet_init(&sink->inlet, &rabbitmq_kind, &inlet_options);
    if (err == SB_OK)
        err = make_link(sink);
    if (err == SB_OK)
        err = make_shipping(sink);
    if (err == SB_OK)
        err = inlet_start(&sink->inlet);
    if (err != SB_OK) {
        free_sink(&sink->inlet);
        return err;
    }
    *ret = &sink->inlet.base;
    return SB_OK;
}

/* A question that is asked in a thread of its own, for its stack. */
struct reach {
    struct sink_rabbitmq_options options;
    bool reached;
    char why[SINK_WHY_LEN];
};

static void *run_reach(void *arg)
{
    struct reach *reach = arg;
    char why[AMQP_WHY_LEN] = "";
    struct amqp_link *link = NULL;
    const struct amqp_link_options options = link_options(&reach->options);
    enum sb_err err = amqp_link_new(&options, &link, why);
    if (err == SB_OK) {
        err = rabbitmq_sink_open_link(&reach->options, link);
        (void)snprintf(why, sizeof(why), "%s", amqp_link_why(link));
        amqp_link_close(link, options.timeout_ns);
        amqp_link_free(link);
    }
    reach->reached = err == SB_OK;
    (void)snprintf(reach->why, sizeof(reach->why), "%s",
                   why[0] == '\0' ? sb_err_text(err) : why);
    return NULL;
}

bool sink_rabbitmq_reach(const struct sink *base, uint32_t wait_ms, char ret_why[SINK_WHY_LEN])
{
    const struct rabbitmq_sink *sink = (const struct rabbitmq_sink *)base;
    /* A connection of its own: the sink's belongs to the sink's thread. */
    struct reach reach = {.options = sink->options};
    pthread_t thread;
    reach.options.timeout_ns = wait_ms * NS_PER_MS;
    ret_why[0] = '\0';
    enum sb_err err = amqp_thread_start(&thread, "reach", run_reach, &reach);
    if (err != SB_OK) {
        (void)snprintf(ret_why, SINK_WHY_LEN, "%s", sb_err_text(err));
        return false;
    }
    (void)pthread_join(thread, NULL);
    if (!reach.reached)
        (void)snprintf(ret_why, SINK_WHY_LEN, "%s", reach.why);
    return reach.reached;
}
