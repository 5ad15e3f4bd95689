/*
 * kafka_sink: the inside of a Kafka sink, as its parts see it: kafka.c opens and closes it,
 * kafka_thread.c runs its thread (the producer, shipments, pauses), kafka_delivery.c gives
 * records to librdkafka and takes its reports, and kafka_trouble.c reads what the library says
 * of errors.
 *
 * Everything here belongs to the sink's thread but for what says otherwise.
 */
#ifndef SB_SINK_KAFKA_SINK_H
#define SB_SINK_KAFKA_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "inlet.h"
#include "producer.h"
#include "retry_pause.h"
#include "shipment.h"
#include "sink/kafka.h"

enum { KAFKA_TROUBLES_MAX = 8 };

struct kafka_sink {
    struct inlet inlet; /* first; its wake_fd is written by the producer, too */
    struct sink_kafka_options options;

    struct producer producer;
    struct shipping shipping;
    bool smaller; /* the broker refused a request for its length */
    bool broken;  /* the producer has ended for good: a new one is needed */

    struct retry_pause backoff;       /* no round starts while it is closed */
    int troubles[KAFKA_TROUBLES_MAX]; /* errors that were said since the last success */
    uint32_t trouble_count;
    char last_reason[SINK_KAFKA_WHY_LEN]; /* why the last connection failed */
};

/* kafka_thread.c */
void kafka_sink_run(struct inlet *inlet);
enum sb_err kafka_sink_open_producer(struct inlet *inlet) SB_MUST_USE;

/* kafka_delivery.c */
/* The shipment is WAITING: makes the records of a round and gives them to the producer. */
void kafka_delivery_start(struct kafka_sink *sink, struct shipment *shipment);
void kafka_delivery_on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);

/* kafka_trouble.c */
void kafka_trouble_on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque);
void kafka_trouble_on_log(const rd_kafka_t *rk, int level, const char *facility,
                          const char *text);
/* A record came back undelivered, for a reason that may pass: says it once, and pauses. */
void kafka_trouble_of_record(struct kafka_sink *sink, rd_kafka_resp_err_t err);
/* A record was delivered. */
void kafka_trouble_is_over(struct kafka_sink *sink);

#endif
