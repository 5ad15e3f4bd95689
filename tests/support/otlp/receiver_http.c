#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "receiver.h"

enum { HEADERS_MAX = 64, PART_LEN = 64 * 1024 };

/* A request that is not answered yet, or never ends. */
struct pending {
    struct pending *next;
    struct evhttp_request *request;
    struct receiver_answer answer;
};

struct http_server {
    struct evhttp *http;
    struct pending *pending;
};

static struct http_server *server_of(struct otlp_receiver *receiver)
{
    return receiver->server_state;
}

/*
 * An answer that is not complete when its connection goes: evhttp leaves the request to us if
 * the client closed it, and frees it if we did.
 */
static void on_close(struct evhttp_connection *connection, void *arg)
{
    struct pending **at = &server_of(arg)->pending;
    while (*at != NULL) {
        struct pending *pending = *at;
        struct evhttp_connection *of = evhttp_request_get_connection(pending->request);
        if (of != NULL && of != connection) {
            at = &pending->next;
            continue;
        }
        if (of == NULL)
            evhttp_request_free(pending->request);
        *at = pending->next;
        free(pending);
    }
}

static void keep_pending(struct otlp_receiver *receiver, struct evhttp_request *request,
                         const struct receiver_answer *answer)
{
    struct pending *pending = calloc(1, sizeof(*pending));
    MUST(pending != NULL);
    *pending = (struct pending){
        .next = server_of(receiver)->pending, .request = request, .answer = *answer};
    server_of(receiver)->pending = pending;
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_close, receiver);
}

static void add_headers(struct evhttp_request *request, const struct receiver_answer *answer)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    bool has_type = false;
    for (int i = 0; i < RECEIVER_LINES_MAX && answer->headers[i].name != NULL; i++) {
        const struct receiver_line *line = &answer->headers[i];
        MUST(evhttp_add_header(headers, line->name, line->value) == 0);
        has_type = has_type || evutil_ascii_strcasecmp(line->name, "content-type") == 0;
    }
    if (!has_type)
        MUST(evhttp_add_header(headers, "Content-Type", "application/x-protobuf") == 0);
}

static struct evbuffer *new_body(struct bytes body)
{
    struct evbuffer *buffer = evbuffer_new();
    MUST(buffer != NULL && evbuffer_add(buffer, body.at, body.len) == 0);
    return buffer;
}

static int status_of(const struct receiver_answer *answer)
{
    return answer->status == 0 ? 200 : answer->status;
}

static void send_answer(struct evhttp_request *request, const struct receiver_answer *answer)
{
    struct evbuffer *body = new_body(answer->body);
    add_headers(request, answer);
    evhttp_send_reply(request, status_of(answer), NULL, body);
    evbuffer_free(body);
}

static void send_more(struct evhttp_connection *connection, void *arg)
{
    static const uint8_t zeros[PART_LEN];
    (void)connection;
    struct evbuffer *part = new_body(bytes_of(zeros, sizeof(zeros)));
    evhttp_send_reply_chunk_with_cb(arg, part, send_more, arg);
    evbuffer_free(part);
}

static void begin_answer(struct evhttp_request *request, const struct receiver_answer *answer)
{
    add_headers(request, answer);
    evhttp_send_reply_start(request, status_of(answer), NULL);
    if (answer->act == RECEIVER_ENDLESS) {
        send_more(NULL, request);
        return;
    }
    struct evbuffer *body = new_body(answer->body);
    if (answer->body.len > 0)
        evhttp_send_reply_chunk(request, body);
    evbuffer_free(body);
}

/* Not from within the callback of the request that goes with its connection. */
static void drop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evhttp_connection_free(arg);
}

static struct bytes whole_body(struct evhttp_request *request)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(request);
    size_t len = evbuffer_get_length(body);
    return bytes_of(len == 0 ? NULL : evbuffer_pullup(body, -1), len);
}

static struct receiver_answer decide(struct otlp_receiver *receiver,
                                     struct evhttp_request *request)
{
    struct receiver_line lines[HEADERS_MAX];
    uint32_t count = 0;
    struct evkeyval *header;
    TAILQ_FOREACH(header, evhttp_request_get_input_headers(request), next)
    {
        MUST(count < HEADERS_MAX);
        lines[count++] = (struct receiver_line){.name = header->key, .value = header->value};
    }
    struct receiver_request seen = {
        .path = evhttp_request_get_uri(request), .headers = lines, .header_count = count};
    return receiver_decide(receiver, &seen, whole_body(request),
                           receiver_header(&seen, "content-encoding"));
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct otlp_receiver *receiver = arg;
    struct receiver_answer answer = decide(receiver, request);
    static const struct timeval now;
    switch (answer.act) {
    case RECEIVER_ANSWER:
        send_answer(request, &answer);
        break;
    case RECEIVER_HOLD:
        keep_pending(receiver, request, &answer);
        break;
    case RECEIVER_DROP:
        MUST(event_base_once(receiver->base, -1, EV_TIMEOUT, drop,
                             evhttp_request_get_connection(request), &now) == 0);
        break;
    case RECEIVER_ENDLESS:
    case RECEIVER_DRIP:
        keep_pending(receiver, request, &answer);
        begin_answer(request, &answer);
        break;
    case RECEIVER_RESET:
    case RECEIVER_GOAWAY:
        MUST(false); /* acts of gRPC: no HTTP/1.1 script has them */
    }
}

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    (void)base;
    return receiver_new_connection(arg, -1);
}

static void open_server(struct otlp_receiver *receiver)
{
    struct http_server *server = calloc(1, sizeof(*server));
    MUST(server != NULL);
    receiver->server_state = server;
    server->http = evhttp_new(receiver->base);
    MUST(server->http != NULL);
    if (receiver->options.message_max > 0)
        evhttp_set_max_body_size(server->http, receiver->options.message_max);
    evhttp_set_gencb(server->http, on_request, receiver);
    evhttp_set_bevcb(server->http, on_connection, receiver);
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(server->http, "127.0.0.1", 0);
    MUST(bound != NULL);
    struct sockaddr_in address;
    socklen_t len = sizeof(address);
    MUST(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &len) ==
         0);
    receiver->port = ntohs(address.sin_port);
}

static void release(struct otlp_receiver *receiver)
{
    struct pending **at = &server_of(receiver)->pending;
    while (*at != NULL) {
        struct pending *pending = *at;
        if (pending->answer.act != RECEIVER_HOLD) {
            at = &pending->next;
            continue;
        }
        *at = pending->next;
        send_answer(pending->request, &pending->answer);
        free(pending);
    }
}

static void close_server(struct otlp_receiver *receiver)
{
    struct http_server *server = server_of(receiver);
    evhttp_free(server->http); /* on_close forgets what is pending */
    MUST(server->pending == NULL);
    free(server);
}

const struct receiver_server receiver_http_server = {
    .open = open_server, .release = release, .close = close_server};
