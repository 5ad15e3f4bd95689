#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/listener.h>
#include <nghttp2/nghttp2.h>

#include "receiver.h"

enum { HEADERS_MAX = 32, FRAME_LEN = 5, LINES_OUT_MAX = 2 * RECEIVER_LINES_MAX + 4 };

struct stream {
    struct stream *next;
    struct connection *connection;
    int32_t id;
    struct receiver_line lines[HEADERS_MAX];
    uint32_t line_count;
    struct evbuffer *body;
    struct receiver_answer answer;
    bool held;
    bool refused; /* before its end: see message_max */
    uint8_t *out; /* the framed message */
    size_t out_len;
    size_t out_at;
    char grpc_status[12];
};

struct connection {
    struct connection *next;
    struct otlp_receiver *receiver;
    struct bufferevent *event;
    nghttp2_session *session;
    struct stream *streams;
    bool closing; /* once what is queued has been sent */
};

struct grpc_server {
    struct evconnlistener *listener;
    struct connection *connections;
};

static struct grpc_server *server_of(struct otlp_receiver *receiver)
{
    return receiver->server_state;
}

static void free_stream(struct stream *stream)
{
    for (uint32_t i = 0; i < stream->line_count; i++) {
        free((void *)(uintptr_t)stream->lines[i].name);
        free((void *)(uintptr_t)stream->lines[i].value);
    }
    evbuffer_free(stream->body);
    free(stream->out);
    free(stream);
}

static void free_connection(struct connection *connection)
{
    struct connection **at = &server_of(connection->receiver)->connections;
    while (*at != connection)
        at = &(*at)->next;
    *at = connection->next;
    nghttp2_session_del(connection->session); /* does not call back about streams */
    while (connection->streams != NULL) {
        struct stream *stream = connection->streams;
        connection->streams = stream->next;
        free_stream(stream);
    }
    bufferevent_free(connection->event);
    free(connection);
}

/* Hands what the session has to say to the socket; may free the connection. */
static void flush(struct connection *connection)
{
    for (;;) {
        const uint8_t *at = NULL;
        ssize_t len = nghttp2_session_mem_send(connection->session, &at);
        MUST(len >= 0);
        if (len == 0)
            break;
        MUST(bufferevent_write(connection->event, at, (size_t)len) == 0);
    }
    bool sent = evbuffer_get_length(bufferevent_get_output(connection->event)) == 0;
    if (connection->closing && sent)
        free_connection(connection);
}

static nghttp2_nv name_value(const char *name, const char *value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name,
        .value = (uint8_t *)(uintptr_t)value,
        .namelen = strlen(name),
        .valuelen = strlen(value),
    };
}

static size_t add_lines(const struct receiver_line *lines, nghttp2_nv *out, size_t count)
{
    for (int i = 0; i < RECEIVER_LINES_MAX && lines[i].name != NULL; i++)
        out[count++] = name_value(lines[i].name, lines[i].value);
    return count;
}

static size_t add_trailers(struct stream *stream, nghttp2_nv *out, size_t count)
{
    if (!stream->answer.no_grpc_status)
        out[count++] = name_value("grpc-status", stream->grpc_status);
    return add_lines(stream->answer.trailers, out, count);
}

static ssize_t read_out(nghttp2_session *session, int32_t id, uint8_t *to, size_t room,
                        uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    (void)arg;
    struct stream *stream = source->ptr;
    size_t len = stream->out_len - stream->out_at;
    len = len < room ? len : room;
    memcpy(to, stream->out + stream->out_at, len);
    stream->out_at += len;
    if (len > 0)
        return (ssize_t)len;
    if (stream->answer.act == RECEIVER_ENDLESS) {
        memset(to, 0, room);
        return (ssize_t)room;
    }
    if (stream->answer.act == RECEIVER_DRIP || stream->answer.act == RECEIVER_RESET)
        return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    nghttp2_nv trailers[LINES_OUT_MAX];
    size_t count = add_trailers(stream, trailers, 0);
    if (count > 0) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        MUST(nghttp2_submit_trailer(session, id, trailers, count) == 0);
    }
    return 0;
}

static void make_out(struct stream *stream)
{
    const struct receiver_answer *answer = &stream->answer;
    size_t frame = answer->no_frame ? 0 : FRAME_LEN;
    stream->out_len = answer->body.len + frame;
    stream->out = calloc(1, stream->out_len + 1);
    MUST(stream->out != NULL);
    for (size_t i = 0; i < 4 && frame > 0; i++)
        stream->out[4 - i] = (uint8_t)(answer->body.len >> (8 * i));
    if (answer->body.len > 0)
        memcpy(stream->out + frame, answer->body.at, answer->body.len);
}

