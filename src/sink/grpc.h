/*
 * grpc: unary gRPC calls over HTTP/2: the message frame, the timeout header, and what a
 * response means.  Source: "gRPC over HTTP2" protocol description, "HTTP to gRPC status code
 * mapping", OTLP specification, section OTLP/gRPC.
 */
#ifndef SB_SINK_GRPC_H
#define SB_SINK_GRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "response.h"

enum { GRPC_FRAME_LEN = 5, GRPC_TIMEOUT_LEN = 16 };

/* Writes the prefix of a message of `len` bytes. */
void grpc_write_frame(uint8_t ret[GRPC_FRAME_LEN], bool compressed, size_t len);

/* The grpc-timeout header's value, in milliseconds, capped at its eight digits. */
void grpc_format_timeout(uint64_t timeout_ns, char ret[GRPC_TIMEOUT_LEN]);

/* What the response means; decodes it in place, so once only. */
struct answer grpc_answer_read(struct response *response);

#endif
