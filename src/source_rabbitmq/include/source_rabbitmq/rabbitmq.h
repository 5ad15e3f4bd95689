/*
 * rabbitmq: records out of queues and streams of RabbitMQ, acks and dead letters back.
 *
 * Each topic file is a feed: one thread with one connection, and a channel for each consumer,
 * which is a lane of one worker.  A lane's offsets are delivery tags, or offsets of the stream;
 * its watermark is acked by one ack for many.  Where a lane's channel ends, by the broker or with
 * the connection, the lane is closed as lost and opened again: what was not acked comes again.
 * Dead letters go out by a poster: a connection of its own for each broker, with confirms.
 *
 * Bounds: `prefetch` deliveries of each consumer, and prefetch_bytes of all feeds together;
 * beyond it the socket is not read.  What a header announces is not believed.
 * Source: delivery.md (RabbitMQ source, Ledger), reliability.md (2.5, 6).
 */
#ifndef SB_SOURCE_RABBITMQ_RABBITMQ_H
#define SB_SOURCE_RABBITMQ_RABBITMQ_H

#include "source/source.h"

enum source_queue_type {
    SOURCE_QUEUE_AS_IS, /* it exists, and is no stream */
    SOURCE_QUEUE_CLASSIC,
    SOURCE_QUEUE_QUORUM,
    SOURCE_QUEUE_STREAM
};

struct source_rabbitmq_broker {
    const char *url;     /* see amqp/url.h; NULL: none */
    const char *ca_file; /* these three may be NULL */
    const char *certificate_file;
    const char *key_file;
    bool insecure;
    uint64_t heartbeat_ns;
};

/* What there is to be said of a topic besides source_topic, whose index it has. */
struct source_rabbitmq_topic {
    struct source_rabbitmq_broker broker; /* of the queue, and of the topic's dead letters */
    /* What follows is of topics of RabbitMQ alone. */
    const char *queue;
    bool declare;              /* the queue is made, and bound to the exchange */
    const char *exchange;      /* with declare */
    const char *exchange_type; /* NULL: it exists */
    const char *const *bindings;
    uint32_t binding_count;
    enum source_queue_type queue_type;
    uint32_t consumers; /* up to SOURCE_CONSUMERS_MAX; of a stream one alone is used */
    uint16_t prefetch;
    bool firehose;
    const char *offsets_file; /* NULL: where a stream's reading stopped is not kept */
};

/* What these point to must live as long as the source. */
struct source_rabbitmq_options {
    struct source_numbers *numbers;             /* shared by all sources */
    const struct source_topic *topics;          /* of all kinds */
    const struct source_rabbitmq_topic *queues; /* by topic */
    uint32_t topic_count;
    uint32_t workers;
    const char *client_name; /* the group: what the broker lists connections as */
    size_t prefetch_bytes;
    uint64_t window_wait_ns; /* for the advice on a prefetch that is too small */
    uint64_t replay_ns;      /* taps of streams start so long before now */
    uint64_t lateness_ns;    /* for the taps' clock */
    uint64_t timeout_ns;     /* of handshakes and questions; 0: 10 s */
    const struct clock_source *clock;
    struct log *log;
    struct source_events events;
};

enum { SOURCE_CONSUMERS_MAX = 256 };

/*
 * How often a message of a quorum queue has come back, those times aside when a channel of this
 * process ended: from here on it is handed over alone,
 */
enum { SOURCE_SUSPECT_RETURNS = 2 };
/*
 * and beyond this it is a dead letter.  Every message that was out comes back, not only the one
 * that ended a process: a few restarts must not be enough.  RabbitMQ 4 lets go of it at 20.
 */
enum { SOURCE_POISON_RETURNS = 10 };
/*
 * Bodies beyond this are thrown away while they come, and their records flawed: what a broker takes
 * at most by default.  Up to it a record that is too large for us goes to its dead letter whole.
 */
enum { SOURCE_BODY_BYTES_MAX = 128 << 20 };

/* SB_ERR_CONFIG: a URL is wrong (logged); SB_ERR_MEMORY, SB_ERR_INTERNAL. */
enum sb_err source_rabbitmq_new(const struct source_rabbitmq_options *options,
                                struct source **ret) SB_MUST_USE;

#endif
