/*
 * otlp_receiver: a trace backend in the test's own process, which answers as it is told.
 *
 * It listens on 127.0.0.1 at a port of the system's choice, over HTTP/1.1 or gRPC, with TLS if
 * wanted, in a thread of its own.  It unfolds and scans each request and keeps the ids of the
 * spans that it accepted, that is, whose answer said so.  Trouble of its own is an abort: a
 * test can do nothing about it.  All functions may be called from any thread.
 */
#ifndef SB_SUPPORT_OTLP_RECEIVER_H
#define SB_SUPPORT_OTLP_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/ids.h"

enum receiver_protocol { RECEIVER_HTTP, RECEIVER_GRPC };

enum receiver_act {
    RECEIVER_ANSWER,
    RECEIVER_HOLD,    /* answers only after receiver_release */
    RECEIVER_DROP,    /* closes the connection once it has the whole request */
    RECEIVER_ENDLESS, /* the headers, then a body that never ends */
    RECEIVER_DRIP,    /* the headers and the body given, but no end */
    RECEIVER_RESET,   /* gRPC: the headers, then RST_STREAM */
    RECEIVER_GOAWAY   /* gRPC: GOAWAY that disowns this request; then the connection closes */
};

enum { RECEIVER_LINES_MAX = 4 };

struct receiver_line {
    const char *name; /* NULL: no more */
    const char *value;
};

/* Strings and bodies are borrowed for as long as the receiver lives. */
struct receiver_answer {
    enum receiver_act act;
    int status; /* of HTTP; 0: 200 */
    struct receiver_line headers[RECEIVER_LINES_MAX];
    struct bytes body; /* gRPC: the message; it is framed */

    /* gRPC only. */
    int grpc_status;
    bool no_grpc_status; /* a clean end without one */
    bool trailers_only;  /* status in the headers, which end the stream */
    bool no_frame;       /* the body is sent as it is */
    struct receiver_line trailers[RECEIVER_LINES_MAX];
};

/* One request, while it is decided about. */
struct receiver_request {
    uint32_t number; /* 0: the first */
    const char *path;
    struct bytes message; /* the request, unfolded */
    uint32_t envelope_count;
    uint32_t span_count;
    const struct span_id *span_ids;
    const void *headers; /* see receiver_header */
    uint32_t header_count;
};

/* The value of a request's header, or NULL. */
const char *receiver_header(const struct receiver_request *request, const char *name);

/* In the receiver's thread: fills *ret, which is all zero: accepted, nothing rejected. */
typedef void (*receiver_decide_fn)(void *arg, const struct receiver_request *request,
                                   struct receiver_answer *ret);

struct receiver_options {
    enum receiver_protocol protocol;
    const char *tls_certificate; /* NULL: no TLS */
    const char *tls_key;
    const char *tls_client_ca; /* NULL: clients need no certificate */
    uint32_t streams_max;      /* gRPC: SETTINGS_MAX_CONCURRENT_STREAMS; 0: no limit */
    /* Longer messages are refused before they have come whole, and the rest is not read, as
       servers do: 413 over HTTP; RESOURCE_EXHAUSTED and RST_STREAM over gRPC.  0: no limit. */
    uint32_t message_max;
    receiver_decide_fn on_request; /* NULL: see receiver_play */
    void *arg;
};

struct otlp_receiver;

struct otlp_receiver *receiver_new(const struct receiver_options *options);
void receiver_free(struct otlp_receiver *receiver);

/* "http://127.0.0.1:PORT", or "https://localhost:PORT"; lives as long as the receiver. */
const char *receiver_url(const struct otlp_receiver *receiver);
uint16_t receiver_port(const struct otlp_receiver *receiver);

/* The next `count` requests get these answers (copied) in turn, later ones are accepted. */
void receiver_play(struct otlp_receiver *receiver, const struct receiver_answer *answers,
                   uint32_t count);

/* Answers all requests that are held. */
void receiver_release(struct otlp_receiver *receiver);

/* Waits until so many requests have come in all; aborts after half a minute. */
void receiver_wait_requests(struct otlp_receiver *receiver, uint32_t count);

uint32_t receiver_requests(struct otlp_receiver *receiver);
uint32_t receiver_connections(struct otlp_receiver *receiver);
/* Spans accepted, one that came twice counted twice. */
uint64_t receiver_spans(struct otlp_receiver *receiver);
/* How often this span was accepted. */
uint32_t receiver_span_count(struct otlp_receiver *receiver, struct span_id id);

#endif
