/*
 * kafka_sink: the inside of a Kafka sink, as its parts see it: kafka.c opens and closes it,
 * kafka_thread.c runs its thread (the producer, shipments, pauses), shipment.c brings
 * one batch at a time to its end, and kafka_trouble.c reads what the library says of errors.
 *
 * Everything here belongs to the sink's thread but for what says otherwise.
 */
#ifndef SB_SINK_KAFKA_SINK_H
#define SB_SINK_KAFKA_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"
#include "inlet.h"
#include "otlp/write.h"
#include "producer.h"
#include "retry.h"
#include "sink/kafka.h"
#include "trace_order.h"

struct kafka_sink;
struct shipment;

/* Spans of one trace, at librdkafka now: it points into the shipment's bytes and at this. */
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
    SHIPMENT_SENDING  /* some of its records are at librdkafka */
};

/*
 * A batch on its way.  Its records are made and sent in rounds: envelopes are repeated in each
 * record, so that all records of a batch together may be far longer than the batch.
 */
struct shipment {
    struct kafka_sink *sink;
    enum shipment_state state;
    struct sink_batch *batch;
    uint32_t *order;
    uint32_t order_room;
    uint32_t next; /* place in `order` of the first span that no round has taken */
    struct shipment_record *records; /* of this round */
    uint32_t record_count;
    uint32_t record_room;
    uint32_t under_way; /* records at librdkafka */
    struct text bytes;  /* of this round's records */
    bool again;         /* the next round sends something a second time */
};

enum { KAFKA_TROUBLES_MAX = 8 };

struct kafka_sink {
    struct inlet inlet; /* first; its wake_fd is written by the producer, too */
    struct sink_kafka_options options;

    struct producer producer;
    size_t value_bytes_max;  /* of a record: message.max.bytes less what is around it */
    size_t record_bytes_max; /* that records are cut for: as above, or what the broker took */
    uint32_t under_way;      /* records at librdkafka, of all shipments */
    bool smaller;            /* the broker refused a request for its length */
    bool broken;             /* the producer has ended for good: a new one is needed */

    struct shipment *shipments; /* in_flight_max of them */
    struct trace_order trace_order;
    struct otlp_request_span *spans; /* of the record that is being made */
    uint32_t span_room;

    struct retry retry;
    uint32_t failures;                /* pauses in a row */
    uint64_t closed_until_ns;         /* monotonic: no round starts before; 0: open */
    int troubles[KAFKA_TROUBLES_MAX]; /* errors that were said since the last success */
    uint32_t trouble_count;
    char last_reason[SINK_KAFKA_WHY_LEN]; /* why the last connection failed */
};

/* kafka_thread.c */
void kafka_sink_run(struct inlet *inlet);
enum sb_err kafka_sink_open_producer(struct inlet *inlet) SB_MUST_USE;
/* No round of any shipment starts for a while, longer each time until one succeeds. */
void kafka_sink_pause(struct kafka_sink *sink);

/* shipment.c */
void shipment_init(struct shipment *shipment, struct kafka_sink *sink);
void shipment_clear(struct shipment *shipment); /* must be idle */
/* Takes the batch; SB_ERR_MEMORY, and nothing has changed. */
enum sb_err shipment_load(struct shipment *shipment, struct sink_batch *batch) SB_MUST_USE;
/* WAITING: makes the records of a round and gives them to the producer. */
void shipment_start(struct shipment *shipment);
void shipment_on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
/* Gives the batch back as it is; nothing of it is at librdkafka any more. */
void shipment_abort(struct shipment *shipment);

/* kafka_trouble.c */
void kafka_trouble_on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque);
void kafka_trouble_on_log(const rd_kafka_t *rk, int level, const char *facility,
                          const char *text);
/* A record came back undelivered, for a reason that may pass: says it once, and pauses. */
void kafka_trouble_of_record(struct kafka_sink *sink, rd_kafka_resp_err_t err);
/* A record was delivered. */
void kafka_trouble_is_over(struct kafka_sink *sink);

#endif
