/*
 * state: what one worker holds, and what the files of this room ask of each other.
 *
 * Private to the worker room.  The files, in the order of the flow:
 *   intake     records to spans, spans to the worker that owns their trace
 *   arrival    spans into windows, sides of hops to where their keys are owned
 *   gather     the two sides of a hop brought into one window
 *   ahead      memory that the next verdicts will look at
 *   verdict    due traces: repaired, decided, emitted or dropped
 *   plan       what is to become of the traces of one tree
 *   emit       kept spans to the batches
 *   patch      what is written behind a kept span
 *   observe    in place of emit: planned traces counted, when the service only looks
 *   letters    what can not be taken, to the dead-letter topic
 *   returns    lanes close: what has no verdict is left to the next owner
 *   loop       the thread, its phases and commands
 *   group      all workers together, as the control thread sees them
 */
#ifndef SB_WORKER_STATE_H
#define SB_WORKER_STATE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "aliases.h"
#include "core/arena.h"
#include "decide/memory.h"
#include "destinations.h"
#include "egress.h"
#include "envelopes.h"
#include "exchange.h"
#include "gather.h"
#include "learned.h"
#include "ledger/ledger.h"
#include "traces.h"
#include "worker/worker.h"

/* A record of any worker: 6 bits of worker, 26 bits of that worker's ledger_record. */
enum { RECORD_BITS = 26, WORKERS_MAX = 63 };

static inline uint32_t record_of(uint32_t worker, ledger_record record)
{
    SB_ASSERT(record >> RECORD_BITS == 0);
    return worker << RECORD_BITS | record;
}

static inline uint32_t record_worker(uint32_t record)
{
    return record >> RECORD_BITS;
}

static inline ledger_record record_number(uint32_t record)
{
    return record & ((UINT32_C(1) << RECORD_BITS) - 1);
}

/* A partition that this worker reads. */
struct lane {
    struct source *source;
    bool open;
    bool tap;
    bool coordinates; /* offsets of its records name them for ever */
    bool stalled;     /* a record of it could not be begun, so none behind it may be */
    uint32_t topic;
    int32_t partition;
    ledger_partition ledger;
    int64_t published;
    char *topic_name; /* owned */
};

struct lane_list {
    struct lane *at; /* by the lane's number */
    uint32_t count;
};

/* Records of span lanes that were polled; those from `at` on are still to be taken. */
enum { RECORDS_POLLED = 256 };

struct polled {
    struct record records[RECORDS_POLLED];
    uint32_t at;
    uint32_t count;
};

/* What the control thread asks of a worker; it waits on `done`. */
enum command_type {
    COMMAND_OPEN_LANE,
    COMMAND_FLUSH, /* what has a verdict leaves, and sinks are waited for until the deadline */
    COMMAND_PARK,  /* stand still until `unparked` is posted */
    COMMAND_CLOSE_LANES, /* for the gathering worker, while the others are parked */
    COMMAND_PUBLISH
};

struct command {
    struct mailbox_item item; /* first */
    enum command_type type;
    const struct source_lane *lanes;
    size_t lane_count;
    uint64_t deadline_ns;
    sem_t done;
};

/* A dead letter under way; owned by whoever holds it. */
struct letter {
    struct mailbox_item item; /* first */
    uint32_t worker;
    ledger_record record;
    uint32_t topic;
    uint32_t spans; /* 0: the record as a whole */
    unsigned reason;
    enum sb_err result;
};

/* One patch of a span that is kept. */
struct span_patch {
    uint32_t span;                        /* its number in the trace */
    const struct evidence_item *evidence; /* of the hop */
    bool takes_parent;                    /* the hop's producer, or its queue span */
    bool adds_link;
    bool is_consumer;   /* carries the dwell */
    bool joined;        /* the hop became an edge */
    uint64_t queued_ns; /* when the message entered the queue; 0: unknown */
};

#define PLAN_NONE UINT32_MAX

