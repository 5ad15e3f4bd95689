#include "properties.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ERROR_TEXT_LEN = 512,
    NUMBER_TEXT_LEN = 24,
    METADATA_INTERVAL_MS = 30000,
    METADATA_INTERVAL_MIN_MS = 100,
    KIB = 1024,
    QUEUED_KBYTES_MAX = 2097151, /* the library's upper bound */
    FETCH_BYTES_MIN = 1024 * 1024,
    FETCH_BYTES_MAX = 50 * 1024 * 1024,
};

/* The user sets these otherwise, or they would break the promise of delivery. */
static const struct {
    const char *name;
    const char *why;
} OWN[] = {
    {"bootstrap.servers", "it is kafka.bootstrap of the worker file"},
    {"metadata.broker.list", "it is kafka.bootstrap of the worker file"},
    {"group.id", "it is group of the worker file"},
    {"group.instance.id", "it is instance of the worker file"},
    {"enable.auto.commit", "only finished records are committed, by the ledger"},
    {"enable.auto.offset.store", "only finished records are committed, by the ledger"},
    {"enable.partition.eof", "the end of a partition is told by its event"},
    {"transactional.id", "it is made of group and instance"},
    {"log.queue", "log lines are passed on at once"},
};

static const struct source_property FOR_ALL[] = {
    {"socket.keepalive.enable", "true"},
    {"log.connection.close", "false"}, /* idle connections are closed by brokers all the time */
    {"topic.metadata.refresh.interval.ms", "30000"},
};

/*
 * fetch.queue.backoff.ms and queued.min.messages: with the library's own values a consumer that
 * is a little slower than the fetcher runs at a third of its speed.
 */
static const struct source_property FOR_CONSUMERS[] = {
    {"fetch.queue.backoff.ms", "2"},
    {"queued.min.messages", "1000000"},
    {"isolation.level", "read_committed"},
    {"allow.auto.create.topics", "false"},
    {"check.crcs", "true"},
    {"auto.offset.reset", "earliest"},
};

static const struct source_property NOT_CHANGED_FOR_CONSUMERS[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},
};

/* message.max.bytes: whether a letter is too large is for the broker to say. */
static const struct source_property FOR_PRODUCER[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"message.max.bytes", "67108864"},
    {"queue.buffering.max.kbytes", "65536"},
};

/* A tap never joins the group. */
static const char *const GROUP_ONLY[] = {
    "group.protocol",     "group.remote.assignor", "partition.assignment.strategy",
    "session.timeout.ms", "heartbeat.interval.ms",
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

bool properties_is_secret(const char *name)
{
    static const char *const PARTS[] = {"password",    "secret",        "ssl.key",
                                        "private.key", "token",         "jaas",
                                        "passphrase",  "bearer.config", "sasl.username"};
    for (size_t i = 0; i < COUNT_OF(PARTS); i++)
        if (strstr(name, PARTS[i]) != NULL)
            return true;
    return false;
}

static const char *user_value(const struct source_kafka_options *options, const char *name)
{
    const char *value = NULL;
    for (uint32_t i = 0; i < options->property_count; i++)
        if (strcmp(options->properties[i].name, name) == 0)
            value = options->properties[i].value;
    return value;
}

uint32_t properties_metadata_interval_ms(const struct source_kafka_options *options)
{
    const char *value = user_value(options, "topic.metadata.refresh.interval.ms");
    long interval_ms = value == NULL ? METADATA_INTERVAL_MS : strtol(value, NULL, 10);
    if (interval_ms <= 0 || interval_ms > INT32_MAX) /* -1 switches the library's own off */
        return METADATA_INTERVAL_MS;
    if (interval_ms < METADATA_INTERVAL_MIN_MS)
        return METADATA_INTERVAL_MIN_MS;
    return (uint32_t)interval_ms;
}

static enum sb_err refuse(const struct source_kafka_options *options, const char *name,
                          const char *why)
{
    log_event(options->log, LOG_ERROR, "source", "kafka_property_refused",
              LOG_TEXT("property", name), LOG_TEXT("reason", why));
    return SB_ERR_CONFIG;
}

static enum sb_err set(const struct source_kafka_options *options, rd_kafka_conf_t *conf,
                       const char *name, const char *value)
{
    char text[ERROR_TEXT_LEN];
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, text, sizeof(text));
    if (result == RD_KAFKA_CONF_OK)
        return SB_OK;
    /* The library quotes the value. */
    if (result == RD_KAFKA_CONF_INVALID && properties_is_secret(name))
        return refuse(options, name, "its value is not accepted (not shown: it is secret)");
    return refuse(options, name, text);
}

