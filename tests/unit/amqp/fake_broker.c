#include "fake_broker.h"

#include <amqp.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/assert.h"

enum { PATIENCE_MS = 20000, FRAME_END = 0xce, HEAD_LEN = 7, BACKLOG = 16, HEARTBEAT_S = 60 };

struct fake_broker {
    int listener;
    uint16_t port;
    fake_script script;
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock; /* of fd */
    int fd;               /* the connection that is being served, or -1 */
    _Atomic bool ending;
    _Atomic(const char *) fault;
};

void wire_clear(struct fake_wire *wire)
{
    wire->len = 0;
}

void wire_bytes(struct fake_wire *wire, const void *at, size_t len)
{
    SB_ASSERT(len <= sizeof(wire->at) - wire->len);
    if (len > 0)
        memcpy(wire->at + wire->len, at, len);
    wire->len += len;
}

static void put(struct fake_wire *wire, uint64_t value, size_t len)
{
    for (size_t i = len; i > 0; i--)
        wire_u8(wire, (uint8_t)(value >> (8 * (i - 1))));
}

void wire_u8(struct fake_wire *wire, uint8_t value)
{
    wire_bytes(wire, &value, 1);
}

void wire_u16(struct fake_wire *wire, uint16_t value)
{
    put(wire, value, 2);
}

void wire_u32(struct fake_wire *wire, uint32_t value)
{
    put(wire, value, 4);
}

void wire_u64(struct fake_wire *wire, uint64_t value)
{
    put(wire, value, 8);
}

void wire_short(struct fake_wire *wire, const char *text)
{
    size_t len = strlen(text);
    SB_ASSERT(len <= UINT8_MAX);
    wire_u8(wire, (uint8_t)len);
    wire_bytes(wire, text, len);
}

void wire_long(struct fake_wire *wire, const char *text)
{
    size_t len = strlen(text);
    wire_u32(wire, (uint32_t)len);
    wire_bytes(wire, text, len);
}

size_t wire_begin_table(struct fake_wire *wire)
{
    wire_u32(wire, 0);
    return wire->len;
}

void wire_end_table(struct fake_wire *wire, size_t begun)
{
    size_t end = wire->len;
    wire->len = begun - 4;
    wire_u32(wire, (uint32_t)(end - begun));
    wire->len = end;
}

void wire_text_entry(struct fake_wire *wire, const char *name, const char *value)
{
    wire_short(wire, name);
    wire_u8(wire, 'S');
    wire_long(wire, value);
}

void wire_long_entry(struct fake_wire *wire, const char *name, int64_t value)
{
    wire_short(wire, name);
    wire_u8(wire, 'l');
    wire_u64(wire, (uint64_t)value);
}

bool peer_fail(struct fake_peer *peer, const char *text)
{
    const char *none = NULL;
    if (!atomic_load(&peer->broker->ending))
        (void)atomic_compare_exchange_strong(&peer->broker->fault, &none, text);
    return false;
}