/* What is to become of one trace of a tree. */
struct plan {
    window_trace trace;
    uint32_t parent;           /* plan it stands under, or PLAN_NONE */
    uint32_t root;             /* plan whose verdict it shares; itself: it has its own */
    struct trace_id canonical; /* the id its spans leave under */
    bool merged;               /* canonical is not its own id */
    bool forced;               /* merged into a trace that was kept before: kept as well */
    uint16_t forced_policy;
    uint32_t next;  /* of the plans that share its root, or PLAN_NONE */
    uint32_t last;  /* of a root: the last of those that share it */
    uint64_t spans; /* of a root: of all that share it, for the caps */
    uint64_t bytes;
    struct decide_verdict decided; /* of a root */
    uint32_t first_patch;
    uint32_t patch_count;
    bool is_unplaced; /* its one patch lacks what the spans tell: see plan_place_patches */
};

struct plans {
    struct plan *plans;
    uint32_t count;
    uint32_t room;
    struct span_patch *patches;
    uint32_t patch_count;
    uint32_t patch_room;
    struct repair_span *spans;
    uint32_t span_room;
    uint32_t *links_added; /* to each of the spans, by the plan being made */
    uint32_t links_room;
    struct repair_evidence *evidence;
    struct evidence_item **evidence_items;
    struct repair_outcome *outcomes;
    uint32_t evidence_room;
    struct repair_scratch *scratch;
};

/* A trace whose verdict just came, for its spans. */
struct verdict {
    struct decide_verdict decided;
    const char *reason; /* complete_reason */
    bool told;          /* a span that left carries it, or left before */
};

/* Spans of one envelope on their way to one worker. */
struct outgoing {
    struct text front; /* the message's head, while it is built */
    struct text spans;
    uint32_t envelope;
    uint32_t count;
};

struct observe;
struct worker_group;

struct worker {
    uint32_t number;
    const struct worker_options *options;
    struct worker_group *group;
    const uint16_t *alias_of_key; /* key id -> alias, or OTLP_KEY_NONE */
    uint64_t now_ns;              /* monotonic, once per turn of the loop */
    char *cluster_id;             /* owned; NULL: nobody has asked yet, or it is not known */

    struct otlp_scan *scan;
    struct text json; /* a record in protobuf form */
    struct decide_worker *decide;
    struct envelopes envelopes;
    uint32_t *envelope_numbers; /* of the record being read, by its own numbering */
    uint32_t envelope_room;
    uint64_t *hashes; /* of the spans being read */
    uint32_t hash_room;
    struct outgoing *outgoing; /* spans for each other worker, being gathered */

    struct window *window;
    struct traces traces;
    struct decide_memory *verdicts;
    struct aliases aliases;
    struct repair_hops *hops;
    struct gather_lines lines;
    struct destinations destinations;
    struct plans plans;
    struct observe *observe; /* NULL: this is no mere look */
    struct text patch;       /* of the span being written */
    struct text rewritten;   /* it, where links of it change */
    struct text original_links;
    struct text queue_span;
    uint32_t queue_envelopes[2]; /* of the queue spans: of Kafka, of RabbitMQ */

    struct egress egress;
    uint32_t synthetic_out; /* tickets of spans of our own */
    struct ledger *ledger;
    struct lane_list lanes; /* of span topics */
    struct lane_list taps;  /* of message topics */
    struct polled polled;
    struct exchange exchange;
    struct mailbox commands;
    sem_t unparked;
    struct mailbox letters_done;
    struct waiting_letter *letters_waiting; /* for room at the source, oldest first */
    struct waiting_letter *last_waiting;
    struct text letter;                /* the request of one span, being built */
    _Atomic uint64_t letters_out;      /* dead letters under way */
    _Atomic uint64_t letter_spans_out; /* spans in them, and in those that failed */
    uint64_t stranded_spans;           /* held for good: see strand in letters.c */
    uint64_t publish_due_ns;

