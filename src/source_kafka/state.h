/*
 * state: what the modules of the Kafka source share.
 *
 * A reader is one consumer handle; a topic is a real one of a reader; a lane is a partition
 * that was assigned at some time.  Topics and lanes are made by the control thread and live
 * as long as the source, so a worker may look at them at any time; what changes in them after
 * that is atomic, or belongs to the control thread.
 */
#ifndef SB_SOURCE_KAFKA_STATE_H
#define SB_SOURCE_KAFKA_STATE_H

#include <librdkafka/rdkafka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/assert.h"
#include "core/mailbox.h"
#include "kafka_ops.h"
#include "slots.h"

enum { BATCH_MAX = 256, OFFSET_UNKNOWN = -1, READER_COUNT = 2 };

/*
 * CLOSED: not ours, or not yet.  OPEN: records pass.  REWOUND: the broker went back behind what
 * was polled; the control thread opens the lane anew.  CLOSING: records do not pass any more,
 * watermarks still do.
 */
enum lane_state { LANE_CLOSED, LANE_OPEN, LANE_REWOUND, LANE_CLOSING };

struct lane {
    struct topic *topic;
    int32_t partition;
    uint32_t worker; /* chosen once: a partition that comes back goes to the same one */
    uint32_t number;
    bool opened_before;
    bool peeking;            /* its first record is looked at before the worker gets it */
    rd_kafka_queue_t *queue; /* the partition's own, while it is assigned */
    int64_t committed;       /* acknowledged in this assignment */
    _Atomic int state;
    _Atomic int64_t end_offset;   /* where the partition ended when it was first assigned */
    _Atomic int64_t first_offset; /* the first polled in this assignment */
    _Atomic int64_t next_offset;  /* one behind the last polled */
    _Atomic int64_t published;
    _Atomic bool drained; /* polled to an end-of-partition event */
    _Atomic bool at_end;
    _Atomic uint64_t newest_ns; /* taps: the greatest time of a record, never beyond now */
    /* Taps, control thread. */
    bool found_late;      /* not there when the taps started: read from its beginning */
    int64_t start_offset; /* where the time to start from is; OFFSET_UNKNOWN: to be asked */
    int64_t started_at;
    /* Spans, control thread, while peeking. */
    int64_t peeked_offset; /* of the record that was looked at; OFFSET_UNKNOWN: none yet */
    uint64_t peek_until_ns;
};

enum offsets_question { OFFSETS_NO_QUESTION, OFFSETS_ENDS, OFFSETS_TIMES };

struct topic {
    struct reader *reader;
    uint32_t index; /* of the options' topics */
    char *name;
    rd_kafka_topic_t *handle; /* its opaque is this struct */
    struct slots lanes;       /* by partition */
    int32_t partitions;       /* at the last look; 0: there was none */
    bool present;             /* found by its pattern at the last look, or named */
    bool missing;             /* named, and not there at the last look */
    bool subscribed;
    _Atomic bool troubled; /* the next good record takes the trouble back */
};

struct reader {
    struct source_kafka *source;
    enum source_role role;
    rd_kafka_t *rk;                 /* NULL: no topic has this role */
    rd_kafka_queue_t *events;       /* rebalances, errors, what no lane takes */
    rd_kafka_queue_t *answers;      /* of commits and of questions for offsets */
    enum offsets_question question; /* the one that is under way */
    uint64_t ask_again_at_ns;
    struct topic **topics;
    uint32_t topic_count;
    uint32_t topic_room;
    struct lane **lanes;
    uint32_t lane_count;
    uint32_t lane_room;
    uint32_t next_worker; /* round robin */
};

/*
 * What one worker polls.  A queue is made with the first lane that sends into it, so that a
 * handle that never got one can be replaced; from then on it stays.
 */
struct worker {
    _Atomic uint64_t turns; /* odd while records are being taken out of a queue */
    _Atomic bool woken;
    _Atomic bool idling;                            /* waits on the fd, not on a queue */
    rd_kafka_queue_t *_Atomic queues[READER_COUNT]; /* by role; NULL: no lane yet */
    int idle_fd;                                    /* to wait on where there is no queue */
    struct slots lanes;                             /* by number */
    uint8_t apart[64]; /* two workers never share a cache line here */
};

/* What other threads tell the control thread. */
enum note_kind { NOTE_TROUBLE, NOTE_RECOVERED, NOTE_REWOUND, NOTE_GAP, NOTE_SCOUT };
enum { NOTE_TEXT_LEN = 512 };

struct note {
    struct mailbox_item item; /* first: notes are taken out by a cast */
    enum note_kind kind;
    struct lane *lane;
    int64_t offset;
    rd_kafka_resp_err_t err;
    struct scout_report *report;
    char text[NOTE_TEXT_LEN];
};

/* How it stands with this process's name in the group: see claim.h. */
enum claim_state { CLAIM_FREE, CLAIM_REFUSED, CLAIM_ASKING, CLAIM_WAITING, CLAIM_TRYING };

struct claim {
    enum claim_state state;
    bool member;            /* the group has let us in once: from then on nobody waits */
    bool refused_before;    /* and until_ns is known */
    uint64_t refused_at_ns; /* the first time */
    uint64_t ask_until_ns;  /* ASKING: then the session's length is guessed */
    uint64_t again_at_ns;   /* WAITING, TRYING: when the try is, or was, due */
    uint64_t until_ns;      /* of the last try */
};

struct matchers;
struct scout;
struct tap;
struct troubles;
struct commits;

struct source_kafka {
    struct source base; /* first */
    struct source_kafka_options options;
    struct reader readers[READER_COUNT]; /* by role */
    struct worker *workers;
    rd_kafka_t *producer; /* NULL: no dead letters */
    rd_kafka_queue_t *producer_events;
    int event_fd;
    pthread_mutex_t
        handles;        /* held while a reader's handle is replaced, or asked by a worker */
    struct claim claim; /* control */
    struct mailbox notes;
    struct matchers *matchers;
    struct scout *scout;
    struct tap *tap;
    struct troubles *troubles;
    struct commits *commits;
    struct source_lane *closing; /* room for all lanes of the group's reader */
    uint32_t closing_room;
    bool started;
    bool assigned;   /* the group has given us its first assignment, be it empty */
    bool left;       /* the group's last event has been answered */
    bool leaving;    /* the callee of the events is gone: no more of them */
    bool committing; /* commits are allowed */
    _Atomic bool intake_stopped;
    _Atomic int share; /* enum source_share */
    _Atomic bool spans_drained;
    _Atomic bool taps_drained;
    _Atomic uint64_t *tap_times_ns; /* by index of the options' topics */
};

static inline bool reader_is_tap(const struct reader *reader)
{
    return reader->role == SOURCE_MESSAGES;
}

static inline struct reader *source_reader(struct source_kafka *source, enum source_role role)
{
    return &source->readers[role];
}

static inline uint64_t source_now_ns(const struct source_kafka *source)
{
    return clock_monotonic_ns(source->options.clock);
}

/* Any thread: an empty note, or NULL; and its way to the control thread, which frees it. */
struct note *source_note_new(enum note_kind kind, struct lane *lane);
void source_note_post(struct source_kafka *source, struct note *note);
void source_note_drop(struct note *note);

#endif
