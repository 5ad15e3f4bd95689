/*
 * producer: the handle of librdkafka that a Kafka sink writes with.
 *
 * Our defaults, the user's properties over them, and then what the sink's promises hang on.
 * Delivery reports and errors are served by whoever polls the handle.
 */
#ifndef SB_SINK_PRODUCER_H
#define SB_SINK_PRODUCER_H

#include <librdkafka/rdkafka.h>

#include "sink/kafka.h"

struct producer_options {
    const struct sink_kafka_options *sink;
    size_t batch_bytes; /* a request holds at most so many, or one record; 0: as configured */
    int wake_fd;        /* gets eight bytes when there is something to poll for */
    void (*on_report)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
    void (*on_error)(rd_kafka_t *rk, int err, const char *reason, void *opaque);
    /* Any thread of the library's. */
    void (*on_log)(const rd_kafka_t *rk, int level, const char *facility, const char *text);
    void *opaque; /* of all three */
};

struct producer {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *events;
    size_t message_bytes_max; /* key and value of one record, as the library takes them */
};

/* SB_ERR_CONFIG: a property is wrong; logged by name.  SB_ERR_INTERNAL: no threads. */
enum sb_err producer_open(const struct producer_options *options,
                          struct producer *ret) SB_MUST_USE;
/* What was not delivered is forgotten without a report. */
void producer_close(struct producer *producer);

/* Whether the sink sets that property itself. */
bool producer_is_own(const char *name);

#endif
