/*
 * sink_load: kept spans for the benches that drive one sink alone, and the records that a bare
 * client would write of them.
 *
 * Four batches of 8192 spans of about 430 bytes, in traces of 8 spans under 5 resources of
 * some 200 bytes, are made once and submitted again and again.  Whatever fails ends the
 * program.  Threads: sink_load_on_done in the sink's, the rest in one.
 */
#ifndef SB_BENCH_SINK_LOAD_H
#define SB_BENCH_SINK_LOAD_H

#include <stddef.h>

#include "core/bytes.h"
#include "core/ids.h"
#include "sink/sink.h"

enum {
    SINK_LOAD_BATCHES = 4,
    SINK_LOAD_BATCH_SPANS = 8192,
    SINK_LOAD_SPANS = SINK_LOAD_BATCHES * SINK_LOAD_BATCH_SPANS,
    SINK_LOAD_TRACE_SPANS = 8,
    SINK_LOAD_RECORDS = SINK_LOAD_SPANS / SINK_LOAD_TRACE_SPANS /* one for each trace */
};

struct sink_load;

struct sink_load *sink_load_new(void);
void sink_load_free(struct sink_load *load);

/* Of an encoded span, on average, without its envelope. */
size_t sink_load_span_bytes(const struct sink_load *load);

/* The spans of one trace as one request, as a sink that writes a record per trace makes it. */
struct sink_load_record {
    struct trace_id trace;
    struct bytes value;
};
/* SINK_LOAD_RECORDS of them; they live as long as the load. */
const struct sink_load_record *sink_load_records(const struct sink_load *load);

/* The sink's on_done; the argument is the load. */
void sink_load_on_done(void *arg, struct sink_batch *batch);
/* Submits all batches and waits until all are back. */
void sink_load_pass(struct sink_load *load, struct sink *sink);
/* CPU of the sink's own thread since it started, as of the last batch that came back. */
double sink_load_own_ns(struct sink_load *load);

#endif
