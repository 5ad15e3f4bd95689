/*
 * response: what a backend sent back, kept within caps.
 *
 * Headers and trailers that nobody reads are counted and forgotten; the body is kept up to
 * 4 MiB, as the OTLP specification demands, before decompression and after it.  All of it is
 * hostile until proven otherwise.  One thread; buffers are reused.
 */
#ifndef SB_SINK_RESPONSE_H
#define SB_SINK_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "core/text.h"

enum {
    RESPONSE_BYTES_MAX = 4 * 1024 * 1024,
    RESPONSE_DETAILS_MAX = 8 * 1024, /* grpc-status-details-bin */
    RESPONSE_VALUE_LEN = 128,
    RESPONSE_MESSAGE_LEN = 1024
};

enum response_end {
    RESPONSE_COMPLETE,
    RESPONSE_DISCONNECTED, /* refused, reset, cut short: `error` tells */
    RESPONSE_TIMED_OUT,
    RESPONSE_LOST,    /* it came before the request was complete, and libcurl dropped it */
    RESPONSE_OVERFLOW /* more than RESPONSE_BYTES_MAX, before decompression or after it */
};

#define RESPONSE_NO_GRPC_STATUS (-1)

struct response {
    enum response_end end;
    int status;      /* of HTTP; 0: none came */
    int grpc_status; /* RESPONSE_NO_GRPC_STATUS: none came */
    size_t received; /* bytes of headers, body and trailers */
    /* NUL-terminated; empty where absent, or longer than anything sensible. */
    char retry_after[RESPONSE_VALUE_LEN];
    char content_type[RESPONSE_VALUE_LEN];
    char content_encoding[RESPONSE_VALUE_LEN];
    char grpc_encoding[RESPONSE_VALUE_LEN];
    char grpc_message[RESPONSE_MESSAGE_LEN]; /* percent-encoded, as it came; cut when longer */
    struct text details;                     /* base64, as it came; empty when over its cap */
    struct text body;
    struct text plain; /* see response_content */
};

void response_init(struct response *response);
void response_clear(struct response *response);
void response_reset(struct response *response); /* before each request */

/*
 * One line of the status, of a header or of a trailer, with or without its line end.
 * False: over the cap, `end` says so, and the transfer must be aborted.
 */
bool response_take_header(struct response *response, struct bytes line);

/* The next part of the body.  False as above, or when memory is short. */
bool response_take_body(struct response *response, struct bytes part);

/*
 * The body without its content encoding; valid until the next change of the response.
 * SB_ERR_LIMIT: it unfolds beyond the cap; SB_ERR_INPUT: broken, or an unknown encoding.
 */
enum sb_err response_content(struct response *response, struct bytes *ret) SB_MUST_USE;

#endif
