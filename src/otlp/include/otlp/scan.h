/*
 * scan: one encoded ExportTraceServiceRequest in, views of its spans out.
 *
 * Nothing is copied but split envelopes (below), nothing is allocated once the scan's arrays
 * are warm, and nothing recurses on input.  Every byte string ends in a result in time
 * linear in its length.  A scan belongs to one worker; its views point into the record and
 * hold until the next otlp_scan_request on it, or until the record goes.
 *
 * Sources: opentelemetry-proto trace/v1 and collector/trace/v1; limits: reliability notes,
 * section 7.
 */
#ifndef SB_OTLP_SCAN_H
#define SB_OTLP_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "otlp/keys.h"

/* Why a span, or a whole record, can not be taken. */
#define OTLP_FAULTS(X)                                                                         \
    X(NONE, "none")                                                                            \
    X(MALFORMED, "malformed") /* not protobuf, or wrong wire types */                          \
    X(RECORD_TOO_LARGE, "record_too_large")                                                    \
    X(TOO_MANY_SPANS, "too_many_spans")                                                        \
    X(TRACE_ID, "invalid_trace_id")   /* not 16 bytes, or all zero */                          \
    X(SPAN_ID, "invalid_span_id")     /* not 8 bytes, or all zero */                           \
    X(PARENT_ID, "invalid_parent_id") /* neither 0 nor 8 bytes */                              \
    X(SPAN_TOO_LARGE, "span_too_large")                                                        \
    X(TOO_DEEP, "nesting_too_deep") /* AnyValue nested deeper than the limit */                \
    X(TOO_MANY_ATTRIBUTES, "too_many_attributes")                                              \
    X(TOO_MANY_EVENTS, "too_many_events")                                                      \
    X(TOO_MANY_LINKS, "too_many_links")                                                        \
    X(KEY_TOO_LONG, "attribute_key_too_long")                                                  \
    X(VALUE_TOO_LONG, "attribute_value_too_long")                                              \
    X(JSON, "invalid_json")

enum otlp_fault {
#define OTLP_FAULT_ENUM(name, text) OTLP_FAULT_##name,
    OTLP_FAULTS(OTLP_FAULT_ENUM)
#undef OTLP_FAULT_ENUM
        OTLP_FAULT_COUNT
};

/* The stable reason text of dead letters and metrics. */
const char *otlp_fault_text(enum otlp_fault fault);

/* What limits may ask for at most; above, these hold. */
enum { OTLP_DEPTH_MAX = 100, OTLP_COUNT_MAX = 65535 };

struct otlp_limits {
    uint32_t record_bytes_max; /* 16 MiB */
    uint32_t spans_max;        /* per record: 50,000 */
    uint32_t span_bytes_max;   /* encoded span, and what its envelope adds: 4 MiB each */
    uint32_t depth_max;        /* AnyValue: 32; a plain value is 1 deep */
    uint32_t attributes_max;   /* per span, event, link, resource and scope: 512 */
    uint32_t events_max;       /* per span: 512 */
    uint32_t links_max;        /* per span: 512 */
    uint32_t key_bytes_max;    /* 1 KiB */
    uint32_t value_bytes_max;  /* string and bytes values: 64 KiB */
};

/* The defaults above. */
struct otlp_limits otlp_limits_default(void);

/* An attribute of a span whose key is in the scan's otlp_keys. */
struct otlp_hit {
    uint16_t key;       /* its id */
    struct bytes value; /* encoded AnyValue */
};

enum otlp_kind {
    OTLP_KIND_UNSPECIFIED,
    OTLP_KIND_INTERNAL,
    OTLP_KIND_SERVER,
    OTLP_KIND_CLIENT,
    OTLP_KIND_PRODUCER,
    OTLP_KIND_CONSUMER
};
enum otlp_status { OTLP_STATUS_UNSET, OTLP_STATUS_OK, OTLP_STATUS_ERROR };

/* Span.flags. */
enum {
    OTLP_FLAGS_SAMPLED = 0x1,
    OTLP_FLAGS_REMOTE_KNOWN = 0x100, /* bit 9 says whether the parent is remote */
    OTLP_FLAGS_REMOTE = 0x200
};

