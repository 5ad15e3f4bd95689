#include "amqp/channel.h"

#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "reply.h"

enum { WHAT_LEN = 320 };

static bool is_short(const char *name)
{
    return strlen(name) <= AMQP_SHORT_TEXT_MAX;
}

static amqp_table_t table_of(const amqp_table_t *table)
{
    return table == NULL ? amqp_empty_table : *table;
}

/* The end of the question that was asked last. */
static enum sb_err end_rpc(struct amqp_link *link, uint16_t channel, const char *verb,
                           const char *name)
{
    char what[WHAT_LEN];
    (void)snprintf(what, sizeof(what), "%s%s%s", verb, name[0] == '\0' ? "" : " ", name);
    enum sb_err err = reply_of_rpc(link, channel, amqp_get_rpc_reply(link->connection), what);
    if (amqp_link_is_open(link))
        amqp_maybe_release_buffers_on_channel(link->connection, channel);
    return err;
}

static enum sb_err too_long(struct amqp_link *link, const char *verb)
{
    return reply_fail(link, SB_ERR_LIMIT, "%s: a name is longer than %d bytes", verb,
                      AMQP_SHORT_TEXT_MAX);
}

enum sb_err amqp_link_open_channel(struct amqp_link *link, uint16_t channel)
{
    SB_ASSERT(amqp_link_is_open(link) && channel > 0);
    (void)amqp_channel_open(link->connection, channel);
    return end_rpc(link, channel, "opening a channel", "");
}

enum sb_err amqp_link_close_channel(struct amqp_link *link, uint16_t channel)
{
    SB_ASSERT(amqp_link_is_open(link) && channel > 0);
    amqp_rpc_reply_t reply = amqp_channel_close(link->connection, channel, AMQP_REPLY_SUCCESS);
    return reply_of_rpc(link, channel, reply, "closing a channel");
}

enum sb_err amqp_link_declare_queue(struct amqp_link *link, uint16_t channel,
                                    const struct amqp_queue *queue,
                                    struct amqp_counts *ret_counts)
{
    SB_ASSERT(amqp_link_is_open(link));
    if (!is_short(queue->name))
        return too_long(link, "queue");
    const amqp_queue_declare_ok_t *ok = amqp_queue_declare(
        link->connection, channel, amqp_text(queue->name), queue->passive, queue->durable,
        queue->exclusive, queue->auto_delete, table_of(queue->arguments));
    struct amqp_counts counts = {0, 0};
    if (ok != NULL)
        counts = (struct amqp_counts){ok->message_count, ok->consumer_count};
    enum sb_err err = end_rpc(link, channel, "queue", queue->name);
    if (err == SB_OK && ret_counts != NULL)
        *ret_counts = counts;
    return err;
}

enum sb_err amqp_link_ask_counts(struct amqp_link *link, uint16_t channel, const char *queue)
{
    SB_ASSERT(amqp_link_is_open(link));
    if (!is_short(queue))
        return too_long(link, "queue");
    amqp_queue_declare_t ask = {.queue = amqp_text(queue), .passive = 1};
    return reply_of_status(
        link, amqp_send_method(link->connection, channel, AMQP_QUEUE_DECLARE_METHOD, &ask),
        "counting");
}

/* `type` NULL: passive. */
static enum sb_err declare_exchange(struct amqp_link *link, uint16_t channel, const char *name,
                                    const char *type, bool temporary)
{
    SB_ASSERT(amqp_link_is_open(link));
    if (!is_short(name) || (type != NULL && !is_short(type)))
        return too_long(link, "exchange");
    (void)amqp_exchange_declare(link->connection, channel, amqp_text(name),
                                amqp_text(type == NULL ? "" : type), type == NULL,
                                /* durable */ !temporary, /* auto_delete */ temporary,
                                /* internal */ 0, amqp_empty_table);
    return end_rpc(link, channel, "exchange", name);
}

enum sb_err amqp_link_declare_exchange(struct amqp_link *link, uint16_t channel,
                                       const char *name, const char *type)
{
    return declare_exchange(link, channel, name, type, false);
}

