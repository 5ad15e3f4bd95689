/* checks: RabbitMQ brokers, and the names that AMQP knows. */
#include <stdio.h>
#include <string.h>

#include "broker_url.h"
#include "checks.h"
#include "core/units.h"

enum { NAME_BYTES_MAX = 255 }; /* AMQP's short strings */

static const uint64_t second_ns = 1000000000;

/* Ports by which other things than was meant are reached. */
static void warn_port(struct loader *loader, const char *text, const char *path,
                      struct place at)
{
    struct bytes port = broker_url_parse(text).port;
    bool tls = broker_url_is_tls(text);
    if (bytes_equal(port, BYTES_LITERAL("15672")) ||
        bytes_equal(port, BYTES_LITERAL("15671"))) {
        report_warning(loader->report, at, "%s: its port mostly is the management plug-in's",
                       path);
        report_help(loader->report, "AMQP mostly has 5672, and 5671 with TLS");
    } else if (bytes_equal(port, tls ? BYTES_LITERAL("5672") : BYTES_LITERAL("5671"))) {
        report_warning(loader->report, at, "%s: its port mostly speaks %s TLS", path,
                       tls ? "without" : "with");
        report_help(loader->report, "write %s, or port %s", tls ? "amqp://" : "amqps://",
                    tls ? "5671" : "5672");
    }
}

/* The URL itself stands in no message: it holds a password. */
static void check_url(struct loader *loader, const char *const *field, const char *prefix,
                      struct place at)
{
    char path[QUOTED_LEN * 2];
    snprintf(path, sizeof(path), "%surl", prefix);
    at = origin_place(loader, field, at);
    struct broker_url_fault fault = broker_url_check(*field);
    if (fault.text == NULL) {
        warn_port(loader, *field, path, at);
        return;
    }
    report_error(loader->report, at, "%s: %s", path, fault.text);
    if (fault.help != NULL)
        report_help(loader->report, "%s", fault.help);
}

static void check_tls(struct loader *loader, const struct settings_tls *tls, const char *prefix,
                      const char *url, struct place at)
{
    bool certificate = tls->certificate != NULL;
    if (certificate != (tls->key != NULL))
        report_error(loader->report,
                     origin_place(loader, certificate ? &tls->certificate : &tls->key, at),
                     "%stls.%s without %stls.%s", prefix, certificate ? "certificate" : "key",
                     prefix, certificate ? "key" : "certificate");
    bool any = tls->ca != NULL || certificate || tls->key != NULL || tls->insecure;
    const void *const fields[] = {&tls->ca, &tls->certificate, &tls->key, &tls->insecure};
    for (size_t i = sizeof(fields) / sizeof(*fields); i-- > 0;)
        at = origin_place(loader, fields[i], at); /* the first one that is set */
    if (any && url != NULL && broker_url_check(url).text == NULL && !broker_url_is_tls(url)) {
        report_warning(loader->report, at, "%stls has no effect on an amqp:// url", prefix);
        report_help(loader->report, "write amqps://");
    }
}

static void check_heartbeat(struct loader *loader, const uint64_t *field, const char *prefix,
                            struct place at)
{
    at = origin_place(loader, field, at);
    if (*field % second_ns != 0) {
        report_error(loader->report, at, "%sheartbeat is no whole number of seconds", prefix);
        report_help(loader->report, "AMQP counts it in seconds: heartbeat = \"30s\";");
    } else if (*field<5 * second_ns && * field> 0) {
        report_warning(loader->report, at, "%sheartbeat is below 5s", prefix);
        report_help(loader->report, "a connection that is only slow is taken for a broken one");
    }
}

void checks_broker(struct loader *loader, const struct settings_rabbitmq *broker,
                   const struct settings_tls *tls, const char *prefix, struct place at)
{
    const char *url = broker->url;
    if (url != NULL)
        check_url(loader, &broker->url, prefix, at);
    else if (origin_find(loader->private, &broker->url) == NULL)
        url = loader->settings->rabbitmq.url;
    check_tls(loader, tls, prefix, url, at);
    check_heartbeat(loader, &broker->heartbeat_ns, prefix, at);
}

bool checks_amqp_text(struct loader *loader, const char *text, const char *path,
                      struct place at)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c >= 0x20 && *c != 0x7f)
            continue;
        report_error(loader->report, at, "%s holds a control character", path);
        return false;
    }
    return true;
}

bool checks_amqp_name(struct loader *loader, const char *name, const char *path,
                      struct place at)
{
    if (name == NULL || !checks_amqp_text(loader, name, path, at))
        return false;
    if (strlen(name) <= NAME_BYTES_MAX)
        return true;
    report_error(loader->report, at, "%s is longer than %d bytes", path, NAME_BYTES_MAX);
    report_help(loader->report, "AMQP has no longer names and routing keys");
    return false;
}
