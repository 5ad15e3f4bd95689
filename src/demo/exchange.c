#include "exchange.h"

#include <string.h>

#include "amqp/channel.h"
#include "amqp/link.h"
#include "core/assert.h"
#include "core/hash.h"
#include "core/memory.h"
#include "names.h"

enum {
    PENDING_MAX = 1024, /* messages that are not confirmed */
    PREFETCH = 256,
    EXPIRES_MS = 600000
};
#define TIMEOUT_NS (6 * NS_PER_S)
#define SETTLE_NS  (20 * NS_PER_S)
#define CLOSE_NS   (2 * NS_PER_S)

/* Each queue is read on a channel of its own, so that a delivery's channel names its queue. */
enum { CHANNEL_SEND = 1, CHANNEL_MAILS = 2, CHANNEL_CLEAN = CHANNEL_MAILS + EXCHANGE_QUEUES };

static const char *const queue_names[EXCHANGE_QUEUES] = {"mails", "points"};

/* What is read from one queue. */
struct reader {
    char name[NAMES_LEN];
    uint32_t awaited;   /* messages that were published and did not come out of it yet */
    bool open;          /* a delivery has begun */
    uint64_t tag;       /* of that delivery */
    uint64_t body_left; /* of it */
};

struct exchange {
    struct exchange_options options;
    struct amqp_link *link;
    char name[NAMES_LEN];
    char spans[NAMES_LEN];
    bool made; /* the queue of spans may be there */
    struct reader readers[EXCHANGE_QUEUES];
    uint64_t settled;            /* tags up to this one are confirmed */
    uint32_t sent;               /* messages behind it, */
    uint32_t pending;            /* how many of these are not confirmed, */
    bool confirmed[PENDING_MAX]; /* and which are */
};

/* Whatever else a link has to say, RabbitMQ can not be used now. */
static enum sb_err plain(enum sb_err err)
{
    return err == SB_ERR_MEMORY || err == SB_ERR_CONFIG ? err : SB_ERR_UNAVAILABLE;
}

static enum sb_err fail(struct exchange *exchange, enum sb_err err, struct text *message)
{
    text_printf(message, "RabbitMQ at %s: %s", amqp_link_place(exchange->link),
                amqp_link_why(exchange->link));
    return plain(err);
}

static void choose_names(struct exchange *exchange)
{
    uint32_t run = (uint32_t)hash_random_seed();
    names_make("notify", run, exchange->name);
    names_make("mailer-spans", run, exchange->spans);
    for (uint32_t i = 0; i < EXCHANGE_QUEUES; i++)
        names_make(queue_names[i], run, exchange->readers[i].name);
}

static enum sb_err make_link(struct exchange *exchange, struct text *message)
{
    char why[AMQP_WHY_LEN] = "";
    const struct amqp_link_options options = {
        .url = exchange->options.url,
        .client_name = "spanbridge demo",
        .timeout_ns = TIMEOUT_NS,
        .clock = exchange->options.clock,
    };
    enum sb_err err = amqp_link_new(&options, &exchange->link, why);
    if (err == SB_ERR_CONFIG)
        text_printf(message,
                    "--rabbitmq: %s\n"
                    "  help: it takes amqp[s]://USER:PASSWORD@HOST:PORT/VHOST",
                    why);
    else if (err != SB_OK)
        text_append_text(message, "memory is short");
    return err;
}

static enum sb_err reach(struct exchange *exchange, struct text *message)
{
    enum sb_err err = amqp_link_open(exchange->link);
    const char *why = amqp_link_why(exchange->link);
    if (err == SB_OK)
        return SB_OK;
    if (err == SB_ERR_CONFIG)
        text_printf(
            message,
            "RabbitMQ does not let us in: %s\n"
            "  help: --rabbitmq amqp[s]://USER:PASSWORD@HOST:PORT/VHOST; guest may come "
            "from the broker's own host only",
            why);
    else
        text_printf(message,
                    "no RabbitMQ answers: %s\n"
                    "  help: is it running, and is that its port for AMQP? Usually it is 5672",
                    why);
    return plain(err);
}

/* Survives this connection, but not for long without a reader. */
static enum sb_err make_spans_queue(struct exchange *exchange)
{
    amqp_table_entry_t entries[] = {
        {.key = amqp_cstring_bytes("x-expires"),
         .value = {.kind = AMQP_FIELD_KIND_I32, .value = {.i32 = EXPIRES_MS}}},
        {.key = amqp_cstring_bytes("x-queue-type"),
         .value = {.kind = AMQP_FIELD_KIND_UTF8,
                   .value = {.bytes = amqp_cstring_bytes("classic")}}},
    };
    const amqp_table_t arguments = {.num_entries = sizeof(entries) / sizeof(entries[0]),
                                    .entries = entries};
    const struct amqp_queue queue = {
        .name = exchange->spans, .durable = true, .arguments = &arguments};
    exchange->made = true;
    return amqp_link_declare_queue(exchange->link, CHANNEL_SEND, &queue, NULL);
}

