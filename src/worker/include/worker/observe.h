/*
 * observe: what a look at the topics has found, for the report of `run --observe`.
 *
 * A hop is a message on its consumer side; whether it is broken is said by repair/survey.h, and
 * whether it would be repaired by the plan that a real run would carry out.  Plain numbers, in
 * tables that are bounded since names come from outside: what finds no room is counted together.
 */
#ifndef SB_WORKER_OBSERVE_H
#define SB_WORKER_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "repair/hops.h"
#include "worker/worker.h"

/* A broken hop is in one of `repaired_*` or `only_reported`, or in one of those below them. */
#define WORKER_HOP_COUNTERS(X)                                                                 \
    X(sent)        /* spans that send */                                                       \
    X(sent_traces) /* traces with one */                                                       \
    X(intact)                                                                                  \
    X(broken)                                                                                  \
    X(broken_traces) /* traces with one */                                                     \
    X(by_link)       /* what is known of broken ones, by rule */                               \
    X(by_coordinate)                                                                           \
    X(by_header)                                                                               \
    X(repaired_parent) /* what the configured modes do */                                      \
    X(repaired_link)                                                                           \
    X(only_reported)   /* mode off or report */                                                \
    X(producer_unseen) /* of those repaired: no span of the producer's trace came */           \
    X(ambiguous)       /* several producers, or records, at one coordinate */                  \
    X(links_max)       /* beyond repair.links_max */                                           \
    X(batch)           /* of several messages, and names none of them */                       \
    X(names_nothing)   /* no link, no coordinate */                                            \
    X(topic_not_read)  /* a coordinate, but its topic is no message topic here */              \
    X(record_not_seen) /* it is one, but that record was not read */                           \
    X(record_bare)     /* it was, and has no traceparent */                                    \
    X(same_trace)      /* the producer is in the same trace, but not above it */               \
    X(evidence_late)   /* known, but not when the trace was decided */

enum worker_hop_counter {
#define WORKER_HOP_ENUM(name) WORKER_HOP_##name,
    WORKER_HOP_COUNTERS(WORKER_HOP_ENUM)
#undef WORKER_HOP_ENUM
        WORKER_HOP_COUNTER_COUNT
};

/* The name as above. */
const char *worker_hop_counter_text(enum worker_hop_counter counter);

/* Names are cut, and bytes that are not printable ASCII are shown as '?'. */
enum { WORKER_NAME_LEN = 80, WORKER_OBSERVED_ROWS = 1024 };

struct worker_observed_row {
    uint64_t id;
    char destination[WORKER_NAME_LEN]; /* "": not named, or not what this table tells apart */
    char service[WORKER_NAME_LEN];
    char library[WORKER_NAME_LEN]; /* instrumentation scope */
    bool named;
    bool rabbitmq;     /* its spans say so; else Kafka, or nothing was said */
    uint16_t settings; /* of the destination: a topic's index, or the number of topics */
    uint64_t last_trace;
    uint64_t last_sender;
    uint64_t counts[WORKER_HOP_COUNTER_COUNT];
};

enum worker_observed_by {
    WORKER_BY_HOP, /* destination, service and library together */
    WORKER_BY_DESTINATION,
    WORKER_BY_SERVICE,
    WORKER_BY_LIBRARY,
    WORKER_BY_COUNT
};

/* Traces as they came, each with an id of its own; `cut` ones are in none of the three below. */
#define WORKER_OBSERVED_COUNTERS(X)                                                            \
    X(traces)                                                                                  \
    X(complete)       /* every parent that is named is there, and no hop is broken */          \
    X(missing_parent) /* a span names a parent that never came */                              \
    X(broken)         /* at a hop, at least */                                                 \
    X(cut)            /* began before the look did */                                          \
    X(joined)         /* would become part of another one */                                   \
    X(unknown)        /* memory was short */

/* Why traces were decided. */
#define WORKER_OBSERVED_REASONS(X) X(wait) X(after_root) X(idle) X(cap) X(pressure) X(drain)

enum worker_observed_reason {
#define WORKER_OBSERVED_ENUM(name) WORKER_OBSERVED_##name,
    WORKER_OBSERVED_REASONS(WORKER_OBSERVED_ENUM)
#undef WORKER_OBSERVED_ENUM
        WORKER_OBSERVED_REASON_COUNT
};

const char *worker_observed_reason_text(enum worker_observed_reason reason);

struct worker_observed_counts {
#define WORKER_OBSERVED_FIELD(name) uint64_t name;
    WORKER_OBSERVED_COUNTERS(WORKER_OBSERVED_FIELD)
#undef WORKER_OBSERVED_FIELD
    uint64_t reasons[WORKER_OBSERVED_REASON_COUNT];
};

/* Of a message topic: records whose headers were read. */
struct worker_observed_topic {
    uint64_t with_context;
    uint64_t without_context;
    uint64_t malformed; /* with a traceparent that is none */
};

/* Of all workers together. */
struct worker_observed {
    struct worker_observed_counts counts;
    struct worker_observed_topic *topics; /* by the options' topics */
    /* Most broken first, then most sent; row_count of them. */
    struct worker_observed_row *rows[WORKER_BY_COUNT];
    uint32_t row_count[WORKER_BY_COUNT];
    struct worker_observed_row others[WORKER_BY_COUNT]; /* what found no room */
};

/* After the workers have been stopped, of a group whose options say `observe`. */
enum sb_err worker_group_take_observed(struct worker_group *group,
                                       struct worker_observed *ret) SB_MUST_USE;
void worker_observed_clear(struct worker_observed *observed);

#endif
