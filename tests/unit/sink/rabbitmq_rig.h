/*
 * rabbitmq_rig: a RabbitMQ sink between its worker's side and a fake broker that takes messages
 * as the test says.
 *
 * The broker's thread reads messages, keeps them, and answers each by the test's plan, in the
 * order in which they came.  It serves one connection after another, by the same plan.
 */
#ifndef SB_TEST_SINK_RABBITMQ_RIG_H
#define SB_TEST_SINK_RABBITMQ_RIG_H

#include "core/text.h"
#include "fake_broker.h"
#include "rabbitmq_sink.h"
#include "rig.h"

/* What the broker does with a message. */
enum rabbitmq_act {
    RABBITMQ_ACK,
    RABBITMQ_NACK,
    RABBITMQ_RETURN,         /* and the ack after it */
    RABBITMQ_KEEP,           /* silence: a later ACK_ALL may confirm it */
    RABBITMQ_ACK_ALL,        /* up to this one: multiple */
    RABBITMQ_CUT_CONNECTION, /* the end of the connection, unconfirmed */
    RABBITMQ_STALL,          /* reads nothing any more, until the rig is cleared */
    RABBITMQ_TOO_LONG,       /* 406, message size */
    RABBITMQ_FORBID,         /* 403 */
    RABBITMQ_ACK_UNKNOWN,    /* confirms a tag that never was */
    RABBITMQ_RETURN_UNKNOWN  /* returns a message that is none of ours */
};

/* A message as the broker took it. */
struct rabbitmq_message {
    struct text body;
    char exchange[32];
    char key[64];
    char id[64];
    char content_type[64];
    bool mandatory;
    uint8_t delivery_mode;
    uint32_t connection;
};

struct rabbitmq_rig {
    struct rig base;                      /* first */
    struct sink_rabbitmq_options options; /* set before _start; defaults by _init */
    struct fake_broker *broker;
    char url[FAKE_URL_LEN];

    /* Under the base's lock.  The plan: what is done with the nth message, ACK behind its end. */
    const enum rabbitmq_act *plan;
    uint32_t plan_len;
    size_t body_bytes_max; /* a longer one is TOO_LONG, whatever the plan says; 0: none is */
    uint32_t refusals;     /* connections that are still refused at the login */
    bool no_exchange;
    bool blocked; /* connection.blocked comes at once, and stays */
    bool ending;
    uint32_t connections;
    uint32_t taken; /* messages, kept below */
    struct rabbitmq_message *messages;
};

void rabbitmq_rig_init(struct rabbitmq_rig *rig);
void rabbitmq_rig_plan(struct rabbitmq_rig *rig, const enum rabbitmq_act *plan, uint32_t len);
void rabbitmq_rig_start(struct rabbitmq_rig *rig);
/* As rig_clear; the broker must not have met anything that it did not understand. */
void rabbitmq_rig_clear(struct rabbitmq_rig *rig);

/* Waits until the broker has read so many messages. */
void rabbitmq_rig_wait_taken(struct rabbitmq_rig *rig, uint32_t count);
/* Spans in a message; all must be of one trace, which is written to `ret`. */
uint32_t rabbitmq_rig_spans_of(const struct rabbitmq_message *message, struct trace_id *ret);
/* Reads the state without a race. */
enum sink_state rabbitmq_rig_state(struct rabbitmq_rig *rig);

#endif
