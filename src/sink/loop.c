#include "loop.h"

#include <sys/socket.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/memory.h"

/* What libcurl keeps for each of its sockets. */
struct watch {
    struct event *event;
};

/*
 * With HTTP/2 a timeout ends the stream and leaves the connection, which may well be the
 * reason: no later request shall try it.  Others on it fail at once and are sent again.
 */
static void give_up_connection(CURL *easy)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
        fd != CURL_SOCKET_BAD)
        (void)shutdown(fd, SHUT_RDWR);
}

/* Tells about the transfers that ended. */
static void report_done(struct loop *loop)
{
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        struct transfer *transfer = NULL;
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
        if (code == CURLE_OPERATION_TIMEDOUT)
            give_up_connection(easy); /* while it is known */
        loop_remove(loop, easy);      /* ends the message's life too */
        loop->on_done(loop->on_done_arg, transfer, code);
    }
}

static void act(struct loop *loop, curl_socket_t fd, int events)
{
    int running = 0;
    CURLMcode code = curl_multi_socket_action(loop->multi, fd, events, &running);
    /* Only these would be faults of ours; a transfer that fails says so itself. */
    SB_ASSERT(code != CURLM_BAD_HANDLE && code != CURLM_RECURSIVE_API_CALL);
    report_done(loop);
}

static void on_socket_event(evutil_socket_t fd, short what, void *arg)
{
    int events = 0;
    if ((what & EV_READ) != 0)
        events |= CURL_CSELECT_IN;
    if ((what & EV_WRITE) != 0)
        events |= CURL_CSELECT_OUT;
    act(arg, fd, events);
}

static void on_timer_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void forget_socket(struct loop *loop, curl_socket_t fd, struct watch *watch)
{
    if (watch == NULL)
        return;
    if (watch->event != NULL)
        event_free(watch->event);
    memory_free(watch);
    (void)curl_multi_assign(loop->multi, fd, NULL);
}

/*
 * Without memory for its watch a socket stays unwatched and its transfer runs into the
 * deadline, to be tried again: telling libcurl of the failure would end all other transfers.
 */
static void watch_socket(struct loop *loop, curl_socket_t fd, int what, struct watch *watch)
{
    short events = EV_PERSIST;
    if ((what & CURL_POLL_IN) != 0)
        events |= EV_READ;
    if ((what & CURL_POLL_OUT) != 0)
        events |= EV_WRITE;
    if (watch == NULL) {
        watch = memory_zalloc(1, sizeof(*watch));
        if (watch == NULL)
            return;
        (void)curl_multi_assign(loop->multi, fd, watch);
    }
    /* The fd may be a new socket under an old number: start afresh. */
    if (watch->event != NULL)
        event_free(watch->event);
    watch->event = event_new(loop->base, fd, events, on_socket_event, loop);
    if (watch->event != NULL)
        (void)event_add(watch->event, NULL);
}

static int on_socket_change(CURL *easy, curl_socket_t fd, int what, void *arg, void *watch)
{
    (void)easy;
    struct loop *loop = arg;
    if (what == CURL_POLL_REMOVE)
        forget_socket(loop, fd, watch);
    else
        watch_socket(loop, fd, what, watch);
    return 0;
}

static int on_timer_change(CURLM *multi, long timeout_ms, void *arg)
{
    (void)multi;
    struct loop *loop = arg;
    if (timeout_ms < 0) {
        (void)event_del(loop->timer);
        return 0;
    }
    struct timeval timeout = {
        .tv_sec = timeout_ms / MS_PER_S,
        .tv_usec = timeout_ms % MS_PER_S * 1000,
    };
    /* Its memory was taken with the first timer; see above for what a failure would do. */
    (void)event_add(loop->timer, &timeout);
    return 0;
}

enum sb_err loop_init(struct loop *loop, uint32_t connections_max, loop_done_fn on_done,
                      void *arg)
{
    *loop = (struct loop){.on_done = on_done, .on_done_arg = arg};
    loop->base = event_base_new();
    loop->multi = curl_multi_init();
    if (loop->base == NULL || loop->multi == NULL)
        return SB_ERR_MEMORY;
    loop->timer = event_new(loop->base, -1, 0, on_timer_event, loop);
    if (loop->timer == NULL)
        return SB_ERR_MEMORY;
    CURLM *multi = loop->multi;
    bool set =
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_change) == 0 &&
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, loop) == 0 &&
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_change) == 0 &&
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, loop) == 0 &&
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections_max) == 0 &&
        curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)connections_max) == 0;
    return set ? SB_OK : SB_ERR_INTERNAL;
}

void loop_clear(struct loop *loop)
{
    /* Closes idle connections, which calls back about their sockets. */
    if (loop->multi != NULL)
        (void)curl_multi_cleanup(loop->multi);
    if (loop->timer != NULL)
        event_free(loop->timer);
    if (loop->base != NULL)
        event_base_free(loop->base);
    *loop = (struct loop){0};
}

enum sb_err loop_add(struct loop *loop, CURL *easy)
{
    CURLMcode code = curl_multi_add_handle(loop->multi, easy);
    SB_ASSERT(code == CURLM_OK || code == CURLM_OUT_OF_MEMORY);
    return code == CURLM_OK ? SB_OK : SB_ERR_MEMORY;
}

void loop_remove(struct loop *loop, CURL *easy)
{
    (void)curl_multi_remove_handle(loop->multi, easy);
}
