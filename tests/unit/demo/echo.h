/*
 * echo: a script of the fake broker that does what RabbitMQ does for the demo: it confirms what
 * is published, and gives messages of the exchange back on the channels of both queues.
 */
#ifndef SB_UNIT_DEMO_ECHO_H
#define SB_UNIT_DEMO_ECHO_H

#include <amqp.h>

#include "fake_broker.h"

/* What a script saw and is to do; read by the test once exchange_free has returned. */
struct echo {
    uint32_t messages;  /* published to the exchange */
    uint32_t spans;     /* to the default one */
    uint32_t mailers;   /* records of spans that tell of the mailer */
    uint32_t acks;      /* of deliveries */
    uint32_t removed;   /* queues */
    bool lets_in_again; /* a connection that comes after one that was cut */
    bool shuffle;       /* the first confirm stays away, and comes last */
    bool garble;        /* what comes out has lost its properties */
    char spans_key[256];
};

static inline bool echo_confirm(struct fake_peer *peer, uint64_t tag, bool multiple)
{
    wire_clear(&peer->wire);
    wire_u64(&peer->wire, tag);
    wire_u8(&peer->wire, multiple);
    return peer_send_method(peer, 1, AMQP_BASIC_ACK_METHOD);
}

/* The message on the channel of one of the queues. */
static inline bool echo_deliver(struct fake_peer *peer, uint16_t channel, uint64_t tag,
                                const struct fake_frame *header, const struct fake_frame *body)
{
    const struct echo *echo = peer->arg;
    if (!peer_deliver_method(peer, channel, tag))
        return false;
    bool sent = echo->garble
                    ? peer_send_header(peer, channel, body->len)
                    : peer_send_frame(peer, FRAME_HEADER, channel, header->at, header->len);
    return sent && peer_send_frame(peer, FRAME_BODY, channel, body->at, body->len);
}

/* The method has been read; its header and its body follow. */
static inline bool echo_take(struct fake_peer *peer, uint64_t tag)
{
    static struct fake_frame method, header; /* large; scripts run one at a time */
    struct echo *echo = peer->arg;
    method = peer->frame;
    if (!peer_read(peer))
        return false;
    header = peer->frame;
    if (!peer_read(peer) || peer->frame.type != FRAME_BODY)
        return peer_fail(peer, "a message without a body");
    if (!(echo->shuffle && tag == 1) && !echo_confirm(peer, tag, false))
        return false;
    size_t exchange_len = method.at[2];
    if (exchange_len == 0) {
        echo->spans++;
        echo->mailers += memmem(peer->frame.at, peer->frame.len, "mailer", 6) != NULL;
        memcpy(echo->spans_key, method.at + 4, method.at[3]);
        return true;
    }
    echo->messages++;
    return echo_deliver(peer, 2, tag, &header, &peer->frame) &&
           echo_deliver(peer, 3, tag, &header, &peer->frame);
}

static inline void echo_serve(struct fake_peer *peer)
{
    struct echo *echo = peer->arg;
    uint64_t tag = 0;
    if (!peer_handshake(peer))
        return;
    while (peer_serve_next(peer)) {
        if (peer->frame.method == AMQP_CONNECTION_CLOSE_METHOD)
            return;
        echo->acks += peer->frame.method == AMQP_BASIC_ACK_METHOD;
        echo->removed += peer->frame.method == AMQP_QUEUE_DELETE_METHOD;
        if (peer->frame.method == AMQP_BASIC_PUBLISH_METHOD && !echo_take(peer, ++tag))
            return;
        if (echo->shuffle && tag == 3 && peer->frame.type == FRAME_BODY &&
            !echo_confirm(peer, 3, true))
            return;
    }
}

#endif
