/*
 * load_records: the records of a load, in the order in which services would send them.
 *
 * Load A: batches of 50 spans of one service.  Load B: a record for each trace and service,
 * keyed by trace id.  Load C: as A, and two messages of each trace on topics of their own.
 * The five records of a trace lie apart: services send their batches at different times.
 */
#ifndef SB_BENCH_LOAD_RECORDS_H
#define SB_BENCH_LOAD_RECORDS_H

#include "core/bytes.h"
#include "core/err.h"
#include "load_ids.h"

enum { LOAD_SPANS_PER_RECORD = 50, LOAD_TRACES_PER_BLOCK = 50 };

enum load_topic { LOAD_TOPIC_SPANS, LOAD_TOPIC_ORDERS, LOAD_TOPIC_SHIPMENTS };

/* Views hold until the callback returns. */
struct load_record {
    enum load_topic topic;
    struct bytes key; /* empty: none */
    struct bytes value;
    struct bytes traceparent; /* empty: no such header */
    int32_t partition;        /* -1: by key */
    int64_t time_ms;
    uint32_t spans;
    uint32_t span_bytes; /* encoded spans alone, without their envelope */
};

typedef enum sb_err (*load_record_fn)(void *arg, const struct load_record *record);

/* SB_ERR_INPUT: traces are no multiple of LOAD_TRACES_PER_BLOCK.  Callback errors end it. */
enum sb_err load_generate(const struct load_plan *plan, uint32_t partitions,
                          load_record_fn on_record, void *arg) SB_MUST_USE;

#endif