static void send_answer(struct stream *stream)
{
    const struct receiver_answer *answer = &stream->answer;
    nghttp2_session *session = stream->connection->session;
    char status[12];
    (void)snprintf(status, sizeof(status), "%d", answer->status == 0 ? 200 : answer->status);
    (void)snprintf(stream->grpc_status, sizeof(stream->grpc_status), "%d", answer->grpc_status);
    nghttp2_nv lines[LINES_OUT_MAX + RECEIVER_LINES_MAX];
    lines[0] = name_value(":status", status);
    lines[1] = name_value("content-type", "application/grpc");
    size_t count = add_lines(answer->headers, lines, 2);
    if (answer->trailers_only)
        count = add_trailers(stream, lines, count);
    make_out(stream);
    nghttp2_data_provider body = {.source.ptr = stream, .read_callback = read_out};
    MUST(nghttp2_submit_response(session, stream->id, lines, count,
                                 answer->trailers_only ? NULL : &body) == 0);
}

static const char *take_line(const struct stream *stream, const char *name)
{
    for (uint32_t i = 0; i < stream->line_count; i++) {
        if (strcmp(stream->lines[i].name, name) == 0)
            return stream->lines[i].value;
    }
    return NULL;
}

/* As the frame says; 0 as long as that has not come. */
static size_t message_len(const struct stream *stream)
{
    uint8_t frame[FRAME_LEN];
    if (evbuffer_copyout(stream->body, frame, FRAME_LEN) < FRAME_LEN)
        return 0;
    return (size_t)frame[1] << 24 | (size_t)frame[2] << 16 | (size_t)frame[3] << 8 | frame[4];
}

static struct receiver_answer decide(struct stream *stream)
{
    size_t len = evbuffer_get_length(stream->body);
    const uint8_t *at = evbuffer_pullup(stream->body, -1);
    MUST(len >= FRAME_LEN);
    MUST(message_len(stream) == len - FRAME_LEN);
    struct receiver_request seen = {
        .path = take_line(stream, ":path"),
        .headers = stream->lines,
        .header_count = stream->line_count,
    };
    const char *encoding = at[0] == 1 ? take_line(stream, "grpc-encoding") : NULL;
    MUST(at[0] == 0 || encoding != NULL);
    return receiver_decide(stream->connection->receiver, &seen,
                           bytes_of(at + FRAME_LEN, len - FRAME_LEN), encoding);
}

static void answer_request(struct stream *stream)
{
    struct connection *connection = stream->connection;
    stream->answer = decide(stream);
    switch (stream->answer.act) {
    case RECEIVER_HOLD:
        stream->held = true;
        break;
    case RECEIVER_DROP:
        connection->closing = true;
        break;
    case RECEIVER_GOAWAY: {
        int32_t last = stream->id > 2 ? stream->id - 2 : 0;
        MUST(nghttp2_submit_goaway(connection->session, NGHTTP2_FLAG_NONE, last,
                                   NGHTTP2_NO_ERROR, NULL, 0) == 0);
        connection->closing = true;
        break;
    }
    case RECEIVER_ANSWER:
    case RECEIVER_ENDLESS:
    case RECEIVER_DRIP:
    case RECEIVER_RESET:
        send_answer(stream);
        break;
    }
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct connection *connection = arg;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct stream *stream = calloc(1, sizeof(*stream));
    MUST(stream != NULL);
    stream->next = connection->streams;
    stream->connection = connection;
    stream->id = frame->hd.stream_id;
    stream->body = evbuffer_new();
    MUST(stream->body != NULL);
    connection->streams = stream;
    MUST(nghttp2_session_set_stream_user_data(session, stream->id, stream) == 0);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    (void)flags;
    (void)arg;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    MUST(stream != NULL && stream->line_count < HEADERS_MAX);
    struct receiver_line *line = &stream->lines[stream->line_count++];
    line->name = strndup((const char *)name, name_len);
    line->value = strndup((const char *)value, value_len);
    MUST(line->name != NULL && line->value != NULL);
    return 0;
}

