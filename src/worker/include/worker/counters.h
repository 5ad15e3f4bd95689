/*
 * counters: what a worker has seen, by the classes of delivery.md's accounting.
 *
 * Plain integers, written by one worker, read by anybody with a moment's delay.
 */
#ifndef SB_WORKER_COUNTERS_H
#define SB_WORKER_COUNTERS_H

#include <stdint.h>

#include "decide/decide.h"
#include "otlp/scan.h"
#include "repair/hops.h"

/* Every span that was read ends in one of these, or is held. */
#define WORKER_SPAN_CLASSES(X)                                                                 \
    X(exported)                                                                                \
    X(rejected)                                                                                \
    X(lost)                                                                                    \
    X(returned) /* left to the broker: their partition moved before the verdict */             \
    X(observed)

#define WORKER_COUNTERS(X)                                                                     \
    X(records_read)                                                                            \
    X(spans_read)                                                                              \
    X(messages_read) /* records of message topics */                                           \
    X(synthetic)     /* spans of the bridge's own making that were exported */                 \
    X(traces_kept)                                                                             \
    X(traces_dropped)                                                                          \
    X(late_spans)                                                                              \
    X(late_joins) /* evidence that came after the verdict */                                   \
    X(pressure_decisions)                                                                      \
    X(incomplete_traces) /* kept ones with a parent missing */                                 \
    X(adopted_spans)                                                                           \
    X(headers_malformed) /* traceparent headers that are none */                               \
    X(links_left_out)    /* beyond repair.links_max of one span */                             \
    X(hops_forgotten)    /* memory for evidence was used up */                                 \
    X(spans_handed_over) /* to other workers (or to itself, by message) */                     \
    X(spans_taken_over)  /* from there: what is under way is the difference */                 \
    WORKER_SPAN_CLASSES(X)

/* Sink refusals that are dead-lettered stand behind the scanner's faults. */
enum {
    WORKER_REASON_TOO_LARGE = OTLP_FAULT_COUNT, /* for the backend, even alone */
    WORKER_REASON_REFUSED,                      /* by the backend, for its content */
    WORKER_REASON_POISON,                       /* a record that came back too often */
    WORKER_REASON_COUNT
};

/* The stable text of a reason. */
const char *worker_reason_text(unsigned reason);

enum worker_repair_result {
    WORKER_REPAIRED_PARENT,
    WORKER_REPAIRED_LINK,
    WORKER_REPAIRED_SPLIT,
    WORKER_REPAIR_AMBIGUOUS,
    WORKER_REPAIR_RESULTS
};

struct worker_counters {
#define WORKER_COUNTER_FIELD(name) uint64_t name;
    WORKER_COUNTERS(WORKER_COUNTER_FIELD)
#undef WORKER_COUNTER_FIELD
    uint64_t dropped[DECIDE_POLICIES_MAX]; /* by a policy that drops */
    uint64_t dropped_no_policy;
    uint64_t dead_records[WORKER_REASON_COUNT];
    uint64_t dead_spans[WORKER_REASON_COUNT];
    uint64_t repairs[REPAIR_RULE_COUNT][WORKER_REPAIR_RESULTS];
    /* Counted afresh by whoever reads, not kept by the path above. */
    uint64_t held_window;
    uint64_t held_egress;
    uint64_t held_letters;
    uint64_t window_traces;
    uint64_t window_bytes;
    uint64_t window_span_bytes;
};

/* The same by topic file: all of them add up to the ones above. */
struct worker_topic_counters {
    uint64_t records_read;
    uint64_t spans_read;
    uint64_t messages_read;
    uint64_t discarded; /* of those below: records and spans that went to no topic */
    uint64_t dead_records[WORKER_REASON_COUNT];
    uint64_t dead_spans[WORKER_REASON_COUNT];
};

/*
 * What one look at all workers found, in which every span that was read is accounted for.
 * Workers are seen at slightly different times, so `under_way` may be below zero for a moment.
 */
struct worker_account {
    struct worker_counters counters;
    uint64_t dropped;  /* by all policies together */
    uint64_t dead;     /* spans, for all reasons together */
    int64_t under_way; /* between workers */
    int64_t held;      /* with these */
    int64_t balance;   /* what was read less all it has become: other than 0 is a bug of ours */
};

#endif
