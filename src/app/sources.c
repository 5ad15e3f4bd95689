/*
 * sources: one source for all that is of Kafka, one for all that is of RabbitMQ, if anything is.
 */
#include "control.h"
#include "core/memory.h"
#include "source_kafka/kafka.h"
#include "source_rabbitmq/rabbitmq.h"

enum { PREFETCH_BYTES_MAX = 64 << 20, PREFETCH_BYTES_MIN = 1 << 20, COMMIT_INTERVAL_MS = 1000 };

static bool is_kafka(const struct settings_topic *topic)
{
    return topic->source == SETTINGS_SOURCE_KAFKA;
}

static struct source_topic topic_of(const struct app *app, const struct settings_topic *topic)
{
    static const enum source_start starts[] = {
        [SETTINGS_START_COMMITTED] = SOURCE_START_DEFAULT,
        [SETTINGS_START_EARLIEST] = SOURCE_START_EARLIEST,
        [SETTINGS_START_LATEST] = SOURCE_START_LATEST,
    };
    enum source_role role = topic->role == SETTINGS_ROLE_SPANS ? SOURCE_SPANS : SOURCE_MESSAGES;
    struct source_topic made = {
        .kind = is_kafka(topic) ? SOURCE_KAFKA : SOURCE_RABBITMQ,
        .role = role,
        .pattern = is_kafka(topic) ? topic->topic : topic->rabbitmq.queue,
        .exclude = topic->exclude,
        .exclude_count = topic->exclude_count,
        .start = observe_start(app, role, starts[topic->start]),
        .dead_letter_topic = topic->errors.deadletterqueue,
        .dead_letter_exchange = topic->errors.deadletterexchange,
        .dead_letter_key = topic->errors.deadletterkey,
    };
    if (!app->run.observe)
        return made;
    if (observe_leaves_out(topic))
        made.kind = SOURCE_NONE;
    made.dead_letter_topic = NULL;
    made.dead_letter_exchange = NULL;
    made.dead_letter_key = NULL;
    return made;
}

static struct source_rabbitmq_broker broker_of(const struct settings_rabbitmq *broker)
{
    return (struct source_rabbitmq_broker){
        .url = broker->url,
        .ca_file = broker->tls.ca,
        .certificate_file = broker->tls.certificate,
        .key_file = broker->tls.key,
        .insecure = broker->tls.insecure,
        .heartbeat_ns = broker->heartbeat_ns,
    };
}

static struct source_rabbitmq_topic queue_of(const struct app *app,
                                             const struct settings_topic *topic)
{
    static const char *const exchange_types[] = {
        [SETTINGS_EXCHANGE_EXISTS] = NULL,
        [SETTINGS_EXCHANGE_DIRECT] = "direct",
        [SETTINGS_EXCHANGE_FANOUT] = "fanout",
        [SETTINGS_EXCHANGE_TOPIC] = "topic",
        [SETTINGS_EXCHANGE_HEADERS] = "headers",
        [SETTINGS_EXCHANGE_CONSISTENT_HASH] = "x-consistent-hash",
    };
    static const enum source_queue_type queue_types[] = {
        [SETTINGS_QUEUE_AS_IS] = SOURCE_QUEUE_AS_IS,
        [SETTINGS_QUEUE_CLASSIC] = SOURCE_QUEUE_CLASSIC,
        [SETTINGS_QUEUE_QUORUM] = SOURCE_QUEUE_QUORUM,
        [SETTINGS_QUEUE_STREAM] = SOURCE_QUEUE_STREAM,
    };
    if (is_kafka(topic)) /* its dead letters may go out by the worker file's broker */
        return (struct source_rabbitmq_topic){.broker = broker_of(&app->settings->rabbitmq)};
    const struct settings_queue *queue = &topic->rabbitmq;
    return (struct source_rabbitmq_topic){
        .broker = broker_of(&queue->broker),
        .queue = queue->queue,
        .declare = queue->declare && !app->run.observe, /* a look makes nothing */
        .exchange = queue->exchange,
        .exchange_type = exchange_types[queue->exchange_type],
        .bindings = queue->bindings,
        .binding_count = queue->binding_count,
        .queue_type = queue_types[queue->queue_type],
        .consumers = queue->consumers,
        .prefetch = (uint16_t)queue->prefetch,
        .firehose = queue->format == SETTINGS_FORMAT_FIREHOSE,
        .offsets_file = app->run.observe ? NULL : queue->offsets,
    };
}

static enum sb_err build_topics(struct app *app)
{
    uint32_t count = app->settings->topic_count;
    app->source_topics = memory_zalloc(count, sizeof(*app->source_topics));
    app->queues = memory_zalloc(count, sizeof(*app->queues));
    if (app->source_topics == NULL || app->queues == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        app->source_topics[i] = topic_of(app, &app->settings->topics[i]);
        app->queues[i] = queue_of(app, &app->settings->topics[i]);
    }
    return SB_OK;
}

/* All topics share one consumer, so one that wants open transactions' records decides for all. */
static bool reads_uncommitted(const struct settings *settings)
{
    bool uncommitted = false;
    for (uint32_t i = 0; i < settings->topic_count; i++)
        uncommitted |= settings->topics[i].isolation == SETTINGS_READ_UNCOMMITTED;
    return uncommitted;
}

