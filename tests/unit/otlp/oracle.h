/*
 * oracle: random OTLP requests built and read by protobuf-c, the parser that is not ours.
 */
#ifndef SB_TEST_OTLP_ORACLE_H
#define SB_TEST_OTLP_ORACLE_H

#include "core/arena.h"
#include "core/bytes.h"
#include "otlp_trace.pb-c.h"
#include "support/random.h"

typedef Spanbridge__Oracle__ExportTraceServiceRequest oracle_request;
typedef Spanbridge__Oracle__ResourceSpans oracle_resource_spans;
typedef Spanbridge__Oracle__ScopeSpans oracle_scope_spans;
typedef Spanbridge__Oracle__Span oracle_span;
typedef Spanbridge__Oracle__Span__Link oracle_link;
typedef Spanbridge__Oracle__Span__Event oracle_event;
typedef Spanbridge__Oracle__KeyValue oracle_pair;
typedef Spanbridge__Oracle__AnyValue oracle_any;

/* A valid request within the default limits, all of it in the arena. */
oracle_request *oracle_random(struct arena *arena, struct random *random);

/* It encoded; in the arena. */
struct bytes oracle_pack(struct arena *arena, const oracle_request *request);

/* The other way; the caller frees it with spanbridge__oracle__..._free_unpacked. */
oracle_request *oracle_unpack(struct bytes encoded);

#endif
