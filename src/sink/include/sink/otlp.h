/*
 * otlp: the sinks otlp_http and otlp_grpc: libcurl multi on a libevent base in a thread of
 * their own.  Retries exactly as OTLP says; responses are capped at 4 MiB before and after
 * decompression.
 *
 * Sources: OTLP specification (sections OTLP/HTTP Response, OTLP/gRPC Throttling), gRPC over
 * HTTP/2 protocol description, delivery.md.
 */
#ifndef SB_SINK_OTLP_H
#define SB_SINK_OTLP_H

#include "sink/sink.h"

enum sink_otlp_protocol { SINK_OTLP_HTTP, SINK_OTLP_GRPC };
enum sink_compression { SINK_COMPRESSION_NONE, SINK_COMPRESSION_GZIP, SINK_COMPRESSION_ZSTD };

struct sink_otlp_header {
    const char *name;
    const char *value; /* NULL: read from `file` at start, and again after a 401 or 403 */
    const char *file;
    const char *prefix; /* put before what the file holds, such as "Bearer "; may be NULL */
};

/* All strings are borrowed and outlive the sink. */
struct sink_otlp_options {
    const char *name;
    enum sink_otlp_protocol protocol;
    /* http://host:port[/path], https too; used in turn when one fails.  OTLP/HTTP: "/v1/traces"
       is put behind unless it ends so; gRPC: no path. */
    const char *const *endpoints;
    uint32_t endpoint_count;
    const struct sink_otlp_header *headers;
    uint32_t header_count;
    enum sink_compression compression;
    const char *tls_ca; /* NULL: the system's */
    const char *tls_certificate;
    const char *tls_key;
    bool tls_insecure;
    size_t queue_bytes_max;
    uint32_t in_flight_max;
    uint64_t timeout_ns; /* of one request, from connect to the end of the answer */
    uint64_t backoff_initial_ns;
    uint64_t backoff_max_ns;
    uint64_t seed; /* of the jitter */
    const struct clock_source *clock;
    struct log *log;
    sink_done_fn on_done;
    void *on_done_arg;
};

/* Starts the sink and its thread.  SB_ERR_MEMORY, SB_ERR_CONFIG (logged), SB_ERR_INTERNAL. */
enum sb_err sink_otlp_new(const struct sink_otlp_options *options,
                          struct sink **ret) SB_MUST_USE;

#endif
