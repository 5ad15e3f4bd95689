/*
 * egress: decided spans on their way out, until every sink has answered for them.
 *
 * Each span has one ticket, however many sinks it goes to: it is finished when the last of
 * them has answered, and belongs to the worst class that any of them gave it.
 */
#ifndef SB_WORKER_EGRESS_H
#define SB_WORKER_EGRESS_H

#include "core/mailbox.h"
#include "core/pool.h"
#include "envelopes.h"
#include "sink/sink.h"
#include "worker/worker.h"

struct ticket {
    uint32_t record; /* see worker_record in state.h; RECORD_NONE: a span of our own */
    uint8_t pending; /* sinks that have not answered */
    uint8_t outcome; /* enum sink_outcome, the worst so far */
};

#define RECORD_NONE UINT32_MAX

/* A span that is finished, at the last answer. */
typedef void (*egress_fn)(void *arg, const struct ticket *ticket,
                          const struct sink_batch *batch, const struct sink_span *span);

struct egress {
    const struct worker_options *options;
    struct envelopes *envelopes;
    struct pool tickets;
    struct sink_batch **open;        /* one for each sink, or NULL */
    struct sink_batch *free_batches; /* linked by item.next */
    struct mailbox returned;         /* batches that sinks gave back */
    uint32_t batches_out;            /* with sinks now */
    size_t last_len;                 /* bytes of the last batch that was submitted */
    void *owner;                     /* written into each batch */
};

enum sb_err egress_init(struct egress *egress, const struct worker_options *options,
                        struct envelopes *envelopes, void *owner) SB_MUST_USE;
void egress_clear(struct egress *egress);

/*
 * Adds one span to the open batch of every sink.  The body is `raw` with `patch` behind.
 * SB_ERR_MEMORY: nothing was added.
 */
struct egress_span {
    struct bytes raw;
    struct bytes patch;
    struct trace_id trace; /* that it leaves under: its patch may hold another than `raw` */
    uint32_t envelope;     /* number; a reference is taken for each sink */
    uint32_t record;
};
enum sb_err egress_add(struct egress *egress, const struct egress_span *span,
                       uint64_t now_ns) SB_MUST_USE;

/* Every sink has room for more. */
bool egress_has_room(const struct egress *egress);

/* Submits batches that are due by their linger; all of them with `now_ns` UINT64_MAX. */
void egress_flush(struct egress *egress, uint64_t now_ns);

/* Takes answers in; true when there were any. */
bool egress_collect(struct egress *egress, egress_fn on_finished, void *arg);

/* Spans that have a ticket. */
static inline uint32_t egress_held(const struct egress *egress)
{
    return egress->tickets.used;
}

#endif
