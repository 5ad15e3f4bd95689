/*
 * worker: one thread that owns a share of the partitions and a share of the traces.
 *
 * It joins the stages: records of its lanes are scanned, their spans go to the window of the
 * worker that owns their trace, due traces are repaired, decided and emitted, and what is
 * finished is released to the ledger of the worker that read it.  Workers are all alike and
 * share nothing but rings; see docs/architecture.md.
 */
#ifndef SB_WORKER_WORKER_H
#define SB_WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "decide/decide.h"
#include "otlp/keys.h"
#include "otlp/scan.h"
#include "repair/resolve.h"
#include "sink/sink.h"
#include "source/sources.h"
#include "worker/counters.h"

/* May a trace merge into one that never came?  IF_ALONE: as long as we read all of the spans. */
enum worker_unseen { WORKER_UNSEEN_LINK, WORKER_UNSEEN_MERGE, WORKER_UNSEEN_MERGE_IF_ALONE };

/* How hops of one destination are repaired. */
struct worker_repair {
    enum repair_mode mode;
    bool queue_span;
    bool adopt_root;
    enum worker_unseen unseen;
    uint32_t links_max; /* that one span may be given */
};

enum worker_role { WORKER_SPANS, WORKER_MESSAGES };

struct worker_topic {
    const char *name;    /* of the topic file */
    const char *pattern; /* topic, or regular expression with ^ */
    enum worker_role role;
    bool rabbitmq; /* else Kafka */
    bool json;     /* encoding otlp_json */
    bool dead_letters;
    bool context_headers; /* on dead letters */
    bool tolerant;        /* errors.tolerance = "all" */
    struct worker_repair repair;
};

struct worker_batching {
    uint32_t spans_max;
    size_t bytes_max;
    uint64_t linger_ns;
};

/* Everything is borrowed and outlives the workers. */
struct worker_options {
    uint32_t worker_count;
    const struct clock_source *clock;
    struct log *log;
    struct sources *sources; /* set by worker_group_attach */
    const struct worker_topic *topics;
    uint32_t topic_count;
    struct worker_repair default_repair;
    uint64_t repair_ttl_ns;
    struct otlp_limits limits;
    uint32_t headers_max;      /* of one message; further ones are not looked at */
    uint32_t header_bytes_max; /* names and values of one message together */
    uint16_t tenant_key;       /* resource attribute that separates tenants, or OTLP_KEY_NONE */
    const struct otlp_keys *keys;
    const struct decide *decide;
    struct sink *const *sinks;
    const struct worker_batching *batching; /* one for each sink */
    uint32_t sink_count;
    uint64_t wait_ns;
    uint64_t after_root_ns; /* 0: off */
    uint64_t idle_ns;       /* 0: off */
    uint64_t hold_ns;
    uint32_t spans_per_trace_max;
    uint32_t bytes_per_trace_max;
    size_t window_bytes_max;  /* of each worker */
    size_t verdict_bytes_max; /* of each worker */
    size_t hop_bytes_max;     /* of each worker */
    bool taps_first;          /* begin with WORKER_TAPS */
    bool record_policy_all;
    bool dry_run;
    bool observe; /* look only: plans are counted, nothing is emitted, no letter is sent */
    bool observe_from_now; /* traces that began before a lane was opened are not judged */
    uint64_t hash_seed;    /* 0: one that nobody can guess; tests choose theirs */
};

/* What all workers are doing; moved by the control thread, in this order. */
enum worker_phase {
    WORKER_TAPS,   /* read message topics, and leave spans where they are */
    WORKER_RUN,    /* read and decide by deadlines */
    WORKER_SETTLE, /* read no more, decide no more; hand over, flush and wait */
    WORKER_DECIDE, /* the same, but give every trace that is left its verdict */
    WORKER_STOP    /* end the threads */
};

struct worker_group;

/* SB_ERR_MEMORY.  The threads start with worker_group_start. */
enum sb_err worker_group_new(const struct worker_options *options,
                             struct worker_group **ret) SB_MUST_USE;
/* Ends the threads if they run; counters can still be read. */
void worker_group_stop(struct worker_group *group);
void worker_group_free(struct worker_group *group);

void worker_group_attach(struct worker_group *group, struct sources *sources);
enum sb_err worker_group_start(struct worker_group *group) SB_MUST_USE;

void worker_group_set_phase(struct worker_group *group, enum worker_phase phase);

/*
 * Any thread: until that moment of the monotonic clock no trace is decided for its age unless it
 * is older than `hold`, since a source that has not begun yet may have more of it.
 */
void worker_group_await_sources(struct worker_group *group, uint64_t until_ns);

/* Control thread: returns when the worker knows the lane. */
void worker_group_open_lane(struct worker_group *group, const struct source_lane *lane);

/*
 * Control thread: the workers flush what has a verdict, publish the watermarks and forget
 * the lanes; waits until done, or until `budget_ns` has passed.
 */
void worker_group_close_lanes(struct worker_group *group, const struct source_lane *lanes,
                              size_t count, uint64_t budget_ns);

/* Control thread: a dead letter came to its end. */
void worker_group_dead_letter_done(struct worker_group *group, void *ticket,
                                   enum sb_err result);

/* Sink threads: a batch is back.  `arg` is the group. */
void worker_group_batch_done(void *arg, struct sink_batch *batch);

/*
 * Control thread.  Quiet: no message under way between workers, and all have seen the
 * phase.  Idle: quiet, and nothing decided waits for a sink or a dead-letter topic.
 */
bool worker_group_is_quiet(struct worker_group *group);
bool worker_group_is_idle(struct worker_group *group);

/* Control thread: every watermark goes to the source. */
void worker_group_publish(struct worker_group *group);

/* Any thread, a moment's view; exact once the group is quiet.  ret.x arrays are summed. */
void worker_group_read_counters(struct worker_group *group, struct worker_counters *ret);

/*
 * The same with its sums; `ret_topics` takes one element for each of the options' topics, seen at
 * the same moment, or is NULL.
 */
void worker_group_take_account(struct worker_group *group, struct worker_account *ret,
                               struct worker_topic_counters *ret_topics);

/* The first topic whose records are no longer read since an error is not tolerated, or NULL. */
const char *worker_group_failed_topic(struct worker_group *group);
/* Any thread: is it the topic of that index? */
bool worker_group_topic_has_failed(struct worker_group *group, uint32_t topic);

#endif
