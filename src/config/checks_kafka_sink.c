/* checks: Kafka sinks. */
#include <string.h>

#include "checks.h"

/* What a sink sets itself, because its promises hang on it. */
static const struct {
    const char *name;
    const char *why;
} own_properties[] = {
    {"acks", "a span is finished when all replicas have it"},
    {"request.required.acks", "a span is finished when all replicas have it"},
    {"enable.idempotence", "the sink needs it on"},
    {"message.timeout.ms", "the sink waits for as long as it takes"},
    {"delivery.timeout.ms", "the sink waits for as long as it takes"},
    {"retries", "the sink tries again for as long as it takes"},
    {"message.send.max.retries", "the sink tries again for as long as it takes"},
    {"delivery.report.only.error", "the sink needs all reports"},
    {"partitioner", "use partitioner of the sink"},
    {"client.id", "it is the group"},
};

static void check_own_properties(struct loader *loader, const struct settings_sink *sink,
                                 struct place at)
{
    for (uint32_t i = 0; i < sink->kafka.property_count; i++) {
        const struct settings_property *property = &sink->kafka.properties[i];
        size_t own = 0;
        const size_t count = sizeof(own_properties) / sizeof(*own_properties);
        while (property->name != NULL && own < count &&
               strcmp(own_properties[own].name, property->name) != 0)
            own++;
        if (property->name == NULL || own == count)
            continue;
        report_error(loader->report, origin_place(loader, &property->name, at),
                     "%s can not be set for a sink", property->name);
        report_help(loader->report, "%s", own_properties[own].why);
    }
}

void checks_kafka_sink(struct loader *loader, const struct settings_sink *sink, struct place at)
{
    const char *topic = sink->topic;
    if (topic != NULL && !checks_is_topic_name(topic)) {
        report_error(loader->report, origin_place(loader, &sink->topic, at),
                     "\"%s\" can not be the name of a topic", quote(topic).text);
        report_help(loader->report, "up to 249 letters, digits, '.', '_' and '-'");
    }
    checks_bootstrap(loader, &sink->kafka.bootstrap, "a sink's kafka.bootstrap");
    checks_properties(loader, sink->kafka.properties, sink->kafka.property_count);
    check_own_properties(loader, sink, at);
}
