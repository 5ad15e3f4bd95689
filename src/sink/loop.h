/*
 * loop: libcurl's multi interface on a libevent base.
 *
 * libcurl says which sockets to watch and when to call it again; libevent does both.  All of
 * it happens in one thread, that of the sink.  Callbacks of finished transfers come from the
 * event loop, never from within loop_add.
 * Source: libcurl's multi_socket documentation.
 */
#ifndef SB_SINK_LOOP_H
#define SB_SINK_LOOP_H

#include <curl/curl.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct transfer;

typedef void (*loop_done_fn)(void *arg, struct transfer *transfer, CURLcode code);

struct loop {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
    loop_done_fn on_done;
    void *on_done_arg;
};

/* SB_ERR_MEMORY, SB_ERR_INTERNAL.  Clear it even after a failure. */
enum sb_err loop_init(struct loop *loop, uint32_t connections_max, loop_done_fn on_done,
                      void *arg) SB_MUST_USE;
void loop_clear(struct loop *loop); /* all transfers are out */

/* Starts the transfer whose CURLOPT_PRIVATE is a struct transfer.  SB_ERR_MEMORY. */
enum sb_err loop_add(struct loop *loop, CURL *easy) SB_MUST_USE;
/* Takes it out, finished or not. */
void loop_remove(struct loop *loop, CURL *easy);

#endif
