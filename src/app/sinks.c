/*
 * sinks: of each kind, made from the settings.
 */
#include "core/hash.h"
#include "core/memory.h"
#include "sink/kafka.h"
#include "sink/rabbitmq.h"
#include "state.h"

static void on_batch_done(void *arg, struct sink_batch *batch)
{
    struct app *app = arg;
    worker_group_batch_done(app->group, batch);
}

static enum sb_err build_otlp(struct app *app, const struct settings_sink *settings)
{
    struct sink_otlp_header *headers =
        memory_zalloc(settings->header_count + 1, sizeof(*headers));
    if (headers == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < settings->header_count; i++)
        headers[i] = (struct sink_otlp_header){
            .name = settings->headers[i].name,
            .value = settings->headers[i].value,
            .file = settings->headers[i].file,
        };
    static const enum sink_compression compressions[] = {
        [SETTINGS_COMPRESSION_NONE] = SINK_COMPRESSION_NONE,
        [SETTINGS_COMPRESSION_GZIP] = SINK_COMPRESSION_GZIP,
        [SETTINGS_COMPRESSION_ZSTD] = SINK_COMPRESSION_ZSTD,
    };
    const struct sink_otlp_options options = {
        .name = settings->name,
        .protocol = settings->type == SETTINGS_SINK_OTLP_GRPC ? SINK_OTLP_GRPC : SINK_OTLP_HTTP,
        .endpoints = settings->endpoints,
        .endpoint_count = settings->endpoint_count,
        .headers = headers,
        .header_count = settings->header_count,
        .compression = compressions[settings->compression],
        .tls_ca = settings->tls.ca,
        .tls_certificate = settings->tls.certificate,
        .tls_key = settings->tls.key,
        .tls_insecure = settings->tls.insecure,
        .queue_bytes_max = settings->queue_bytes_max,
        .in_flight_max = settings->in_flight_max,
        .timeout_ns = settings->timeout_ns,
        .backoff_initial_ns = settings->retry.initial_ns,
        .backoff_max_ns = settings->retry.max_ns,
        .seed = hash_random_seed(),
        .clock = clock_system(),
        .log = app->log,
        .on_done = on_batch_done,
        .on_done_arg = app,
    };
    app->sink_parts[app->sink_part_count++] = headers; /* the sink reads them again */
    return sink_otlp_new(&options, &app->sinks[app->sink_count]);
}

/*
 * The worker's properties, where the cluster is the worker's, and the sink's over them.  The
 * sink passes over those that it sets itself: they may be meant for dead letters.
 */
static enum sb_err join_properties(struct app *app, const struct settings_sink *settings,
                                   struct sink_kafka_options *options)
{
    const struct settings_kafka *own = &settings->kafka;
    const struct settings_kafka *workers = &app->settings->kafka;
    uint32_t inherited = own->bootstrap == NULL ? workers->property_count : 0;
    uint32_t count = inherited + own->property_count;
    struct sink_kafka_property *properties =
        memory_zalloc((size_t)count + 1, sizeof(*properties));
    if (properties == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        const struct settings_property *from =
            i < inherited ? &workers->properties[i] : &own->properties[i - inherited];
        properties[i] = (struct sink_kafka_property){from->name, from->value};
    }
    app->sink_parts[app->sink_part_count++] = properties;
    options->properties = properties;
    options->property_count = count;
    return SB_OK;
}

