/*
 * spans: requests to feed a worker with, and what came out, read by a parser that is not ours.
 */
#ifndef SB_TEST_WORKER_SPANS_H
#define SB_TEST_WORKER_SPANS_H

#include <stdbool.h>

#include "core/ids.h"
#include "core/text.h"
#include "otlp_trace.pb-c.h"
#include "sink/batch.h"

enum { SPAN_LINKS_MAX = 4 };

struct span_context {
    struct trace_id trace;
    uint64_t span;
};

/* What of a span the tests care about; zero: not there. */
struct span_spec {
    struct trace_id trace;
    uint64_t id;
    uint64_t parent;
    const char *name;
    const char *service; /* spans of one service share an envelope; NULL: "app" */
    uint8_t kind;
    uint64_t start_ms; /* behind the fake clock's first wall time */
    uint64_t start_ns; /* and so much more */
    uint64_t end_ms;
    uint32_t flags;
    bool error;
    const char *operation; /* messaging.operation.type */
    const char *topic;     /* messaging.destination.name */
    bool placed;           /* the span tells partition and offset */
    int64_t partition;
    int64_t offset;
    uint32_t batch; /* messaging.batch.message_count */
    struct span_context links[SPAN_LINKS_MAX];
    uint32_t link_count;
    const char *key; /* one more attribute */
    const char *value;
    size_t padding; /* of a long attribute */
};

struct span_id spans_id(uint64_t number);
uint64_t spans_start_ns(const struct span_spec *spec);
uint64_t spans_end_ns(const struct span_spec *spec);

/* Appends the encoded Span. */
void spans_write_body(struct text *out, const struct span_spec *spec);
/* Appends an ExportTraceServiceRequest with them. */
void spans_write_request(struct text *out, const struct span_spec *specs, size_t count);

/* "00-<trace>-<span>-01" */
void spans_traceparent(struct span_context context, char ret[64]);

/* A span that came out at a sink. */
struct out_span {
    Spanbridge__Oracle__Span *span;
    char *service; /* of its resource; "" where it says none */
    uint8_t *raw;
    size_t raw_len;
    bool synthetic;
    enum sink_outcome outcome;
};

void out_read(struct out_span *ret, const struct sink_span *span, struct bytes body);
void out_clear(struct out_span *out);

struct trace_id out_trace(const struct out_span *out);
struct span_id out_id(const struct out_span *out);
uint64_t out_parent(const struct out_span *out); /* 0: a root */
bool out_has_trace(const struct out_span *out, struct trace_id trace);

/* Attribute of the span; NULL, or a failed test for numbers, when there is none. */
const char *out_text(const struct out_span *out, const char *key);
int64_t out_number(const struct out_span *out, const char *key);
bool out_flag(const struct out_span *out, const char *key);
bool out_has(const struct out_span *out, const char *key);

/* The one link of the span to that context, or NULL. */
const Spanbridge__Oracle__Span__Link *out_link(const struct out_span *out,
                                               struct span_context to);
const char *out_link_text(const Spanbridge__Oracle__Span__Link *link, const char *key);

/*
 * Takes all repairs back by what the attributes say, and fails the test unless the ids and
 * links are those of `spec`.
 */
void out_check_undo(const struct out_span *out, const struct span_spec *spec);

#endif
