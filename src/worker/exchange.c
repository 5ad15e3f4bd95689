/*
 * exchange: see exchange.h.
 */
#include "exchange.h"

#include "core/assert.h"
#include "core/memory.h"

enum { RING_BYTES = 1 << 20, OUTBOX_BYTES_KEPT = 4 * RING_BYTES };
#define OUTBOX_BYTES_MAX (UINT64_C(1) << 30)

enum sb_err exchange_net_init(struct exchange_net *net, uint32_t workers)
{
    *net = (struct exchange_net){.workers = workers};
    size_t count = (size_t)workers * workers;
    net->rings = memory_zalloc(count, sizeof(struct ring *));
    if (net->rings == NULL)
        return SB_ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (i / workers == i % workers)
            continue; /* nobody sends to himself by ring */
        enum sb_err err = ring_new(RING_BYTES, &net->rings[i]);
        if (err != SB_OK) {
            exchange_net_clear(net);
            return err;
        }
    }
    return SB_OK;
}

void exchange_net_clear(struct exchange_net *net)
{
    if (net->rings == NULL)
        return;
    for (size_t i = 0; i < (size_t)net->workers * net->workers; i++)
        ring_free(net->rings[i]);
    memory_free(net->rings);
    net->rings = NULL;
}

static struct ring *ring_between(const struct exchange *exchange, uint32_t from, uint32_t to)
{
    return exchange->net->rings[(size_t)from * exchange->net->workers + to];
}

enum sb_err exchange_init(struct exchange *exchange, struct exchange_net *net, uint32_t self)
{
    *exchange = (struct exchange){.net = net, .self = self};
    text_init(&exchange->own, OUTBOX_BYTES_MAX);
    text_init(&exchange->draining, OUTBOX_BYTES_MAX);
    exchange->outboxes = memory_zalloc(net->workers, sizeof(struct text));
    exchange->wake = memory_zalloc(net->workers, sizeof(bool));
    if (exchange->outboxes == NULL || exchange->wake == NULL) {
        memory_free(exchange->outboxes);
        memory_free(exchange->wake);
        exchange->outboxes = NULL;
        return SB_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < net->workers; i++)
        text_init(&exchange->outboxes[i], OUTBOX_BYTES_MAX);
    return SB_OK;
}

void exchange_clear(struct exchange *exchange)
{
    if (exchange->outboxes == NULL)
        return;
    for (uint32_t i = 0; i < exchange->net->workers; i++)
        text_clear(&exchange->outboxes[i]);
    memory_free(exchange->outboxes);
    memory_free(exchange->wake);
    text_clear(&exchange->own);
    text_clear(&exchange->draining);
    exchange->outboxes = NULL;
}

size_t exchange_body_max(const struct exchange *exchange)
{
    (void)exchange;
    return RING_BYTES / 8; /* ring_message_max is a quarter; half of it keeps the ring lively */
}

static void write_message(uint8_t *at, enum message_type type, struct bytes body,
                          struct bytes more)
{
    struct message_head head = {.type = (uint32_t)type, .len = (uint32_t)(body.len + more.len)};
    memcpy(at, &head, sizeof(head));
    if (body.len > 0)
        memcpy(at + sizeof(head), body.at, body.len);
    if (more.len > 0)
        memcpy(at + sizeof(head) + body.len, more.at, more.len);
}

/* Room in a box; a box that found no memory once takes the next message all the same. */
static uint8_t *grow_box(struct text *box, size_t len)
{
    uint8_t *at = text_grow(box, len);
    box->error = SB_OK;
    return at;
}

