/*
 * rabbitmq_sink: the inside of a RabbitMQ sink, as its parts see it: rabbitmq.c opens and
 * closes it, rabbitmq_thread.c runs its thread (the connection, shipments, waits),
 * rabbitmq_delivery.c publishes messages and takes the broker's confirms, and
 * rabbitmq_trouble.c says what is in the way.
 *
 * Everything here belongs to the sink's thread but for what says otherwise.
 */
#ifndef SB_SINK_RABBITMQ_SINK_H
#define SB_SINK_RABBITMQ_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "amqp/link.h"
#include "confirms.h"
#include "inlet.h"
#include "retry_pause.h"
#include "shipment.h"
#include "sink/rabbitmq.h"

enum { RABBITMQ_CHANNEL = 1, RABBITMQ_MESSAGE_ID_LEN = 16 + 1 + 16 };

/* What can be in the way; each is said once until it is over. */
enum rabbitmq_trouble {
    RABBITMQ_UNREACHABLE, /* no connection */
    RABBITMQ_NOT_LET_IN,  /* login, virtual host, certificate, or no right to publish */
    RABBITMQ_CLOSED, /* the broker closed channel or connection, or the exchange is not there */
    RABBITMQ_CUT,    /* the connection ended otherwise */
    RABBITMQ_BLOCKED,  /* it takes no messages now */
    RABBITMQ_RETURNED, /* no queue takes a message */
    RABBITMQ_NACKED,   /* a queue did not take a message */
    RABBITMQ_SILENT    /* no confirm came in time */
};

struct rabbitmq_sink {
    struct inlet inlet; /* first */
    struct sink_rabbitmq_options options;

    struct amqp_link *link;
    atomic_bool
        calling; /* read by stop: the thread is in a call that an interrupt cuts short */

    struct shipping shipping;
    struct retry_pause *waits; /* one for each shipment: its last round was not all delivered */
    struct confirms confirms;
    uint64_t connection_id; /* random: message ids begin with it */
    uint64_t progress_ns;   /* when the oldest message without a confirm became the oldest */
    bool returning;         /* the header of a message that came back is next */

    struct retry_pause backoff; /* of the connection */
    uint32_t told;              /* a bit for each trouble */
};

/* rabbitmq_thread.c */
void rabbitmq_sink_run(struct inlet *inlet);
/* Any thread: the run is to end. */
void rabbitmq_sink_interrupt(struct inlet *inlet);
/* Connects, opens the channel, looks for the exchange.  The link's errors; it is closed then. */
enum sb_err rabbitmq_sink_open_link(const struct sink_rabbitmq_options *options,
                                    struct amqp_link *link) SB_MUST_USE;

/* rabbitmq_delivery.c */
/* Publishes some of what the shipment has.  False: nothing more goes out now. */
bool rabbitmq_delivery_send(struct rabbitmq_sink *sink, struct shipment *shipment);
/* Takes what the broker has sent.  False: the link is of no use any more; trouble was told. */
bool rabbitmq_delivery_receive(struct rabbitmq_sink *sink);
/* How long confirms are waited for before the link is given up; UINT64_MAX: for none. */
uint64_t rabbitmq_delivery_patience_ns(const struct rabbitmq_sink *sink);
/* The link is gone, and with it all confirms; goes on with a new one. */
void rabbitmq_delivery_forget(struct rabbitmq_sink *sink);

/* rabbitmq_trouble.c */
/* Moves the state, and says it unless it was said; `reason` is for people. */
void rabbitmq_trouble_tell(struct rabbitmq_sink *sink, enum rabbitmq_trouble trouble,
                           const char *reason);
/* Something went well: if nothing else is in the way, it is over. */
void rabbitmq_trouble_may_be_over(struct rabbitmq_sink *sink);
/* Whether what the broker said is that a message is too long for it. */
bool rabbitmq_trouble_is_of_length(uint16_t code, const char *reason);

#endif
