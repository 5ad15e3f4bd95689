/*
 * reach: with --fail-fast, does anybody answer where the sinks will send?
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sink/kafka.h"
#include "sink/rabbitmq.h"
#include "state.h"

enum { HOST_LEN = 256, PORT_LEN = 8, CONNECT_WAIT_MS = 3000 };

/* The host and port of an http:// or https:// endpoint that config has checked. */
static void split_endpoint(const char *endpoint, char host[HOST_LEN], char port[PORT_LEN])
{
    const char *at = strstr(endpoint, "://");
    bool tls = strncmp(endpoint, "https", 5) == 0;
    at = at == NULL ? endpoint : at + 3;
    size_t len = strcspn(at, "/");
    const char *colon = at[0] == '[' ? strchr(at, ']') : at;
    colon = colon == NULL ? NULL : memchr(colon, ':', len - (size_t)(colon - at));
    size_t host_len = colon == NULL ? len : (size_t)(colon - at);
    if (at[0] == '[' && host_len >= 2) {
        at++;
        host_len -= 2;
    }
    snprintf(host, HOST_LEN, "%.*s", (int)host_len, at);
    if (colon == NULL)
        snprintf(port, PORT_LEN, "%s", tls ? "443" : "80");
    else
        snprintf(port, PORT_LEN, "%.*s", (int)strcspn(colon + 1, "/"), colon + 1);
}

/* NULL, or why there is no connection. */
static const char *connect_to(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return strerrordesc_np(errno);
    int error = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (error == EINPROGRESS) {
        socklen_t len = sizeof(error);
        if (poll(&wait, 1, CONNECT_WAIT_MS) != 1)
            error = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
            error = errno;
    }
    close(fd);
    return error == 0 ? NULL : strerrordesc_np(error);
}

/* NULL, or why nobody answers there. */
static const char *reach(const char *endpoint)
{
    char host[HOST_LEN];
    char port[PORT_LEN];
    split_endpoint(endpoint, host, port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    int failed = getaddrinfo(host, port, &hints, &addresses);
    if (failed != 0)
        return gai_strerror(failed);
    const char *why = connect_to(addresses);
    for (const struct addrinfo *at = addresses->ai_next; at != NULL && why != NULL;
         at = at->ai_next)
        why = connect_to(at);
    freeaddrinfo(addresses);
    return why;
}

static bool reach_otlp(const struct app *app, const struct settings_sink *sink)
{
    const char *why = reach(sink->endpoints[0]);
    bool any = why == NULL;
    for (uint32_t i = 1; i < sink->endpoint_count && !any; i++)
        any = reach(sink->endpoints[i]) == NULL;
    if (!any)
        log_event(app->log, LOG_ERROR, "sink", "unreachable", LOG_TEXT("sink", sink->name),
                  LOG_TEXT("endpoint", sink->endpoints[0]), LOG_TEXT("reason", why));
    return any;
}

static bool reach_kafka(const struct app *app, const struct settings_sink *settings,
                        const struct sink *sink)
{
    char why[SINK_KAFKA_WHY_LEN];
    if (sink_kafka_reach(sink, CONNECT_WAIT_MS, why))
        return true;
    log_event(app->log, LOG_ERROR, "sink", "unreachable", LOG_TEXT("sink", settings->name),
              LOG_TEXT("topic", settings->topic), LOG_TEXT("reason", why));
    return false;
}

static bool reach_rabbitmq(const struct app *app, const struct settings_sink *settings,
                           const struct sink *sink)
{
    char why[SINK_WHY_LEN];
    if (sink_rabbitmq_reach(sink, CONNECT_WAIT_MS, why))
        return true;
    log_event(app->log, LOG_ERROR, "sink", "unreachable", LOG_TEXT("sink", settings->name),
              LOG_TEXT("exchange", settings->exchange), LOG_TEXT("reason", why));
    return false;
}

static bool reach_sink(const struct app *app, const struct settings_sink *settings,
                       const struct sink *sink)
{
    switch (settings->type) {
    case SETTINGS_SINK_KAFKA:
        return reach_kafka(app, settings, sink);
    case SETTINGS_SINK_RABBITMQ:
        return reach_rabbitmq(app, settings, sink);
    case SETTINGS_SINK_OTLP_HTTP:
    case SETTINGS_SINK_OTLP_GRPC:
        break;
    }
    return reach_otlp(app, settings);
}

bool reach_sinks(const struct app *app)
{
    bool all = true;
    for (uint32_t i = 0; i < app->settings->sink_count; i++)
        all &= reach_sink(app, &app->settings->sinks[i], app->sinks[i]);
    return all;
}
