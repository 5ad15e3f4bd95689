#include "rabbitmq_rig.h"

#include <amqp.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES_MAX = 4096, BODY_BYTES_MAX = 64 << 20, CHANNEL = 1, NO_ROUTE = 312 };

static void lock(struct rabbitmq_rig *rig)
{
    (void)pthread_mutex_lock(&rig->base.lock);
}

static void unlock(struct rabbitmq_rig *rig)
{
    (void)pthread_cond_broadcast(&rig->base.changed);
    (void)pthread_mutex_unlock(&rig->base.lock);
}

/* What is read next of a frame. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

static uint64_t read_number(struct reader *in, size_t len)
{
    uint64_t value = 0;
    for (; len > 0 && in->at < in->end; len--)
        value = value << 8 | *in->at++;
    return value;
}

static void read_short(struct reader *in, char *ret, size_t room)
{
    size_t len = read_number(in, 1);
    len = len < (size_t)(in->end - in->at) ? len : (size_t)(in->end - in->at);
    (void)snprintf(ret, room, "%.*s", (int)len, (const char *)in->at);
    in->at += len;
}

static struct reader reader_of(const struct fake_frame *frame)
{
    return (struct reader){.at = frame->at, .end = frame->at + frame->len};
}

static bool read_properties(struct fake_peer *peer, struct rabbitmq_message *message,
                            uint64_t *ret_len)
{
    const uint16_t known = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                           AMQP_BASIC_MESSAGE_ID_FLAG;
    if (!peer_read(peer) || peer->frame.type != FRAME_HEADER)
        return peer_fail(peer, "no header");
    struct reader in = reader_of(&peer->frame);
    (void)read_number(&in, 4); /* class, weight */
    *ret_len = read_number(&in, 8);
    if (read_number(&in, 2) != known)
        return peer_fail(peer, "other properties");
    read_short(&in, message->content_type, sizeof(message->content_type));
    message->delivery_mode = (uint8_t)read_number(&in, 1);
    read_short(&in, message->id, sizeof(message->id));
    return true;
}

/* The method has been read. */
static bool read_message(struct fake_peer *peer, struct rabbitmq_message *message)
{
    uint64_t len = 0;
    struct reader in = reader_of(&peer->frame);
    (void)read_number(&in, 2);
    read_short(&in, message->exchange, sizeof(message->exchange));
    read_short(&in, message->key, sizeof(message->key));
    message->mandatory = (read_number(&in, 1) & 1) != 0;
    message->connection = peer->number;
    if (!read_properties(peer, message, &len))
        return false;
    text_init(&message->body, BODY_BYTES_MAX);
    while (message->body.len < len) {
        if (!peer_read(peer))
            return false;
        if (peer->frame.type != FRAME_BODY)
            return peer_fail(peer, "no body");
        text_append(&message->body, bytes_of(peer->frame.at, peer->frame.len));
    }
    return true;
}

static bool confirm(struct fake_peer *peer, uint32_t method, uint64_t tag, uint8_t bits)
{
    wire_clear(&peer->wire);
    wire_u64(&peer->wire, tag);
    wire_u8(&peer->wire, bits);
    return peer_send_method(peer, CHANNEL, method);
}

static bool give_back(struct fake_peer *peer, const struct rabbitmq_message *message,
                      const char *id)
{
    struct fake_wire *wire = &peer->wire;
    static const char part[] = "the body does not matter";
    wire_clear(wire);
    wire_u16(wire, NO_ROUTE);
    wire_short(wire, "NO_ROUTE");
    wire_short(wire, message->exchange);
    wire_short(wire, message->key);
    if (!peer_send_method(peer, CHANNEL, AMQP_BASIC_RETURN_METHOD))
        return false;
    wire_clear(wire);
    wire_u16(wire, AMQP_BASIC_CLASS);
    wire_u16(wire, 0);
    wire_u64(wire, sizeof(part));
    wire_u16(wire, AMQP_BASIC_MESSAGE_ID_FLAG);
    wire_short(wire, id);
    return peer_send_frame(peer, FRAME_HEADER, CHANNEL, wire->at, wire->len) &&
           peer_send_frame(peer, FRAME_BODY, CHANNEL, part, sizeof(part));
}

