/* checks: the worker file. */
#include "checks.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "authority.h"
#include "core/units.h"
#include "policies.h"

/* Where two of a list share a name.  name_of(i) may be NULL. */
static void check_sink_names(struct loader *loader)
{
    const struct settings *settings = loader->settings;
    for (uint32_t i = 0; i < settings->sink_count; i++) {
        const char *name = settings->sinks[i].name;
        for (uint32_t j = 0; j < i && name != NULL; j++) {
            const char *other = settings->sinks[j].name;
            if (other == NULL || strcmp(other, name) != 0)
                continue;
            struct place none = {.file = "?"};
            struct place first = origin_place(loader, &settings->sinks[j].name, none);
            report_error(loader->report, origin_place(loader, &settings->sinks[i].name, none),
                         "two sinks are called \"%s\"", quote(name).text);
            report_help(loader->report, "the first one is in %s:%u", first.file,
                        (unsigned)first.line);
            break;
        }
    }
}

void checks_bootstrap(struct loader *loader, const char *const *field, const char *path)
{
    struct place at = origin_place(loader, field, (struct place){.file = "?"});
    const char *rest = *field;
    if (rest == NULL)
        return;
    while (rest != NULL) {
        const char *end = strchr(rest, ',');
        const char *name = rest + strspn(rest, " ");
        size_t len = end == NULL ? strlen(name) : (size_t)(end - name);
        while (len > 0 && name[len - 1] == ' ')
            len--;
        const char *scheme = memmem(name, len, "://", 3);
        if (scheme != NULL) {
            len -= (size_t)(scheme + 3 - name);
            name = scheme + 3;
        }
        if (!authority_is(name, len)) {
            report_error(loader->report, at, "%s: \"%s\" is not host:port", path,
                         quote_bytes(bytes_of(name, len)).text);
            report_help(loader->report, "write host:port,host:port");
        }
        rest = end == NULL ? NULL : end + 1;
    }
}

/* host:port, [v6]:port or a port alone, any of which may be port 0. */
static void check_admin(struct loader *loader, struct place at)
{
    const char *const *field = &loader->settings->admin.listen;
    if (*field == NULL)
        return;
    const char *colon = strrchr(*field, ':');
    const char *port = colon == NULL ? *field : colon + 1;
    bool has_port = strcmp(port, "0") == 0 || authority_is_port(port, strlen(port));
    if (has_port && (colon == NULL || authority_is_host(*field, (size_t)(colon - *field))))
        return;
    report_error(loader->report, origin_place(loader, field, at),
                 "admin.listen: \"%s\" is not host:port", quote(*field).text);
    report_help(loader->report, "write 127.0.0.1:8083, or [::1]:8083");
}

struct reserved {
    const char *name;
    const char *instead;
};

/* What spanbridge sets itself, because its promises hang on it. */
static const struct reserved reserved_properties[] = {
    {"bootstrap.servers", "use kafka.bootstrap"},
    {"metadata.broker.list", "use kafka.bootstrap"},
    {"group.id", "use group"},
    {"group.instance.id", "use instance"},
    {"auto.offset.reset", "use start in the topic file"},
    {"isolation.level", "use isolation in the topic file"},
    {"enable.auto.commit", "offsets are committed when their spans are finished"},
    {"auto.commit.enable", "offsets are committed when their spans are finished"},
    {"enable.auto.offset.store", "offsets are committed when their spans are finished"},
    {"auto.commit.interval.ms", "offsets are committed when their spans are finished"},
    {"enable.partition.eof", "spanbridge needs it on"},
    {"transactional.id", "transactions are not available in this version"},
    {"key.deserializer", "this is a property of Java clients"},
    {"value.deserializer", "this is a property of Java clients"},
    {"plugin.library.paths", "plug-ins are not loaded"},
};

static bool is_reserved(const char *name, const char **ret_instead)
{
    for (size_t i = 0; i < sizeof(reserved_properties) / sizeof(*reserved_properties); i++) {
        if (strcmp(reserved_properties[i].name, name) != 0)
            continue;
        *ret_instead = reserved_properties[i].instead;
        return true;
    }
    return false;
}

