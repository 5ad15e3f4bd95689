#include "admin/server.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "connections.h"
#include "core/memory.h"
#include "listen.h"

enum {
    CONNECTIONS_MAX = 64,
    HEADERS_BYTES_MAX = 8 << 10,
    BODY_BYTES_MAX = 4 << 10,
    PAGE_BYTES_MAX = 64 << 20,
    IDLE_S = 5,
    NUMBER_LEN = 24
};
#define AGE_MAX_NS (10 * NS_PER_S)

/* Whatever evhttp can read: what is not GET or HEAD gets an answer that says so. */
#define ALL_METHODS                                                                            \
    (EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | \
     EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)

struct admin_server {
    struct admin_options options;
    struct evhttp *http;
    struct evconnlistener *listener; /* owned by http once bound */
    struct connections *connections;
    struct text body; /* of the answer being made; kept for its memory */
    char address[ADMIN_ADDRESS_LEN];
};

static void answer(struct admin_server *server, struct evhttp_request *request, int status,
                   const char *reason, const char *content_type)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct evbuffer *out = evhttp_request_get_output_buffer(request);
    struct bytes body = text_bytes(&server->body);
    char length[NUMBER_LEN];
    snprintf(length, sizeof(length), "%zu", body.len);
    bool whole = evhttp_add_header(headers, "Content-Type", content_type) == 0 &&
                 evhttp_add_header(headers, "Content-Length", length) == 0 &&
                 evhttp_add_header(headers, "Cache-Control", "no-store") == 0 &&
                 evhttp_add_header(headers, "X-Content-Type-Options", "nosniff") == 0 &&
                 evhttp_add_header(headers, "Connection", "close") == 0;
    if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD)
        whole = whole && evbuffer_add(out, body.at, body.len) == 0;
    if (whole)
        evhttp_send_reply(request, status, reason, NULL);
    else
        evhttp_send_error(request, HTTP_INTERNAL, NULL);
}

static const char *reason_of(int status)
{
    switch (status) {
    case HTTP_OK:
        return "OK";
    case HTTP_SERVUNAVAIL:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

static void answer_page(struct admin_server *server, struct evhttp_request *request,
                        const struct admin_page *page)
{
    int status = page->write(server->options.arg, &server->body);
    const char *type = page->content_type;
    if (server->body.error != SB_OK) {
        log_event(server->options.log, LOG_WARN, "admin", "page_not_made",
                  LOG_TEXT("path", page->path),
                  LOG_TEXT("error", sb_err_text(server->body.error)));
        text_reset(&server->body);
        text_append_text(&server->body, "memory is short\n");
        type = "text/plain; charset=utf-8";
        status = HTTP_INTERNAL;
    }
    answer(server, request, status, reason_of(status), type);
}

static void answer_nothing_there(struct admin_server *server, struct evhttp_request *request)
{
    text_append_text(&server->body, "There is no such path here, but these:\n");
    for (uint32_t i = 0; i < server->options.page_count; i++)
        text_printf(&server->body, "%s\n", server->options.pages[i].path);
    answer(server, request, HTTP_NOTFOUND, "Not Found", "text/plain; charset=utf-8");
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct admin_server *server = arg;
    enum evhttp_cmd_type command = evhttp_request_get_command(request);
    text_reset(&server->body);
    if (command != EVHTTP_REQ_GET && command != EVHTTP_REQ_HEAD) {
        text_append_text(&server->body, "GET and HEAD only\n");
        (void)evhttp_add_header(evhttp_request_get_output_headers(request), "Allow",
                                "GET, HEAD");
        answer(server, request, HTTP_BADMETHOD, "Method Not Allowed",
               "text/plain; charset=utf-8");
        return;
    }
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);
    for (uint32_t i = 0; path != NULL && i < server->options.page_count; i++) {
        if (strcmp(server->options.pages[i].path, path) != 0)
            continue;
        answer_page(server, request, &server->options.pages[i]);
        return;
    }
    answer_nothing_there(server, request);
}

/*
 * Descriptors are used up: trying again before the next sweep would only burn the processor.
 * The argument is evhttp's own.
 */
static void on_accept_failed(struct evconnlistener *listener, void *arg)
{
    (void)arg;
    evconnlistener_disable(listener);
}

static void on_sweep(void *arg)
{
    struct admin_server *server = arg;
    (void)evconnlistener_enable(server->listener);
}

/* Takes the socket in any case. */
static enum sb_err serve(struct admin_server *server, int fd)
{
    const struct connections_options limits = {
        .base = server->options.base,
        .clock = server->options.clock,
        .count_max = CONNECTIONS_MAX,
        .age_max_ns = AGE_MAX_NS,
        .on_sweep = on_sweep,
        .arg = server,
    };
    server->listener = evconnlistener_new(
        server->options.base, NULL, NULL,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 0, fd);
    if (server->listener == NULL) {
        close(fd);
        return SB_ERR_MEMORY;
    }
    server->http = evhttp_new(server->options.base);
    if (server->http == NULL || connections_new(&limits, &server->connections) != SB_OK ||
        evhttp_bind_listener(server->http, server->listener) == NULL) {
        evconnlistener_free(server->listener);
        return SB_ERR_MEMORY;
    }
    evconnlistener_set_error_cb(server->listener, on_accept_failed);
    evhttp_set_max_headers_size(server->http, HEADERS_BYTES_MAX);
    evhttp_set_max_body_size(server->http, BODY_BYTES_MAX);
    evhttp_set_timeout(server->http, IDLE_S);
    evhttp_set_allowed_methods(server->http, ALL_METHODS);
    evhttp_set_bevcb(server->http, connections_on_accept, server->connections);
    evhttp_set_gencb(server->http, on_request, server);
    return SB_OK;
}

enum sb_err admin_server_new(const struct admin_options *options, struct admin_server **ret)
{
    struct admin_server *server = memory_zalloc(1, sizeof(*server));
    if (server == NULL)
        return SB_ERR_MEMORY;
    server->options = *options;
    text_init(&server->body, PAGE_BYTES_MAX);
    int fd = -1;
    enum sb_err err = listen_open(options->listen, options->log, &fd);
    if (err == SB_OK) {
        listen_name(fd, server->address, sizeof(server->address));
        err = serve(server, fd);
    }
    if (err != SB_OK) {
        admin_server_free(server);
        return err;
    }
    log_event(options->log, LOG_INFO, "admin", "listening",
              LOG_TEXT("address", server->address));
    *ret = server;
    return SB_OK;
}

void admin_server_free(struct admin_server *server)
{
    if (server == NULL)
        return;
    if (server->http != NULL)
        evhttp_free(server->http);
    connections_free(server->connections);
    text_clear(&server->body);
    memory_free(server);
}

const char *admin_server_address(const struct admin_server *server)
{
    return server->address;
}