static void stall(struct rabbitmq_rig *rig)
{
    lock(rig);
    while (!rig->ending)
        (void)pthread_cond_wait(&rig->base.changed, &rig->base.lock);
    unlock(rig);
}

static bool act(struct fake_peer *peer, enum rabbitmq_act what,
                const struct rabbitmq_message *message, uint64_t tag)
{
    switch (what) {
    case RABBITMQ_ACK:
        return confirm(peer, AMQP_BASIC_ACK_METHOD, tag, 0);
    case RABBITMQ_ACK_ALL:
        return confirm(peer, AMQP_BASIC_ACK_METHOD, tag, 1);
    case RABBITMQ_NACK:
        return confirm(peer, AMQP_BASIC_NACK_METHOD, tag, 0);
    case RABBITMQ_ACK_UNKNOWN:
        return confirm(peer, AMQP_BASIC_ACK_METHOD, tag + 1000000, 0);
    case RABBITMQ_RETURN:
        return give_back(peer, message, message->id) &&
               confirm(peer, AMQP_BASIC_ACK_METHOD, tag, 0);
    case RABBITMQ_RETURN_UNKNOWN:
        return give_back(peer, message, "0123456789abcdef-1") &&
               confirm(peer, AMQP_BASIC_ACK_METHOD, tag, 0);
    case RABBITMQ_KEEP:
        return true;
    case RABBITMQ_STALL:
        stall(peer->arg);
        return false;
    case RABBITMQ_CUT_CONNECTION:
        return false;
    case RABBITMQ_TOO_LONG:
        return peer_close(peer, CHANNEL, AMQP_PRECONDITION_FAILED,
                          "PRECONDITION_FAILED - message size 9 is larger than ...");
    case RABBITMQ_FORBID:
        return peer_close(peer, CHANNEL, AMQP_ACCESS_REFUSED, "ACCESS_REFUSED - no");
    }
    return false;
}

/* Keeps the message; what is to be done with it. */
static enum rabbitmq_act take(struct rabbitmq_rig *rig, const struct rabbitmq_message *message)
{
    lock(rig);
    enum rabbitmq_act what = rig->taken < rig->plan_len ? rig->plan[rig->taken] : RABBITMQ_ACK;
    if (rig->body_bytes_max > 0 && message->body.len > rig->body_bytes_max)
        what = RABBITMQ_TOO_LONG;
    if (rig->taken < MESSAGES_MAX)
        rig->messages[rig->taken++] = *message;
    unlock(rig);
    return what;
}

static bool serve_message(struct fake_peer *peer, uint64_t tag, bool *closed)
{
    struct rabbitmq_rig *rig = peer->arg;
    struct rabbitmq_message message = {.connection = 0};
    if (!read_message(peer, &message)) {
        text_clear(&message.body);
        return false;
    }
    if (*closed) { /* published before the other side knew */
        text_clear(&message.body);
        return true;
    }
    enum rabbitmq_act what = take(rig, &message);
    *closed = what == RABBITMQ_TOO_LONG || what == RABBITMQ_FORBID;
    return act(peer, what, &message, tag);
}

static void serve(struct fake_peer *peer)
{
    bool closed = false;
    uint64_t tag = 0;
    while (peer_read(peer)) {
        if (peer->frame.method == AMQP_BASIC_PUBLISH_METHOD) {
            if (!serve_message(peer, ++tag, &closed))
                return;
        } else if (peer->frame.method == AMQP_CONNECTION_CLOSE_METHOD) {
            wire_clear(&peer->wire);
            (void)peer_send_method(peer, 0, AMQP_CONNECTION_CLOSE_OK_METHOD);
            return;
        }
    }
}

static bool refuse_login(struct fake_peer *peer)
{
    return peer_take_login(peer) &&
           peer_close(peer, 0, AMQP_ACCESS_REFUSED, "ACCESS_REFUSED - Login was refused") &&
           peer_serve(peer, AMQP_CONNECTION_CLOSE_OK_METHOD);
}

