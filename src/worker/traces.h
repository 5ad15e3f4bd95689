/*
 * traces: what the worker keeps beside each trace in the window.
 *
 * Most traces need only their verdict's features.  A trace that takes part in a hop has an
 * `extra`: the sides its spans are, the evidence that joins it to a producer's trace, and
 * its place in a tree of traces that wait for one verdict together.
 */
#ifndef SB_WORKER_TRACES_H
#define SB_WORKER_TRACES_H

#include "core/pool.h"
#include "decide/decide.h"
#include "repair/fact.h"
#include "repair/hops.h"
#include "repair/resolve.h"
#include "window/window.h"

enum trace_phase {
    TRACE_OPEN,
    TRACE_FORWARDED /* its spans go to the gathering worker */
};

/* Lies in the window beside the trace, zeroed at first. */
struct trace_state {
    struct decide_facts facts;
    uint32_t extra;  /* number + 1; 0: none */
    uint32_t tenant; /* of its first span's resource; 0: none said */
    uint8_t phase;   /* enum trace_phase */
};

/* A span that is one side of a hop. */
struct hop_side {
    struct span_id span_id;
    struct span_id parent_id; /* zero: a root */
    struct repair_key key;    /* of its coordinate; zero: none */
    uint64_t destination;     /* hash of its name */
    uint64_t start_ns;
    uint64_t end_ns;
    uint32_t batch_count;
    uint16_t settings; /* of the destination: see destinations.h */
    uint8_t role;      /* enum repair_role */
    bool consumer;
    bool has_key;
    bool has_link;  /* a consumer's, to exactly one span of another trace */
    bool has_links; /* to several */
};

struct side_item {
    struct hop_side side;
    uint32_t next;
    bool explained; /* there is evidence for it; a producer's: it has its consumer */
};

struct evidence_item {
    struct repair_join join;
    uint16_t settings;
    bool attaches; /* this one put the trace where it stands in the tree */
    bool cycle;    /* it would have closed a circle */
    bool decided;  /* the producer's trace had its verdict before */
    bool decided_keep;
    uint16_t decided_policy;
    struct trace_id target; /* the id under which the producer's trace goes, if decided */
    bool counts;            /* in the plan: it has a result, */
    bool left_out;          /* or would have been one link too many, */
    uint8_t result;         /* enum worker_repair_result */
    uint32_t next;
};

/* Of one trace: the hops of a consumer that never ends its trace are without number. */
enum { TRACES_EVIDENCE_MAX = 4096 };

/* What a trace that takes part in hops has besides. */
struct trace_extra {
    uint32_t first_side;
    uint32_t first_evidence;
    uint32_t evidence_count;
    uint64_t
        consumed; /* destinations that the trace itself consumes from: a bit of their hash */
    window_trace attached_to;  /* WINDOW_NONE: a root */
    window_trace first_member; /* traces attached to this one */
    window_trace next_member;
    bool decided; /* elsewhere: an empty stand-in */
    bool decided_keep;
    uint16_t decided_policy;
    bool pulled; /* asked its home for it */
};

struct traces {
    struct window *window;
    struct pool extras;
    struct pool sides;
    struct pool evidence;
};

void traces_init(struct traces *traces, struct window *window);
void traces_clear(struct traces *traces);

static inline struct trace_state *traces_state(const struct traces *traces, window_trace trace)
{
    return window_data(traces->window, trace);
}

/* The trace's extra, or NULL where it has none. */
static inline struct trace_extra *traces_extra(const struct traces *traces, window_trace trace)
{
    uint32_t number = traces_state(traces, trace)->extra;
    return number == 0 ? NULL : pool_at(&traces->extras, number - 1);
}

/* The same, made where there is none; NULL: memory is short. */
struct trace_extra *traces_need_extra(struct traces *traces, window_trace trace);

enum sb_err traces_add_side(struct traces *traces, window_trace trace,
                            const struct hop_side *side) SB_MUST_USE;

/* The consumer of that span of the trace is known: its sides no longer wait for one. */
void traces_explain_producer(const struct traces *traces, window_trace trace,
                             struct span_id producer);

/*
 * Does the trace of the side itself consume from where it was sent to?  Then this hop is not
 * broken.  Likely rather than certain: destinations may share a bit.
 */
bool traces_consumes(const struct trace_extra *extra, const struct hop_side *sent);

/*
 * Has that send span another one of the same destination right below it?  Some libraries make
 * both for one message, and the inner one is its sender.
 */
bool traces_sends_below(const struct traces *traces, const struct trace_extra *extra,
                        const struct hop_side *sent);

/* Equal evidence is kept once; *ret_item is NULL then.  SB_ERR_LIMIT, SB_ERR_MEMORY. */
enum sb_err traces_add_evidence(struct traces *traces, window_trace trace,
                                const struct repair_join *join, uint16_t settings,
                                struct evidence_item **ret_item) SB_MUST_USE;

static inline struct side_item *traces_side(const struct traces *traces, uint32_t number)
{
    return number == POOL_NONE ? NULL : pool_at(&traces->sides, number);
}

static inline struct evidence_item *traces_evidence(const struct traces *traces,
                                                    uint32_t number)
{
    return number == POOL_NONE ? NULL : pool_at(&traces->evidence, number);
}

/* The side of that span, or NULL. */
const struct hop_side *traces_find_side(const struct traces *traces, window_trace trace,
                                        struct span_id span);

/*
 * Takes out the sides of those spans of which `is_taken` says so, with a last look at each; the
 * spans themselves are still in the window.
 */
typedef void (*traces_side_fn)(void *arg, struct trace_id trace_id,
                               const struct hop_side *side);
void traces_take_out_sides(struct traces *traces, window_trace trace, window_span_fn is_taken,
                           traces_side_fn on_side, void *arg);

/* The root of the tree the trace stands in; itself where it stands alone. */
window_trace traces_root(const struct traces *traces, window_trace trace);

/* A walk over the tree under `root`, which comes first: the one behind `trace`, or WINDOW_NONE. */
window_trace traces_walk(const struct traces *traces, window_trace root, window_trace trace);

/* Does `trace` stand under `above`, or too deep to tell? */
bool traces_is_below(const struct traces *traces, window_trace trace, window_trace above);

/* The evidence by which the trace stands where it stands, or NULL. */
struct evidence_item *traces_attachment(const struct traces *traces, window_trace trace);

/* Puts `member` under `producer`; the caller has checked that this closes no circle. */
void traces_attach(struct traces *traces, window_trace producer, window_trace member);
void traces_detach(struct traces *traces, window_trace member);

/* Frees the extra; the trace stands alone in no tree.  The window's part is the caller's. */
void traces_free_extra(struct traces *traces, window_trace trace);

#endif
