/* checks: RabbitMQ sinks. */
#include <stdio.h>
#include <string.h>

#include "checks.h"

enum { KEY_BYTES_MAX = 255, TRACE_ID_BYTES = 32 };

static const char variable[] = "{trace_id}";

/* A routing key with what stands in braces read. */
struct template
{
    size_t bytes;      /* of a key that is made of it */
    bool traced;       /* the variable is there */
    const char *fault; /* a brace that begins neither; NULL: none */
};

static struct template read_template(const char *text)
{
    struct template found = {0};
    const char *at = text;
    while (*at != '\0' && found.fault == NULL) {
        size_t step = 1;
        size_t bytes = 1;
        if (strncmp(at, variable, sizeof(variable) - 1) == 0) {
            found.traced = true;
            step = sizeof(variable) - 1;
            bytes = TRACE_ID_BYTES;
        } else if (at[0] == '{' && at[1] == '{') {
            step = 2;
        } else if (at[0] == '{') {
            found.fault = at;
        }
        found.bytes += bytes;
        at += step;
    }
    return found;
}

static void check_key(struct loader *loader, const struct settings_sink *sink,
                      const char *prefix, struct place at)
{
    const char *key = sink->routing_key;
    struct template found = read_template(key);
    at = origin_place(loader, &sink->routing_key, at);
    if (!checks_amqp_text(loader, key, "routing_key", at))
        return;
    if (found.fault != NULL) {
        size_t len = strcspn(found.fault, "}");
        len += found.fault[len] == '}';
        report_error(loader->report, at, "%srouting_key: %s is no variable", prefix,
                     quote_bytes(bytes_of(found.fault, len)).text);
        report_help(loader->report, "the only one is {trace_id}; a brace is written {{");
    } else if (found.bytes > KEY_BYTES_MAX) {
        report_error(loader->report, at, "%srouting_key is longer than %d bytes", prefix,
                     KEY_BYTES_MAX);
        report_help(loader->report, "{trace_id} counts for %d", TRACE_ID_BYTES);
    } else if (sink->exchange != NULL && sink->exchange[0] == '\0' &&
               (found.traced || key[0] == '\0')) {
        report_error(loader->report, at, "%srouting_key is the name of no queue", prefix);
        report_help(loader->report, "at the default exchange the key names a queue: "
                                    "routing_key = \"spans.kept\";");
    }
}

void checks_rabbitmq_sink(struct loader *loader, const struct settings_sink *sink,
                          struct place at)
{
    char prefix[QUOTED_LEN + 16];
    char path[QUOTED_LEN + 32];
    snprintf(prefix, sizeof(prefix),
             "sink \"%s\": ", quote(sink->name == NULL ? "?" : sink->name).text);
    snprintf(path, sizeof(path), "%sexchange", prefix);
    checks_amqp_name(loader, sink->exchange, path, origin_place(loader, &sink->exchange, at));
    if (sink->routing_key != NULL)
        check_key(loader, sink, prefix, at);
    checks_broker(loader, &sink->broker, &sink->tls, prefix, at);
}
