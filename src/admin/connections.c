#include "connections.h"

#include <event2/bufferevent.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "core/memory.h"

enum { SWEEP_MS = 100 };

struct connection {
    TAILQ_ENTRY(connection) next;
    struct bufferevent *buffered;
    uint64_t opened_ns;
    bool shut; /* by us: it is about to go */
};

struct connections {
    struct connections_options options;
    TAILQ_HEAD(, connection) list; /* oldest first */
    struct event *sweep;
};

static void drop(struct connections *connections, struct connection *connection)
{
    TAILQ_REMOVE(&connections->list, connection, next);
    bufferevent_decref(connection->buffered); /* the last reference closes the socket */
    memory_free(connection);
}

static bool is_abandoned(const struct connection *connection)
{
    bufferevent_data_cb on_read;
    bufferevent_data_cb on_write;
    bufferevent_event_cb on_event;
    void *arg;
    bufferevent_getcb(connection->buffered, &on_read, &on_write, &on_event, &arg);
    return on_read == NULL && on_write == NULL && on_event == NULL;
}

static void shut(struct connection *connection)
{
    int fd = bufferevent_getfd(connection->buffered);
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR);
    connection->shut = true;
}

static void sweep(struct connections *connections)
{
    uint64_t now_ns = clock_monotonic_ns(connections->options.clock);
    struct connection *next;
    for (struct connection *at = TAILQ_FIRST(&connections->list); at != NULL; at = next) {
        next = TAILQ_NEXT(at, next);
        if (is_abandoned(at))
            drop(connections, at);
        else if (!at->shut && now_ns - at->opened_ns >= connections->options.age_max_ns)
            shut(at);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct connections *connections = arg;
    sweep(connections);
    if (connections->options.on_sweep != NULL)
        connections->options.on_sweep(connections->options.arg);
}

void connections_free(struct connections *connections)
{
    if (connections == NULL)
        return;
    while (!TAILQ_EMPTY(&connections->list))
        drop(connections, TAILQ_FIRST(&connections->list));
    if (connections->sweep != NULL)
        event_free(connections->sweep);
    memory_free(connections);
}

enum sb_err connections_new(const struct connections_options *options, struct connections **ret)
{
    struct connections *connections = memory_zalloc(1, sizeof(*connections));
    if (connections == NULL)
        return SB_ERR_MEMORY;
    connections->options = *options;
    TAILQ_INIT(&connections->list);
    connections->sweep = event_new(options->base, -1, EV_PERSIST, on_timer, connections);
    const struct timeval interval = {.tv_usec = SWEEP_MS * 1000L};
    if (connections->sweep == NULL || event_add(connections->sweep, &interval) != 0) {
        connections_free(connections);
        return SB_ERR_MEMORY;
    }
    *ret = connections;
    return SB_OK;
}

static void make_room(struct connections *connections)
{
    sweep(connections);
    uint32_t alive = 0;
    struct connection *oldest = NULL;
    struct connection *at;
    TAILQ_FOREACH(at, &connections->list, next)
    {
        alive += !at->shut;
        if (oldest == NULL && !at->shut)
            oldest = at;
    }
    if (oldest != NULL && alive >= connections->options.count_max)
        shut(oldest);
}

struct bufferevent *connections_on_accept(struct event_base *base, void *arg)
{
    struct connections *connections = arg;
    make_room(connections);
    struct bufferevent *buffered = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    struct connection *connection = memory_zalloc(1, sizeof(*connection));
    if (buffered == NULL || connection == NULL) {
        memory_free(connection);
        return buffered; /* not counted; evhttp makes one of its own for NULL */
    }
    bufferevent_incref(buffered);
    connection->buffered = buffered;
    connection->opened_ns = clock_monotonic_ns(connections->options.clock);
    TAILQ_INSERT_TAIL(&connections->list, connection, next);
    return buffered;
}