static enum sb_err build_kafka(struct app *app, const struct settings_sink *settings)
{
    static const enum sink_kafka_key keys[] = {
        [SETTINGS_KEY_HEX] = SINK_KAFKA_KEY_HEX,
        [SETTINGS_KEY_BYTES] = SINK_KAFKA_KEY_BYTES,
    };
    static const enum sink_kafka_partitioner partitioners[] = {
        [SETTINGS_PARTITIONER_MURMUR2] = SINK_KAFKA_MURMUR2,
        [SETTINGS_PARTITIONER_CRC32] = SINK_KAFKA_CRC32,
        [SETTINGS_PARTITIONER_FNV1A] = SINK_KAFKA_FNV1A,
    };
    const char *cluster = settings->kafka.bootstrap;
    struct sink_kafka_options options = {
        .name = settings->name,
        .bootstrap = cluster == NULL ? app->settings->kafka.bootstrap : cluster,
        .client_id = app->settings->group,
        .topic = settings->topic,
        .key = keys[settings->key],
        .partitioner = partitioners[settings->partitioner],
        .queue_bytes_max = settings->queue_bytes_max,
        .in_flight_max = settings->in_flight_max,
        .backoff_initial_ns = settings->retry.initial_ns,
        .backoff_max_ns = settings->retry.max_ns,
        .seed = hash_random_seed(),
        .clock = clock_system(),
        .log = app->log,
        .on_done = on_batch_done,
        .on_done_arg = app,
    };
    enum sb_err err = join_properties(app, settings, &options);
    return err == SB_OK ? sink_kafka_new(&options, &app->sinks[app->sink_count]) : err;
}

static enum sb_err build_rabbitmq(struct app *app, const struct settings_sink *settings)
{
    const struct sink_rabbitmq_options options = {
        .name = settings->name,
        .url = settings->broker.url,
        .client_name = app->settings->group,
        .tls_ca = settings->broker.tls.ca,
        .tls_certificate = settings->broker.tls.certificate,
        .tls_key = settings->broker.tls.key,
        .tls_insecure = settings->broker.tls.insecure,
        .heartbeat_ns = settings->broker.heartbeat_ns,
        .exchange = settings->exchange,
        .routing_key = settings->routing_key,
        .persistent = settings->persistent,
        .mandatory = settings->mandatory,
        .queue_bytes_max = settings->queue_bytes_max,
        .in_flight_max = settings->in_flight_max,
        .timeout_ns = settings->timeout_ns,
        .backoff_initial_ns = settings->retry.initial_ns,
        .backoff_max_ns = settings->retry.max_ns,
        .seed = hash_random_seed(),
        .clock = clock_system(),
        .log = app->log,
        .on_done = on_batch_done,
        .on_done_arg = app,
    };
    return sink_rabbitmq_new(&options, &app->sinks[app->sink_count]);
}

static enum sb_err build_sink(struct app *app, const struct settings_sink *settings)
{
    switch (settings->type) {
    case SETTINGS_SINK_KAFKA:
        return build_kafka(app, settings);
    case SETTINGS_SINK_RABBITMQ:
        return build_rabbitmq(app, settings);
    case SETTINGS_SINK_OTLP_HTTP:
    case SETTINGS_SINK_OTLP_GRPC:
        break;
    }
    return build_otlp(app, settings);
}

enum sb_err sinks_build(struct app *app)
{
    uint32_t count = app->run.observe ? 0 : app->settings->sink_count;
    app->sinks = memory_zalloc(count, sizeof(struct sink *));
    app->batching = memory_zalloc(count, sizeof(*app->batching));
    app->sink_parts = memory_zalloc(count, sizeof(void *));
    if (app->sinks == NULL || app->batching == NULL || app->sink_parts == NULL)
        return SB_ERR_MEMORY;
    enum sb_err err = SB_OK;
    for (uint32_t i = 0; err == SB_OK && i < count; i++) {
        const struct settings_sink *settings = &app->settings->sinks[i];
        app->batching[i] = (struct worker_batching){
            .spans_max = settings->batch.spans_max,
            .bytes_max = settings->batch.bytes_max,
            .linger_ns = settings->batch.linger_ns,
        };
        err = build_sink(app, settings);
        app->sink_count += err == SB_OK;
    }
    return err;
}

void sinks_free(struct app *app)
{
    for (uint32_t i = 0; i < app->sink_count; i++)
        app->sinks[i]->ops->free(app->sinks[i]);
    for (uint32_t i = 0; i < app->sink_part_count; i++)
        memory_free(app->sink_parts[i]);
    memory_free(app->sink_parts);
    memory_free(app->sinks);
    memory_free(app->batching);
}
