/*
 * kafka: records out of Kafka, watermarks and dead letters back into it.
 *
 * Three handles of librdkafka: a group consumer for span topics, a manually assigned
 * consumer for message topics (taps: read, never committed), and a producer for dead
 * letters.  Each assigned partition becomes a lane of one worker: its queue is forwarded to
 * that worker's queue before the partition is assigned.
 *
 * Threads: source_kafka_service in the control thread alone; source_kafka_poll and
 * source_kafka_poll_taps by each worker for itself; the rest says who may call.
 * Source: delivery.md (Ledger, Life cycle), product.md (Threads), librdkafka 2.15.
 */
#ifndef SB_SOURCE_KAFKA_H
#define SB_SOURCE_KAFKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "source/record.h"

enum source_role { SOURCE_SPANS, SOURCE_MESSAGES };
enum source_start { SOURCE_START_DEFAULT, SOURCE_START_EARLIEST, SOURCE_START_LATEST };

struct source_property {
    const char *name;
    const char *value;
};

struct source_topic {
    const char *pattern;        /* a name, or a regular expression that starts with ^ */
    const char *const *exclude; /* patterns */
    uint32_t exclude_count;
    enum source_role role;
    enum source_start start;       /* where a partition without a committed offset begins */
    const char *dead_letter_topic; /* NULL: none */
};

/* One partition given to a worker. */
struct source_lane {
    uint32_t topic; /* index into the options' topics */
    const char
        *topic_name; /* the real one, where the topic is a pattern; lives with the source */
    int32_t partition;
    uint32_t worker;
    uint32_t lane; /* its number at that worker: small, dense, reused after it is closed */
    bool tap;
    bool gone; /* on_close: what was read of it is not at the broker any more */
};

struct source_kafka;

/*
 * Events of the control thread.  on_open: before the first record of a lane can come.
 * on_close: the group takes lanes away; polls that begin from now on bring nothing of them.  The
 * callee waits until its workers have left the poll they are in, flushes and publishes the last
 * watermarks (source_kafka_publish), then returns; with `lost` nothing is committed any more.
 * A lane whose partition went back (the topic was made anew) is closed as lost, and as gone, and
 * opened again.
 */
struct source_events {
    void (*on_open)(void *arg, const struct source_lane *lane);
    void (*on_close)(void *arg, const struct source_lane *lanes, size_t count, bool lost);
    /*
     * A dead letter was acknowledged (SB_OK), or finally refused (SB_ERR_UNAVAILABLE,
     * SB_ERR_LIMIT).  Comes for every letter that was taken, at source_kafka_free at the latest.
     */
    void (*on_dead_letter)(void *arg, void *ticket, enum sb_err result);
    /*
     * A topic, the group or the cluster fails for now (text for people); cleared with text NULL.
     * It is not logged by the source.  `what` is the topic's name, "group" or "kafka".
     */
    void (*on_trouble)(void *arg, const char *what, const char *text, bool fatal);
    /* Records were gone before they were read: by retention, or with their topic. */
    void (*on_gap)(void *arg, const char *text);
    void *arg;
};

/* What these point to must live as long as the source. */
struct source_kafka_options {
    const char *bootstrap;
    const char *group;
    const char *instance;                     /* NULL: no static membership */
    const struct source_property *properties; /* of librdkafka, for all handles */
    uint32_t property_count;
    const struct source_topic *topics;
    uint32_t topic_count;
    uint32_t workers;
    size_t prefetch_bytes; /* queued.max.messages.kbytes, all partitions together */
    uint64_t lateness_ns;  /* repair.lateness, for the taps' clock */
    uint64_t replay_ns;    /* repair.replay: taps start so much before the oldest span record */
    uint64_t commit_interval_ns;
    const struct clock_source *clock;
    struct log *log;
    struct source_events events;
};

/*
 * Creates the handles; nothing is read before source_kafka_start.  SB_ERR_CONFIG: a property
 * is wrong (logged).
 */
enum sb_err source_kafka_new(const struct source_kafka_options *options,
                             struct source_kafka **ret) SB_MUST_USE;

/* Control thread: joins the group, finds the taps' partitions.  SB_ERR_CONFIG, SB_ERR_INTERNAL. */
enum sb_err source_kafka_start(struct source_kafka *source) SB_MUST_USE;

/* Control thread: an fd that becomes readable when source_kafka_service has work. */
int source_kafka_event_fd(const struct source_kafka *source);

