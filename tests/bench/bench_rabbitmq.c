#include "bench_rabbitmq.h"

#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

enum { FRAME_BYTES_MAX = 131072, URL_LEN = 512, MS_PER_S = 1000, US_PER_MS = 1000 };

static void check_reply(amqp_rpc_reply_t reply, const char *what)
{
    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return;
    if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION)
        bench_fail("%s: %s", what, amqp_error_string2(reply.library_error));
    if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *closed = reply.reply.decoded;
        bench_fail("%s: %.*s", what, (int)closed->reply_text.len,
                   (const char *)closed->reply_text.bytes);
    }
    const amqp_channel_close_t *closed = reply.reply.decoded;
    bench_fail("%s: %.*s", what, (int)closed->reply_text.len,
               (const char *)closed->reply_text.bytes);
}

void bench_rabbitmq_check(amqp_connection_state_t connection, const char *what)
{
    check_reply(amqp_get_rpc_reply(connection), what);
}

amqp_connection_state_t bench_rabbitmq_open(const char *url)
{
    char parts[URL_LEN]; /* the parser writes into it */
    struct amqp_connection_info info;
    snprintf(parts, sizeof(parts), "%s", url);
    if (strlen(url) >= sizeof(parts) || amqp_parse_url(parts, &info) != AMQP_STATUS_OK ||
        info.ssl)
        bench_usage("\"%s\" is no amqp:// URL", url);
    amqp_connection_state_t connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);
    if (socket == NULL)
        bench_fail("memory is short");
    int status = amqp_socket_open(socket, info.host, info.port);
    if (status != AMQP_STATUS_OK)
        bench_fail("%s:%d: %s", info.host, info.port, amqp_error_string2(status));
    check_reply(amqp_login(connection, info.vhost, AMQP_DEFAULT_MAX_CHANNELS, FRAME_BYTES_MAX,
                           0, AMQP_SASL_METHOD_PLAIN, info.user, info.password),
                "login");
    amqp_channel_open(connection, BENCH_RABBITMQ_CHANNEL);
    bench_rabbitmq_check(connection, "open a channel");
    return connection;
}

void bench_rabbitmq_close(amqp_connection_state_t connection)
{
    check_reply(amqp_connection_close(connection, AMQP_REPLY_SUCCESS), "close");
    amqp_destroy_connection(connection);
}

void bench_rabbitmq_declare(amqp_connection_state_t connection, const char *queue)
{
    amqp_table_entry_t type = {.key = amqp_cstring_bytes("x-queue-type"),
                               .value = {.kind = AMQP_FIELD_KIND_UTF8}};
    type.value.value.bytes = amqp_cstring_bytes("quorum");
    const amqp_table_t arguments = {.num_entries = 1, .entries = &type};
    amqp_queue_declare(connection, BENCH_RABBITMQ_CHANNEL, amqp_cstring_bytes(queue),
                       /* passive */ 0, /* durable */ 1, /* exclusive */ 0,
                       /* auto-delete */ 0, arguments);
    bench_rabbitmq_check(connection, queue);
}

bool bench_rabbitmq_next(amqp_connection_state_t connection, uint32_t wait_ms,
                         amqp_frame_t *ret)
{
    const struct timeval wait = {.tv_sec = wait_ms / MS_PER_S,
                                 .tv_usec = (suseconds_t)(wait_ms % MS_PER_S) * US_PER_MS};
    amqp_maybe_release_buffers(connection);
    int status = amqp_simple_wait_frame_noblock(connection, ret, &wait);
    if (status == AMQP_STATUS_TIMEOUT)
        return false;
    if (status != AMQP_STATUS_OK)
        bench_fail("reading: %s", amqp_error_string2(status));
    if (ret->frame_type != AMQP_FRAME_METHOD)
        return true;
    switch (ret->payload.method.id) {
    case AMQP_CHANNEL_CLOSE_METHOD:
    case AMQP_CONNECTION_CLOSE_METHOD:
        check_reply((amqp_rpc_reply_t){.reply_type = AMQP_RESPONSE_SERVER_EXCEPTION,
                                       .reply = ret->payload.method},
                    "closed by the broker");
        break;
    case AMQP_BASIC_CANCEL_METHOD:
        bench_fail("the queue is gone");
    default:
        break;
    }
    return true;
}
