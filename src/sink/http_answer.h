/*
 * http_answer: what an OTLP/HTTP response means.  Source: OTLP specification, sections
 * OTLP/HTTP Response, Failures, Throttling; the table is in delivery.md, "Sinks".
 */
#ifndef SB_SINK_HTTP_ANSWER_H
#define SB_SINK_HTTP_ANSWER_H

#include <stdint.h>

#include "answer.h"
#include "response.h"

/* Unfolds a compressed body.  wall_now_ns: for Retry-After with a date. */
struct answer http_answer_read(struct response *response, uint64_t wall_now_ns);

#endif
