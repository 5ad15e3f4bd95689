/*
 * write: appends protobuf fields of OTLP messages to a struct text (core/text.h), whose
 * sticky error tells at the end.
 *
 * Patches rely on two rules of protobuf: of a scalar field that comes twice the last one
 * counts, and repeated fields add up.  So a span is patched by appending, and everything it
 * held survives.
 */
#ifndef SB_OTLP_WRITE_H
#define SB_OTLP_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/text.h"
#include "otlp/scan.h"

enum { OTLP_VARINT_MAX = 10 };

/* Bytes that `value` takes as a varint. */
size_t otlp_varint_size(uint64_t value);
/* Writes it; returns the bytes written. */
size_t otlp_varint_write(uint64_t value, uint8_t ret[OTLP_VARINT_MAX]);

void otlp_write_varint_field(struct text *out, uint32_t field, uint64_t value);
void otlp_write_fixed64_field(struct text *out, uint32_t field, uint64_t value);
void otlp_write_fixed32_field(struct text *out, uint32_t field, uint32_t value);
void otlp_write_bytes_field(struct text *out, uint32_t field, struct bytes value);

/*
 * KeyValue fields with the given field number (Span attributes: 9, Resource: 1, Link: 4).  The
 * bridge's own attributes are no doubles: that one is for tests, which feed it with such.
 */
void otlp_write_string_attribute(struct text *out, uint32_t field, struct bytes key,
                                 struct bytes value);
void otlp_write_int_attribute(struct text *out, uint32_t field, struct bytes key,
                              int64_t value);
void otlp_write_double_attribute(struct text *out, uint32_t field, struct bytes key,
                                 double value);
void otlp_write_bool_attribute(struct text *out, uint32_t field, struct bytes key, bool value);

/* Field numbers of Span. */
enum {
    OTLP_SPAN_TRACE_ID = 1,
    OTLP_SPAN_SPAN_ID = 2,
    OTLP_SPAN_TRACE_STATE = 3,
    OTLP_SPAN_PARENT_ID = 4,
    OTLP_SPAN_NAME = 5,
    OTLP_SPAN_KIND = 6,
    OTLP_SPAN_START = 7,
    OTLP_SPAN_END = 8,
    OTLP_SPAN_ATTRIBUTES = 9,
    OTLP_SPAN_EVENTS = 11,
    OTLP_SPAN_LINKS = 13,
    OTLP_SPAN_STATUS = 15,
    OTLP_SPAN_FLAGS = 16
};

/* Span patches. */
void otlp_patch_trace_id(struct text *out, struct trace_id id);
void otlp_patch_parent_id(struct text *out, struct span_id id);
void otlp_patch_flags(struct text *out, uint32_t flags);

/* Span field 13; `attributes` holds encoded Link attributes (field 4 of Link), may be empty. */
void otlp_write_link(struct text *out, struct trace_id trace, struct span_id span,
                     uint32_t flags, struct bytes trace_state, struct bytes attributes);

/*
 * One span of a request to encode: `body` is the encoded Span, patches included.
 * Spans with the same envelope pointer side by side share one ResourceSpans.
 */
struct otlp_request_span {
    const struct otlp_envelope *envelope;
    struct bytes body;
};

/*
 * Appends an ExportTraceServiceRequest with these spans; sort them by envelope first.
 * The size is known before the first byte is written, so out's cap is checked at once.
 */
void otlp_write_request(struct text *out, const struct otlp_request_span *spans, size_t count);

#endif
