/*
 * shipment: a batch on its way as records of one trace each; for the kinds of sink that write
 * records (Kafka) or messages (RabbitMQ).
 *
 * Records are made in rounds: envelopes are repeated in each record, so that all records of a
 * batch together may be far longer than the batch.  The kind sends the records of a round and
 * reports what became of each; when all have been reported, those that were not delivered are
 * part of the next round.  When there is none, the batch goes back.
 *
 * A shipping is what the shipments of a sink share.  All of it is the sink's thread's.
 */
#ifndef SB_SINK_SHIPMENT_H
#define SB_SINK_SHIPMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/log.h"
#include "core/text.h"
#include "inlet.h"
#include "otlp/write.h"
#include "trace_order.h"

struct shipment;
struct shipping;

/* Records are not cut for less than this: who refuses such refuses all. */
enum { SHIPMENT_RECORD_BYTES_MIN = 1 << 10 };

/* Spans of one trace.  While it is under way, others may point at it and into the bytes. */
struct shipment_record {
    struct shipment *shipment;
    uint32_t first; /* place in the shipment's order */
    uint32_t count;
    size_t at; /* in the shipment's bytes */
    size_t len;
    bool sent;
    bool done; /* its spans have their outcome */
};

enum shipment_state {
    SHIPMENT_IDLE,    /* has no batch */
    SHIPMENT_WAITING, /* has spans to send */
    SHIPMENT_SENDING  /* has a round whose records are sent, or under way */
};

struct shipment {
    struct shipping *shipping;
    enum shipment_state state;
    struct sink_batch *batch;
    uint32_t *order;
    uint32_t order_room;
    uint32_t next; /* place in `order` of the first span that no round has taken */
    struct shipment_record *records; /* of this round */
    uint32_t record_count;
    uint32_t record_room;
    uint32_t next_record; /* the first that has not been sent */
    uint32_t under_way;   /* records that were sent and not reported */
    struct text bytes;    /* of this round's records */
    bool again;           /* this round sends something a second time */
};

struct shipping_options {
    struct inlet *inlet;
    struct log *log;
    const char *place_key; /* what logs call the place that records go to: "topic" */
    const char *place;     /* and its name */
    uint32_t count;        /* of shipments */
    uint64_t seed;         /* of tables */
};

struct shipping {
    struct shipping_options options;
    size_t value_bytes_max;  /* no longer record is sent: set by the kind */
    size_t record_bytes_max; /* that records are cut for: that, or less; set by the kind */
    uint32_t under_way;      /* records, of all shipments */
    struct shipment *shipments;
    struct trace_order trace_order;
    struct otlp_request_span *spans; /* of the record that is being made */
    uint32_t span_room;
};

/* SB_ERR_MEMORY.  Clear it even after a failure. */
enum sb_err shipping_init(struct shipping *shipping,
                          const struct shipping_options *options) SB_MUST_USE;
void shipping_clear(struct shipping *shipping); /* all shipments are idle */
/* Gives every batch back as it is; nothing is under way. */
void shipping_give_back(struct shipping *shipping);
/* What is under way will never be reported: it is part of the next rounds. */
void shipping_forget(struct shipping *shipping);

/* Idle: takes the batch; SB_ERR_MEMORY, and nothing has changed. */
enum sb_err shipment_load(struct shipment *shipment, struct sink_batch *batch) SB_MUST_USE;
/*
 * WAITING: makes the records of a round.  SB_ERR_MEMORY: with what has been made, maybe
 * nothing, the round goes on.  Ends the round if there is nothing to send.
 */
enum sb_err shipment_make_round(struct shipment *shipment) SB_MUST_USE;
/* The next record of the round to be sent, or NULL. */
struct shipment_record *shipment_next(struct shipment *shipment);
struct bytes shipment_body(const struct shipment_record *record);
struct trace_id shipment_trace(const struct shipment_record *record);
/* It is under way from here on. */
void shipment_sent(struct shipment_record *record);
/* What this round has not sent goes into the next one. */
void shipment_send_no_more(struct shipment *shipment);
/* What became of a record under way; SINK_PENDING: it was not delivered.  May end the round. */
void shipment_report(struct shipment_record *record, enum sink_outcome outcome);
/* The same, for a record that nothing can take for its length; says so. */
void shipment_report_too_large(struct shipment_record *record);

#endif
