/*
 * exchange: messages between workers, over one ring for each pair.
 *
 * Nobody waits on a ring: what does not fit goes to an outbox, in order, and while an outbox
 * holds anything the worker takes in no new records, so outboxes are bounded by what other
 * workers had under way.  Messages to oneself take the same way without a ring.
 *
 * Messages are plain encodable values: with scale-out a topic takes the ring's place.
 */
#ifndef SB_WORKER_EXCHANGE_H
#define SB_WORKER_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "core/ring.h"
#include "core/text.h"

enum message_type {
    MESSAGE_SPANS, /* spans of one envelope for the worker that owns their traces */
    MESSAGE_BOXED, /* the same in memory of its own: too long for a ring; the reader frees it */
    MESSAGE_RELEASE,   /* counts of a record are finished */
    MESSAGE_HOP,       /* one side of a hop for the worker that owns its key */
    MESSAGE_JOIN,      /* both sides are known: for the worker that gathers */
    MESSAGE_PULL,      /* the gathering worker wants a trace */
    MESSAGE_FORWARDED, /* how far a pulled trace had come */
    MESSAGE_REFUSED,   /* a sink refused a span: dead-letter it where its record was read */
    MESSAGE_LOOK       /* observe: why a hop has no evidence */
};

struct message_head {
    uint32_t type;
    uint32_t len; /* of the body, which follows */
};

/* Shared by all workers: rings[from * workers + to]. */
struct exchange_net {
    uint32_t workers;
    struct ring **rings;
};

enum sb_err exchange_net_init(struct exchange_net *net, uint32_t workers) SB_MUST_USE;
void exchange_net_clear(struct exchange_net *net);

/* One worker's end of it. */
struct exchange {
    struct exchange_net *net;
    uint32_t self;
    struct text *outboxes;     /* one for each worker */
    struct text own;           /* messages to oneself, being filled */
    struct text draining;      /* messages to oneself, being read */
    bool *wake;                /* readers to be woken */
    _Atomic uint64_t sent;     /* to other workers */
    _Atomic uint64_t received; /* and handled */
};

enum sb_err exchange_init(struct exchange *exchange, struct exchange_net *net,
                          uint32_t self) SB_MUST_USE;
void exchange_clear(struct exchange *exchange);

/* The body may come in two pieces.  SB_ERR_MEMORY only. */
enum sb_err exchange_send(struct exchange *exchange, uint32_t to, enum message_type type,
                          struct bytes body, struct bytes more) SB_MUST_USE;

/* The longest body that is sure to fit a ring. */
size_t exchange_body_max(const struct exchange *exchange);

/* Moves outboxes into rings as far as they fit. */
void exchange_flush(struct exchange *exchange);
bool exchange_is_blocked(const struct exchange *exchange); /* an outbox holds something */

/* Handles at most `budget` messages; true: there may be more. */
typedef void (*exchange_fn)(void *arg, enum message_type type, struct bytes body);
bool exchange_receive(struct exchange *exchange, uint32_t budget, exchange_fn on_message,
                      void *arg);

/* Says that this end is about to sleep, and is to be woken; false: a message has come. */
bool exchange_sleep(struct exchange *exchange);

#endif
