/*
 * state: what the modules of the RabbitMQ source share.
 *
 * A feed is one topic file: its thread owns the link, the channels and what is written beside
 * "feed" here.  A lane goes round: CLOSED, READY (the feed consumes again), OPEN (the control
 * thread has told the worker), ENDED (its channel is gone), CLOSED (the control thread has told
 * the worker, and emptied the ring).  From READY it may end at once.
 * Feeds and lanes are made with the source and live as long as it.
 */
#ifndef SB_SOURCE_RABBITMQ_STATE_H
#define SB_SOURCE_RABBITMQ_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "amqp/channel.h"
#include "amqp/thread.h"
#include "assembly.h"
#include "core/assert.h"
#include "core/mailbox.h"
#include "core/retry.h"
#include "core/ring.h"
#include "source/sources.h"
#include "source_rabbitmq/rabbitmq.h"

#define OFFSET_NONE INT64_MIN
enum { FEED_TEXT_LEN = AMQP_WHY_LEN, CHANNEL_CONTROL = 1, CHANNEL_FIRST = 2 };

enum lane_state { LANE_CLOSED, LANE_READY, LANE_OPEN, LANE_ENDED };

/* Which delivery a stream's offset came with: acks name deliveries. */
struct tag_of_offset {
    int64_t offset;
    uint64_t tag;
};

struct lane {
    struct feed *feed;
    uint16_t
        channel; /* another one in each turn: what still comes of an old one is told apart */
    int32_t consumer; /* from 0: the partition of its records */
    uint32_t worker;
    uint32_t number;   /* at that worker */
    struct ring *ring; /* of struct delivery *: from the feed to the worker */
    _Atomic int state;
    _Atomic int64_t
        published; /* by the worker, or a tap's last release: one behind the finished */
    _Atomic int64_t released; /* one behind the last record given back */
    _Atomic bool watched;     /* the feed waits for the next release */
    bool told;                /* control: the workers know that it is open */
    int64_t tap_told;         /* worker: the feed was woken for the releases up to here */
    /* The feed's, of this turn of its channel. */
    bool gone; /* its deliveries may not come again; the control thread's once it has ended */
    bool channel_open;
    bool asked; /* to deliver */
    bool retry_topology;
    struct retry retry;
    uint32_t failures; /* in a row */
    uint64_t retry_at_ns;
    uint64_t ready_since_ns;
    struct assembly assembly;
    struct delivery *held_first; /* behind a suspect, or where the ring was full */
    struct delivery *held_last;
    bool alone;     /* the last one handed over was a suspect */
    int64_t handed; /* one behind the last handed over; OFFSET_NONE: none */
    uint64_t tag;   /* the last delivery's */
    uint64_t tag_acked;
    int64_t offset_start;       /* stream: what is below is not wanted */
    struct tag_of_offset *tags; /* stream: those not acked, as a circle */
    uint32_t tags_at;
    uint32_t tags_count;
    uint32_t tags_room;
};

