/*
 * source: a connection to one broker, out of which records come, and which is told what is
 * finished.
 *
 * What all kinds have in common: topics, lanes, events of the control thread, and the calls that
 * a kind implements.  A lane is a partition of Kafka, or a consumer's channel of RabbitMQ: its
 * records come in order, to one worker, and its low watermark says which of them are finished.
 *
 * Threads: source_ops says for each call who makes it.
 * Source: delivery.md (Ledger, Life cycle), product.md (Threads).
 */
#ifndef SB_SOURCE_SOURCE_H
#define SB_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "source/record.h"

/* NONE: of a broker that is not asked: no source takes the topic. */
enum source_kind { SOURCE_KAFKA, SOURCE_RABBITMQ, SOURCE_NONE };
enum source_role { SOURCE_SPANS, SOURCE_MESSAGES };
enum source_start { SOURCE_START_DEFAULT, SOURCE_START_EARLIEST, SOURCE_START_LATEST };

/* What part of the span records of its topics comes to this process; PART: others have the rest. */
enum source_share { SOURCE_SHARE_UNKNOWN, SOURCE_SHARE_PART, SOURCE_SHARE_ALL };

enum { SOURCE_WORKERS_MAX = 64 };

/* One topic file.  Every source is given all of them and takes what is of its kind. */
struct source_topic {
    enum source_kind kind;
    enum source_role role;
    const char *pattern; /* a name, or of Kafka a regular expression that starts with ^ */
    const char *const *exclude; /* patterns */
    uint32_t exclude_count;
    enum source_start start; /* where a partition without a committed offset begins */
    /* Where its dead letters go: a topic of Kafka, or an exchange and a key; all NULL: nowhere. */
    const char *dead_letter_topic;
    const char *dead_letter_exchange;
    const char *dead_letter_key;
};

/* One lane given to a worker. */
struct source_lane {
    struct source *source; /* that it belongs to: told of its watermark */
    uint32_t topic;        /* index into the options' topics */
    const char
        *topic_name; /* the real one, where the topic is a pattern; lives with the source */
    int32_t partition;
    uint32_t worker;
    uint32_t lane; /* its number at that worker: small, dense, kept when it is opened again */
    bool tap;
    bool coordinates; /* the offsets of its records name them for ever: see repair.md */
    bool gone;        /* on_close: what was read of it is not at the broker any more */
};

/*
 * How many lanes each worker has been given, by all sources together: a lane that is new takes
 * the next number.  Control thread.
 */
struct source_numbers {
    uint32_t lanes[SOURCE_WORKERS_MAX];
};

/*
 * Events of the control thread.  on_open: before the first record of a lane can come.
 * on_close: lanes are taken away; polls that begin from now on bring nothing of them.  The
 * callee waits until its workers have left the poll they are in, flushes and publishes the last
 * watermarks, then returns; with `lost` nothing is committed or acked any more.  What is not
 * finished of the lanes comes again, here or elsewhere, unless it is gone.
 * A lane whose partition went back (the topic was made anew: it is gone), or whose channel ended,
 * is closed as lost and opened again.
 */
struct source_events {
    void (*on_open)(void *arg, const struct source_lane *lane);
    void (*on_close)(void *arg, const struct source_lane *lanes, size_t count, bool lost);
    /*
     * A dead letter was acknowledged (SB_OK), or finally refused (SB_ERR_UNAVAILABLE,
     * SB_ERR_LIMIT).  Comes for every letter that was taken, when the source is freed at the
     * latest.
     */
    void (*on_dead_letter)(void *arg, void *ticket, enum sb_err result);
    /*
     * A topic, the group or the broker fails for now (text for people); cleared with text NULL.
     * It is not logged by the source.  `what` is the name of a topic or queue, "group", "kafka"
     * or "rabbitmq".
     */
    void (*on_trouble)(void *arg, const char *what, const char *text, bool fatal);
    /* Another process runs under the identity of this one, which has to end; text for people. */
    void (*on_fenced)(void *arg, const char *text);
    /* Records were gone before they were read: by retention, or with their topic. */
    void (*on_gap)(void *arg, const char *text);
    void *arg;
};

/* How many records of a lane that is read here are not finished yet (taps: not read). */
struct source_lag {
    const char *topic; /* the real one; lives with the source */
    int32_t partition;
    uint64_t records; /* as of the last look */
};

struct source_dead_letter {
    uint32_t topic; /* of the record: its dead_letter_* say where the letter goes */
    struct bytes key;
    struct bytes value;
    const struct record_header *headers;
    uint32_t header_count;
    void *ticket;
};

/* What a kind of source implements; any call may be made before `start`, but brings nothing. */
struct source_ops {
    /* Control thread: joins, connects.  SB_ERR_CONFIG, SB_ERR_INTERNAL. */
    enum sb_err (*start)(struct source *source);
    /* Control thread: an fd that becomes readable when `service` has work. */
    int (*event_fd)(const struct source *source);
    /* Control thread: events, commits that are due.  Called at least every 100 ms. */
    void (*service)(struct source *source);

