/*
 * rpc_message: the three protobuf messages that a backend answers with.
 *
 * A flat walk over their fields: no recursion, no allocation, and no length is trusted; what
 * is malformed yields what was read before it.
 * Sources: opentelemetry-proto collector/trace/v1/trace_service.proto; google/rpc/status.proto
 * and error_details.proto.
 */
#ifndef SB_SINK_RPC_MESSAGE_H
#define SB_SINK_RPC_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"

/* ExportTraceServiceResponse.partial_success. */
struct rpc_partial_success {
    uint64_t rejected;    /* 0 for negative numbers */
    struct bytes message; /* a view of the input */
};

/* False when the bytes are no such message; an empty one is full success. */
bool rpc_read_partial_success(struct bytes response, struct rpc_partial_success *ret);

/* google.rpc.Status. */
struct rpc_status {
    struct bytes message;
    bool has_retry_info;
    uint64_t retry_delay_ns; /* of RetryInfo; 0: none given; capped as Retry-After is */
};

/* False as above. */
bool rpc_read_status(struct bytes status, struct rpc_status *ret);

#endif
