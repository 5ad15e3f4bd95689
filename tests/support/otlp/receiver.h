/*
 * receiver: what the two servers of otlp_receiver share.  Locked: `lock` is held for it.
 */
#ifndef SB_SUPPORT_RECEIVER_H
#define SB_SUPPORT_RECEIVER_H

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "otlp/scan.h"
#include "support/otlp_receiver.h"

/* Like SB_ASSERT, but for calls that must not vanish: aborts with a message. */
#define MUST(condition)                                                                        \
    do {                                                                                       \
        if (!(condition))                                                                      \
            receiver_abort(#condition, __FILE__, __LINE__);                                    \
    } while (0)

_Noreturn void receiver_abort(const char *condition, const char *file, int line);

struct receiver_server {
    void (*open)(struct otlp_receiver *receiver);
    void (*release)(struct otlp_receiver *receiver); /* in the thread */
    void (*close)(struct otlp_receiver *receiver);   /* after the thread */
};

struct otlp_receiver {
    struct receiver_options options;
    const struct receiver_server *server;
    struct event_base *base;
    struct event *wake_event;
    int wake_fd;
    atomic_bool stopping;
    pthread_t thread;
    SSL_CTX *tls; /* NULL: none */
    uint16_t port;
    char url[64];
    void *server_state;
    struct otlp_scan *scan;
    struct otlp_keys *keys;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct receiver_answer *answers; /* locked; of receiver_play */
    uint32_t answer_count;
    uint32_t answer_next;
    uint32_t request_count; /* locked */
    uint32_t connection_count;
    struct span_id *accepted; /* locked */
    size_t accepted_count;
    size_t accepted_room;
};

extern const struct receiver_server receiver_http_server;
extern const struct receiver_server receiver_grpc_server;

/* A buffer event for an accepted socket, or for one that comes later (-1); counts it. */
struct bufferevent *receiver_new_connection(struct otlp_receiver *receiver, evutil_socket_t fd);

/* A whole request has come: unfolds, scans and counts it, and finds its answer. */
struct receiver_answer receiver_decide(struct otlp_receiver *receiver,
                                       struct receiver_request *request, struct bytes body,
                                       const char *encoding);

#endif
