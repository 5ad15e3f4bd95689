/* checks: topic files of RabbitMQ. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "core/units.h"

enum { RATE_LEAST = 100 }; /* records per second that any service with spans has */

/* One topic file under check. */
struct subject {
    struct loader *loader;
    const struct settings_topic *topic;
    const struct settings_queue *queue;
    struct place at; /* its file */
};

static bool is_set(const struct subject *subject, const void *field)
{
    return origin_find(subject->loader->private, field) != NULL;
}

static struct place place_of(const struct subject *subject, const void *field)
{
    return origin_place(subject->loader, field, subject->at);
}

/* An error at a field, and what to do about it. */
static void tell(const struct subject *subject, const void *field, const char *text,
                 const char *help)
{
    report_error(subject->loader->report, place_of(subject, field), "%s", text);
    report_help(subject->loader->report, "%s", help);
}

static bool is_broker_name(const char *name)
{
    return name != NULL && strncmp(name, "amq.", 4) == 0;
}

static void check_names(const struct subject *subject)
{
    struct loader *loader = subject->loader;
    const struct settings_queue *queue = subject->queue;
    struct place at = place_of(subject, &queue->queue_configured);
    bool fits = checks_amqp_name(loader, queue->queue_configured, "queue", at);
    if (fits && queue->queue != queue->queue_configured)
        checks_amqp_name(loader, queue->queue, "queue with its .INSTANCE", at);
    if (queue->declare && is_broker_name(queue->queue_configured))
        tell(subject, &queue->queue_configured,
             "queue: names that begin with amq. are the broker's own",
             "a queue that is declared needs another name");
    if (is_set(subject, &queue->exchange))
        checks_amqp_name(loader, queue->exchange, "exchange",
                         place_of(subject, &queue->exchange));
    if (is_set(subject, &queue->exchange_type) && is_broker_name(queue->exchange))
        tell(subject, &queue->exchange_type,
             "exchange_type: exchanges that begin with amq. are the broker's own",
             "it exists: leave exchange_type out");
}

/* The weight of a queue at a hash exchange. */
static bool is_weight(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= 5 && strspn(text, "0123456789") == len && strspn(text, "0") < len;
}

static void check_bindings(const struct subject *subject)
{
    const struct settings_queue *queue = subject->queue;
    bool hash = queue->exchange_type == SETTINGS_EXCHANGE_CONSISTENT_HASH;
    bool set = is_set(subject, &queue->bindings);
    for (uint32_t i = 0; i < queue->binding_count && set; i++) {
        const char *binding = queue->bindings[i];
        struct place at = place_of(subject, &queue->bindings);
        if (!checks_amqp_name(subject->loader, binding, "binding", at) || !hash ||
            is_weight(binding))
            continue;
        report_error(subject->loader->report, at, "binding \"%s\" is no weight",
                     quote(binding).text);
        report_help(subject->loader->report,
                    "at an x-consistent-hash exchange it is a number: binding = \"1\";");
    }
    if (queue->declare && queue->exchange_type == SETTINGS_EXCHANGE_DIRECT && !set)
        tell(subject, &queue->exchange_type, "a direct exchange needs a binding",
             "it knows no patterns, so that # would be a key like any other");
    if (set && queue->exchange == NULL && !is_set(subject, &queue->exchange))
        tell(subject, &queue->bindings, "binding without exchange",
             "name the exchange, or leave binding out: the queue is read as it is");
}

/* ---- what is declared, and what exists ---- */

static void check_declared(const struct subject *subject)
{
    const struct settings_queue *queue = subject->queue;
    if (queue->exchange == NULL && !is_set(subject, &queue->exchange))
        tell(subject, &queue->declare, "declare without exchange",
             "name the exchange that the queue is bound to; a queue that exists needs no "
             "declare");
    if (queue->queue_type != SETTINGS_QUEUE_STREAM || !is_set(subject, &queue->queue_type))
        return;
    struct config_report *report = subject->loader->report;
    report_warning(report, place_of(subject, &queue->queue_type),
                   "a stream that is declared here grows without a bound");
    report_help(report, "give it one by a policy of the broker: max-age, max-length-bytes");
}