struct otlp_span {
    struct bytes raw;         /* body of the encoded Span message */
    const uint8_t *trace_id;  /* 16 bytes; NULL where fault says so */
    const uint8_t *span_id;   /* 8 bytes; NULL where fault says so */
    const uint8_t *parent_id; /* 8 bytes; NULL: a root (absent, empty or all zero) */
    struct bytes name;
    struct bytes trace_state;
    uint64_t start_ns; /* since 1970; 0: unknown */
    uint64_t end_ns;
    uint32_t flags;
    uint32_t envelope;  /* index into the scan's envelopes */
    uint32_t first_hit; /* index into the scan's hits */
    uint16_t hit_count;
    uint16_t link_count;
    uint8_t kind;   /* enum otlp_kind; unknown numbers as they came, above 255 as 255 */
    uint8_t status; /* enum otlp_status; unknown numbers likewise */
    uint8_t fault;  /* enum otlp_fault: NONE, or why this span alone can not be taken */
};

/*
 * What is common to spans side by side: the encoded fields of their ResourceSpans without
 * scope_spans, and of their ScopeSpans without spans, in their original order and with all
 * unknown fields.  Writing them back with spans behind gives an equal message.
 */
struct otlp_envelope {
    struct bytes resource_fields; /* field 1 resource, field 3 schema_url, unknown ones */
    struct bytes scope_fields;    /* field 1 scope, field 3 schema_url, unknown ones */
    uint8_t fault;                /* enum otlp_fault; its spans are all dead-lettered */
};

struct otlp_scan; /* its arrays; grows to the largest record seen, within the limits */

/* `keys` must outlive the scan; all keys have been added.  SB_ERR_MEMORY. */
enum sb_err otlp_scan_new(const struct otlp_limits *limits, const struct otlp_keys *keys,
                          struct otlp_scan **ret) SB_MUST_USE;
void otlp_scan_free(struct otlp_scan *scan);

/*
 * Scans one request.  The fault of the record as a whole: NONE, MALFORMED, RECORD_TOO_LARGE,
 * TOO_MANY_SPANS; in the last three there are no spans.  Single spans carry faults of their
 * own, or that of their envelope; they have no hits, and their ids may be NULL.
 * Spans in the form before OTLP 1.0 (ResourceSpans field 1000) make a record MALFORMED, since
 * no backend would read them.  Unknown fields beside the ResourceSpans are dropped.
 * SB_ERR_MEMORY when an array can not grow: the record is unharmed and may be tried again.
 */
enum sb_err otlp_scan_request(struct otlp_scan *scan, struct bytes request,
                              enum otlp_fault *ret_fault) SB_MUST_USE;

/* Results of the last request. */
const struct otlp_span *otlp_scan_spans(const struct otlp_scan *scan, uint32_t *ret_count);
const struct otlp_envelope *otlp_scan_envelopes(const struct otlp_scan *scan,
                                                uint32_t *ret_count);
const struct otlp_hit *otlp_scan_hits(const struct otlp_scan *scan);

/*
 * Reads one encoded Span again, as when it was taken in, without hits and limits; `raw` was
 * accepted before.  If it was not, its fault says so.
 */
void otlp_scan_span(struct bytes raw, struct otlp_span *ret);

/* Calls back for each attribute of an envelope's resource whose key is wanted. */
typedef void (*otlp_hit_fn)(void *arg, const struct otlp_hit *hit);
void otlp_scan_resource(struct bytes resource_fields, const struct otlp_keys *keys,
                        otlp_hit_fn on_hit, void *arg);

/* Name and version of the scope in an envelope's scope_fields; empty when absent. */
void otlp_scan_scope(struct bytes scope_fields, struct bytes *ret_name,
                     struct bytes *ret_version);

/* A link of a span. */
struct otlp_link {
    const uint8_t *trace_id; /* 16 bytes, or NULL when it has another length */
    const uint8_t *span_id;  /* 8 bytes, or NULL when it has another length */
    uint32_t flags;
    struct bytes trace_state;
    struct bytes raw; /* body of the encoded Link message */
};

/*
 * Walks the links of the encoded span body `*rest`, shrinking it.  False at the end, or at the
 * first malformed field.
 */
bool otlp_link_next(struct bytes *rest, struct otlp_link *ret);

#endif
