/*
 * channel: what is done on a channel of a link: topology, consumers, acks, messages.
 *
 * Questions wait for their answers; frames that come in between are kept for amqp_link_next in
 * their order.  After an error with the link still open the channel is closed; its number can
 * be opened again at once.  Names and keys are at most AMQP_SHORT_TEXT_MAX bytes long
 * (SB_ERR_LIMIT, nothing was sent then).
 */
#ifndef SB_AMQP_CHANNEL_H
#define SB_AMQP_CHANNEL_H

#include "amqp/link.h"

/* Numbers from 1 on. */
enum sb_err amqp_link_open_channel(struct amqp_link *link, uint16_t channel) SB_MUST_USE;
enum sb_err amqp_link_close_channel(struct amqp_link *link, uint16_t channel) SB_MUST_USE;

struct amqp_queue {
    const char *name;
    bool passive; /* only looks whether it is there */
    bool durable;
    bool exclusive; /* only this link may use it, and it goes with the link */
    bool auto_delete;
    const amqp_table_t *arguments; /* NULL: none */
};

/*
 * `ret_counts`: NULL where they are not wanted.  SB_ERR_NOT_FOUND: passive,
 * and there is none.  SB_ERR_CONFIG: not allowed, or there is one of another kind.
 */
enum sb_err amqp_link_declare_queue(struct amqp_link *link, uint16_t channel,
                                    const struct amqp_queue *queue,
                                    struct amqp_counts *ret_counts) SB_MUST_USE;

/*
 * Asks how many messages wait in a queue, without waiting for the answer, which is AMQP_COUNTS, or
 * AMQP_CHANNEL_CLOSED where there is no such queue.
 */
enum sb_err amqp_link_ask_counts(struct amqp_link *link, uint16_t channel,
                                 const char *queue) SB_MUST_USE;

/* `type` NULL: passive; else it is made, durable, unless it is there. */
enum sb_err amqp_link_declare_exchange(struct amqp_link *link, uint16_t channel,
                                       const char *name, const char *type) SB_MUST_USE;

/* Makes one that goes with the last queue that is bound to it. */
enum sb_err amqp_link_declare_temporary_exchange(struct amqp_link *link, uint16_t channel,
                                                 const char *name,
                                                 const char *type) SB_MUST_USE;

/* With all that is in it.  One that is not there is none. */
enum sb_err amqp_link_delete_queue(struct amqp_link *link, uint16_t channel,
                                   const char *name) SB_MUST_USE;

enum sb_err amqp_link_bind(struct amqp_link *link, uint16_t channel, const char *queue,
                           const char *exchange, const char *routing_key) SB_MUST_USE;

/* At most so many deliveries without an ack; for consumers that come after it. */
enum sb_err amqp_link_set_prefetch(struct amqp_link *link, uint16_t channel,
                                   uint16_t prefetch) SB_MUST_USE;

/*
 * Deliveries need acks.  `tag` names the consumer within the channel.  `exclusive`: the queue may
 * have no other, else SB_ERR_CONFIG.  `arguments`: or NULL.
 */
enum sb_err amqp_link_consume(struct amqp_link *link, uint16_t channel, const char *queue,
                              const char *tag, bool exclusive,
                              const amqp_table_t *arguments) SB_MUST_USE;

/*
 * The same without waiting: answered by AMQP_CONSUMING, or AMQP_CHANNEL_CLOSED.  So deliveries of
 * other channels that come meanwhile are read, instead of being kept.
 */
enum sb_err amqp_link_ask_consume(struct amqp_link *link, uint16_t channel, const char *queue,
                                  const char *tag, bool exclusive,
                                  const amqp_table_t *arguments) SB_MUST_USE;

/* No more deliveries; those that are under way still come. */
enum sb_err amqp_link_cancel(struct amqp_link *link, uint16_t channel,
                             const char *tag) SB_MUST_USE;

/* Publishing on this channel is answered by AMQP_ACK and AMQP_NACK, counted from tag 1. */
enum sb_err amqp_link_select_confirms(struct amqp_link *link, uint16_t channel) SB_MUST_USE;

/* These are not answered. */
enum sb_err amqp_link_ack(struct amqp_link *link, uint16_t channel, uint64_t tag,
                          bool multiple) SB_MUST_USE;
enum sb_err amqp_link_reject(struct amqp_link *link, uint16_t channel, uint64_t tag,
                             bool requeue) SB_MUST_USE;

struct amqp_message {
    struct bytes exchange; /* empty: the default one, whose routing keys are queue names */
    struct bytes routing_key;
    bool mandatory;                    /* what no queue takes comes back as AMQP_RETURN */
    bool persistent;                   /* kept on disk by durable queues */
    struct bytes content_type;         /* empty: none */
    struct bytes message_id;           /* empty: none */
    uint64_t timestamp_s;              /* since 1970; 0: none */
    const struct amqp_header *headers; /* without a value: void */
    size_t header_count;
    struct bytes body;
};

/*
 * Sends a message.  Waits while the broker does not read, so do not begin while
 * amqp_link_is_blocked; amqp_link_interrupt ends the wait.  SB_ERR_LIMIT: a name is too long,
 * or the headers do not fit into one frame; nothing was sent.  SB_ERR_MEMORY: neither.
 */
enum sb_err amqp_link_publish(struct amqp_link *link, uint16_t channel,
                              const struct amqp_message *message) SB_MUST_USE;

#endif
