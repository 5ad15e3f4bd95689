#include "derive.h"

#include <string.h>

#include "core/text.h"

enum { QUEUE_NAME_ROOM = 4096 }; /* of the text; names that are too long are reported */

/* True if a file gives the field a value. */
static bool is_set(const struct loader *loader, const void *field)
{
    return origin_find(loader->private, field) != NULL;
}

/* ---- the worker file ---- */

static void derive_tolerance(struct settings_errors *errors, bool set)
{
    bool place = errors->deadletterqueue != NULL || errors->deadletterexchange != NULL;
    if (!set)
        errors->tolerance = place ? SETTINGS_TOLERANCE_ALL : SETTINGS_TOLERANCE_NONE;
}

static void derive_log_levels(struct loader *loader)
{
    struct settings_log *log = &loader->settings->log;
    enum settings_log_level *const levels[] = {&log->levels.admin, &log->levels.app,
                                               &log->levels.sink, &log->levels.source,
                                               &log->levels.worker};
    for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
        if (!is_set(loader, levels[i]))
            *levels[i] = log->level;
    }
}

void derive_worker(struct loader *loader)
{
    struct settings *settings = loader->settings;
    derive_log_levels(loader);
    if (!is_set(loader, &settings->repair.replay_ns))
        settings->repair.replay_ns = settings->window.wait_ns + UINT64_C(60000000000);
    derive_tolerance(&settings->errors, is_set(loader, &settings->errors.tolerance));
}

/* ---- topic files ---- */

void derive_inherited(struct settings_topic *topic, const struct settings *settings)
{
    topic->errors = settings->errors;
    topic->repair = settings->repair;
}

/* A file that names a place for dead letters means it instead of the worker's. */
static void derive_dead_letters(struct loader *loader, struct settings_topic *topic)
{
    struct settings_errors *errors = &topic->errors;
    bool queue = is_set(loader, &errors->deadletterqueue);
    bool exchange = is_set(loader, &errors->deadletterexchange);
    if (queue && !exchange)
        errors->deadletterexchange = NULL;
    if (exchange && !queue)
        errors->deadletterqueue = NULL;
    if ((queue || exchange) && !is_set(loader, &errors->deadletterkey))
        errors->deadletterkey = NULL;
    if (errors->deadletterexchange != NULL && errors->deadletterkey == NULL)
        errors->deadletterkey = topic->name;
}

/* Each instance taps through a queue of its own: of a shared one each would see a part. */
static const char *name_queue(struct loader *loader, const struct settings_topic *topic)
{
    const struct settings_queue *queue = &topic->rabbitmq;
    const char *instance = loader->settings->instance;
    bool own = queue->declare && topic->role == SETTINGS_ROLE_MESSAGES;
    if (!own || instance == NULL || queue->queue_configured == NULL)
        return queue->queue_configured;
    struct text name;
    text_init(&name, QUEUE_NAME_ROOM);
    text_printf(&name, "%s.%s", queue->queue_configured, instance);
    if (name.error == SB_ERR_MEMORY)
        loader->out_of_memory = true;
    const char *kept = loader_text(loader, text_string(&name));
    text_clear(&name);
    return kept;
}

static void derive_binding(struct loader *loader, struct settings_queue *queue)
{
    bool weight = queue->exchange_type == SETTINGS_EXCHANGE_CONSISTENT_HASH;
    const char **bindings = loader_alloc(loader, sizeof(*bindings));
    if (bindings == NULL)
        return;
    bindings[0] = weight ? "1" : "#";
    queue->bindings = bindings;
    queue->binding_count = 1;
}

static void derive_queue(struct loader *loader, struct settings_topic *topic)
{
    struct settings_queue *queue = &topic->rabbitmq;
    queue->queue = name_queue(loader, topic);
    if (queue->format == SETTINGS_FORMAT_FIREHOSE && !is_set(loader, &queue->exchange))
        queue->exchange = "amq.rabbitmq.trace";
    if (queue->declare && !is_set(loader, &queue->queue_type))
        queue->queue_type =
            topic->role == SETTINGS_ROLE_SPANS ? SETTINGS_QUEUE_QUORUM : SETTINGS_QUEUE_CLASSIC;
    if (queue->declare && !is_set(loader, &queue->bindings))
        derive_binding(loader, queue);
    if (topic->name == NULL)
        topic->name = queue->queue_configured;
}

void derive_topic(struct loader *loader, struct settings_topic *topic)
{
    const struct settings *settings = loader->settings;
    if (topic->source == SETTINGS_SOURCE_RABBITMQ)
        derive_queue(loader, topic);
    if (topic->name == NULL)
        topic->name = topic->topic;
    derive_dead_letters(loader, topic);
    bool set =
        is_set(loader, &topic->errors.tolerance) || is_set(loader, &settings->errors.tolerance);
    derive_tolerance(&topic->errors, set);
}

/* ---- brokers ---- */

/* Takes a field over from the worker, with where it came from. */
static void take(struct loader *loader, void *field, const void *from, size_t size)
{
    if (is_set(loader, field))
        return;
    memcpy(field, from, size);
    loader_copy_origin(loader, field, from);
}

static void derive_broker(struct loader *loader, struct settings_rabbitmq *broker,
                          struct settings_tls *tls)
{
    const struct settings_rabbitmq *worker = &loader->settings->rabbitmq;
    bool own = is_set(loader, &broker->url);
    take(loader, &broker->url, &worker->url, sizeof(broker->url));
    take(loader, &broker->heartbeat_ns, &worker->heartbeat_ns, sizeof(broker->heartbeat_ns));
    if (!own) {
        take(loader, &tls->ca, &worker->tls.ca, sizeof(tls->ca));
        take(loader, &tls->certificate, &worker->tls.certificate, sizeof(tls->certificate));
        take(loader, &tls->key, &worker->tls.key, sizeof(tls->key));
        take(loader, &tls->insecure, &worker->tls.insecure, sizeof(tls->insecure));
    }
    broker->tls = *tls;
}

void derive_topic_broker(struct loader *loader, struct settings_topic *topic)
{
    if (topic->source == SETTINGS_SOURCE_RABBITMQ)
        derive_broker(loader, &topic->rabbitmq.broker, &topic->rabbitmq.broker.tls);
}

void derive_sink_brokers(struct loader *loader)
{
    for (uint32_t i = 0; i < loader->settings->sink_count; i++) {
        struct settings_sink *sink = &loader->settings->sinks[i];
        if (sink->type == SETTINGS_SINK_RABBITMQ)
            derive_broker(loader, &sink->broker, &sink->tls);
    }
}
