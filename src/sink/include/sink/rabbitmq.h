/*
 * rabbitmq: the sink that writes kept spans to a RabbitMQ exchange, as OTLP protobuf messages
 * of one trace each.
 *
 * One thread and one connection for each sink.  A span is exported when the broker has
 * confirmed its message; one that comes back because no queue takes it is not, and is sent
 * again, as is all else that was not confirmed, until the sink is stopped.
 *
 * Sources: delivery.md (Sinks), reliability.md (2.5, 6), https://www.rabbitmq.com/confirms.html.
 */
#ifndef SB_SINK_RABBITMQ_H
#define SB_SINK_RABBITMQ_H

#include "sink/sink.h"

/* All strings are borrowed and outlive the sink. */
struct sink_rabbitmq_options {
    const char *name;
    const char *url;         /* amqp[s]://[USER[:PASSWORD]@]HOST[:PORT][/VHOST] */
    const char *client_name; /* what the broker lists the connection as */
    const char *tls_ca;      /* NULL: the system's */
    const char *tls_certificate;
    const char *tls_key;
    bool tls_insecure;
    uint64_t heartbeat_ns;   /* whole seconds */
    const char *exchange;    /* it exists; "": the default one, whose keys are queue names */
    const char *routing_key; /* {trace_id} is the id in hex, {{ a brace */
    bool persistent;         /* messages outlive a restart of the broker in durable queues */
    bool mandatory;          /* else what no queue takes is lost at the broker */
    size_t queue_bytes_max;
    uint32_t in_flight_max; /* batches under way at once */
    uint64_t timeout_ns;    /* of connecting, of each question, and of a message's confirm */
    uint64_t backoff_initial_ns;
    uint64_t backoff_max_ns;
    uint64_t seed; /* of the jitter, of tables, and of message ids */
    const struct clock_source *clock;
    struct log *log;
    sink_done_fn on_done;
    void *on_done_arg;
};

/* Starts the sink and its thread.  SB_ERR_MEMORY, SB_ERR_CONFIG (logged), SB_ERR_INTERNAL. */
enum sb_err sink_rabbitmq_new(const struct sink_rabbitmq_options *options,
                              struct sink **ret) SB_MUST_USE;

/*
 * Any thread: does the broker let us in within `wait_ms`, and does it have the exchange?  Else
 * false, and `ret_why` says what is wrong.
 */
bool sink_rabbitmq_reach(const struct sink *sink, uint32_t wait_ms, char ret_why[SINK_WHY_LEN]);

#endif
