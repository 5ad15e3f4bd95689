#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "amqp/channel.h"
#include "core/log.h"
#include "rabbitmq_sink.h"
#include "routing_key.h"

#define MODULE "sink"

/* Messages between two looks at what the broker says; frames of its between two messages. */
enum { SEND_BURST = 64, RECEIVE_BURST = 4096, REASON_LEN = SINK_WHY_LEN };

static uint64_t now_ns(const struct rabbitmq_sink *sink)
{
    return clock_monotonic_ns(sink->options.clock);
}

static struct retry_pause *wait_of(struct rabbitmq_sink *sink, const struct shipment *shipment)
{
    return &sink->waits[shipment - sink->shipping.shipments];
}

/* SB_ERR_MEMORY: nothing was sent.  Else the link is broken, or the key is too long for it. */
static enum sb_err publish(struct rabbitmq_sink *sink, const struct shipment_record *record)
{
    char key[ROUTING_KEY_LEN_MAX + 1];
    char id[RABBITMQ_MESSAGE_ID_LEN + 1];
    size_t key_len = routing_key_write(sink->options.routing_key, shipment_trace(record), key);
    /* Unique, as those expect who look for copies by it; its tag tells what came back. */
    int id_len = snprintf(id, sizeof(id), "%016" PRIx64 "-%" PRIx64, sink->connection_id,
                          sink->confirms.next);
    const struct amqp_message message = {
        .exchange = bytes_text(sink->options.exchange),
        .routing_key = bytes_of(key, key_len),
        .mandatory = sink->options.mandatory,
        .persistent = sink->options.persistent,
        .content_type = BYTES_LITERAL("application/x-protobuf"),
        .message_id = bytes_of(id, (size_t)id_len),
        .body = shipment_body(record),
    };
    return amqp_link_publish(sink->link, RABBITMQ_CHANNEL, &message);
}

static bool send_one(struct rabbitmq_sink *sink, struct shipment_record *record)
{
    enum sb_err err = confirms_reserve(&sink->confirms);
    if (err == SB_OK)
        err = publish(sink, record);
    if (err != SB_OK) {
        if (err != SB_ERR_MEMORY)
            rabbitmq_trouble_tell(sink, RABBITMQ_CUT, amqp_link_why(sink->link));
        retry_pause_begin(&sink->backoff);
        return false;
    }
    if (sink->shipping.under_way == 0)
        sink->progress_ns = now_ns(sink);
    confirms_push(&sink->confirms, record);
    shipment_sent(record);
    return true;
}

/*
 * A burst leaves in full segments, where the library would send one for each message; that
 * would cost the broker and us more.  Nothing depends on it.
 */
