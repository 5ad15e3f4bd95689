/*
 * sink_load: kept spans for the benches that drive one sink alone, and the records that a bare
 * client would write of them.
 *
 * Four batches of 8192 spans of about 430 bytes are made once and submitted again and again;
 * a resource has some 200 bytes.  Whatever fails ends the program.  Threads: sink_load_on_done
 * in the sink's, the rest in one.
 */
#ifndef SB_BENCH_SINK_LOAD_H
#define SB_BENCH_SINK_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/ids.h"
#include "sink/sink.h"

enum {
    SINK_LOAD_BATCHES = 4,
    SINK_LOAD_BATCH_SPANS = 8192,
    SINK_LOAD_SPANS = SINK_LOAD_BATCHES * SINK_LOAD_BATCH_SPANS,
    SINK_LOAD_TRACE_SPANS_MAX = 8
};

struct sink_load_shape {
    uint32_t trace_spans;     /* a power of two, SINK_LOAD_TRACE_SPANS_MAX at most */
    uint32_t trace_resources; /* that they lie under, 5 at most */
};

struct sink_load;

struct sink_load *sink_load_new(const struct sink_load_shape *shape);
void sink_load_free(struct sink_load *load);

/* Of an encoded span, on average, without its envelope. */
size_t sink_load_span_bytes(const struct sink_load *load);

/* The spans of one trace as one request, as a sink that writes a record per trace makes it. */
struct sink_load_record {
    struct trace_id trace;
    struct bytes value;
};
/* One for each trace; they live as long as the load. */
const struct sink_load_record *sink_load_records(const struct sink_load *load,
                                                 uint32_t *ret_count);

/* The sink's on_done; the argument is the load. */
void sink_load_on_done(void *arg, struct sink_batch *batch);
/* Has each batch sent that often, as soon as it is back, and waits until all are. */
void sink_load_run(struct sink_load *load, struct sink *sink, uint32_t passes);
/* CPU of the sink's own thread since it started, as of the last batch that came back. */
double sink_load_own_ns(struct sink_load *load);

#endif