/* What a server written in Go does; its frames go out together. */
static void refuse_early(struct stream *stream)
{
    stream->refused = true;
    stream->answer = (struct receiver_answer){
        .grpc_status = 8,
        .trailers_only = true,
        .trailers = {{"grpc-message", "grpc: received message larger than max"}},
    };
    send_answer(stream);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *at,
                   size_t len, void *arg)
{
    (void)flags;
    (void)arg;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    MUST(stream != NULL && evbuffer_add(stream->body, at, len) == 0);
    uint32_t message_max = stream->connection->receiver->options.message_max;
    if (message_max > 0 && !stream->refused && message_len(stream) > message_max)
        refuse_early(stream);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    (void)arg;
    bool may_end = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (!may_end || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream != NULL && !stream->refused)
        answer_request(stream);
    return 0;
}

/* A reset that is submitted before would overtake the headers, and they would never go. */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    (void)arg;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream == NULL || frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    if (stream->refused || stream->answer.act == RECEIVER_RESET) {
        uint32_t code = stream->refused ? NGHTTP2_NO_ERROR : NGHTTP2_INTERNAL_ERROR;
        MUST(nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, code) == 0);
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *arg)
{
    (void)error;
    struct connection *connection = arg;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    struct stream **at = &connection->streams;
    while (*at != NULL && *at != stream)
        at = &(*at)->next;
    if (*at != NULL) {
        *at = stream->next;
        free_stream(stream);
    }
    return 0;
}

static void on_readable(struct bufferevent *event, void *arg)
{
    struct connection *connection = arg;
    struct evbuffer *in = bufferevent_get_input(event);
    size_t len = evbuffer_get_length(in);
    ssize_t used = nghttp2_session_mem_recv(connection->session, evbuffer_pullup(in, -1), len);
    if (used < 0) {
        free_connection(connection);
        return;
    }
    MUST(evbuffer_drain(in, (size_t)used) == 0);
    flush(connection);
}

static void on_writable(struct bufferevent *event, void *arg)
{
    (void)event;
    flush(arg);
}

static void on_event(struct bufferevent *event, short what, void *arg)
{
    (void)event;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        free_connection(arg);
}

static nghttp2_session *new_session(struct connection *connection)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_session *session = NULL;
    MUST(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    MUST(nghttp2_session_server_new(&session, callbacks, connection) == 0);
    nghttp2_session_callbacks_del(callbacks);
    uint32_t streams_max = connection->receiver->options.streams_max;
    nghttp2_settings_entry setting = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams_max};
    MUST(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &setting, streams_max > 0) == 0);
    return session;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                      struct sockaddr *address, int address_len, void *arg)
{
    (void)listener;
    (void)address;
    (void)address_len;
    struct otlp_receiver *receiver = arg;
    struct connection *connection = calloc(1, sizeof(*connection));
    MUST(connection != NULL);
    connection->receiver = receiver;
    connection->event = receiver_new_connection(receiver, fd);
    connection->session = new_session(connection);
    connection->next = server_of(receiver)->connections;
    server_of(receiver)->connections = connection;
    bufferevent_setcb(connection->event, on_readable, on_writable, on_event, connection);
    MUST(bufferevent_enable(connection->event, EV_READ | EV_WRITE) == 0);
    flush(connection);
}

static void open_server(struct otlp_receiver *receiver)
{
    struct grpc_server *server = calloc(1, sizeof(*server));
    MUST(server != NULL);
    receiver->server_state = server;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server->listener = evconnlistener_new_bind(
        receiver->base, on_accept, receiver, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1,
        (struct sockaddr *)&address, sizeof(address));
    MUST(server->listener != NULL);
    socklen_t len = sizeof(address);
    MUST(getsockname(evconnlistener_get_fd(server->listener), (struct sockaddr *)&address,
                     &len) == 0);
    receiver->port = ntohs(address.sin_port);
}

static void release(struct otlp_receiver *receiver)
{
    struct connection *after;
    for (struct connection *at = server_of(receiver)->connections; at != NULL; at = after) {
        after = at->next;
        for (struct stream *stream = at->streams; stream != NULL; stream = stream->next) {
            if (stream->held)
                send_answer(stream);
            stream->held = false;
        }
        flush(at);
    }
}

static void close_server(struct otlp_receiver *receiver)
{
    struct grpc_server *server = server_of(receiver);
    while (server->connections != NULL)
        free_connection(server->connections);
    evconnlistener_free(server->listener);
    free(server);
}

const struct receiver_server receiver_grpc_server = {
    .open = open_server, .release = release, .close = close_server};