static void hold_back(const struct rabbitmq_sink *sink, bool on)
{
    int value = on ? 1 : 0;
    (void)setsockopt(amqp_link_fd(sink->link), IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}

bool rabbitmq_delivery_send(struct rabbitmq_sink *sink, struct shipment *shipment)
{
    if (shipment->state == SHIPMENT_WAITING) {
        enum sb_err err = shipment_make_round(shipment);
        if (err != SB_OK && shipment_next(shipment) == NULL)
            retry_pause_begin(wait_of(sink, shipment));
    }
    bool sent = true;
    hold_back(sink, true);
    for (int i = 0; sent && i < SEND_BURST && shipment_next(shipment) != NULL; i++)
        sent = send_one(sink, shipment_next(shipment));
    hold_back(sink, false);
    return sent;
}

/* Its round ends with the last confirm; what was not delivered is in the next one. */
static void report(struct rabbitmq_sink *sink, struct shipment_record *record, bool delivered)
{
    struct shipment *shipment = record->shipment;
    struct retry_pause *wait = wait_of(sink, shipment);
    if (!delivered)
        retry_pause_begin(wait);
    shipment_report(record, delivered ? SINK_EXPORTED : SINK_PENDING);
    if (shipment->state != SHIPMENT_SENDING && !shipment->again)
        retry_pause_reset(wait);
    if (delivered)
        rabbitmq_trouble_may_be_over(sink);
}

/* What came back is acked as well: the broker has done with it what was asked. */
static void on_ack(void *arg, struct shipment_record *record, bool returned)
{
    report(arg, record, !returned);
}

static void on_nack(void *arg, struct shipment_record *record, bool returned)
{
    struct rabbitmq_sink *sink = arg;
    (void)returned;
    rabbitmq_trouble_tell(sink, RABBITMQ_NACKED,
                          "a queue did not take a message (nack): it is full, or not up");
    report(sink, record, false);
}

static bool fail(struct rabbitmq_sink *sink, enum rabbitmq_trouble trouble, const char *reason)
{
    rabbitmq_trouble_tell(sink, trouble, reason);
    retry_pause_begin(&sink->backoff);
    return false;
}

static bool take_confirm(struct rabbitmq_sink *sink, const struct amqp_event *event)
{
    uint64_t oldest = sink->confirms.oldest;
    bool known = confirms_settle(&sink->confirms, event->tag, event->multiple,
                                 event->kind == AMQP_ACK ? on_ack : on_nack, sink);
    if (sink->confirms.oldest != oldest)
        sink->progress_ns = now_ns(sink);
    return known || fail(sink, RABBITMQ_CLOSED, "the broker confirmed what was never sent");
}

static void take_return(struct rabbitmq_sink *sink, const struct amqp_event *event)
{
    char reason[REASON_LEN];
    const char *exchange = sink->options.exchange;
    (void)snprintf(reason, sizeof(reason),
                   "the exchange %s routes the key %.*s nowhere: %.*s (%u)",
                   exchange[0] == '\0' ? "(default)" : exchange, (int)event->routing_key.len,
                   (const char *)event->routing_key.at, (int)event->text.len,
                   (const char *)event->text.at, event->code);
    rabbitmq_trouble_tell(sink, RABBITMQ_RETURNED, reason);
    sink->returning = true;
}

/* Our ids are "CONNECTION-TAG", both in hex. */
static bool read_tag(const struct rabbitmq_sink *sink,
                     const amqp_basic_properties_t *properties, uint64_t *ret)
{
    char id[RABBITMQ_MESSAGE_ID_LEN + 1];
    char begin[RABBITMQ_MESSAGE_ID_LEN + 1];
    if ((properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) == 0 ||
        properties->message_id.len >= sizeof(id))
        return false;
    memcpy(id, properties->message_id.bytes, properties->message_id.len);
    id[properties->message_id.len] = '\0';
    int len = snprintf(begin, sizeof(begin), "%016" PRIx64 "-", sink->connection_id);
    if (strncmp(id, begin, (size_t)len) != 0)
        return false;
    *ret = strtoull(id + len, NULL, 16);
    return true;
}

/* Of a message that came back; without its tag its ack would pass for a success. */
static bool take_header(struct rabbitmq_sink *sink, const struct amqp_event *event)
{
    if (!sink->returning)
        return true;
    sink->returning = false;
    uint64_t tag;
    if (read_tag(sink, event->properties, &tag) && confirms_mark_returned(&sink->confirms, tag))
        return true;
    return fail(sink, RABBITMQ_CLOSED, "the broker returned what was never sent");
}

/*
 * The broker says how long a message it takes only by refusing one.  The longest that it had
 * not confirmed is too long for sure: the others go again, in shorter messages.
 */
static bool refuse_length(struct rabbitmq_sink *sink)
{
    size_t longest = confirms_longest(&sink->confirms);
    struct shipping *shipping = &sink->shipping;
    if (longest == 0)
        return false;
    if (shipping->value_bytes_max >= longest)
        shipping->value_bytes_max = longest - 1;
    size_t cut =
        longest / 2 < SHIPMENT_RECORD_BYTES_MIN ? SHIPMENT_RECORD_BYTES_MIN : longest / 2;
    if (cut > shipping->value_bytes_max)
        cut = shipping->value_bytes_max;
    if (shipping->record_bytes_max > cut)
        shipping->record_bytes_max = cut;
    INLET_COUNT(&sink->inlet, bisections, 1);
    log_event(sink->options.log, LOG_WARN, MODULE, "records_made_smaller",
              LOG_TEXT("sink", sink->options.name),
              LOG_TEXT("exchange", sink->options.exchange),
              LOG_NUMBER("record_bytes_max", shipping->record_bytes_max),
              LOG_TEXT("reason", amqp_link_why(sink->link)));
    return true;
}

static bool take_close(struct rabbitmq_sink *sink, enum rabbitmq_trouble trouble, uint16_t code)
{
    const char *why = amqp_link_why(sink->link);
    if (rabbitmq_trouble_is_of_length(code, why) && refuse_length(sink))
        return false; /* and no wait: it is another message that goes next */
    return fail(sink, code == AMQP_ACCESS_REFUSED ? RABBITMQ_NOT_LET_IN : trouble, why);
}

static bool take_block(struct rabbitmq_sink *sink, const struct amqp_event *event)
{
    char reason[REASON_LEN];
    (void)snprintf(reason, sizeof(reason), "the broker takes no messages now: %.*s",
                   (int)event->text.len, (const char *)event->text.at);
    rabbitmq_trouble_tell(sink, RABBITMQ_BLOCKED, reason);
    return true;
}

/* Confirms are waited for afresh; with nothing to be sent, this is the good end already. */
static bool take_unblock(struct rabbitmq_sink *sink)
{
    sink->progress_ns = now_ns(sink);
    if (sink->shipping.under_way == 0)
        rabbitmq_trouble_may_be_over(sink);
    return true;
}

static bool take(struct rabbitmq_sink *sink, const struct amqp_event *event)
{
    switch (event->kind) {
    case AMQP_ACK:
    case AMQP_NACK:
        return take_confirm(sink, event);
    case AMQP_RETURN:
        take_return(sink, event);
        return true;
    case AMQP_HEADER:
        return take_header(sink, event);
    case AMQP_CHANNEL_CLOSED:
        return take_close(sink, RABBITMQ_CLOSED, event->code);
    case AMQP_BLOCKED:
        return take_block(sink, event);
    case AMQP_UNBLOCKED:
        return take_unblock(sink);
    case AMQP_NOTHING:
    case AMQP_DELIVER:
    case AMQP_BODY:
    case AMQP_CANCEL:
    case AMQP_CONSUMING:
    case AMQP_COUNTS:
    case AMQP_OTHER:
        break;
    }
    return true;
}

uint64_t rabbitmq_delivery_patience_ns(const struct rabbitmq_sink *sink)
{
    if (sink->shipping.under_way == 0 || amqp_link_is_blocked(sink->link))
        return UINT64_MAX;
    uint64_t waited_ns = now_ns(sink) - sink->progress_ns;
    return waited_ns < sink->options.timeout_ns ? sink->options.timeout_ns - waited_ns : 0;
}

bool rabbitmq_delivery_receive(struct rabbitmq_sink *sink)
{
    for (int i = 0; i < RECEIVE_BURST; i++) {
        struct amqp_event event;
        enum sb_err err = amqp_link_next(sink->link, 0, &event);
        if (err != SB_OK)
            return take_close(sink, err == SB_ERR_CONFIG ? RABBITMQ_CLOSED : RABBITMQ_CUT, 0);
        if (event.kind == AMQP_NOTHING)
            break;
        if (!take(sink, &event))
            return false;
    }
    if (rabbitmq_delivery_patience_ns(sink) == 0)
        return fail(sink, RABBITMQ_SILENT, "no confirm came in time");
    return true;
}

void rabbitmq_delivery_forget(struct rabbitmq_sink *sink)
{
    confirms_reset(&sink->confirms);
    shipping_forget(&sink->shipping);
    sink->returning = false;
}
