/*
 * amqp_connection: what producer and consumer need to talk to RabbitMQ at all; nothing in it is
 * about tracing.  Trouble ends the program with a line on stderr.
 */
#ifndef SPANBRIDGE_EXAMPLE_AMQP_CONNECTION_H
#define SPANBRIDGE_EXAMPLE_AMQP_CONNECTION_H

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>

enum { AMQP_CHANNEL = 1, AMQP_FRAME_MAX = 131072, AMQP_HEARTBEAT_S = 30 };

static inline void amqp_die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static inline void amqp_check(const char *what, amqp_rpc_reply_t reply)
{
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        amqp_die(what, amqp_error_string2(reply.library_error));
    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        amqp_die(what, "the broker refused it");
}

/* Connects to amqp://USER:PASSWORD@HOST:PORT/VHOST, which is written to, and opens a channel. */
static inline amqp_connection_state_t amqp_open(char *url)
{
    struct amqp_connection_info info;
    amqp_default_connection_info(&info);
    if (amqp_parse_url(url, &info) != AMQP_STATUS_OK)
        amqp_die(url, "no AMQP URL");
    amqp_connection_state_t connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);
    if (socket == NULL || amqp_socket_open(socket, info.host, info.port) != AMQP_STATUS_OK)
        amqp_die(info.host, "no connection");
    amqp_check("login", amqp_login(connection, info.vhost, 0, AMQP_FRAME_MAX, AMQP_HEARTBEAT_S,
                                   AMQP_SASL_METHOD_PLAIN, info.user, info.password));
    amqp_channel_open(connection, AMQP_CHANNEL);
    amqp_check("channel", amqp_get_rpc_reply(connection));
    return connection;
}

static inline void amqp_declare(amqp_connection_state_t connection, const char *queue)
{
    enum { PASSIVE = 0, DURABLE = 1, EXCLUSIVE = 0, AUTO_DELETE = 0 };
    amqp_queue_declare(connection, AMQP_CHANNEL, amqp_cstring_bytes(queue), PASSIVE, DURABLE,
                       EXCLUSIVE, AUTO_DELETE, amqp_empty_table);
    amqp_check(queue, amqp_get_rpc_reply(connection));
}

static inline void amqp_close(amqp_connection_state_t connection)
{
    amqp_channel_close(connection, AMQP_CHANNEL, AMQP_REPLY_SUCCESS);
    amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(connection);
}

#endif
