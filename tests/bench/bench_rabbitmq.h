/*
 * bench_rabbitmq: what the bench's programs for RabbitMQ share: one connection of librabbitmq with
 * one channel, and queues.  Whatever fails ends the program.  One thread.
 */
#ifndef SB_BENCH_RABBITMQ_H
#define SB_BENCH_RABBITMQ_H

#include <amqp.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench.h"

enum { BENCH_RABBITMQ_CHANNEL = 1 };

/* "amqp://USER:PASSWORD@HOST:PORT/VHOST"; without heartbeats. */
amqp_connection_state_t bench_rabbitmq_open(const char *url);
void bench_rabbitmq_close(amqp_connection_state_t connection);

/* Fails unless the last question was answered well; `what` it was for people. */
void bench_rabbitmq_check(amqp_connection_state_t connection, const char *what);

/* Makes a quorum queue, as spanbridge does for spans by itself, unless it is there. */
void bench_rabbitmq_declare(amqp_connection_state_t connection, const char *queue);

/*
 * The next frame; false: none came within `wait_ms`.  What it points to lives until the next
 * call.  Fails when the broker closes the channel or the connection, or cancels a consumer.
 */
bool bench_rabbitmq_next(amqp_connection_state_t connection, uint32_t wait_ms,
                         amqp_frame_t *ret);

#endif
