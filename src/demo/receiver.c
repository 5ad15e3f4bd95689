#include "receiver.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"

enum { URL_LEN = 40, BODY_BYTES_MAX = 64 << 20 };

struct demo_receiver {
    struct event_base *base;
    struct evhttp *http;
    struct event *stop_event;
    int stop_fds[2]; /* a byte to the second ends the thread */
    pthread_t thread;
    bool running;
    char url[URL_LEN];
    struct seen_reader *reader; /* the thread's own */

    pthread_mutex_t lock; /* of all below */
    struct receiver_counts counts;
    struct trace_id watched[SHOP_PIECES];
    struct seen_list kept;
};

static void on_span(void *arg, const struct seen_span *span)
{
    struct demo_receiver *receiver = arg;
    struct receiver_counts *counts = &receiver->counts;
    counts->spans++;
    counts->traces += span_id_is_zero(span->parent_id);
    counts->queue_spans += span->synthetic;
    for (uint32_t i = 0; i < SHOP_RULES && !span->synthetic; i++)
        counts->joined[i] += strcmp(span->action, "parent") == 0 &&
                             strcmp(span->rule, shop_rule_name((enum shop_evidence)i)) == 0;
    for (uint32_t i = 0; i < WORKSPACE_POLICIES; i++)
        counts->kept_by[i] += strcmp(span->policy, workspace_policies[i]) == 0;
    for (uint32_t i = 0; i < SHOP_PIECES; i++)
        if (trace_id_equal(span->trace_id, receiver->watched[i]))
            seen_list_add(&receiver->kept, span);
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct demo_receiver *receiver = arg;
    struct evbuffer *body = evhttp_request_get_input_buffer(request);
    size_t len = evbuffer_get_length(body);
    const uint8_t *at = len == 0 ? NULL : evbuffer_pullup(body, -1);
    pthread_mutex_lock(&receiver->lock);
    enum sb_err err = seen_read(receiver->reader, bytes_of(at, len), on_span, receiver);
    receiver->counts.requests++;
    receiver->counts.refused += err != SB_OK;
    pthread_mutex_unlock(&receiver->lock);
    if (err == SB_OK) {
        evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                          "application/x-protobuf");
        evhttp_send_reply(request, HTTP_OK, "OK", NULL);
    } else {
        evhttp_send_error(request, err == SB_ERR_INPUT ? HTTP_BADREQUEST : HTTP_SERVUNAVAIL,
                          NULL);
    }
}

static void on_stop(evutil_socket_t fd, short events, void *arg)
{
    (void)fd, (void)events;
    struct demo_receiver *receiver = arg;
    event_base_loopbreak(receiver->base);
}

static void *serve(void *arg)
{
    struct demo_receiver *receiver = arg;
    event_base_dispatch(receiver->base);
    return NULL;
}

static enum sb_err listen_somewhere(struct demo_receiver *receiver)
{
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(receiver->http, "127.0.0.1", 0);
    struct sockaddr_in address = {0};
    socklen_t len = sizeof(address);
    if (bound == NULL ||
        getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &len) != 0)
        return SB_ERR_IO;
    snprintf(receiver->url, sizeof(receiver->url), "http://127.0.0.1:%u",
             (unsigned)ntohs(address.sin_port));
    return SB_OK;
}

static enum sb_err open_receiver(struct demo_receiver *receiver)
{
    enum sb_err err = seen_reader_new(&receiver->reader);
    if (err != SB_OK)
        return err;
    if (pipe(receiver->stop_fds) != 0)
        return SB_ERR_IO;
    receiver->base = event_base_new();
    receiver->http = receiver->base == NULL ? NULL : evhttp_new(receiver->base);
    if (receiver->http == NULL)
        return SB_ERR_MEMORY;
    receiver->stop_event =
        event_new(receiver->base, receiver->stop_fds[0], EV_READ, on_stop, receiver);
    if (receiver->stop_event == NULL || event_add(receiver->stop_event, NULL) != 0)
        return SB_ERR_MEMORY;
    evhttp_set_max_body_size(receiver->http, BODY_BYTES_MAX);
    evhttp_set_allowed_methods(receiver->http, EVHTTP_REQ_POST);
    evhttp_set_cb(receiver->http, "/v1/traces", on_request, receiver);
    err = listen_somewhere(receiver);
    if (err != SB_OK)
        return err;
    receiver->running = pthread_create(&receiver->thread, NULL, serve, receiver) == 0;
    return receiver->running ? SB_OK : SB_ERR_IO;
}

enum sb_err demo_receiver_new(struct demo_receiver **ret)
{
    struct demo_receiver *receiver = memory_zalloc(1, sizeof(*receiver));
    if (receiver == NULL)
        return SB_ERR_MEMORY;
    receiver->stop_fds[0] = receiver->stop_fds[1] = -1;
    pthread_mutex_init(&receiver->lock, NULL);
    enum sb_err err = open_receiver(receiver);
    if (err != SB_OK) {
        demo_receiver_free(receiver);
        return err;
    }
    *ret = receiver;
    return SB_OK;
}

void demo_receiver_free(struct demo_receiver *receiver)
{
    if (receiver == NULL)
        return;
    if (receiver->running && write(receiver->stop_fds[1], "", 1) == 1)
        pthread_join(receiver->thread, NULL);
    if (receiver->stop_event != NULL)
        event_free(receiver->stop_event);
    if (receiver->http != NULL)
        evhttp_free(receiver->http);
    if (receiver->base != NULL)
        event_base_free(receiver->base);
    for (int i = 0; i < 2; i++)
        if (receiver->stop_fds[i] >= 0)
            close(receiver->stop_fds[i]);
    seen_reader_free(receiver->reader);
    pthread_mutex_destroy(&receiver->lock);
    memory_free(receiver);
}

const char *demo_receiver_url(const struct demo_receiver *receiver)
{
    return receiver->url;
}

void demo_receiver_watch(struct demo_receiver *receiver, const struct trace_id ids[SHOP_PIECES])
{
    pthread_mutex_lock(&receiver->lock);
    memcpy(receiver->watched, ids, sizeof(receiver->watched));
    pthread_mutex_unlock(&receiver->lock);
}

void demo_receiver_read(struct demo_receiver *receiver, struct receiver_counts *ret_counts,
                        struct seen_list *ret_kept)
{
    pthread_mutex_lock(&receiver->lock);
    *ret_counts = receiver->counts;
    *ret_kept = receiver->kept;
    pthread_mutex_unlock(&receiver->lock);
}