bool peer_send_raw(struct fake_peer *peer, const void *at, size_t len)
{
    const uint8_t *from = at;
    while (len > 0) {
        ssize_t sent = send(peer->fd, from, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        from += sent;
        len -= (size_t)sent;
    }
    return true;
}

bool peer_send_frame(struct fake_peer *peer, uint8_t type, uint16_t channel, const void *at,
                     size_t len)
{
    const uint8_t head[HEAD_LEN] = {type,
                                    (uint8_t)(channel >> 8),
                                    (uint8_t)channel,
                                    (uint8_t)(len >> 24),
                                    (uint8_t)(len >> 16),
                                    (uint8_t)(len >> 8),
                                    (uint8_t)len};
    const uint8_t end = FRAME_END;
    return peer_send_raw(peer, head, sizeof(head)) && peer_send_raw(peer, at, len) &&
           peer_send_raw(peer, &end, 1);
}

bool peer_send_method(struct fake_peer *peer, uint16_t channel, uint32_t method)
{
    struct fake_wire *wire = &peer->wire;
    SB_ASSERT(wire->len + 4 <= sizeof(wire->at));
    memmove(wire->at + 4, wire->at, wire->len);
    size_t len = wire->len + 4;
    wire->len = 0;
    wire_u32(wire, method);
    wire->len = 0;
    return peer_send_frame(peer, FRAME_METHOD, channel, wire->at, len);
}

/* False: the end, or nothing for a long time. */
static bool receive(struct fake_peer *peer, uint8_t *at, size_t len)
{
    while (len > 0) {
        struct pollfd wait = {.fd = peer->fd, .events = POLLIN};
        if (poll(&wait, 1, PATIENCE_MS) <= 0)
            return peer_fail(peer, "nothing came for long");
        ssize_t got = recv(peer->fd, at, len, 0);
        if (got <= 0)
            return false;
        at += got;
        len -= (size_t)got;
    }
    return true;
}

static bool read_one(struct fake_peer *peer)
{
    struct fake_frame *frame = &peer->frame;
    uint8_t head[HEAD_LEN];
    if (!receive(peer, head, sizeof(head)))
        return false;
    uint32_t len =
        (uint32_t)head[3] << 24 | (uint32_t)head[4] << 16 | (uint32_t)head[5] << 8 | head[6];
    frame->type = head[0];
    frame->channel = (uint16_t)(head[1] << 8 | head[2]);
    frame->method = 0;
    if (len >= sizeof(frame->at))
        return peer_fail(peer, "a frame is too long");
    if (!receive(peer, frame->at, len + 1))
        return false;
    if (frame->at[len] != FRAME_END)
        return peer_fail(peer, "a frame has no end");
    frame->len = len;
    if (frame->type == FRAME_METHOD) {
        frame->method = (uint32_t)frame->at[0] << 24 | (uint32_t)frame->at[1] << 16 |
                        (uint32_t)frame->at[2] << 8 | frame->at[3];
        frame->len = len - 4;
        memmove(frame->at, frame->at + 4, frame->len);
    }
    return true;
}

bool peer_read(struct fake_peer *peer)
{
    do {
        if (!read_one(peer))
            return false;
    } while (peer->frame.type == FRAME_HEARTBEAT);
    return true;
}

/* Answers what peer->frame asks.  False: cut; *ret_known: whether it was a question. */
static bool answer(struct fake_peer *peer, bool *ret_known)
{
    uint16_t channel = peer->frame.channel;
    struct fake_wire *wire = &peer->wire;
    wire_clear(wire);
    *ret_known = true;
    switch (peer->frame.method) {
    case AMQP_CHANNEL_OPEN_METHOD:
        wire_u32(wire, 0);
        return peer_send_method(peer, channel, AMQP_CHANNEL_OPEN_OK_METHOD);
    case AMQP_CHANNEL_CLOSE_METHOD:
        return peer_send_method(peer, channel, AMQP_CHANNEL_CLOSE_OK_METHOD);
    case AMQP_QUEUE_DECLARE_METHOD:
        wire_bytes(wire, peer->frame.at + 2, (size_t)peer->frame.at[2] + 1);
        wire_u32(wire, peer->ready);
        wire_u32(wire, 1); /* consumer */
        return peer_send_method(peer, channel, AMQP_QUEUE_DECLARE_OK_METHOD);
    case AMQP_EXCHANGE_DECLARE_METHOD:
        return peer_send_method(peer, channel, AMQP_EXCHANGE_DECLARE_OK_METHOD);
    case AMQP_QUEUE_BIND_METHOD:
        return peer_send_method(peer, channel, AMQP_QUEUE_BIND_OK_METHOD);
    case AMQP_QUEUE_DELETE_METHOD:
        wire_u32(wire, peer->ready);
        return peer_send_method(peer, channel, AMQP_QUEUE_DELETE_OK_METHOD);
    case AMQP_BASIC_QOS_METHOD:
        return peer_send_method(peer, channel, AMQP_BASIC_QOS_OK_METHOD);
    case AMQP_BASIC_CONSUME_METHOD:
        wire_short(wire, "consumer");
        return peer_send_method(peer, channel, AMQP_BASIC_CONSUME_OK_METHOD);
    case AMQP_BASIC_CANCEL_METHOD:
        wire_short(wire, "consumer");
        return peer_send_method(peer, channel, AMQP_BASIC_CANCEL_OK_METHOD);
    case AMQP_CONFIRM_SELECT_METHOD:
        return peer_send_method(peer, channel, AMQP_CONFIRM_SELECT_OK_METHOD);
    case AMQP_CONNECTION_CLOSE_METHOD:
        return peer_send_method(peer, 0, AMQP_CONNECTION_CLOSE_OK_METHOD);
    default:
        *ret_known = false;
        return true;
    }
}

bool peer_serve_next(struct fake_peer *peer)
{
    bool known;
    return peer_read(peer) && answer(peer, &known);
}

bool peer_serve(struct fake_peer *peer, uint32_t method)
{
    do {
        if (!peer_serve_next(peer))
            return false;
    } while (peer->frame.method != method);
    return true;
}

void peer_serve_to_the_end(struct fake_peer *peer)
{
    (void)peer_serve(peer, AMQP_CONNECTION_CLOSE_METHOD);
}

void peer_ignore(struct fake_peer *peer)
{
    while (recv(peer->fd, peer->frame.at, sizeof(peer->frame.at), 0) > 0) {
    }
}

bool peer_take_login(struct fake_peer *peer)
{
    uint8_t header[8];
    struct fake_wire *wire = &peer->wire;
    if (!receive(peer, header, sizeof(header)))
        return false;
    if (memcmp(header, "AMQP\0\0\11\1", sizeof(header)) != 0)
        return peer_fail(peer, "another protocol header");
    wire_clear(wire);
    wire_u8(wire, 0);
    wire_u8(wire, 9);
    size_t table = wire_begin_table(wire);
    wire_text_entry(wire, "product", "fake_broker");
    wire_end_table(wire, table);
    wire_long(wire, "PLAIN AMQPLAIN");
    wire_long(wire, "en_US");
    if (!peer_send_method(peer, 0, AMQP_CONNECTION_START_METHOD))
        return false;
    return peer_serve(peer, AMQP_CONNECTION_START_OK_METHOD);
}

bool peer_handshake(struct fake_peer *peer)
{
    if (!peer_take_login(peer))
        return false;
    wire_clear(&peer->wire);
    wire_u16(&peer->wire, AMQP_DEFAULT_MAX_CHANNELS);
    wire_u32(&peer->wire, AMQP_DEFAULT_FRAME_SIZE);
    wire_u16(&peer->wire, peer->heartbeat);
    if (!peer_send_method(peer, 0, AMQP_CONNECTION_TUNE_METHOD) ||
        !peer_serve(peer, AMQP_CONNECTION_TUNE_OK_METHOD) ||
        !peer_serve(peer, AMQP_CONNECTION_OPEN_METHOD))
        return false;
    wire_clear(&peer->wire);
    wire_short(&peer->wire, "");
    return peer_send_method(peer, 0, AMQP_CONNECTION_OPEN_OK_METHOD);
}

bool peer_close(struct fake_peer *peer, uint16_t channel, uint16_t code, const char *text)
{
    wire_clear(&peer->wire);
    wire_u16(&peer->wire, code);
    wire_short(&peer->wire, text);
    wire_u32(&peer->wire, 0);
    return peer_send_method(
        peer, channel, channel == 0 ? AMQP_CONNECTION_CLOSE_METHOD : AMQP_CHANNEL_CLOSE_METHOD);
}

bool peer_deliver_method(struct fake_peer *peer, uint16_t channel, uint64_t tag)
{
    wire_clear(&peer->wire);
    wire_short(&peer->wire, "consumer");
    wire_u64(&peer->wire, tag);
    wire_u8(&peer->wire, 0);
    wire_short(&peer->wire, "exchange");
    wire_short(&peer->wire, "key");
    return peer_send_method(peer, channel, AMQP_BASIC_DELIVER_METHOD);
}

bool peer_send_header(struct fake_peer *peer, uint16_t channel, uint64_t body_len)
{
    enum { AROUND = 14 };
    struct fake_wire *wire = &peer->wire;
    bool has_headers = wire->len > 0;
    size_t len = wire->len;
    SB_ASSERT(len + AROUND <= sizeof(wire->at));
    memmove(wire->at + AROUND, wire->at, len);
    wire_clear(wire);
    wire_u16(wire, AMQP_BASIC_CLASS);
    wire_u16(wire, 0);
    wire_u64(wire, body_len);
    wire_u16(wire, has_headers ? AMQP_BASIC_HEADERS_FLAG : 0);
    wire_clear(wire);
    return peer_send_frame(peer, FRAME_HEADER, channel, wire->at, len + AROUND);
}

bool peer_deliver(struct fake_peer *peer, uint16_t channel, uint64_t tag, const char *body)
{
    size_t len = strlen(body);
    if (!peer_deliver_method(peer, channel, tag) || !peer_send_header(peer, channel, len))
        return false;
    return len == 0 || peer_send_frame(peer, FRAME_BODY, channel, body, len);
}

static void lend_fd(struct fake_broker *broker, int fd)
{
    (void)pthread_mutex_lock(&broker->lock);
    broker->fd = fd;
    if (fd >= 0 && atomic_load(&broker->ending))
        (void)shutdown(fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&broker->lock);
}

static void *run(void *arg)
{
    struct fake_broker *broker = arg;
    struct fake_peer *peer = calloc(1, sizeof(*peer));
    SB_ASSERT(peer != NULL);
    peer->heartbeat = HEARTBEAT_S;
    peer->arg = broker->arg;
    peer->broker = broker;
    for (;;) {
        peer->fd = accept(broker->listener, NULL, NULL);
        if (peer->fd < 0)
            break;
        int one = 1;
        (void)setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        lend_fd(broker, peer->fd);
        wire_clear(&peer->wire);
        broker->script(peer);
        peer->number++;
        lend_fd(broker, -1);
        (void)close(peer->fd);
    }
    free(peer);
    return NULL;
}

struct fake_broker *fake_broker_new(fake_script script, void *arg)
{
    struct fake_broker *broker = calloc(1, sizeof(*broker));
    SB_ASSERT(broker != NULL);
    broker->script = script;
    broker->arg = arg;
    broker->fd = -1;
    (void)pthread_mutex_init(&broker->lock, NULL);
    broker->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    SB_ASSERT(bind(broker->listener, (struct sockaddr *)&address, len) == 0);
    SB_ASSERT(listen(broker->listener, BACKLOG) == 0);
    SB_ASSERT(getsockname(broker->listener, (struct sockaddr *)&address, &len) == 0);
    broker->port = ntohs(address.sin_port);
    SB_ASSERT(pthread_create(&broker->thread, NULL, run, broker) == 0);
    return broker;
}

void fake_broker_free(struct fake_broker *broker)
{
    if (broker == NULL)
        return;
    atomic_store(&broker->ending, true);
    (void)pthread_mutex_lock(&broker->lock);
    if (broker->fd >= 0)
        (void)shutdown(broker->fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&broker->lock);
    (void)shutdown(broker->listener, SHUT_RDWR);
    (void)pthread_join(broker->thread, NULL);
    (void)close(broker->listener);
    (void)pthread_mutex_destroy(&broker->lock);
    free(broker);
}

void fake_broker_url(const struct fake_broker *broker, char ret[FAKE_URL_LEN])
{
    (void)snprintf(ret, FAKE_URL_LEN, "amqp://guest:secret@127.0.0.1:%u/test", broker->port);
}

uint16_t fake_broker_port(const struct fake_broker *broker)
{
    return broker->port;
}

const char *fake_broker_fault(const struct fake_broker *broker)
{
    return atomic_load(&broker->fault);
}