/* What librdkafka says may hold the value. */
static void check_property(struct loader *loader, const struct settings_property *property,
                           struct place at)
{
    char why[CONFIG_WHY_LEN] = "";
    const char *instead;
    if (is_reserved(property->name, &instead)) {
        report_error(loader->report, at, "%s can not be set here", property->name);
        report_help(loader->report, "%s", instead);
        return;
    }
    config_property_fn check = loader->sources->check_property;
    if (check == NULL || property->value == NULL || check(property->name, property->value, why))
        return;
    const struct origin *origin = origin_find(loader->private, &property->value);
    bool hidden =
        schema_property_is_secret(property->name) || (origin != NULL && origin->secret);
    report_error(loader->report, at, "librdkafka does not take %s%s%s",
                 quote(property->name).text, hidden ? "" : ": ", hidden ? "" : why);
}

void checks_properties(struct loader *loader, const struct settings_property *properties,
                       uint32_t count)
{
    struct place none = {.file = "?"};
    for (uint32_t i = 0; i < count; i++) {
        const char *name = properties[i].name;
        if (name == NULL)
            continue;
        struct place at = origin_place(loader, &properties[i].name, none);
        check_property(loader, &properties[i], at);
        for (uint32_t j = 0; j < i; j++) {
            if (properties[j].name == NULL || strcmp(properties[j].name, name) != 0)
                continue;
            report_error(loader->report, at, "%s is set twice", quote(name).text);
            report_help(loader->report, "the first one is in %s:%u",
                        origin_place(loader, &properties[j].name, none).file,
                        (unsigned)origin_place(loader, &properties[j].name, none).line);
            break;
        }
    }
}

static void check_window(struct loader *loader, struct place at)
{
    const struct settings_window *window = &loader->settings->window;
    const struct origin *hold = origin_find(loader->private, &window->hold_ns);
    if (hold != NULL && window->hold_ns < window->wait_ns) {
        report_warning(loader->report, origin_place(loader, &window->hold_ns, at),
                       "window.hold is below window.wait, so that it has no effect");
        report_help(loader->report, "a trace with a message on its way is held until hold");
    }
    if (window->after_root_ns >= window->wait_ns)
        report_warning(loader->report, origin_place(loader, &window->after_root_ns, at),
                       "window.after_root is not below window.wait, so that it has no effect");
    if (window->idle_ns >= window->wait_ns)
        report_warning(loader->report, origin_place(loader, &window->idle_ns, at),
                       "window.idle is not below window.wait, so that it has no effect");
    if (loader->settings->repair.ttl_ns < window->wait_ns) {
        report_warning(loader->report,
                       origin_place(loader, &loader->settings->repair.ttl_ns, at),
                       "repair.ttl is below window.wait");
        report_help(loader->report, "messages are forgotten before their traces are decided");
    }
}

/* memory holds windows, verdicts and the sinks' queues: something must be left for windows. */
static void check_memory(struct loader *loader, struct place at)
{
    const struct settings *settings = loader->settings;
    uint64_t queues = 0;
    for (uint32_t i = 0; i < settings->sink_count; i++)
        queues += settings->sinks[i].queue_bytes_max;
    uint64_t taken = queues + settings->decided.memory_bytes;
    at = origin_place(loader, &settings->memory_bytes, at);
    if (taken >= settings->memory_bytes) {
        char need[UNITS_TEXT_LEN];
        char have[UNITS_TEXT_LEN];
        units_format_size(taken, need);
        units_format_size(settings->memory_bytes, have);
        report_error(loader->report, at,
                     "memory = %s leaves nothing for windows: queues and verdicts take %s",
                     have, need);
        report_help(loader->report,
                    "raise memory, or lower the sinks' queue or decided.memory");
    } else if (settings->window.bytes_per_trace_max > settings->memory_bytes - taken) {
        report_error(loader->report,
                     origin_place(loader, &settings->window.bytes_per_trace_max, at),
                     "window.bytes_per_trace is more than what memory leaves for windows");
        report_help(loader->report, "lower it, or raise memory");
    }
}

void checks_worker(struct loader *loader, struct place at)
{
    const struct settings *settings = loader->settings;
    check_sink_names(loader);
    for (uint32_t i = 0; i < settings->sink_count; i++)
        checks_sink(loader, &settings->sinks[i], at);
    policies_check_names(loader, settings->sampling.policies, settings->sampling.policy_count);
    checks_bootstrap(loader, &settings->kafka.bootstrap, "kafka.bootstrap");
    checks_properties(loader, settings->kafka.properties, settings->kafka.property_count);
    checks_broker(loader, &settings->rabbitmq, &settings->rabbitmq.tls, "rabbitmq.", at);
    checks_letters(loader, &settings->errors, at);
    check_window(loader, at);
    check_memory(loader, at);
    check_admin(loader, at);
}
