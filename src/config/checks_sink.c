/* checks: sinks. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "checks.h"
#include "core/units.h"

/* For messages. */
static const char *name_of(const struct settings_sink *sink)
{
    return sink->name == NULL ? "?" : sink->name;
}

/* scheme://[user@]host[:port][/path], taken apart; views into the text. */
struct url {
    struct bytes scheme;
    struct bytes user;
    struct bytes host;
    struct bytes port;
    struct bytes path;
};

static struct bytes cut(struct bytes *rest, size_t len)
{
    struct bytes part = bytes_of(rest->at, len);
    *rest = bytes_of(rest->at + len, rest->len - len);
    return part;
}

static bool parse_url(const char *text, struct url *ret)
{
    struct bytes rest = bytes_text(text);
    const char *mark = strstr(text, "://");
    if (mark == NULL)
        return false;
    *ret = (struct url){.scheme = cut(&rest, (size_t)(mark - text))};
    cut(&rest, 3);
    struct bytes authority = cut(&rest, strcspn((const char *)rest.at, "/?#"));
    ret->path = rest;
    const uint8_t *at_sign = memrchr(authority.at, '@', authority.len);
    if (at_sign != NULL) {
        ret->user = cut(&authority, (size_t)(at_sign - authority.at));
        cut(&authority, 1);
    }
    size_t host = 0;
    if (authority.len > 0 && authority.at[0] == '[') {
        const uint8_t *close = memchr(authority.at, ']', authority.len);
        host = close == NULL ? authority.len : (size_t)(close - authority.at) + 1;
    } else {
        const uint8_t *colon = memchr(authority.at, ':', authority.len);
        host = colon == NULL ? authority.len : (size_t)(colon - authority.at);
    }
    ret->host = cut(&authority, host);
    ret->port = authority;
    return true;
}

static const char *fault_of_port(struct bytes port)
{
    if (port.len == 0)
        return NULL;
    unsigned value = 0;
    for (size_t i = 1; i < port.len; i++) {
        if (!isdigit(port.at[i]) || i > 5)
            return "its port is no number";
        value = value * 10 + (unsigned)(port.at[i] - '0');
    }
    if (port.at[0] != ':' || port.len == 1)
        return "its port is missing";
    return value >= 1 && value <= 65535 ? NULL : "its port is not from 1 to 65535";
}

static const char *fault_of_url(const struct settings_sink *sink, const char *text,
                                const struct url *url)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
            return "it holds a blank or a character that no URL has";
    }
    bool http = bytes_equal(url->scheme, BYTES_LITERAL("http"));
    if (!http && !bytes_equal(url->scheme, BYTES_LITERAL("https")))
        return "it begins with neither http:// nor https://";
    if (url->user.at != NULL)
        return "it holds a user or a password";
    if (url->host.len == 0)
        return "it has no host";
    if (memchr(url->path.at, '#', url->path.len) != NULL)
        return "it has a fragment";
    bool grpc = sink->type == SETTINGS_SINK_OTLP_GRPC;
    if (grpc && url->path.len > 0 && !bytes_equal(url->path, BYTES_LITERAL("/")))
        return "gRPC endpoints have no path";
    return fault_of_port(url->port);
}

static void help_endpoint(struct loader *loader, const struct settings_sink *sink,
                          const char *text, const struct url *url)
{
    const char *port = sink->type == SETTINGS_SINK_OTLP_GRPC ? "4317" : "4318";
    bool http = bytes_equal(url->scheme, BYTES_LITERAL("http")) ||
                bytes_equal(url->scheme, BYTES_LITERAL("https"));
    if (url->user.at != NULL)
        report_help(loader->report,
                    "use headers = ( { name = \"authorization\"; file = \"...\"; } );");
    else if (url->scheme.at == NULL && strchr(text, ':') != NULL)
        report_help(loader->report, "write \"http://%s\"", quote(text).text);
    else if (!http)
        report_help(loader->report, "write \"http://localhost:%s\"", port);
}

static void check_endpoint(struct loader *loader, const struct settings_sink *sink,
                           const char *text, struct place at)
{
    struct url url = {0};
    bool parsed = parse_url(text, &url);
    const char *fault =
        parsed ? fault_of_url(sink, text, &url) : "it does not begin with http:// or https://";
    const struct origin *origin = origin_find(loader->private, &sink->endpoints);
    bool hidden = (origin != NULL && origin->secret) || url.user.at != NULL;
    if (fault != NULL) {
        report_error(loader->report, at, "endpoint \"%s\": %s",
                     hidden ? "(redacted)" : quote(text).text, fault);
        if (!hidden || url.user.at != NULL)
            help_endpoint(loader, sink, text, &url);
        return;
    }
    bool grpc = sink->type == SETTINGS_SINK_OTLP_GRPC;
    struct bytes usual = grpc ? BYTES_LITERAL(":4318") : BYTES_LITERAL(":4317");
    if (bytes_equal(url.port, usual)) {
        report_warning(loader->report, at, "port %s mostly speaks OTLP over %s",
                       grpc ? "4318" : "4317", grpc ? "HTTP" : "gRPC");
        report_help(loader->report, "type = \"%s\" or port %s",
                    grpc ? "otlp_http" : "otlp_grpc", grpc ? "4317" : "4318");
    }
    bool tls = sink->tls.ca != NULL || sink->tls.certificate != NULL || sink->tls.insecure;
    if (tls && bytes_equal(url.scheme, BYTES_LITERAL("http"))) {
        report_warning(loader->report, at, "tls has no effect on an http:// endpoint");
        report_help(loader->report, "write https://");
    }
}