/*
 * Control thread: rebalances, errors, delivery reports, commits that are due.  Call at least
 * every 100 ms.
 */
void source_kafka_service(struct source_kafka *source);

/*
 * Worker: up to `max` records of its span lanes; waits `wait_ms` at most for the first.  Never
 * fails: trouble goes to on_trouble.  With `max` 0, or after source_kafka_stop_intake, it only
 * waits, and can be woken.
 */
size_t source_kafka_poll(struct source_kafka *source, uint32_t worker, uint32_t wait_ms,
                         struct record *ret, size_t max);

/* Worker: the same for its tap lanes, without waiting. */
size_t source_kafka_poll_taps(struct source_kafka *source, uint32_t worker, struct record *ret,
                              size_t max);

/* Any thread: makes that worker's source_kafka_poll return soon. */
void source_kafka_wake(struct source_kafka *source, uint32_t worker);

/* Worker: gives the memory behind records back. */
void source_record_release(struct record *record);

/* The headers of a record, in order; at most `max`.  Returns how many there are in all. */
size_t source_record_headers(const struct record *record, struct record_header *ret,
                             size_t max);

/*
 * Worker: the lane's watermark, to be committed when due (offset of the next record to read).
 * Lower ones than before are passed over, and those of lanes that are closed.
 */
void source_kafka_publish(struct source_kafka *source, uint32_t worker, uint32_t lane,
                          int64_t offset);

/*
 * Any thread.  Drain: true when each lane of the spans (of the taps) has been polled to where
 * it ended when the source started, by its end-of-partition event or a record beyond.
 */
bool source_kafka_spans_drained(const struct source_kafka *source);
bool source_kafka_taps_drained(const struct source_kafka *source);

/*
 * Any thread: everything of that message topic written before this time (ns since 1970) has
 * been polled; UINT64_MAX with no such partitions.  See "The tap's clock" in repair.md.
 */
uint64_t source_kafka_tap_time_ns(const struct source_kafka *source, uint32_t topic);

/*
 * Any thread: the tap of that message topic is complete from this time on, up to the one above:
 * 0, from the beginning of time; UINT64_MAX, nothing has been read yet.
 */
uint64_t source_kafka_tap_since_ns(const struct source_kafka *source, uint32_t topic);

/*
 * Any thread: the id that the cluster gives itself, or NULL while it is not known.  Never waits;
 * the caller frees it with memory_free.
 */
char *source_kafka_cluster_id(struct source_kafka *source);

/* How many records of a partition that is read here are not finished yet (taps: not read). */
struct source_lag {
    const char *topic; /* the real one; lives with the source */
    int32_t partition;
    uint64_t records; /* as of the last fetch */
};

/*
 * Control thread: the lags that are known, `max` of them at most; returns how many there are.
 * Never waits.  Partitions of which nothing has been fetched yet are left out.
 */
size_t source_kafka_lags(const struct source_kafka *source, struct source_lag *ret, size_t max);

/* Control thread: has the group given this member its share, be it empty? */
bool source_kafka_is_assigned(const struct source_kafka *source);

/* Any thread: the options' topic of that role which the name belongs to; false: none. */
bool source_kafka_find_topic(const struct source_kafka *source, enum source_role role,
                             const char *name, uint32_t *ret_index);

/*
 * Any thread: queues a dead letter; the bytes are copied; on_dead_letter tells the end.
 * SB_ERR_FULL: try later.  SB_ERR_LIMIT, SB_ERR_UNAVAILABLE: it was not taken and never will be
 * (too large; no such topic), and on_dead_letter does not come.
 */
struct source_dead_letter {
    uint32_t topic; /* of the record: its dead_letter_topic is where the letter goes */
    struct bytes key;
    struct bytes value;
    const struct record_header *headers;
    uint32_t header_count;
    void *ticket;
};
enum sb_err source_kafka_dead_letter(struct source_kafka *source,
                                     const struct source_dead_letter *letter) SB_MUST_USE;

/* Control thread: stops intake for good; lanes stay assigned so that commits still work. */
void source_kafka_stop_intake(struct source_kafka *source);

/*
 * Control thread: commits what is published, leaves the group, frees all.  `commit`: false after
 * a fatal error.  No worker may poll any more, and all records must have been released; lanes
 * end without on_close.  Waits for brokers that do not answer, half a minute at most in all.
 */
void source_kafka_free(struct source_kafka *source, bool commit);

#endif