struct feed {
    struct source_rabbitmq *source;
    uint32_t topic;
    const struct source_rabbitmq_topic *queue;
    bool tap;
    bool stream;
    struct lane *lanes;
    uint32_t lane_count;
    size_t bytes_max;
    pthread_t thread;
    bool started; /* control */
    int wake_fd;
    _Atomic bool woken;
    _Atomic bool ended;   /* the thread has nothing left to do */
    _Atomic size_t bytes; /* of deliveries that are not released */
    _Atomic bool full;    /* the feed waits for bytes to fall */
    /* Told by the feed. */
    _Atomic bool running;    /* has consumed once */
    _Atomic bool at_end;     /* all there was has been handed over, a moment ago */
    _Atomic bool counted;    /* the next two are known */
    _Atomic uint64_t target; /* records to be polled until it is drained */
    _Atomic uint64_t ready;  /* at the last look */
    _Atomic uint64_t unacked;
    _Atomic int share;           /* enum source_share: does anybody else consume? */
    _Atomic uint64_t polled;     /* records, by all workers */
    _Atomic uint64_t unreadable; /* messages that were rejected unread */
    _Atomic uint64_t newest_ns;  /* taps of streams: the greatest time of a polled record */
    pthread_mutex_t lock;        /* of the three below */
    char trouble[FEED_TEXT_LEN]; /* "": none */
    char gap[FEED_TEXT_LEN];     /* to be told once */
    bool trouble_changed;
    bool trouble_told; /* control */
    /* The feed's. */
    struct amqp_link *link;
    struct retry retry;
    uint32_t failures; /* in a row */
    uint64_t retry_at_ns;
    uint64_t look_at_ns;
    uint64_t quiet_since_ns;   /* of a stream: nothing has come since */
    uint32_t empty_looks;      /* answers in a row that said 0, with no delivery between them */
    uint64_t starved_since_ns; /* all of the prefetch is out, and more is ready; 0: not so */
    bool warned;
    bool control_open;
    uint16_t next_channel;
    struct lane *by_channel[AMQP_CHANNEL_MAX + 1]; /* whose it was last; NULL: nobody's */
    bool cancelled;   /* intake has been stopped, and the broker knows */
    int64_t position; /* of a stream: the next offset to read; OFFSET_NONE: by `start` */
    bool position_read;
    int64_t position_saved;
    uint64_t save_at_ns;
    bool save_failed;
    bool seems_stream;     /* and is not named one */
    int64_t ends_survived; /* of channels that had deliveries out */
};

/* What a worker polls. */
struct worker_view {
    struct lane **lanes[2]; /* spans, taps */
    uint32_t counts[2];
    uint32_t next; /* round robin */
    int wake_fd;
    _Atomic bool woken;
    uint8_t apart[64]; /* two workers never share a cache line here */
};

struct poster;

struct source_rabbitmq {
    struct source base; /* first */
    struct source_rabbitmq_options options;
    struct feed *feeds;
    uint32_t feed_count;
    struct feed **feed_of_topic;
    struct poster **posters;
    uint32_t poster_count;
    struct poster **poster_of_topic;
    struct worker_view *workers;
    struct source_lane *closing; /* room for the lanes of any feed */
    bool letters_troubled;       /* control: and it has been told */
    int event_fd;
    bool started;
    _Atomic bool intake_stopped;
    _Atomic bool ending;
    _Atomic bool committing; /* acks are still allowed */
};

static inline struct source_rabbitmq *rabbitmq_of(struct source *source)
{
    return (struct source_rabbitmq *)source;
}

static inline uint64_t rabbitmq_now_ns(const struct source_rabbitmq *source)
{
    return clock_monotonic_ns(source->options.clock);
}

/* Between two tries of what failed: up to 1 s at first, up to 10 s in the end. */
#define RETRY_FIRST_NS (1 * NS_PER_S)
#define RETRY_MOST_NS  (10 * NS_PER_S)

/* Any thread: makes the event fd readable, so that the control thread looks at feeds. */
void rabbitmq_notify(struct source_rabbitmq *source);

/* A link to that broker, named after `what`.  SB_ERR_CONFIG: its URL is wrong (logged). */
enum sb_err rabbitmq_new_link(const struct source_rabbitmq *source,
                              const struct source_rabbitmq_broker *broker, const char *what,
                              struct amqp_link **ret) SB_MUST_USE;

/* Waits for a thread to end, so many seconds; then what it waits for at the broker is cut off. */
void rabbitmq_join(pthread_t thread, struct amqp_link *link, uint32_t patience_s);

/* Any thread: makes the feed look at its lanes soon; many of these are one. */
void feed_wake(struct feed *feed);

static inline enum lane_state lane_state(const struct lane *lane)
{
    return (enum lane_state)atomic_load_explicit(&lane->state, memory_order_acquire);
}

#endif