    struct worker_counters counters;
    struct worker_topic_counters *topic_counters; /* of each topic */
    pthread_mutex_t shared_lock;
    struct worker_counters shared; /* a copy of counters for other threads */
    struct worker_topic_counters *topics_shared;
    uint64_t share_due_ns;
    _Atomic uint64_t egress_out; /* tickets, as other threads see them */
    _Atomic int phase_seen;      /* enum worker_phase */
    _Atomic bool settled;        /* nothing to do in this phase but wait */
    pthread_t thread;
};

struct worker_group {
    struct worker_options options;
    struct worker *workers;
    uint32_t count;
    struct exchange_net net;
    uint16_t *alias_of_key;
    uint64_t hash_seed;
    struct learned learned; /* destinations that are consumed from */
    /* observe: wall clock; traces that began before are cut; 0: none are */
    _Atomic uint64_t observe_since_ns;
    _Atomic int phase;
    _Atomic uint64_t sources_awaited_until_ns; /* see worker_group_await_sources */
    _Atomic bool *stopped; /* for each topic: an error there is not tolerated */
    bool started;
};

static inline uint32_t worker_of_hash(const struct worker *worker, uint64_t hash)
{
    return worker->options->worker_count == 1
               ? 0
               : (uint32_t)((hash >> 8) % worker->options->worker_count);
}

/* Records of a topic that has stopped are no longer begun. */
static inline bool topic_has_stopped(const struct worker_group *group, uint32_t topic)
{
    return atomic_load_explicit(&group->stopped[topic], memory_order_relaxed);
}

/* The worker that gathers traces which hops join: see gather.c. */
enum { GATHERING_WORKER = 0 };

/* A span on arrival at the worker that owns its trace. */
struct arrival {
    struct trace_id trace_id;
    uint64_t hash;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t matches;
    struct bytes raw;
    const struct hop_side *side; /* NULL: takes no part in a hop */
    uint32_t envelope;
    uint32_t record;
    uint32_t flags;
    uint8_t status;
    bool is_root;
};

/* intake.c */
/* Contexts outside its own trace that the span links to: 0, 1 (then *ret is it), or 2 for more. */
uint16_t span_foreign_links(const struct otlp_span *span, struct repair_context *ret);
void intake_record(struct worker *worker, const struct record *record);
void intake_message(struct worker *worker, const struct record *record);

/* arrival.c; the record's count is the span's now. */
/*
 * Asks for what taking the span will look at: its trace, or else the verdicts that were
 * remembered.  The hash was prefetched before, with window_prefetch.
 */
void arrival_prefetch(const struct worker *worker, struct trace_id id, uint64_t hash);
void arrival_take(struct worker *worker, const struct arrival *arrival);
void arrival_receive(struct worker *worker, struct bytes message);
void arrival_receive_boxed(struct worker *worker, struct bytes body);
void arrival_discard_boxed(struct bytes body); /* at the end of all */
/* Sends a span on; it is no longer this worker's. */
void arrival_send(struct worker *worker, uint32_t to, const struct arrival *arrival);
/* The other worker gets all spans of the trace; they are gone here. */
void arrival_send_trace(struct worker *worker, uint32_t to, window_trace trace);
/* Spans gathered for other workers leave now. */
void arrival_flush(struct worker *worker);

/* gather.c; where there is an `arg` here and below, it is the worker */
/* `link`: where the side has one. */
void gather_add_side(struct worker *worker, struct trace_id trace_id,
                     const struct hop_side *side, const struct repair_context *link);
void gather_add_message(struct worker *worker, struct repair_key key,
                        const struct repair_message_side *side);
/* The worker where the sides of that key meet. */
uint32_t gather_owner_of_key(const struct worker *worker, struct repair_key key);
/* Its span goes; for returns.c, as it reaches into other workers. */
void gather_withdraw_side(struct worker *worker, struct trace_id trace_id,
                          const struct hop_side *side);
