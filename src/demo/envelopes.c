/* Resources and scopes: the part of encode that is the same for all spans of a service. */
#include "encode.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "otlp/write.h"

/* What made a span, and so names its scope. */
enum library {
    LIBRARY_HTTP,
    LIBRARY_KAFKA,
    LIBRARY_RABBITMQ,
    LIBRARY_DATABASE,
    LIBRARY_OWN,
    LIBRARIES
};

enum {
    RESOURCE_FIELD = 1,
    SCOPE_FIELD = 1,
    ATTRIBUTES_FIELD = 1,
    NAME_FIELD = 1,
    VERSION_FIELD = 2
};
enum { ENVELOPE_BYTES_MAX = 1024, INSTANCE_LEN = 64 };

struct scope {
    const char *name;
    const char *version;
};

static const struct scope scopes[SHOP_LANGUAGES][LIBRARIES] = {
    [SHOP_NODE] = {{"@opentelemetry/instrumentation-http", "0.213.0"},
                   {"@opentelemetry/instrumentation-kafkajs", "0.32.0"},
                   {"@opentelemetry/instrumentation-amqplib", "0.70.0"},
                   {"@opentelemetry/instrumentation-pg", "0.70.0"},
                   {"shop", "1.4.0"}},
    [SHOP_JAVA] = {{"io.opentelemetry.tomcat-10.0", "2.33.1-alpha"},
                   {"io.opentelemetry.kafka-clients-2.6", "2.33.1-alpha"},
                   {"io.opentelemetry.rabbitmq-2.7", "2.33.1-alpha"},
                   {"io.opentelemetry.jdbc", "2.33.1-alpha"},
                   {"shop", "1.4.0"}},
    [SHOP_GO] = {{"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "0.66.0"},
                 {"github.com/twmb/franz-go/plugin/kotel", "1.7.1"},
                 {"shop", "1.4.0"}, /* by hand */
                 {"github.com/exaring/otelpgx", "0.9.3"},
                 {"shop", "1.4.0"}},
    [SHOP_PYTHON] = {{"opentelemetry.instrumentation.flask", "0.66b1"},
                     {"opentelemetry.instrumentation.kafka", "0.66b1"},
                     {"opentelemetry.instrumentation.pika", "0.66b1"},
                     {"opentelemetry.instrumentation.psycopg", "0.66b1"},
                     {"shop", "1.4.0"}},
};

struct envelope {
    struct text resource;
    struct text scope;
    struct otlp_envelope view;
};

struct encode_envelopes {
    struct envelope set[SHOP_SERVICES][SHOP_LANGUAGES][LIBRARIES];
};

static void put(struct text *out, const char *key, const char *value)
{
    otlp_write_string_attribute(out, ATTRIBUTES_FIELD, bytes_text(key), bytes_text(value));
}

static enum sb_err fill(struct envelope *envelope, uint32_t service, uint32_t language,
                        const struct scope *scope)
{
    const char *name = shop_service_names[service];
    char instance[INSTANCE_LEN];
    snprintf(instance, sizeof(instance), "%s-%s-5f6d7c8b9", name,
             shop_language_names[language]);
    struct text inner;
    text_init(&inner, ENVELOPE_BYTES_MAX);
    text_init(&envelope->resource, ENVELOPE_BYTES_MAX);
    text_init(&envelope->scope, ENVELOPE_BYTES_MAX);
    put(&inner, "service.name", name);
    put(&inner, "service.version", "1.4.0");
    put(&inner, "service.instance.id", instance);
    put(&inner, "telemetry.sdk.name", "opentelemetry");
    put(&inner, "telemetry.sdk.language", shop_language_names[language]);
    put(&inner, "deployment.environment.name", "demo");
    otlp_write_bytes_field(&envelope->resource, RESOURCE_FIELD, text_bytes(&inner));
    enum sb_err err = inner.error;
    text_reset(&inner);
    otlp_write_bytes_field(&inner, NAME_FIELD, bytes_text(scope->name));
    otlp_write_bytes_field(&inner, VERSION_FIELD, bytes_text(scope->version));
    otlp_write_bytes_field(&envelope->scope, SCOPE_FIELD, text_bytes(&inner));
    if (err == SB_OK)
        err = inner.error;
    text_clear(&inner);
    envelope->view.resource_fields = text_bytes(&envelope->resource);
    envelope->view.scope_fields = text_bytes(&envelope->scope);
    if (err == SB_OK)
        err = envelope->resource.error;
    return err == SB_OK ? envelope->scope.error : err;
}

enum sb_err encode_envelopes_new(struct encode_envelopes **ret)
{
    struct encode_envelopes *envelopes = memory_zalloc(1, sizeof(*envelopes));
    if (envelopes == NULL)
        return SB_ERR_MEMORY;
    enum sb_err err = SB_OK;
    for (uint32_t service = 0; service < SHOP_SERVICES; service++)
        for (uint32_t language = 0; language < SHOP_LANGUAGES; language++)
            for (uint32_t library = 0; err == SB_OK && library < LIBRARIES; library++)
                err = fill(&envelopes->set[service][language][library], service, language,
                           &scopes[language][library]);
    if (err != SB_OK) {
        encode_envelopes_free(envelopes);
        return err;
    }
    *ret = envelopes;
    return SB_OK;
}

void encode_envelopes_free(struct encode_envelopes *envelopes)
{
    if (envelopes == NULL)
        return;
    struct envelope *all = &envelopes->set[0][0][0];
    for (size_t i = 0; i < sizeof(envelopes->set) / sizeof(*all); i++) {
        text_clear(&all[i].resource);
        text_clear(&all[i].scope);
    }
    memory_free(envelopes);
}

static enum library library_of(const struct shop_span *span)
{
    if (span->hop != SHOP_NONE)
        return span->hop < SHOP_KAFKA_HOPS ? LIBRARY_KAFKA : LIBRARY_RABBITMQ;
    if (strncmp(span->name, "POST", 4) == 0)
        return LIBRARY_HTTP;
    return span->kind == OTLP_KIND_CLIENT && strncmp(span->name, "INSERT", 6) == 0
               ? LIBRARY_DATABASE
               : LIBRARY_OWN;
}

const struct otlp_envelope *encode_envelope_of(const struct encode_envelopes *envelopes,
                                               const struct shop_checkout *checkout,
                                               uint32_t number)
{
    const struct shop_span *span = &checkout->spans[number];
    enum shop_language language = checkout->language[span->service];
    return &envelopes->set[span->service][language][library_of(span)].view;
}
