/*
 * resolve: what is to be done about the joins of one consumer-side trace, once the trace is
 * as complete as it will get.  Pure: spans and joins in, actions out; nothing is kept.
 *
 * Source: repair.md, Modes.
 */
#ifndef SB_REPAIR_RESOLVE_H
#define SB_REPAIR_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ids.h"
#include "repair/hops.h"

enum repair_mode {
    REPAIR_OFF,
    REPAIR_REPORT,
    REPAIR_LINK,
    REPAIR_PARENT,
    REPAIR_BOTH,
    REPAIR_AUTO
};

/* May a consumer's trace become part of its producer's? */
static inline bool repair_mode_merges(enum repair_mode mode)
{
    return mode == REPAIR_PARENT || mode == REPAIR_BOTH || mode == REPAIR_AUTO;
}

/* One span of the consumer-side trace. */
struct repair_span {
    struct span_id span_id;
    struct span_id parent_id; /* zero: a root */
    uint64_t start_ns;
    uint64_t end_ns;
    uint32_t service;     /* equal numbers: the same service instance */
    uint32_t flags;       /* of the span: bits 8 and 9 tell whether the parent is remote */
    uint32_t batch_count; /* messaging.batch.message_count, 0: not said */
    uint64_t destination; /* hash of its name; 0: unknown.  For survey.h alone */
    uint16_t link_count;
    uint8_t role; /* enum repair_role */
    uint8_t kind; /* as in OTLP: 2 SERVER; 0: not said */
};

/* What is known of the producer side when the actions are chosen. */
enum repair_producer_state {
    REPAIR_PRODUCER_OPEN,        /* its trace is in the window: a merge is possible */
    REPAIR_PRODUCER_KEPT,        /* has a verdict: keep */
    REPAIR_PRODUCER_DROPPED,     /* has a verdict: drop; a link at most */
    REPAIR_PRODUCER_UNSEEN,      /* never seen here, and may be merged (`unseen = "merge"`) */
    REPAIR_PRODUCER_UNSEEN_LINK, /* never seen here, and must not */
    REPAIR_PRODUCER_FORWARDED /* the header is of another destination's producer: an ancestor */
};

struct repair_evidence {
    struct repair_join join;
    enum repair_producer_state producer_state;
    enum repair_mode mode; /* of the destination */
};

enum repair_action {
    REPAIR_ACTION_NONE,
    REPAIR_ACTION_LINK,
    REPAIR_ACTION_PARENT,
    REPAIR_ACTION_AMBIGUOUS
};

#define REPAIR_NO_SPAN UINT32_MAX

/* Indices are those of `spans`; of several spans with one id (copies) the first is meant. */
struct repair_outcome {
    enum repair_action action;
    bool link_too;     /* PARENT in mode both: a link besides the parent */
    bool link_exists;  /* the consumer span links to that context already: add none */
    uint32_t evidence; /* index of the evidence */
    uint32_t consumer; /* the evidence span: gets the link and the dwell; NO_SPAN: not here */
    uint32_t target; /* PARENT: the root that takes the producer as its parent; else consumer */
};

/*
 * Writes one outcome for each piece of evidence to `ret` (evidence_count of them), in their
 * order.
 *
 * - Of several for one consumer span the strongest rule acts, the others get NONE.  Of one
 *   rule: several messages make a batch, and each gets its LINK; several producers of one
 *   message are AMBIGUOUS (once), and left alone.
 * - NONE also where the producer's span stands above the consumer already, and where a span
 *   above in the same service instance has evidence of the same message: that one acts.
 * - PARENT: the consumer is a root, or its local root is one and no other hop reaches that
 *   root's local tree; not for batches; not where the producer state or the mode rules it
 *   out; never a circle.  Nor is a local root moved that is a SERVER span, or whose tree sent
 *   a message before the consumer started: that is a requester that waited for a reply.
 *   At most one PARENT comes out of a trace: by the strongest rule, then the earliest span.
 *   All others that could have been one become LINK.
 * - Mode REPORT gets what AUTO would do; nothing of it is to be carried out.
 *
 * Linear time, no recursion, whatever the ids are.  `scratch` is kept by the caller and grown
 * as needed; SB_ERR_MEMORY.
 */
struct repair_scratch;
enum sb_err repair_scratch_new(struct repair_scratch **ret) SB_MUST_USE;
void repair_scratch_free(struct repair_scratch *scratch);

struct repair_trace {
    const struct repair_span *spans;
    uint32_t span_count;
    const struct repair_evidence *evidence;
    uint32_t evidence_count;
};

enum sb_err repair_resolve(struct repair_scratch *scratch, const struct repair_trace *trace,
                           struct repair_outcome *ret) SB_MUST_USE;

/*
 * What repair_resolve comes to where all that is known of a trace hangs by one span: a root that
 * takes in one message, with one piece of evidence.  So are nearly all, and for these nobody has
 * to look at the other spans.  Consumer and target of *ret are 0.  False: ask repair_resolve.
 */
bool repair_resolve_root(const struct repair_span *consumer,
                         const struct repair_evidence *evidence, struct repair_outcome *ret);

/* A span whose parent is known by id but missing. */
struct repair_orphan {
    uint32_t span;   /* its index */
    int64_t adopter; /* index of the nearest known ancestor; -1: none */
};

/*
 * The first `max` orphans among the spans, in their order; how many they are, 0 also when
 * memory is short.  With `adopt`, the nearest known ancestor by time and service of each: the
 * smallest span of its own service instance that encloses its start; where there is none,
 * the trace's root (the earliest one).  Only spans whose chain of parents ends in a root are
 * asked, so no circle can come of it, also when all of them are adopted.
 *
 * Takes time linear in `count` for each orphan that is to be adopted.
 */
uint32_t repair_find_orphans(struct repair_scratch *scratch, const struct repair_span *spans,
                             uint32_t count, bool adopt, struct repair_orphan *ret,
                             uint32_t max);

/* Ids of the synthetic queue span of a hop: equal in every replay. */
struct span_id repair_queue_span_id(struct repair_key key, struct span_id consumer);

#endif
