/*
 * header: what one header of a message has to do with a context.  Private to the stage.
 */
#ifndef SB_CONTEXT_HEADER_H
#define SB_CONTEXT_HEADER_H

#include "spanbridge/carrier.h"

#define HEADER_TRACEPARENT "traceparent"
#define HEADER_TRACESTATE  "tracestate"

/* Whether the header has that name, which is in lower case, without regard to case. */
bool header_is_named(const struct spanbridge_header *header, const char *name, size_t len);

/* Reads the value of a traceparent header; *ret is untouched on failure. */
enum spanbridge_result header_read_traceparent(const struct spanbridge_header *header,
                                               struct spanbridge_context *ret);

/*
 * Gives the value of a tracestate header to the context if it is valid; an empty one is, and
 * means none.  Sets tracestate_result on failure, too, and leaves the rest.
 */
enum spanbridge_result header_read_tracestate(const struct spanbridge_header *header,
                                              struct spanbridge_context *context);

#endif