static void check_existing(const struct subject *subject)
{
    const struct settings_queue *queue = subject->queue;
    if (queue->format == SETTINGS_FORMAT_FIREHOSE) {
        tell(subject, &queue->format, "format = \"firehose\" without declare",
             "a queue of our own is bound to the tracing exchange: declare = true;");
        return;
    }
    if (is_set(subject, &queue->exchange))
        tell(subject, &queue->exchange, "exchange without declare",
             "declare = true; makes the queue and binds it; a queue that exists stands alone");
    if (is_set(subject, &queue->exchange_type))
        tell(subject, &queue->exchange_type, "exchange_type without declare",
             "an exchange is made with declare = true; only");
    if (queue->queue_type == SETTINGS_QUEUE_CLASSIC ||
        queue->queue_type == SETTINGS_QUEUE_QUORUM)
        tell(subject, &queue->queue_type, "queue_type without declare",
             "a queue that exists is used as it is; only a stream has to be called one");
}

/* ---- roles ---- */

static void check_spans(const struct subject *subject)
{
    const struct settings_queue *queue = subject->queue;
    if (queue->format == SETTINGS_FORMAT_FIREHOSE)
        tell(subject, &queue->format, "format = \"firehose\" with role = \"spans\"",
             "the firehose wraps business messages: role = \"messages\";");
    if (is_set(subject, &queue->dedicated))
        tell(subject, &queue->dedicated, "dedicated with role = \"spans\"",
             "spans are always taken from their queue; leave it out");
    if (queue->queue_type == SETTINGS_QUEUE_STREAM && !is_set(subject, &queue->offsets))
        tell(subject, &queue->queue_type, "a stream of spans needs offsets",
             "the broker keeps no position in it: offsets = \"spans.offset\";");
}

/* Nobody else's messages are taken. */
static void check_messages(const struct subject *subject)
{
    const struct settings_queue *queue = subject->queue;
    bool stream = queue->queue_type == SETTINGS_QUEUE_STREAM;
    bool own = queue->declare || queue->format == SETTINGS_FORMAT_FIREHOSE;
    if (is_set(subject, &queue->offsets))
        tell(subject, &queue->offsets, "offsets with role = \"messages\"",
             "where messages are read from hangs on the spans: see start");
    if (queue->dedicated && (own || stream))
        tell(subject, &queue->dedicated, "dedicated has no use here",
             own ? "a queue of our own takes nothing from anybody; leave it out"
                 : "reading a stream takes nothing from anybody; leave it out");
    if (own && queue->exchange_type == SETTINGS_EXCHANGE_CONSISTENT_HASH)
        tell(subject, &queue->exchange_type,
             "a queue at an x-consistent-hash exchange takes messages from the others",
             "the exchange gives each message to one of its queues: tap the one before it");
    if (own || stream || queue->dedicated || is_set(subject, &queue->exchange) ||
        queue->queue_configured == NULL)
        return;
    report_error(subject->loader->report, place_of(subject, &queue->queue_configured),
                 "messages of queue \"%s\" would be taken from those who wait for them",
                 quote(queue->queue_configured).text);
    report_help(subject->loader->report,
                "read copies: exchange = \"...\"; declare = true; or say that it is a stream: "
                "queue_type = \"stream\"; or that it is the bridge's alone: dedicated = true;");
}

/* ---- streams and rates ---- */