void gather_on_join(void *arg, const struct repair_join *join);
void gather_receive(struct worker *worker, enum message_type type, struct bytes body);
/* Handles what stands in line; true when there was any of it: it may have sent more messages. */
bool gather_flush(struct worker *worker);

/* verdict.c */
void verdict_close(struct worker *worker, window_trace trace, const char *reason);
/* Decides due traces, at most `budget`; false: sinks have no room. */
bool verdict_run(struct worker *worker, uint32_t budget);
void verdict_close_all(struct worker *worker);
/* The mark left for a trace whose spans the gathering worker takes: never a real verdict. */
static inline bool verdict_is_forward(struct decide_verdict verdict)
{
    return verdict.keep && verdict.policy == DECIDE_NO_POLICY;
}
/* Do spans with that verdict leave? */
static inline bool verdict_leaves(const struct worker *worker, struct decide_verdict verdict)
{
    return worker->observe == NULL && (verdict.keep || worker->options->dry_run);
}
/* Makes room in the window for one more span: by a verdict, or by waiting for memory. */
void verdict_make_room(struct worker *worker);

/* plan.c: fills worker->plans for the tree under `root`.  SB_ERR_MEMORY. */
enum sb_err plan_tree(struct worker *worker, window_trace root) SB_MUST_USE;
/* Do the spans of that plan leave?  Once the roots are decided. */
bool plan_leaves(const struct worker *worker, const struct plan *plan);
/* Finds the spans that patches are for, and their times, of what leaves.  SB_ERR_MEMORY. */
enum sb_err plan_place_patches(struct worker *worker) SB_MUST_USE;
/* Once it is certain that the plan is carried out. */
void plan_count_repairs(struct worker *worker);
/* Fills worker->plans.spans for one trace.  SB_ERR_MEMORY. */
enum sb_err plan_list_spans(struct worker *worker, window_trace trace,
                            uint32_t *ret_count) SB_MUST_USE;
void plans_clear(struct plans *plans);

/* emit.c */
/* All spans of the trace go to the batches; their counts and references go with them. */
void emit_plan(struct worker *worker, const struct plan *plan, struct verdict *verdict);
void emit_late(struct worker *worker, const struct arrival *arrival,
               const struct verdict *verdict);

/* letters.c */
void letters_send_record(struct worker *worker, const struct record *record,
                         ledger_record number, unsigned reason);
void letters_send_span(struct worker *worker, const struct record *record, ledger_record number,
                       const struct otlp_envelope *envelope, const struct otlp_span *span);
/* A sink refused it; takes place at the worker that read the record. */
void letters_send_refused(struct worker *worker, uint32_t record, unsigned reason,
                          const struct otlp_envelope *envelope, struct bytes body);
void letters_receive_refused(struct worker *worker, struct bytes body);
void letters_discard_refused(struct bytes body); /* at the end of all */
/* Takes in letters that have arrived, and sends those that found no room before. */
void letters_collect(struct worker *worker);
void letters_clear(struct worker *worker);

/* returns.c, which acts for all workers while these stand still */
void returns_close_lanes(struct worker_group *group, const struct source_lane *lanes,
                         size_t count);

/* release.c: counts of any worker's record. */
void worker_release(struct worker *worker, uint32_t record, uint32_t counts);

/* Sinks' answers, in loop.c. */
/* Returns when a sink has answered, or after a moment. */
void worker_wait_for_sinks(struct worker *worker);
void worker_span_finished(void *arg, const struct ticket *ticket,
                          const struct sink_batch *batch, const struct sink_span *span);

/* counters.c */
void worker_share_counters(struct worker *worker);

/* Also for returns.c: all that others sent, and all that sinks and dead-letter topics answered. */
void worker_take_in(struct worker *worker);
/* Those of the lanes that are this worker's; true: records of them are left to the broker. */
bool worker_close_lanes(struct worker *worker, const struct source_lane *lanes, size_t count);

/* One turn of the loop; false: the thread has to end. */
bool worker_turn(struct worker *worker);
void *worker_run(void *arg);

#endif
