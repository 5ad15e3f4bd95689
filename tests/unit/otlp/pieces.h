/*
 * pieces: encoded OTLP messages put together from their parts, the right ones and the wrong
 * ones.  All bytes belong to the struct pieces and hold until pieces_clear.
 */
#ifndef SB_TEST_OTLP_PIECES_H
#define SB_TEST_OTLP_PIECES_H

#include <stdint.h>

#include "core/arena.h"
#include "core/bytes.h"
#include "otlp/scan.h"

struct pieces {
    struct arena arena;
};

void pieces_init(struct pieces *pieces);
void pieces_clear(struct pieces *pieces);

/* One after the other. */
struct bytes pieces_join(struct pieces *pieces, const struct bytes *parts, size_t count);
#define JOIN(pieces, ...)                                                                      \
    pieces_join(pieces, (struct bytes[]){__VA_ARGS__},                                         \
                sizeof((struct bytes[]){__VA_ARGS__}) / sizeof(struct bytes))

/* A part `count` times. */
struct bytes pieces_repeat(struct pieces *pieces, struct bytes part, size_t count);

/* `len` times the byte `value`. */
struct bytes pieces_fill(struct pieces *pieces, uint8_t value, size_t len);

/* Fields. */
struct bytes pieces_varint(struct pieces *pieces, uint32_t field, uint64_t value);
struct bytes pieces_fixed64(struct pieces *pieces, uint32_t field, uint64_t value);
struct bytes pieces_fixed32(struct pieces *pieces, uint32_t field, uint32_t value);
struct bytes pieces_field(struct pieces *pieces, uint32_t field, struct bytes body);

/* The body of a KeyValue with a string value. */
struct bytes pieces_pair(struct pieces *pieces, const char *key, const char *value);

/* The body of an AnyValue that is `depth` deep: arrays around a string. */
struct bytes pieces_deep(struct pieces *pieces, size_t depth);

/* Trace id 01..10 and span id 21..28 as fields of a span. */
struct bytes pieces_ids(struct pieces *pieces);

/* A request with one ResourceSpans and one ScopeSpans that holds these fields. */
struct bytes pieces_request(struct pieces *pieces, struct bytes scope_spans_fields);

/* The same with one span of this body. */
struct bytes pieces_request_of(struct pieces *pieces, struct bytes span);

/* Scans and expects no error: the fault of the record. */
enum otlp_fault pieces_scan(struct otlp_scan *scan, struct bytes request);

#endif