static void check_position(const struct subject *subject)
{
    const struct settings_queue *queue = subject->queue;
    bool stream = queue->queue_type == SETTINGS_QUEUE_STREAM;
    if (stream && queue->consumers > 1)
        tell(subject, &queue->consumers, "a stream has one consumer",
             "each further one would read the same records again");
    if (!stream && is_set(subject, &subject->topic->start))
        tell(subject, &subject->topic->start, "start without queue_type = \"stream\"",
             "a queue is read from its head, and has no positions");
    if (!stream && subject->topic->role == SETTINGS_ROLE_SPANS &&
        is_set(subject, &queue->offsets))
        tell(subject, &queue->offsets, "offsets without queue_type = \"stream\"",
             "the broker knows what was read of a queue, and has no positions");
}

struct queue_rate checks_queue_rate(const struct settings *settings,
                                    const struct settings_topic *topic)
{
    const struct settings_queue *queue = &topic->rabbitmq;
    double seconds = (double)settings->window.wait_ns / 1e9;
    double rate = (double)queue->prefetch * queue->consumers / seconds;
    struct queue_rate ret = {.low = rate < RATE_LEAST};
    char wait[UNITS_TEXT_LEN];
    units_format_duration(settings->window.wait_ns, wait);
    snprintf(ret.text, sizeof(ret.text),
             "at most %.*f records per second pass: %" PRIu32 " prefetch * %" PRIu32
             " consumers / %s window.wait",
             rate < 10 ? 2 : 0, rate, queue->prefetch, queue->consumers, wait);
    return ret;
}

/* Records are held until their traces are decided, and no more of them come than prefetch. */
static void check_rate(const struct subject *subject)
{
    const struct settings_queue *queue = subject->queue;
    struct queue_rate rate = checks_queue_rate(subject->loader->settings, subject->topic);
    bool read = queue->prefetch > 0 && queue->consumers > 0; /* else it was reported */
    if (subject->topic->role != SETTINGS_ROLE_SPANS || !rate.low || !read)
        return;
    report_warning(subject->loader->report, place_of(subject, &queue->prefetch), "%s",
                   rate.text);
    report_help(subject->loader->report,
                "a record is held until its traces are decided: raise prefetch or consumers");
}

/* By default RabbitMQ closes a channel one of whose messages waits longer for its ack. */
#define CONSUMER_TIMEOUT_NS (UINT64_C(30) * 60 * 1000000000)

/*
 * Where the channel ends before the window, its messages come again and nothing is ever decided.
 * Half of it is near: a sink may keep them waiting for a while, too.
 */
static void check_ack_wait(const struct subject *subject)
{
    struct loader *loader = subject->loader;
    const struct settings_window *window = &loader->settings->window;
    bool by_hold = window->hold_ns > window->wait_ns;
    const uint64_t *longest = by_hold ? &window->hold_ns : &window->wait_ns;
    if (subject->topic->role != SETTINGS_ROLE_SPANS ||
        subject->queue->queue_type == SETTINGS_QUEUE_STREAM ||
        *longest < CONSUMER_TIMEOUT_NS / 2)
        return;
    char text[UNITS_TEXT_LEN];
    units_format_duration(*longest, text);
    report_warning(loader->report, origin_place(loader, longest, subject->at),
                   "window.%s = %s is near RabbitMQ's consumer_timeout, 30m by default",
                   by_hold ? "hold" : "wait", text);
    report_help(loader->report, "a message that is not acknowledged by then ends its channel, "
                                "and all of them come again: lower it, or raise the timeout");
}

void checks_queue(struct loader *loader, const struct settings_topic *topic, struct place at)
{
    const struct subject subject = {
        .loader = loader, .topic = topic, .queue = &topic->rabbitmq, .at = at};
    check_names(&subject);
    check_bindings(&subject);
    if (topic->rabbitmq.declare)
        check_declared(&subject);
    else
        check_existing(&subject);
    if (topic->role == SETTINGS_ROLE_SPANS)
        check_spans(&subject);
    else if (is_set(&subject, &topic->role))
        check_messages(&subject);
    check_position(&subject);
    check_rate(&subject);
    check_ack_wait(&subject);
    checks_broker(loader, &topic->rabbitmq.broker, &topic->rabbitmq.broker.tls, "", at);
}