enum sb_err exchange_send(struct exchange *exchange, uint32_t to, enum message_type type,
                          struct bytes body, struct bytes more)
{
    size_t len = sizeof(struct message_head) + body.len + more.len;
    if (to == exchange->self) {
        uint8_t *at = grow_box(&exchange->own, len);
        if (at == NULL)
            return SB_ERR_MEMORY;
        write_message(at, type, body, more);
        return SB_OK;
    }
    struct text *outbox = &exchange->outboxes[to];
    struct ring *ring = ring_between(exchange, exchange->self, to);
    uint8_t *at = outbox->len > 0 ? NULL : ring_reserve(ring, len);
    if (at != NULL) {
        write_message(at, type, body, more);
        if (ring_commit(ring, len))
            exchange->wake[to] = true;
    } else {
        at = grow_box(outbox, len);
        if (at == NULL)
            return SB_ERR_MEMORY;
        write_message(at, type, body, more);
    }
    atomic_fetch_add_explicit(&exchange->sent, 1, memory_order_relaxed);
    return SB_OK;
}

static void flush_outbox(struct exchange *exchange, uint32_t to)
{
    struct text *outbox = &exchange->outboxes[to];
    struct ring *ring = ring_between(exchange, exchange->self, to);
    size_t done = 0;
    while (done < outbox->len) {
        struct message_head head;
        memcpy(&head, outbox->at + done, sizeof(head));
        size_t len = sizeof(head) + head.len;
        void *at = ring_reserve(ring, len);
        if (at == NULL)
            break;
        memcpy(at, outbox->at + done, len);
        if (ring_commit(ring, len))
            exchange->wake[to] = true;
        done += len;
    }
    if (done == 0)
        return;
    memmove(outbox->at, outbox->at + done, outbox->len - done);
    outbox->len -= done;
    if (outbox->len == 0 && outbox->room > OUTBOX_BYTES_KEPT)
        text_clear(outbox); /* what a burst took is given back */
}

void exchange_flush(struct exchange *exchange)
{
    for (uint32_t to = 0; to < exchange->net->workers; to++) {
        if (exchange->outboxes[to].len > 0)
            flush_outbox(exchange, to);
    }
}

bool exchange_is_blocked(const struct exchange *exchange)
{
    for (uint32_t to = 0; to < exchange->net->workers; to++) {
        if (exchange->outboxes[to].len > 0)
            return true;
    }
    return false;
}

static struct bytes open_message(struct bytes message, enum message_type *ret_type)
{
    struct message_head head;
    SB_ASSERT(message.len >= sizeof(head));
    memcpy(&head, message.at, sizeof(head));
    SB_ASSERT(message.len >= sizeof(head) + head.len);
    *ret_type = (enum message_type)head.type;
    return bytes_of(message.at + sizeof(head), head.len);
}

/* Messages to oneself may cause more of them: until there are none. */
static void receive_own(struct exchange *exchange, exchange_fn on_message, void *arg)
{
    while (exchange->own.len > 0) {
        struct text swap = exchange->draining;
        exchange->draining = exchange->own;
        exchange->own = swap;
        text_reset(&exchange->own);
        struct bytes rest = text_bytes(&exchange->draining);
        while (rest.len > 0) {
            enum message_type type;
            struct bytes body = open_message(rest, &type);
            on_message(arg, type, body);
            size_t len = sizeof(struct message_head) + body.len;
            rest = bytes_of(rest.at + len, rest.len - len);
        }
        text_reset(&exchange->draining);
    }
}

bool exchange_receive(struct exchange *exchange, uint32_t budget, exchange_fn on_message,
                      void *arg)
{
    receive_own(exchange, on_message, arg);
    bool more = false;
    for (uint32_t from = 0; from < exchange->net->workers; from++) {
        if (from == exchange->self)
            continue;
        struct ring *ring = ring_between(exchange, from, exchange->self);
        struct bytes message;
        uint32_t left = budget;
        while (left > 0 && ring_peek(ring, &message)) {
            enum message_type type;
            struct bytes body = open_message(message, &type);
            on_message(arg, type, body);
            ring_release(ring);
            atomic_fetch_add_explicit(&exchange->received, 1, memory_order_release);
            left--;
        }
        more |= left == 0;
    }
    receive_own(exchange, on_message, arg);
    return more;
}

bool exchange_sleep(struct exchange *exchange)
{
    for (uint32_t from = 0; from < exchange->net->workers; from++) {
        if (from != exchange->self && !ring_sleep(ring_between(exchange, from, exchange->self)))
            return false;
    }
    return true;
}
