/*
 * load_spans: encoded spans of the bench's load, about 470 bytes each.
 *
 * Each of the eight spans of a trace is encoded once as a template; after that only ids,
 * times and a few digits are patched, so that generating costs little more than copying.
 */
#ifndef SB_BENCH_LOAD_SPANS_H
#define SB_BENCH_LOAD_SPANS_H

#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "core/text.h"
#include "load_ids.h"

/* 2026-01-01T00:00:00Z: times are part of the load and the same in every run. */
#define LOAD_BASE_NS      UINT64_C(1767225600000000000)
#define LOAD_TRACE_GAP_NS UINT64_C(1000000) /* a trace begins every millisecond */

/* The spans of one service in a trace. */
struct load_service {
    const char *name;
    uint8_t first;
    uint8_t count;
};
extern const struct load_service load_services[LOAD_SERVICES];

struct load_spans;

enum sb_err load_spans_new(const struct load_plan *plan, uint32_t partitions,
                           struct load_spans **ret) SB_MUST_USE;
void load_spans_free(struct load_spans *spans);

/* Appends a ScopeSpans.spans field with that span of that trace; returns the span's own bytes. */
size_t load_spans_append(struct load_spans *spans, const struct load_trace *trace,
                         uint32_t span, struct text *out);

/* The encoded ResourceSpans.resource and ScopeSpans.scope fields of a service. */
struct bytes load_spans_resource(const struct load_spans *spans, uint32_t service);
struct bytes load_spans_scope(const struct load_spans *spans, uint32_t service);

/* Load C: where the message of hop 0 or 1 of a trace lies, and when it was written. */
struct load_place {
    int32_t partition;
    int64_t offset;
    int64_t time_ms;
};
struct load_place load_message_place(uint32_t index, uint32_t hop, uint32_t partitions);

/* The send span of a hop of load C. */
uint32_t load_send_span(uint32_t hop);

#endif
