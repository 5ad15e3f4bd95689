#include "sink/otlp.h"

#include <pthread.h>
#include <strings.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/log.h"
#include "core/memory.h"
#include "endpoint.h"
#include "otlp_sink.h"

#define MODULE "sink"

/* Far above any sensible setting: these catch slips of units. */
enum { IN_FLIGHT_MAX = 1024 };
#define TIMEOUT_MAX_NS (3600 * NS_PER_S)

static void give_back(struct inlet *inlet)
{
    struct otlp_sink *sink = (struct otlp_sink *)inlet;
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++)
        lane_abort(&sink->lanes[i]);
}

static void free_sink(struct inlet *inlet)
{
    struct otlp_sink *sink = (struct otlp_sink *)inlet;
    for (uint32_t i = 0; sink->lanes != NULL && i < sink->options.in_flight_max; i++)
        lane_clear(&sink->lanes[i]);
    memory_free(sink->lanes);
    if (sink->wake_event != NULL)
        event_free(sink->wake_event);
    if (sink->wait_event != NULL)
        event_free(sink->wait_event);
    loop_clear(&sink->loop);
    encoder_clear(&sink->encoder);
    headers_clear(&sink->headers);
    for (uint32_t i = 0; sink->urls != NULL && i < sink->options.endpoint_count; i++)
        memory_free(sink->urls[i]);
    memory_free(sink->urls);
    inlet_clear(inlet);
    memory_free(sink);
}

static const struct inlet_kind otlp_kind = {
    .run = queue_run,
    .give_back = give_back,
    .free = free_sink,
};

static enum sb_err refuse_config(const struct sink_otlp_options *options, const char *what,
                                 const char *which)
{
    log_event(options->log, LOG_ERROR, MODULE, "sink_config", LOG_TEXT("sink", options->name),
              LOG_TEXT("error", what), LOG_TEXT("at", which));
    return SB_ERR_CONFIG;
}

/* libcurl would find out only when it connects. */
static enum sb_err check_files(const struct sink_otlp_options *options)
{
    const char *const files[] = {options->tls_ca, options->tls_certificate, options->tls_key};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (files[i] != NULL && access(files[i], R_OK) != 0)
            return refuse_config(options, "file can not be read", files[i]);
    }
    if ((options->tls_certificate == NULL) != (options->tls_key == NULL))
        return refuse_config(options, "certificate and key belong together", options->name);
    return SB_OK;
}

static enum sb_err check_options(const struct sink_otlp_options *options)
{
    if (options->endpoint_count == 0)
        return refuse_config(options, "no endpoint", options->name);
    if (options->in_flight_max == 0 || options->in_flight_max > IN_FLIGHT_MAX)
        return refuse_config(options, "in_flight is out of range", options->name);
    if (options->timeout_ns < NS_PER_MS || options->timeout_ns > TIMEOUT_MAX_NS)
        return refuse_config(options, "timeout is out of range", options->name);
    return check_files(options);
}

static enum sb_err make_urls(struct otlp_sink *sink)
{
    const struct sink_otlp_options *options = &sink->options;
    sink->urls = memory_zalloc(options->endpoint_count, sizeof(*sink->urls));
    if (sink->urls == NULL)
        return SB_ERR_MEMORY;
    bool tls = false;
    for (uint32_t i = 0; i < options->endpoint_count; i++) {
        const char *endpoint = options->endpoints[i];
        enum sb_err err = endpoint_new_url(endpoint, options->protocol, &sink->urls[i]);
        if (err == SB_ERR_CONFIG)
            return refuse_config(options, "endpoint is no http or https URL", endpoint);
        if (err != SB_OK)
            return err;
        tls = tls || strncasecmp(endpoint, "https:", 6) == 0;
    }
    if (tls && options->tls_insecure)
        log_event(options->log, LOG_WARN, MODULE, "tls_insecure",
                  LOG_TEXT("sink", options->name),
                  LOG_TEXT("warning", "the backend's certificate is not checked"));
    return SB_OK;
}

static enum sb_err make_headers(struct otlp_sink *sink)
{
    const struct sink_otlp_options *options = &sink->options;
    uint32_t at = 0;
    enum sb_err err = headers_init(&sink->headers, options, &at);
    if (err != SB_ERR_CONFIG && err != SB_ERR_IO)
        return err;
    const struct sink_otlp_header *header = &options->headers[at];
    return refuse_config(options,
                         err == SB_ERR_IO ? "header file can not be read" : "bad header",
                         header->name == NULL ? "" : header->name);
}

static enum sb_err make_events(struct otlp_sink *sink)
{
    enum sb_err err =
        loop_init(&sink->loop, sink->options.in_flight_max, queue_on_transfer_done, sink);
    if (err != SB_OK)
        return err;
    sink->wake_event = event_new(sink->loop.base, sink->inlet.wake_fd, EV_READ | EV_PERSIST,
                                 queue_on_wake, sink);
    sink->wait_event = event_new(sink->loop.base, -1, 0, queue_on_wait_over, sink);
    if (sink->wake_event == NULL || sink->wait_event == NULL ||
        event_add(sink->wake_event, NULL) != 0)
        return SB_ERR_MEMORY;
    return SB_OK;
}

static enum sb_err make_lanes(struct otlp_sink *sink)
{
    sink->lanes = memory_zalloc(sink->options.in_flight_max, sizeof(*sink->lanes));
    if (sink->lanes == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < sink->options.in_flight_max; i++) {
        enum sb_err err = lane_init(&sink->lanes[i], sink);
        if (err == SB_ERR_CONFIG)
            return refuse_config(&sink->options, "libcurl lacks what the sink needs",
                                 curl_version());
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    SB_ASSERT(code == CURLE_OK);
}

enum sb_err otlp_sink_new(const struct sink_otlp_options *options,
                          const struct otlp_sink_hooks *hooks, struct sink **ret)
{
    enum sb_err err = check_options(options);
    if (err != SB_OK)
        return err;
    (void)pthread_once(&curl_once, start_curl);
    struct otlp_sink *sink = memory_zalloc(1, sizeof(*sink));
    if (sink == NULL)
        return SB_ERR_MEMORY;
    sink->options = *options;
    if (hooks != NULL)
        sink->hooks = *hooks;
    retry_init(&sink->retry, options->backoff_initial_ns, options->backoff_max_ns,
               options->seed);
    const struct inlet_options inlet_options = {.name = options->name,
                                                .queue_bytes_max = options->queue_bytes_max,
                                                .on_done = options->on_done,
                                                .on_done_arg = options->on_done_arg};
    err = inlet_init(&sink->inlet, &otlp_kind, &inlet_options);
    if (err == SB_OK)
        err = encoder_init(&sink->encoder, options->protocol, options->compression);
    if (err == SB_OK)
        err = make_urls(sink);
    if (err == SB_OK)
        err = make_headers(sink);
    if (err == SB_OK)
        err = make_events(sink);
    if (err == SB_OK)
        err = make_lanes(sink);
    if (err == SB_OK)
        err = inlet_start(&sink->inlet);
    if (err != SB_OK) {
        free_sink(&sink->inlet);
        return err;
    }
    *ret = &sink->inlet.base;
    return SB_OK;
}

enum sb_err sink_otlp_new(const struct sink_otlp_options *options, struct sink **ret)
{
    return otlp_sink_new(options, NULL, ret);
}