static enum sb_err make_reader(struct exchange *exchange, uint32_t number)
{
    struct amqp_link *link = exchange->link;
    uint16_t channel = (uint16_t)(CHANNEL_MAILS + number);
    const char *name = exchange->readers[number].name;
    const struct amqp_queue queue = {.name = name, .exclusive = true};
    enum sb_err err = amqp_link_open_channel(link, channel);
    if (err == SB_OK)
        err = amqp_link_declare_queue(link, channel, &queue, NULL);
    if (err == SB_OK)
        err = amqp_link_bind(link, channel, name, exchange->name, "#");
    if (err == SB_OK)
        err = amqp_link_set_prefetch(link, channel, PREFETCH);
    if (err == SB_OK)
        err = amqp_link_consume(link, channel, name, queue_names[number], false, NULL);
    return err;
}

static enum sb_err make_all(struct exchange *exchange, struct text *message)
{
    struct amqp_link *link = exchange->link;
    enum sb_err err = amqp_link_open_channel(link, CHANNEL_SEND);
    if (err == SB_OK)
        err = amqp_link_select_confirms(link, CHANNEL_SEND);
    if (err == SB_OK)
        err = amqp_link_declare_temporary_exchange(link, CHANNEL_SEND, exchange->name, "topic");
    for (uint32_t i = 0; err == SB_OK && i < EXCHANGE_QUEUES; i++)
        err = make_reader(exchange, i);
    if (err == SB_OK)
        err = make_spans_queue(exchange);
    if (err == SB_OK)
        return SB_OK;
    err = fail(exchange, err, message);
    if (err == SB_ERR_CONFIG)
        text_append_text(message,
                         "\n  help: the user needs the permissions configure, write and read "
                         "for names with \"spanbridge-demo\"");
    return err;
}

enum sb_err exchange_new(const struct exchange_options *options, struct exchange **ret,
                         struct text *message)
{
    struct exchange *exchange = memory_zalloc(1, sizeof(*exchange));
    if (exchange == NULL) {
        text_append_text(message, "memory is short");
        return SB_ERR_MEMORY;
    }
    exchange->options = *options;
    choose_names(exchange);
    enum sb_err err = make_link(exchange, message);
    if (err == SB_OK)
        err = reach(exchange, message);
    if (err == SB_OK)
        err = make_all(exchange, message);
    if (err != SB_OK) {
        exchange_free(exchange, message);
        return err;
    }
    *ret = exchange;
    return SB_OK;
}

/* On a channel that nothing has happened on yet, and a new connection where the first is cut. */
static bool delete_spans_queue(struct exchange *exchange)
{
    struct amqp_link *link = exchange->link;
    enum sb_err err = SB_OK;
    if (!amqp_link_is_open(link)) {
        amqp_link_close(link, 0);
        err = amqp_link_open(link);
    }
    if (err == SB_OK)
        err = amqp_link_open_channel(link, CHANNEL_CLEAN);
    if (err == SB_OK)
        err = amqp_link_delete_queue(link, CHANNEL_CLEAN, exchange->spans);
    return err == SB_OK;
}

bool exchange_remove_queue(struct exchange *exchange, struct text *message)
{
    if (!exchange->made)
        return true;
    exchange->made = false;
    if (delete_spans_queue(exchange))
        return true;
    text_printf(message,
                "%squeue %s could not be removed from %s: it goes by itself in 10 minutes",
                message->len > 0 ? "\n" : "", exchange->spans, amqp_link_place(exchange->link));
    return false;
}

bool exchange_free(struct exchange *exchange, struct text *message)
{
    if (exchange == NULL)
        return true;
    bool clean = exchange_remove_queue(exchange, message);
    if (exchange->link != NULL)
        amqp_link_close(exchange->link, CLOSE_NS);
    amqp_link_free(exchange->link);
    memory_free(exchange);
    return clean;
}

const char *exchange_name(const struct exchange *exchange)
{
    return exchange->name;
}

const char *exchange_spans_queue(const struct exchange *exchange)
{
    return exchange->spans;
}

/* Tags count what was sent on the channel, from 1 on. */
static enum sb_err send(struct exchange *exchange, const struct amqp_message *in,
                        struct text *message)
{
    if (exchange->sent == PENDING_MAX) {
        enum sb_err err = exchange_settle(exchange, message);
        if (err != SB_OK)
            return err;
    }
    if (amqp_link_is_blocked(exchange->link)) {
        text_printf(message,
                    "RabbitMQ at %s takes no messages now: is it short of memory or disk?",
                    amqp_link_place(exchange->link));
        return SB_ERR_UNAVAILABLE;
    }
    enum sb_err err = amqp_link_publish(exchange->link, CHANNEL_SEND, in);
    if (err != SB_OK)
        return fail(exchange, err, message);
    exchange->confirmed[exchange->sent++] = false;
    exchange->pending++;
    return SB_OK;
}

