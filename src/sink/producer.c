#include "producer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"

#define MODULE "sink"

enum { TEXT_LEN = 512 };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * topic.metadata.propagation.max.ms: how long an unknown topic is waited for before it is said;
 * the sink goes on trying anyway.  queue.buffering.*: the sink's own queue is the bound.
 */
static const struct sink_kafka_property DEFAULTS[] = {
    {"socket.keepalive.enable", "true"},
    {"log.connection.close", "false"}, /* idle connections are closed by brokers all the time */
    {"topic.metadata.propagation.max.ms", "2000"},
    {"message.copy.max.bytes", "256"}, /* records stay where they are until their report */
    {"queue.buffering.max.messages", "10000000"},
    {"queue.buffering.max.kbytes", "2097151"},
};

/* message.timeout.ms: the sink waits for as long as the sources can hold the records. */
static const struct sink_kafka_property OWN[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"message.timeout.ms", "0"},
    {"delivery.report.only.error", "false"},
};

/* Set otherwise, or by no means; with the other names of what stands above. */
static const char *const PASSED_OVER[] = {
    "bootstrap.servers", "metadata.broker.list",     "transactional.id",    "log.queue",
    "partitioner",       "request.required.acks",    "delivery.timeout.ms", "retries",
    "client.id",         "message.send.max.retries",
};

static const char *const PARTITIONERS[] = {
    [SINK_KAFKA_MURMUR2] = "murmur2",
    [SINK_KAFKA_CRC32] = "consistent",
    [SINK_KAFKA_FNV1A] = "fnv1a",
};

bool producer_is_own(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(OWN); i++)
        if (strcmp(OWN[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < COUNT_OF(PASSED_OVER); i++)
        if (strcmp(PASSED_OVER[i], name) == 0)
            return true;
    return false;
}

static enum sb_err refuse(const struct sink_kafka_options *options, const char *property,
                          const char *why)
{
    log_event(options->log, LOG_ERROR, MODULE, "sink_config", LOG_TEXT("sink", options->name),
              LOG_TEXT("error", why), LOG_TEXT("at", property));
    return SB_ERR_CONFIG;
}

/* The library's own text may quote the value, which may be secret. */
static enum sb_err set(const struct sink_kafka_options *options, rd_kafka_conf_t *conf,
                       const char *name, const char *value)
{
    char text[TEXT_LEN];
    switch (rd_kafka_conf_set(conf, name, value, text, sizeof(text))) {
    case RD_KAFKA_CONF_OK:
        return SB_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return refuse(options, name, "librdkafka has no such property");
    default:
        return refuse(options, name, "librdkafka does not take the property's value");
    }
}

static enum sb_err set_all(const struct sink_kafka_options *options, rd_kafka_conf_t *conf,
                           const struct sink_kafka_property *properties, size_t count)
{
    enum sb_err err = SB_OK;
    for (size_t i = 0; err == SB_OK && i < count; i++)
        err = set(options, conf, properties[i].name, properties[i].value);
    return err;
}

static enum sb_err set_users(const struct producer_options *options, rd_kafka_conf_t *conf)
{
    enum sb_err err = SB_OK;
    for (uint32_t i = 0; err == SB_OK && i < options->sink->property_count; i++) {
        const struct sink_kafka_property *property = &options->sink->properties[i];
        if (!producer_is_own(property->name))
            err = set(options->sink, conf, property->name, property->value);
    }
    return err;
}

static size_t number_of(const rd_kafka_conf_t *conf, const char *name)
{
    char text[TEXT_LEN];
    size_t len = sizeof(text);
    if (rd_kafka_conf_get(conf, name, text, &len) != RD_KAFKA_CONF_OK)
        return 0;
    return strtoull(text, NULL, 10);
}

/* No more than what is configured already. */
static enum sb_err set_batch_bytes(const struct producer_options *options,
                                   rd_kafka_conf_t *conf)
{
    if (options->batch_bytes == 0 || options->batch_bytes >= number_of(conf, "batch.size"))
        return SB_OK;
    char number[24];
    (void)snprintf(number, sizeof(number), "%zu", options->batch_bytes);
    return set(options->sink, conf, "batch.size", number);
}

static enum sb_err build(const struct producer_options *options, rd_kafka_conf_t *conf)
{
    const struct sink_kafka_options *sink = options->sink;
    enum sb_err err = set_all(sink, conf, DEFAULTS, COUNT_OF(DEFAULTS));
    if (err == SB_OK)
        err = set(sink, conf, "client.id", sink->client_id);
    if (err == SB_OK)
        err = set_users(options, conf);
    if (err == SB_OK)
        err = set(sink, conf, "bootstrap.servers", sink->bootstrap);
    if (err == SB_OK)
        err = set(sink, conf, "partitioner", PARTITIONERS[sink->partitioner]);
    if (err == SB_OK)
        err = set_all(sink, conf, OWN, COUNT_OF(OWN));
    if (err == SB_OK)
        err = set_batch_bytes(options, conf);
    rd_kafka_conf_set_opaque(conf, options->opaque);
    rd_kafka_conf_set_dr_msg_cb(conf, options->on_report);
    rd_kafka_conf_set_error_cb(conf, options->on_error);
    rd_kafka_conf_set_log_cb(conf, options->on_log);
    return err;
}

enum sb_err producer_open(const struct producer_options *options, struct producer *ret)
{
    char text[TEXT_LEN];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum sb_err err = build(options, conf);
    struct producer producer = {.message_bytes_max = number_of(conf, "message.max.bytes")};
    if (err == SB_OK) {
        producer.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
        if (producer.rk == NULL) /* properties that do not go together; no value is quoted */
            err = rd_kafka_last_error() == RD_KAFKA_RESP_ERR__INVALID_ARG
                      ? refuse(options->sink, "kafka.properties", text)
                      : SB_ERR_INTERNAL;
    }
    if (err != SB_OK) {
        rd_kafka_conf_destroy(conf); /* else the handle's */
        return err;
    }
    producer.topic = rd_kafka_topic_new(producer.rk, options->sink->topic, NULL);
    if (producer.topic == NULL) {
        rd_kafka_destroy(producer.rk);
        return refuse(options->sink, options->sink->topic, "librdkafka takes no such topic");
    }
    static const uint64_t one = 1; /* what an eventfd counts */
    producer.events = rd_kafka_queue_get_main(producer.rk);
    rd_kafka_queue_io_event_enable(producer.events, options->wake_fd, &one, sizeof(one));
    *ret = producer;
    return SB_OK;
}

void producer_close(struct producer *producer)
{
    if (producer->rk == NULL)
        return;
    rd_kafka_queue_io_event_enable(producer->events, -1, NULL, 0);
    rd_kafka_queue_destroy(producer->events);
    rd_kafka_topic_destroy(producer->topic);
    rd_kafka_purge(producer->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(producer->rk);
    *producer = (struct producer){0};
}
