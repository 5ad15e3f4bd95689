/*
 * rabbitmq_publisher: librabbitmq alone publishes to a queue: persistent messages with confirms,
 * up to CONFIRMS_MAX of them out at once.
 *
 * It fills the queues that consumers are measured on, and is what the RabbitMQ sink is measured
 * against.  A message that is not confirmed, or that no queue takes, ends the program.
 */
#ifndef SB_BENCH_RABBITMQ_PUBLISHER_H
#define SB_BENCH_RABBITMQ_PUBLISHER_H

#include "bench_rabbitmq.h"
#include "confirms.h"
#include "core/bytes.h"

struct rabbitmq_publisher {
    amqp_connection_state_t connection;
    const char *queue;
    struct confirms confirms;
};

/* Connects and declares the queue. */
void rabbitmq_publisher_open(struct rabbitmq_publisher *publisher, const char *url,
                             const char *queue);
void rabbitmq_publisher_close(struct rabbitmq_publisher *publisher);

/* Waits while too many are out. */
void rabbitmq_publisher_send(struct rabbitmq_publisher *publisher, struct bytes body);
/* Waits until all are confirmed. */
void rabbitmq_publisher_flush(struct rabbitmq_publisher *publisher);

#endif