enum sb_err exchange_publish(struct exchange *exchange, const struct exchange_message *in,
                             struct text *message)
{
    const struct amqp_header traceparent = {BYTES_LITERAL("traceparent"), in->traceparent};
    const struct amqp_message out = {
        .exchange = bytes_text(exchange->name),
        .routing_key = in->routing_key,
        .mandatory = true,
        .content_type = BYTES_LITERAL("application/json"),
        .message_id = in->message_id,
        .timestamp_s = in->time_s,
        .headers = &traceparent,
        .header_count = 1,
        .body = in->body,
    };
    enum sb_err err = send(exchange, &out, message);
    for (uint32_t i = 0; err == SB_OK && i < EXCHANGE_QUEUES; i++)
        exchange->readers[i].awaited++;
    return err;
}

enum sb_err exchange_send_spans(struct exchange *exchange, struct bytes request,
                                struct text *message)
{
    const struct amqp_message out = {
        .routing_key = bytes_text(exchange->spans), /* the default exchange goes by queues */
        .mandatory = true,
        .content_type = BYTES_LITERAL("application/x-protobuf"),
        .body = request,
    };
    return send(exchange, &out, message);
}

static void take_confirm(struct exchange *exchange, const struct amqp_event *event)
{
    uint64_t first = event->multiple ? exchange->settled + 1 : event->tag;
    for (uint64_t tag = first; tag <= event->tag; tag++) {
        uint64_t at = tag - exchange->settled - 1;
        if (tag <= exchange->settled || at >= exchange->sent)
            break; /* of nothing that is waited for */
        exchange->pending -= !exchange->confirmed[at];
        exchange->confirmed[at] = true;
    }
    if (exchange->pending > 0)
        return;
    exchange->settled += exchange->sent;
    exchange->sent = 0;
}

static void take_header(struct exchange *exchange, struct reader *reader,
                        const struct amqp_event *event)
{
    struct bytes traceparent = {0};
    if ((event->properties->_flags & AMQP_BASIC_HEADERS_FLAG) != 0)
        amqp_headers_text(&event->properties->headers, "traceparent", &traceparent);
    exchange->options.on_arrived(
        exchange->options.arg, (enum exchange_queue)(reader - exchange->readers), traceparent);
    reader->awaited -= reader->awaited > 0; /* others may publish, too */
    reader->body_left = event->body_len;
}

/* A delivery is a method, a header, and as many bodies as the header says. */
static enum sb_err take_delivery(struct exchange *exchange, const struct amqp_event *event)
{
    uint32_t number = (uint32_t)event->channel - CHANNEL_MAILS;
    if (number >= EXCHANGE_QUEUES)
        return SB_OK;
    struct reader *reader = &exchange->readers[number];
    if (event->kind == AMQP_DELIVER) {
        reader->open = true;
        reader->tag = event->tag;
        return SB_OK;
    }
    if (!reader->open)
        return SB_OK;
    if (event->kind == AMQP_HEADER)
        take_header(exchange, reader, event);
    else
        reader->body_left -=
            event->body.len < reader->body_left ? event->body.len : reader->body_left;
    if (reader->body_left > 0)
        return SB_OK;
    reader->open = false;
    return amqp_link_ack(exchange->link, event->channel, reader->tag, false);
}

static enum sb_err take_event(struct exchange *exchange, const struct amqp_event *event,
                              struct text *message)
{
    enum sb_err err = SB_OK;
    switch (event->kind) {
    case AMQP_ACK:
        take_confirm(exchange, event);
        return SB_OK;
    case AMQP_DELIVER:
    case AMQP_HEADER:
    case AMQP_BODY:
        err = take_delivery(exchange, event);
        return err == SB_OK ? SB_OK : fail(exchange, err, message);
    case AMQP_CHANNEL_CLOSED:
        return fail(exchange, SB_ERR_UNAVAILABLE, message);
    case AMQP_RETURN:
    case AMQP_NACK:
    case AMQP_CANCEL:
        text_printf(message, "RabbitMQ at %s lost a queue of the demo",
                    amqp_link_place(exchange->link));
        return SB_ERR_UNAVAILABLE;
    default:
        return SB_OK;
    }
}

static bool is_settled(const struct exchange *exchange)
{
    uint32_t awaited = exchange->pending;
    for (uint32_t i = 0; i < EXCHANGE_QUEUES; i++)
        awaited += exchange->readers[i].awaited + exchange->readers[i].open;
    return awaited == 0;
}

enum sb_err exchange_settle(struct exchange *exchange, struct text *message)
{
    const struct clock_source *clock = exchange->options.clock;
    uint64_t until_ns = clock_monotonic_ns(clock) + SETTLE_NS;
    struct amqp_event event = {.kind = AMQP_OTHER};
    /* What is settled is still read on, to where nothing is: heartbeats are answered there. */
    while (!is_settled(exchange) || event.kind != AMQP_NOTHING) {
        uint64_t now_ns = clock_monotonic_ns(clock);
        if (now_ns >= until_ns) {
            text_printf(message, "RabbitMQ at %s did not deliver everything in time",
                        amqp_link_place(exchange->link));
            return SB_ERR_UNAVAILABLE;
        }
        uint64_t wait_ns = is_settled(exchange) ? 0 : until_ns - now_ns;
        enum sb_err err = amqp_link_next(exchange->link, wait_ns, &event);
        if (err != SB_OK)
            return fail(exchange, err, message);
        err = take_event(exchange, &event, message);
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}
