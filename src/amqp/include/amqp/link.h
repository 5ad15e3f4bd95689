/*
 * link: one AMQP 0-9-1 connection to RabbitMQ over librabbitmq, used by one thread.
 *
 * A link is opened, used and closed, and may be opened again: it has no retry of its own.  What
 * fails is told as an enum sb_err and as a text for people (amqp_link_why).  SB_ERR_CONFIG and
 * SB_ERR_NOT_FOUND say that somebody has to change something, here or at the broker; trying
 * again may help all the same, later.  A failure either breaks the link (amqp_link_is_open is
 * false then, and all that is left is to close it) or has closed the channel it came from.
 *
 * Frames are read one by one (amqp_link_next) and belong to the owner until the next call: a
 * message is a deliver (or return), a header and as many bodies as its length asks for.  Nothing
 * is kept for what a header announces.
 *
 * Threads: the one that opened it, started by amqp_thread_start for its stack; only
 * amqp_link_interrupt may come from others.
 * Source: reliability.md (2.5, 6), librabbitmq 0.11, https://www.rabbitmq.com/specification.html.
 */
#ifndef SB_AMQP_LINK_H
#define SB_AMQP_LINK_H

#include <amqp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amqp/headers.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/err.h"

enum { AMQP_FRAME_BYTES_MAX = 131072, AMQP_CHANNEL_MAX = 2047, AMQP_SHORT_TEXT_MAX = 255 };

/* What these point to must live as long as the link. */
struct amqp_link_options {
    const char *url;              /* see amqp/url.h */
    const char *ca_file;          /* PEM; NULL: the system's authorities */
    const char *certificate_file; /* PEM, with its chain; NULL: none */
    const char *key_file;         /* PEM; NULL: none */
    bool insecure;                /* neither certificate nor host name are checked */
    uint32_t heartbeat_s;         /* 0: 30 s */
    uint64_t timeout_ns;          /* of the handshake, and of each question; 0: 10 s */
    const char *client_name;      /* what the broker lists the connection as */
    const struct clock_source *clock;
};

struct amqp_link;

/* SB_ERR_CONFIG: no such URL; `why` says so, without a secret.  SB_ERR_MEMORY. */
enum { AMQP_WHY_LEN = 512 };
enum sb_err amqp_link_new(const struct amqp_link_options *options, struct amqp_link **ret,
                          char why[AMQP_WHY_LEN]) SB_MUST_USE;
void amqp_link_free(struct amqp_link *link);

/*
 * Connects and logs in, within the timeout for each of both (a slow name server aside).
 * SB_ERR_UNAVAILABLE, SB_ERR_CONFIG (login or virtual host refused, certificate not trusted).
 */
enum sb_err amqp_link_open(struct amqp_link *link) SB_MUST_USE;

/*
 * Says good-bye and waits for the answer, `wait_ns` at most; what comes in between is dropped.
 * Deliveries without an ack go back to their queues.  A broken link is just closed.
 */
void amqp_link_close(struct amqp_link *link, uint64_t wait_ns);

bool amqp_link_is_open(const struct amqp_link *link);

/* Why the last call failed, or why the broker closed something; "" at first. */
const char *amqp_link_why(const struct amqp_link *link);

/* "HOST:PORT" with the virtual host behind it, for logs. */
const char *amqp_link_place(const struct amqp_link *link);

/*
 * Any thread: makes the call that is under way fail soon, and all further ones, until the link
 * is closed and opened again.  Connecting itself can not be cut short.
 */
void amqp_link_interrupt(struct amqp_link *link);

/* To be polled for input, once amqp_link_next has said AMQP_NOTHING; -1: not open. */
int amqp_link_fd(const struct amqp_link *link);

/*
 * Sends a heartbeat when one is due.  For an owner that does not read for now: at least every
 * quarter of the heartbeat.  SB_ERR_UNAVAILABLE: the link is broken.
 */
enum sb_err amqp_link_keep_alive(struct amqp_link *link) SB_MUST_USE;

enum amqp_event_kind {
    AMQP_NOTHING,        /* within the wait */
    AMQP_DELIVER,        /* a message begins */
    AMQP_RETURN,         /* a message that could not be routed begins; its confirm follows */
    AMQP_HEADER,         /* of the message that began last on this channel */
    AMQP_BODY,           /* the next part of its body */
    AMQP_ACK,            /* the broker has what was published */
    AMQP_NACK,           /* the broker could not take it */
    AMQP_CANCEL,         /* the consumer is gone: its queue was deleted or moved */
    AMQP_CHANNEL_CLOSED, /* by the broker; answered.  Tags of the channel are void */
    AMQP_BLOCKED,        /* the broker takes no messages now: short of memory or disk */
    AMQP_UNBLOCKED,
    AMQP_CONSUMING, /* the answer to amqp_link_ask_consume */
    AMQP_COUNTS,    /* the answer to amqp_link_ask_counts */
    AMQP_OTHER      /* nothing to be done about it */
};

/* Of a queue, as its broker tells; where it does not know, both are 0. */
struct amqp_counts {
    uint32_t ready;     /* messages that wait in it */
    uint32_t consumers; /* of all connections */
};

/* Views and properties live until the next call with this link. */
struct amqp_event {
    enum amqp_event_kind kind;
    uint16_t channel;
    uint16_t code;             /* AMQP_CHANNEL_CLOSED, AMQP_RETURN: such as 404 */
    bool multiple;             /* AMQP_ACK, AMQP_NACK */
    bool redelivered;          /* AMQP_DELIVER */
    uint64_t tag;              /* AMQP_DELIVER, AMQP_ACK, AMQP_NACK */
    struct amqp_counts counts; /* AMQP_COUNTS */
    uint64_t body_len;         /* AMQP_HEADER: announced, not to be trusted */
    struct bytes body;         /* AMQP_BODY */
    struct bytes text;         /* AMQP_BLOCKED, AMQP_RETURN: the broker's reason */
    struct bytes exchange;
    struct bytes routing_key;                  /* AMQP_DELIVER, AMQP_RETURN */
    const amqp_basic_properties_t *properties; /* AMQP_HEADER */
};

/*
 * The next frame, waited for `wait_ns` at most; 0: only what is there.  SB_ERR_UNAVAILABLE: the
 * link is broken, or the broker has closed it.  SB_ERR_CONFIG: the same, by a code that blames
 * us.  SB_ERR_INPUT: what came is no AMQP; the link can not be read any more, but still
 * rejects the delivery that it broke off in (amqp_link_reject) before it is closed.
 */
enum sb_err amqp_link_next(struct amqp_link *link, uint64_t wait_ns,
                           struct amqp_event *ret) SB_MUST_USE;

/*
 * After SB_ERR_INPUT: was it a whole header that can not be decoded?  Then the message that began
 * last on that channel is at fault, and nothing else.  Its body can not be had: the library
 * decodes the properties while it takes the frame (amqp_handle_input) and gives up in the middle
 * of that, with what has been read of the socket neither used up nor within anybody's reach.
 */
bool amqp_link_broke_at_header(const struct amqp_link *link, uint16_t *ret_channel);

/* Whether the broker has said that it takes no messages now. */
bool amqp_link_is_blocked(const struct amqp_link *link);

#endif
