/*
 * transfer: one POST at a time through one libcurl easy handle, reused for the next.
 *
 * The body is sent from the caller's memory, which must stay until on_done.  One absolute
 * deadline covers name lookup, connection, sending and the whole answer.  Redirects are not
 * followed.  Connections are kept and shared by all transfers of a loop; names are looked up
 * again for each new connection.
 */
#ifndef SB_SINK_TRANSFER_H
#define SB_SINK_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>

#include "core/bytes.h"
#include "core/err.h"
#include "loop.h"
#include "response.h"
#include "sink/otlp.h"

struct transfer {
    void *owner; /* the caller's */
    enum sink_otlp_protocol protocol;
    CURL *easy;
    bool running;
    bool reuse_only; /* see transfer.c: this try may only use a connection that is there */
    bool refused_connection;
    unsigned int unacknowledged_ms; /* TCP gives a silent peer up after this */
    struct response response;
    char error[CURL_ERROR_SIZE]; /* of a broken transfer, for the log */
};

/* What is sent where; all of it stays until the transfer is done. */
struct transfer_post {
    const char *url;
    struct curl_slist *headers;
    struct bytes body;
};

/* SB_ERR_MEMORY, SB_ERR_CONFIG (libcurl can not do what the options ask for). */
enum sb_err transfer_init(struct transfer *transfer, const struct sink_otlp_options *options,
                          void *owner) SB_MUST_USE;
void transfer_clear(struct transfer *transfer); /* not running */

/* Starts it; the loop's on_done follows, then transfer_finish.  SB_ERR_MEMORY. */
enum sb_err transfer_start(struct transfer *transfer, struct loop *loop,
                           const struct transfer_post *post) SB_MUST_USE;

/*
 * In on_done: completes the response with how the transfer ended.  False: it had to be started
 * once more, and on_done will come again.
 */
bool transfer_finish(struct transfer *transfer, struct loop *loop, CURLcode code) SB_MUST_USE;

/* Breaks it off, if it runs; on_done does not come. */
void transfer_abort(struct transfer *transfer, struct loop *loop);

#endif