    /*
     * Worker: up to `max` records of its span lanes; waits `wait_ms` at most for the first.
     * Never fails: trouble goes to on_trouble.  With `max` 0, or after stop_intake, it only waits,
     * and can be woken.
     */
    size_t (*poll)(struct source *source, uint32_t worker, uint32_t wait_ms, struct record *ret,
                   size_t max);
    /* Worker: the same for its tap lanes, without waiting; these are finished once released. */
    size_t (*poll_taps)(struct source *source, uint32_t worker, struct record *ret, size_t max);
    /* Any thread: makes that worker's poll return soon, be it called only after this. */
    void (*wake)(struct source *source, uint32_t worker);
    /* Worker: gives the memory behind a record back. */
    void (*release)(struct record *record);
    /* Worker: the record's headers, in order; at most `max`.  Returns how many there are in all. */
    size_t (*headers)(const struct record *record, struct record_header *ret, size_t max);
    /*
     * Worker: its lane's watermark, to be committed or acked when due: every record of the lane
     * with a lower offset is finished.  Lower ones than before are passed over, and those of
     * lanes that are closed.
     */
    void (*publish)(struct source *source, uint32_t worker, uint32_t lane, int64_t offset);

    /* Any thread: is that topic read here?  Do its dead letters go out here? */
    bool (*reads)(const struct source *source, uint32_t topic);
    bool (*takes_letters)(const struct source *source, uint32_t topic);
    /* Any thread: the options' topic of that role which the name belongs to; false: none. */
    bool (*find_topic)(const struct source *source, enum source_role role, const char *name,
                       uint32_t *ret_index);
    /*
     * Any thread: queues a dead letter; the bytes are copied; on_dead_letter tells the end.
     * SB_ERR_FULL: try later.  SB_ERR_LIMIT, SB_ERR_UNAVAILABLE: it was not taken and never will
     * be (too large; no such topic), and on_dead_letter does not come.
     */
    enum sb_err (*dead_letter)(struct source *source, const struct source_dead_letter *letter);

    /*
     * Any thread.  Drain: true when each lane of the spans (of the taps) has been polled to where
     * it ended when the source started.
     */
    bool (*spans_drained)(const struct source *source);
    bool (*taps_drained)(const struct source *source);
    /*
     * Any thread: everything of that message topic written before this time (ns since 1970) has
     * been polled; UINT64_MAX with no such partitions.  See "The tap's clock" in repair.md.
     */
    uint64_t (*tap_time_ns)(const struct source *source, uint32_t topic);
    /*
     * Any thread: the id that the cluster gives itself, or NULL while it is not known.  Never
     * waits; the caller frees it with memory_free.
     */
    char *(*cluster_id)(struct source *source);
    /*
     * Control thread: the lags that are known, `max` of them at most; returns how many there are.
     * Never waits.  Lanes of which nothing is known yet are left out.
     */
    size_t (*lags)(const struct source *source, struct source_lag *ret, size_t max);
    /*
     * Any thread: how many records of that topic were given up unread, as their broker could not
     * deliver them in a form that can be taken.  NULL: there is no such thing.
     */
    uint64_t (*unreadable)(const struct source *source, uint32_t topic);
    /* Control thread: has it been given its share, be it empty? */
    bool (*is_assigned)(const struct source *source);
    /* Any thread: UNKNOWN while it is being settled. */
    enum source_share (*share)(const struct source *source);

    /* Control thread: stops intake for good; lanes stay open so that watermarks still count. */
    void (*stop_intake)(struct source *source);
    /*
     * Control thread: commits or acks what is published, leaves, frees all.  `commit`: false
     * after a fatal error.  No worker may poll any more, and all records must have been released;
     * lanes end without on_close.  Waits for brokers that do not answer, half a minute at most.
     */
    void (*free)(struct source *source, bool commit);
};

struct sources;

/* The head of every source; a kind embeds it first. */
struct source {
    const struct source_ops *ops;
    struct sources *sources; /* that it is one of, NULL before: whom to wake, see sources.h */
};

/* Of two things together: a part of one is a part of both. */
static inline enum source_share source_share_both(enum source_share a, enum source_share b)
{
    if (a == SOURCE_SHARE_PART || b == SOURCE_SHARE_PART)
        return SOURCE_SHARE_PART;
    return a == SOURCE_SHARE_UNKNOWN ? a : b;
}

static inline void source_record_release(struct record *record)
{
    record->source->ops->release(record);
}

static inline size_t source_record_headers(const struct record *record,
                                           struct record_header *ret, size_t max)
{
    return record->source->ops->headers(record, ret, max);
}

#endif
