/*
 * server: pages of text over HTTP, for those who watch the service.
 *
 * On the event base of the thread that made it, which answers each request at once: a page must
 * not block.  GET and HEAD only, one request per connection.  Bounded against hostile clients:
 * 64 connections (the oldest one gives way), 8 KiB of headers, 4 KiB of body, 10 s from connect
 * to the end of the answer.  No TLS and no authentication: it belongs on loopback, or behind
 * something that has both.
 */
#ifndef SB_ADMIN_SERVER_H
#define SB_ADMIN_SERVER_H

#include <event2/event.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "core/text.h"

/* Appends the body; returns the HTTP status.  In the server's thread. */
typedef int (*admin_page_fn)(void *arg, struct text *out);

struct admin_page {
    const char *path;
    const char *content_type;
    admin_page_fn write;
};

enum { ADMIN_ADDRESS_LEN = 80 };

/* What these point to must live as long as the server. */
struct admin_options {
    struct event_base *base;
    const char *listen; /* host:port, [v6]:port, or a port of 127.0.0.1; port 0: a free one */
    const struct admin_page *pages;
    uint32_t page_count;
    void *arg; /* of the pages */
    const struct clock_source *clock;
    struct log *log;
};

struct admin_server;

/*
 * Listens from now on.  SB_ERR_CONFIG: there is no such address; SB_ERR_UNAVAILABLE: it is in use,
 * or may not be used (both logged); SB_ERR_MEMORY.
 */
enum sb_err admin_server_new(const struct admin_options *options,
                             struct admin_server **ret) SB_MUST_USE;
void admin_server_free(struct admin_server *server);

/* Where it listens, as host:port with the real port; lives with the server. */
const char *admin_server_address(const struct admin_server *server);

#endif