/* What the sinks set themselves. */
static bool is_reserved_header(const char *name)
{
    static const char *const names[] = {"content-type",      "content-length",
                                        "content-encoding",  "host",
                                        "transfer-encoding", "te",
                                        "connection",        "expect",
                                        "grpc-timeout",      "grpc-encoding"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcasecmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* A token of RFC 9110, section 5.6.2. */
static bool is_token(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && strchr("!#$%&'*+-.^_`|~", *c) == NULL)
            return false;
    }
    return name[0] != '\0';
}

static void check_header(struct loader *loader, const struct settings_header *header,
                         struct place at)
{
    at = origin_place(loader, &header->name, at);
    struct config_report *report = loader->report;
    struct quoted name = quote(header->name == NULL ? "" : header->name);
    if (header->name == NULL)
        return;
    if (!is_token(header->name))
        report_error(report, at, "\"%s\" can not be the name of a header", name.text);
    else if (is_reserved_header(header->name))
        report_error(report, at, "the header %s is set by the sink itself", name.text);
    if (header->value != NULL && header->file != NULL) {
        report_error(report, at, "the header %s has a value and a file", name.text);
        report_help(report, "keep one of them");
    } else if (origin_find(loader->private, &header->value) == NULL &&
               origin_find(loader->private, &header->file) == NULL) {
        report_error(report, at, "the header %s has neither a value nor a file", name.text);
    }
    if (header->value != NULL && strpbrk(header->value, "\r\n") != NULL)
        report_error(report, at, "the value of the header %s has more than one line",
                     name.text);
}

static void check_sizes(struct loader *loader, const struct settings_sink *sink,
                        struct place at)
{
    if (sink->batch.bytes_max > sink->queue_bytes_max) {
        char batch[UNITS_TEXT_LEN];
        char queue[UNITS_TEXT_LEN];
        units_format_size(sink->batch.bytes_max, batch);
        units_format_size(sink->queue_bytes_max, queue);
        struct place where = origin_place(loader, &sink->batch.bytes_max, at);
        report_error(loader->report, origin_place(loader, &sink->queue_bytes_max, where),
                     "sink \"%s\": a batch of %s does not fit into its queue of %s",
                     quote(name_of(sink)).text, batch, queue);
        report_help(loader->report, "raise queue, or lower batch.bytes");
    }
    if (sink->retry.initial_ns > sink->retry.max_ns)
        report_error(loader->report, origin_place(loader, &sink->retry.max_ns, at),
                     "sink \"%s\": retry.initial is above retry.max",
                     quote(name_of(sink)).text);
}

static void check_otlp(struct loader *loader, const struct settings_sink *sink, struct place at)
{
    struct place endpoints = origin_place(loader, &sink->endpoints, at);
    if (origin_find(loader->private, &sink->endpoints) == NULL && sink->name != NULL) {
        report_error(loader->report, at, "sink \"%s\" has no endpoint", quote(sink->name).text);
        report_help(loader->report, "for example endpoint = \"http://localhost:%s\";",
                    sink->type == SETTINGS_SINK_OTLP_GRPC ? "4317" : "4318");
    }
    for (uint32_t i = 0; i < sink->endpoint_count; i++)
        check_endpoint(loader, sink, sink->endpoints[i], endpoints);
    for (uint32_t i = 0; i < sink->header_count; i++)
        check_header(loader, &sink->headers[i], at);
    bool certificate = sink->tls.certificate != NULL;
    bool key = sink->tls.key != NULL;
    if (certificate != key)
        report_error(loader->report, at, "sink \"%s\": tls.%s without tls.%s",
                     quote(name_of(sink)).text, certificate ? "certificate" : "key",
                     certificate ? "key" : "certificate");
}

void checks_sink(struct loader *loader, const struct settings_sink *sink, struct place at)
{
    at = origin_place(loader, &sink->name, at);
    bool typed = origin_is_read(loader->private, &sink->type); /* else it was reported */
    if (typed && sink->type == SETTINGS_SINK_KAFKA)
        checks_kafka_sink(loader, sink, at);
    else if (typed && sink->type == SETTINGS_SINK_RABBITMQ)
        checks_rabbitmq_sink(loader, sink, at);
    else if (typed)
        check_otlp(loader, sink, at);
    check_sizes(loader, sink, at);
}