static void run_connection(struct fake_peer *peer)
{
    struct rabbitmq_rig *rig = peer->arg;
    lock(rig);
    rig->connections++;
    bool refused = rig->refusals > 0;
    rig->refusals -= refused;
    bool no_exchange = rig->no_exchange;
    rig->no_exchange = false;
    bool blocked = rig->blocked;
    unlock(rig);
    if (refused) {
        (void)refuse_login(peer);
        return;
    }
    if (!peer_handshake(peer) || !peer_serve(peer, AMQP_CHANNEL_OPEN_METHOD))
        return;
    if (no_exchange) {
        if (peer_read(peer) &&
            peer_close(peer, CHANNEL, AMQP_NOT_FOUND, "NOT_FOUND - no exchange"))
            serve(peer);
        return;
    }
    if (!peer_serve(peer, AMQP_CONFIRM_SELECT_METHOD))
        return;
    wire_clear(&peer->wire);
    wire_short(&peer->wire, "low on memory");
    if (!blocked || peer_send_method(peer, 0, AMQP_CONNECTION_BLOCKED_METHOD))
        serve(peer);
}

void rabbitmq_rig_init(struct rabbitmq_rig *rig)
{
    *rig = (struct rabbitmq_rig){0};
    rig_init(&rig->base, clock_system());
    rig->messages = calloc(MESSAGES_MAX, sizeof(*rig->messages));
    assert_non_null(rig->messages);
    rig->broker = fake_broker_new(run_connection, rig);
    fake_broker_url(rig->broker, rig->url);
    rig->options = (struct sink_rabbitmq_options){
        .name = "test",
        .url = rig->url,
        .client_name = "tests",
        .heartbeat_ns = 60 * NS_PER_S,
        .exchange = "kept",
        .routing_key = "{trace_id}",
        .persistent = true,
        .mandatory = true,
        .queue_bytes_max = 64 << 20,
        .in_flight_max = 4,
        .timeout_ns = 20 * NS_PER_S,
        .backoff_initial_ns = NS_PER_MS,
        .backoff_max_ns = 10 * NS_PER_MS,
        .seed = 42,
        .clock = clock_system(),
        .log = rig->base.log,
        .on_done = rig_on_done,
        .on_done_arg = &rig->base,
    };
}

void rabbitmq_rig_plan(struct rabbitmq_rig *rig, const enum rabbitmq_act *plan, uint32_t len)
{
    lock(rig);
    rig->plan = plan;
    rig->plan_len = len;
    unlock(rig);
}

void rabbitmq_rig_start(struct rabbitmq_rig *rig)
{
    assert_int_equal(sink_rabbitmq_new(&rig->options, &rig->base.sink), SB_OK);
}

void rabbitmq_rig_clear(struct rabbitmq_rig *rig)
{
    const char *fault = fake_broker_fault(rig->broker);
    if (fault != NULL)
        print_error("broker: %s\n", fault);
    assert_null(fault);
    rig_stop(&rig->base); /* its end is told to a broker that is still there */
    lock(rig);
    rig->ending = true;
    unlock(rig);
    fake_broker_free(rig->broker);
    for (uint32_t i = 0; i < rig->taken; i++)
        text_clear(&rig->messages[i].body);
    free(rig->messages);
    rig_clear(&rig->base);
}

void rabbitmq_rig_wait_taken(struct rabbitmq_rig *rig, uint32_t count)
{
    (void)pthread_mutex_lock(&rig->base.lock);
    while (rig->taken < count)
        rig_wait_change(&rig->base);
    (void)pthread_mutex_unlock(&rig->base.lock);
}

uint32_t rabbitmq_rig_spans_of(const struct rabbitmq_message *message, struct trace_id *ret)
{
    return rig_spans_of(text_bytes(&message->body), ret);
}

enum sink_state rabbitmq_rig_state(struct rabbitmq_rig *rig)
{
    return rig->base.sink->ops->state(rig->base.sink);
}
