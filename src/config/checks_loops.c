/* checks: what goes out must not come in again. */
#include <string.h>

#include "broker_url.h"
#include "checks.h"

/* A dead letter that comes back as input would go round for ever. */
static void check_topic_letters(struct loader *loader, const struct settings_topic *topic,
                                struct place at)
{
    const struct settings *settings = loader->settings;
    const char *dlq = topic->errors.deadletterqueue;
    for (uint32_t i = 0; i < settings->topic_count && dlq != NULL; i++) {
        const struct settings_topic *input = &settings->topics[i];
        if (input->role != SETTINGS_ROLE_SPANS || !checks_topic_reads(input, dlq))
            continue;
        struct place worker = origin_place(loader, &settings->errors.deadletterqueue, at);
        report_error(loader->report,
                     origin_place(loader, &topic->errors.deadletterqueue, worker),
                     "the dead-letter topic \"%s\" is an input of topic file %s",
                     quote(dlq).text, quote(input->file).text);
        report_help(loader->report, "dead letters would come back as records: %s",
                    input->topic[0] == '^' ? "put it into exclude" : "name another topic");
        return;
    }
}

/* So would kept spans, and be kept again. */
static void check_topic_sink(struct loader *loader, const struct settings_sink *sink,
                             struct place at)
{
    const struct settings *settings = loader->settings;
    const char *cluster = sink->kafka.bootstrap;
    bool ours = cluster == NULL || (settings->kafka.bootstrap != NULL &&
                                    strcmp(cluster, settings->kafka.bootstrap) == 0);
    if (sink->type != SETTINGS_SINK_KAFKA || sink->topic == NULL || !ours)
        return;
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        const struct settings_topic *input = &settings->topics[i];
        if (input->role != SETTINGS_ROLE_SPANS || !checks_topic_reads(input, sink->topic))
            continue;
        report_error(loader->report, origin_place(loader, &sink->topic, at),
                     "a sink's topic \"%s\" is an input of topic file %s",
                     quote(sink->topic).text, quote(input->file).text);
        report_help(loader->report, "kept spans would come back as records: %s",
                    input->topic[0] == '^' ? "put it into exclude" : "name another topic");
        return;
    }
}

/* True if a message to that exchange can be seen to come to the queue of spans. */
static bool receives(const struct settings_topic *input, const char *url, const char *exchange,
                     const char *key)
{
    const struct settings_queue *queue = &input->rabbitmq;
    if (input->source != SETTINGS_SOURCE_RABBITMQ || input->role != SETTINGS_ROLE_SPANS ||
        url == NULL || queue->broker.url == NULL || !broker_url_same(url, queue->broker.url))
        return false;
    if (exchange[0] == '\0')
        return queue->queue != NULL && key != NULL && strcmp(key, queue->queue) == 0;
    return queue->exchange != NULL && strcmp(exchange, queue->exchange) == 0;
}

static const struct settings_topic *find_receiver(const struct settings *settings,
                                                  const char *url, const char *exchange,
                                                  const char *key)
{
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        if (receives(&settings->topics[i], url, exchange, key))
            return &settings->topics[i];
    }
    return NULL;
}

static void check_exchange_letters(struct loader *loader, const struct settings_topic *topic,
                                   struct place at)
{
    const struct settings *settings = loader->settings;
    const struct settings_errors *errors = &topic->errors;
    const char *url = topic->source == SETTINGS_SOURCE_RABBITMQ ? topic->rabbitmq.broker.url
                                                                : settings->rabbitmq.url;
    const char *exchange = errors->deadletterexchange;
    if (exchange == NULL)
        return;
    const struct settings_topic *input =
        find_receiver(settings, url, exchange, errors->deadletterkey);
    if (input == NULL)
        return;
    struct place worker = origin_place(loader, &settings->errors.deadletterexchange, at);
    bool direct = exchange[0] == '\0';
    report_error(
        loader->report, origin_place(loader, &errors->deadletterexchange, worker),
        "the dead-letter %s \"%s\" is an input of topic file %s", direct ? "queue" : "exchange",
        quote(direct ? errors->deadletterkey : exchange).text, quote(input->file).text);
    report_help(loader->report, "dead letters would come back as records: name another %s",
                direct ? "queue in errors.deadletterkey" : "exchange");
}

static void check_exchange_sink(struct loader *loader, const struct settings_sink *sink,
                                struct place at)
{
    if (sink->type != SETTINGS_SINK_RABBITMQ || sink->exchange == NULL)
        return;
    bool direct = sink->exchange[0] == '\0';
    const struct settings_topic *input =
        find_receiver(loader->settings, sink->broker.url, sink->exchange, sink->routing_key);
    if (input == NULL)
        return;
    report_error(
        loader->report, origin_place(loader, &sink->exchange, at),
        "a sink's %s \"%s\" is an input of topic file %s", direct ? "queue" : "exchange",
        quote(direct ? sink->routing_key : sink->exchange).text, quote(input->file).text);
    report_help(loader->report, "kept spans would come back as records: name another %s",
                direct ? "queue in routing_key" : "exchange");
}

void checks_loops_letters(struct loader *loader, const struct settings_topic *topic,
                          struct place at)
{
    if (topic->role != SETTINGS_ROLE_SPANS)
        return;
    check_topic_letters(loader, topic, at);
    check_exchange_letters(loader, topic, at);
}

void checks_loops_sink(struct loader *loader, const struct settings_sink *sink, struct place at)
{
    check_topic_sink(loader, sink, at);
    check_exchange_sink(loader, sink, at);
}