static enum sb_err set_all(const struct source_kafka_options *options, rd_kafka_conf_t *conf,
                           const struct source_property *properties, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum sb_err err = set(options, conf, properties[i].name, properties[i].value);
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}

static enum sb_err set_number(const struct source_kafka_options *options, rd_kafka_conf_t *conf,
                              const char *name, size_t number)
{
    char text[NUMBER_TEXT_LEN];
    snprintf(text, sizeof(text), "%zu", number);
    return set(options, conf, name, text);
}

static bool has_role(const struct source_kafka_options *options, enum source_role role)
{
    for (uint32_t i = 0; i < options->topic_count; i++)
        if (options->topics[i].kind == SOURCE_KAFKA && options->topics[i].role == role)
            return true;
    return false;
}

static size_t clamp(size_t value, size_t least, size_t most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

/*
 * The library bounds each queue by itself, and all partitions of a worker share that worker's
 * queue.  A single answer to a fetch may go past the bound by fetch.max.bytes.
 */
static enum sb_err set_prefetch(const struct source_kafka_options *options,
                                rd_kafka_conf_t *conf, enum properties_for handle)
{
    size_t share = options->prefetch_bytes;
    if (has_role(options, SOURCE_MESSAGES) && has_role(options, SOURCE_SPANS))
        share = handle == PROPERTIES_TAP ? share / 4 : share - share / 4;
    share /= options->workers;
    enum sb_err err = set_number(options, conf, "queued.max.messages.kbytes",
                                 clamp(share / KIB, 1, QUEUED_KBYTES_MAX));
    if (err != SB_OK)
        return err;
    return set_number(options, conf, "fetch.max.bytes",
                      clamp(share, FETCH_BYTES_MIN, FETCH_BYTES_MAX));
}

static enum sb_err set_consumer(const struct source_kafka_options *options,
                                rd_kafka_conf_t *conf, enum properties_for handle)
{
    enum sb_err err = set_all(options, conf, FOR_CONSUMERS, COUNT_OF(FOR_CONSUMERS));
    if (err == SB_OK)
        err = set_prefetch(options, conf, handle);
    if (err == SB_OK)
        err = set(options, conf, "group.id", options->group);
    if (err == SB_OK && handle == PROPERTIES_GROUP && options->instance != NULL)
        err = set(options, conf, "group.instance.id", options->instance);
    /* The new protocol has no assignors on this side, and refuses the property. */
    const char *protocol = user_value(options, "group.protocol");
    bool classic = protocol == NULL || strcmp(protocol, "consumer") != 0;
    if (err == SB_OK && handle == PROPERTIES_GROUP && classic)
        err = set(options, conf, "partition.assignment.strategy", "range");
    return err;
}

static enum sb_err set_users(const struct source_kafka_options *options, rd_kafka_conf_t *conf,
                             enum properties_for handle)
{
    for (uint32_t i = 0; i < options->property_count; i++) {
        const struct source_property *property = &options->properties[i];
        for (size_t own = 0; own < COUNT_OF(OWN); own++)
            if (strcmp(OWN[own].name, property->name) == 0)
                return refuse(options, property->name, OWN[own].why);
        bool passed_over = false;
        for (size_t only = 0; only < COUNT_OF(GROUP_ONLY); only++)
            if (strcmp(GROUP_ONLY[only], property->name) == 0)
                passed_over = handle != PROPERTIES_GROUP;
        if (passed_over)
            continue;
        enum sb_err err = set(options, conf, property->name, property->value);
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}

enum sb_err properties_build(const struct source_kafka_options *options,
                             enum properties_for handle, rd_kafka_conf_t **ret)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum sb_err err = set_all(options, conf, FOR_ALL, COUNT_OF(FOR_ALL));
    if (err == SB_OK)
        err = set(options, conf, "client.id", options->group);
    if (err == SB_OK)
        err = set(options, conf, "bootstrap.servers", options->bootstrap);
    if (err == SB_OK && handle == PROPERTIES_PRODUCER)
        err = set_all(options, conf, FOR_PRODUCER, COUNT_OF(FOR_PRODUCER));
    if (err == SB_OK && handle != PROPERTIES_PRODUCER)
        err = set_consumer(options, conf, handle);
    if (err == SB_OK)
        err = set_users(options, conf, handle);
    if (err == SB_OK && handle != PROPERTIES_PRODUCER)
        err = set_all(options, conf, NOT_CHANGED_FOR_CONSUMERS,
                      COUNT_OF(NOT_CHANGED_FOR_CONSUMERS));
    if (err != SB_OK) {
        rd_kafka_conf_destroy(conf);
        return err;
    }
    *ret = conf;
    return SB_OK;
}