enum sb_err amqp_link_declare_temporary_exchange(struct amqp_link *link, uint16_t channel,
                                                 const char *name, const char *type)
{
    return declare_exchange(link, channel, name, type, true);
}

enum sb_err amqp_link_delete_queue(struct amqp_link *link, uint16_t channel, const char *name)
{
    SB_ASSERT(amqp_link_is_open(link));
    if (!is_short(name))
        return too_long(link, "removing queue");
    (void)amqp_queue_delete(link->connection, channel, amqp_text(name), /* if_unused */ 0,
                            /* if_empty */ 0);
    return end_rpc(link, channel, "removing queue", name);
}

enum sb_err amqp_link_bind(struct amqp_link *link, uint16_t channel, const char *queue,
                           const char *exchange, const char *routing_key)
{
    SB_ASSERT(amqp_link_is_open(link));
    if (!is_short(queue) || !is_short(exchange) || !is_short(routing_key))
        return too_long(link, "binding");
    (void)amqp_queue_bind(link->connection, channel, amqp_text(queue), amqp_text(exchange),
                          amqp_text(routing_key), amqp_empty_table);
    return end_rpc(link, channel, "binding of queue", queue);
}

enum sb_err amqp_link_set_prefetch(struct amqp_link *link, uint16_t channel, uint16_t prefetch)
{
    SB_ASSERT(amqp_link_is_open(link));
    (void)amqp_basic_qos(link->connection, channel, /* prefetch_size */ 0, prefetch,
                         /* global */ 0);
    return end_rpc(link, channel, "prefetch", "");
}

enum sb_err amqp_link_consume(struct amqp_link *link, uint16_t channel, const char *queue,
                              const char *tag, bool exclusive, const amqp_table_t *arguments)
{
    SB_ASSERT(amqp_link_is_open(link));
    if (!is_short(queue) || !is_short(tag))
        return too_long(link, "consumer");
    (void)amqp_basic_consume(link->connection, channel, amqp_text(queue), amqp_text(tag),
                             /* no_local */ 0, /* no_ack */ 0, exclusive, table_of(arguments));
    return end_rpc(link, channel, "consumer of queue", queue);
}

enum sb_err amqp_link_ask_consume(struct amqp_link *link, uint16_t channel, const char *queue,
                                  const char *tag, bool exclusive,
                                  const amqp_table_t *arguments)
{
    SB_ASSERT(amqp_link_is_open(link));
    if (!is_short(queue) || !is_short(tag))
        return too_long(link, "consumer");
    amqp_basic_consume_t ask = {
        .queue = amqp_text(queue),
        .consumer_tag = amqp_text(tag),
        .exclusive = exclusive,
        .arguments = table_of(arguments),
    };
    return reply_of_status(
        link, amqp_send_method(link->connection, channel, AMQP_BASIC_CONSUME_METHOD, &ask),
        "consumer");
}

enum sb_err amqp_link_cancel(struct amqp_link *link, uint16_t channel, const char *tag)
{
    SB_ASSERT(amqp_link_is_open(link));
    if (!is_short(tag))
        return too_long(link, "consumer");
    (void)amqp_basic_cancel(link->connection, channel, amqp_text(tag));
    return end_rpc(link, channel, "end of consumer", tag);
}

enum sb_err amqp_link_select_confirms(struct amqp_link *link, uint16_t channel)
{
    SB_ASSERT(amqp_link_is_open(link));
    (void)amqp_confirm_select(link->connection, channel);
    return end_rpc(link, channel, "confirms", "");
}

enum sb_err amqp_link_ack(struct amqp_link *link, uint16_t channel, uint64_t tag, bool multiple)
{
    SB_ASSERT(link->connection != NULL);
    return reply_of_status(link, amqp_basic_ack(link->connection, channel, tag, multiple),
                           "ack");
}

enum sb_err amqp_link_reject(struct amqp_link *link, uint16_t channel, uint64_t tag,
                             bool requeue)
{
    SB_ASSERT(link->connection != NULL);
    return reply_of_status(link, amqp_basic_reject(link->connection, channel, tag, requeue),
                           "reject");
}
