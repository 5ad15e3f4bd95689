/*
 * window: holds the encoded spans of traces that have no verdict yet.
 *
 * Span bytes are copied once, into chunks of a log that all traces share, so a trace that
 * grows slowly wastes nothing; a chunk is reused when its last span has gone.  A trace is a
 * list of small slots.  All traces wait equally long, so the order of deadlines is the order
 * of arrival: a FIFO, no timers.
 *
 * The window knows ids, bytes and times.  What its user keeps with a trace (verdict features,
 * repair evidence) is an opaque piece of `data_size` bytes beside it.
 *
 * One worker, one thread; nothing here allocates once warm.  Bounded by bytes_max: then
 * window_append says SB_ERR_FULL, and the caller decides a trace (product.md, blocked intake).
 */
#ifndef SB_WINDOW_WINDOW_H
#define SB_WINDOW_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "core/ids.h"

#define WINDOW_NONE UINT32_MAX

struct window;

/* A trace's number; good until window_close. */
typedef uint32_t window_trace;

struct window_options {
    size_t bytes_max;       /* of span bytes and the window's own books together */
    size_t data_size;       /* the user's data beside each trace, zeroed at first */
    uint64_t wait_ns;       /* from the first span to the deadline */
    uint64_t after_root_ns; /* from its root to the deadline, if that is sooner; 0: off */
    uint64_t idle_ns;       /* from its last span, if that is sooner; 0: off */
    uint64_t hold_retry_ns; /* how long window_hold postpones */
    uint64_t hash_seed;
    uint32_t spans_per_trace_max; /* window_is_over_caps tells */
    uint32_t bytes_per_trace_max;
};

/* One span of a trace; `envelope` and `record` are the user's references, kept as they came. */
struct window_span {
    struct bytes raw; /* borrowed from the window until the trace is closed or refreshed */
    uint32_t envelope;
    uint32_t record;
};

enum sb_err window_new(const struct window_options *options, struct window **ret) SB_MUST_USE;
void window_free(struct window *window);

/* Lookups in two steps, so that many can be prefetched before the first is used. */
uint64_t window_hash(const struct window *window, struct trace_id id);
void window_prefetch(const struct window *window, uint64_t hash);
/* False: the trace is certainly not there. */
bool window_prefetch_trace(const struct window *window, uint64_t hash);

/* The open trace with that id, or WINDOW_NONE. */
window_trace window_find(const struct window *window, struct trace_id id, uint64_t hash);

/* Opens a trace that is not there; its deadline is now + wait.  SB_ERR_FULL, SB_ERR_MEMORY. */
enum sb_err window_open(struct window *window, struct trace_id id, uint64_t hash,
                        uint64_t now_ns, window_trace *ret) SB_MUST_USE;

/* Copies the span in.  SB_ERR_FULL: the byte budget is used up; SB_ERR_MEMORY. */
enum sb_err window_append(struct window *window, window_trace number,
                          const struct window_span *span) SB_MUST_USE;

/*
 * Switches the budget off and on again: for what is under way when it is used up, and can not
 * be sent back.
 */
void window_overdraw(struct window *window, bool overdraws);

/* Has the trace reached the per-trace caps? */
bool window_is_over_caps(const struct window *window, window_trace number);

/* The oldest trace whose deadline has passed, or WINDOW_NONE.  It stays where it is. */
window_trace window_due(struct window *window, uint64_t now_ns);

/* The trace that has waited longest, or WINDOW_NONE. */
window_trace window_oldest(const struct window *window);

/* Gives the trace a new deadline, now + hold_retry. */
void window_hold(struct window *window, window_trace number, uint64_t now_ns);

/* Its root has come: due after_root from now, if that is sooner.  Not for held ones. */
void window_root_seen(struct window *window, window_trace number, uint64_t now_ns);

/* A span of it has come: with idle_ns, it is not due before it has been idle for so long. */
void window_touch(struct window *window, window_trace number, uint64_t now_ns);

/* Which deadline of a due trace has passed. */
enum window_deadline { WINDOW_WAIT, WINDOW_AFTER_ROOT, WINDOW_IDLE };
enum window_deadline window_deadline(const struct window *window, window_trace number,
                                     uint64_t now_ns);

/* Takes the trace off all deadlines: somebody else's verdict will close it. */
void window_suspend(struct window *window, window_trace number);

struct trace_id window_trace_id(const struct window *window, window_trace number);
uint64_t window_first_seen_ns(const struct window *window, window_trace number);
uint32_t window_span_count(const struct window *window, window_trace number);
void *window_data(const struct window *window, window_trace number);

/* Walks a trace's spans in the order of their arrival. */
struct window_walk {
    uint32_t block;
    uint32_t slot;
};
struct window_walk window_walk_start(const struct window *window, window_trace number);
bool window_walk_next(const struct window *window, window_trace number,
                      struct window_walk *walk, struct window_span *ret);

/* Takes the spans out of which `is_taken` says so, which sees each once; returns how many. */
typedef bool (*window_span_fn)(void *arg, const struct window_span *span);
uint32_t window_take_out(struct window *window, window_trace number, window_span_fn is_taken,
                         void *arg);

/* Forgets the spans, not the trace. */
void window_drop_spans(struct window *window, window_trace number);

/* Forgets the trace and its spans. */
void window_close(struct window *window, window_trace number);

/* Any trace at all, those with a deadline first; WINDOW_NONE: the window is empty. */
window_trace window_any(const struct window *window);

/*
 * A walk over all traces, from window_any on: the one behind `number`, or WINDOW_NONE.  Only the
 * trace that was reached last may be closed meanwhile, after the next one was asked for.
 */
window_trace window_next(const struct window *window, window_trace number);

/* The trace behind this one in the same queue, so likely the next to be due; or WINDOW_NONE. */
window_trace window_newer(const struct window *window, window_trace number);

/* Prefetches the trace and its data; then, once these are there, what closing it looks at. */
void window_prefetch_at(const struct window *window, window_trace number);
void window_prefetch_content(const struct window *window, window_trace number);

struct window_totals {
    uint64_t traces;
    uint64_t spans;
    uint64_t span_bytes; /* encoded */
    size_t bytes;        /* all memory held, chunks and books */
};
struct window_totals window_totals(const struct window *window);

/* Is the byte budget used up but for `reserve`?  Never while no span is held. */
bool window_is_full(const struct window *window, size_t reserve);

#endif