/* The worker file's properties, then the topic files': the later ones win. */
static enum sb_err build_properties(struct app *app, uint32_t *ret_count)
{
    const struct settings *settings = app->settings;
    uint32_t count = settings->kafka.property_count;
    for (uint32_t i = 0; i < settings->topic_count; i++)
        count += settings->topics[i].property_count;
    app->properties = memory_zalloc((size_t)count + 2, sizeof(*app->properties));
    if (app->properties == NULL)
        return SB_ERR_MEMORY;
    uint32_t at = 0;
    if (reads_uncommitted(settings))
        app->properties[at++] = (struct source_property){"isolation.level", "read_uncommitted"};
    for (uint32_t i = 0; i < settings->kafka.property_count; i++)
        app->properties[at++] = (struct source_property){settings->kafka.properties[i].name,
                                                         settings->kafka.properties[i].value};
    for (uint32_t i = 0; i < settings->topic_count; i++)
        for (uint32_t j = 0; j < settings->topics[i].property_count; j++)
            app->properties[at++] =
                (struct source_property){settings->topics[i].properties[j].name,
                                         settings->topics[i].properties[j].value};
    *ret_count = at;
    return SB_OK;
}

/* Takes the source. */
static enum sb_err add_source(struct app *app, struct source *source)
{
    enum sb_err err = sources_add(app->sources, source);
    if (err != SB_OK)
        source->ops->free(source, false);
    return err;
}

static size_t prefetch_bytes(const struct settings *settings)
{
    size_t bytes = settings->memory_bytes / 16;
    if (bytes > PREFETCH_BYTES_MAX)
        return PREFETCH_BYTES_MAX;
    return bytes < PREFETCH_BYTES_MIN ? PREFETCH_BYTES_MIN : bytes;
}

static enum sb_err build_kafka(struct app *app)
{
    const struct settings *settings = app->settings;
    uint32_t property_count;
    enum sb_err err = build_properties(app, &property_count);
    if (err != SB_OK)
        return err;
    const struct source_kafka_options options = {
        .bootstrap = settings->kafka.bootstrap,
        .group = app->run.observe ? app->look_group : settings->group,
        .instance = app->run.observe ? NULL : settings->instance,
        .looks_only = app->run.observe,
        .properties = app->properties,
        .property_count = property_count,
        .topics = app->source_topics,
        .topic_count = settings->topic_count,
        .workers = facts_worker_count(settings),
        .numbers = &app->lane_numbers,
        .prefetch_bytes = prefetch_bytes(settings),
        .lateness_ns = facts_greatest(settings, &settings->repair.lateness_ns),
        .replay_ns = facts_greatest(settings, &settings->repair.replay_ns),
        .commit_interval_ns = COMMIT_INTERVAL_MS * NS_PER_MS,
        .clock = clock_system(),
        .log = app->log,
        .events = control_source_events(app),
    };
    struct source *source;
    err = source_kafka_new(&options, &source);
    return err == SB_OK ? add_source(app, source) : err;
}

static enum sb_err build_rabbitmq(struct app *app)
{
    const struct settings *settings = app->settings;
    const struct source_rabbitmq_options options = {
        .numbers = &app->lane_numbers,
        .topics = app->source_topics,
        .queues = app->queues,
        .topic_count = settings->topic_count,
        .workers = facts_worker_count(settings),
        .client_name = app->run.observe ? app->look_group : settings->group,
        .prefetch_bytes = prefetch_bytes(settings),
        .window_wait_ns = settings->window.wait_ns,
        .replay_ns = facts_greatest(settings, &settings->repair.replay_ns),
        .lateness_ns = facts_greatest(settings, &settings->repair.lateness_ns),
        .clock = clock_system(),
        .log = app->log,
        .events = control_source_events(app),
    };
    struct source *source;
    enum sb_err err = source_rabbitmq_new(&options, &source);
    return err == SB_OK ? add_source(app, source) : err;
}

/* What is to be read from brokers of a kind, and what is only sent there. */
struct needs {
    bool reads;
    bool sends;
};

static void find_needs(const struct app *app, struct needs *kafka, struct needs *rabbitmq)
{
    for (uint32_t i = 0; i < app->settings->topic_count; i++) {
        const struct source_topic *topic = &app->source_topics[i];
        kafka->reads |= topic->kind == SOURCE_KAFKA;
        kafka->sends |= topic->dead_letter_topic != NULL;
        rabbitmq->reads |= topic->kind == SOURCE_RABBITMQ;
        rabbitmq->sends |= topic->dead_letter_exchange != NULL;
    }
}

enum sb_err wiring_build_sources(struct app *app)
{
    struct needs kafka = {false, false};
    struct needs rabbitmq = {false, false};
    enum sb_err err = build_topics(app);
    if (err == SB_OK && app->run.observe)
        err = (app->look_group = observe_group_name(app)) == NULL ? SB_ERR_MEMORY : SB_OK;
    if (err == SB_OK)
        err = sources_new(facts_worker_count(app->settings), app->settings->topic_count,
                          &app->sources);
    if (err != SB_OK)
        return err;
    find_needs(app, &kafka, &rabbitmq);
    /* Workers sleep in the first, so that is one which reads; Kafka's waits are the cheaper. */
    if (kafka.reads)
        err = build_kafka(app);
    if (err == SB_OK && (rabbitmq.reads || rabbitmq.sends))
        err = build_rabbitmq(app);
    if (err == SB_OK && !kafka.reads && kafka.sends)
        err = build_kafka(app);
    return err;
}

void wiring_clear_sources(struct app *app)
{
    memory_free(app->source_topics);
    memory_free(app->queues);
    memory_free(app->properties);
    memory_free(app->look_group);
}
