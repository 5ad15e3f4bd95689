/*
 * connections: keeps the number and the age of an evhttp's connections within bounds.
 *
 * libevent 2.1 tells neither how many there are nor when one ends, and its timeouts begin anew
 * with every byte.  So each connection's bufferevent is held by a reference of ours, too; it
 * is looked at from time to time, and given up when evhttp has let go of it (then it has no
 * callbacks any more).  A connection that has to go is shut down: evhttp sees its end and
 * cleans up by itself.
 */
#ifndef SB_ADMIN_CONNECTIONS_H
#define SB_ADMIN_CONNECTIONS_H

#include <event2/event.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"

struct bufferevent;
struct connections;

struct connections_options {
    struct event_base *base;
    const struct clock_source *clock;
    uint32_t count_max;  /* beyond, the oldest one gives way */
    uint64_t age_max_ns; /* from connect to the end of the answer */
    /* Called ten times a second; NULL: not. */
    void (*on_sweep)(void *arg);
    void *arg;
};

enum sb_err connections_new(const struct connections_options *options,
                            struct connections **ret) SB_MUST_USE;
/* After the evhttp. */
void connections_free(struct connections *connections);

/* For evhttp_set_bevcb, with the connections as its argument: a new connection's bufferevent. */
struct bufferevent *connections_on_accept(struct event_base *base, void *arg);

#endif
