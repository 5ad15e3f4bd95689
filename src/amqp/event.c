#include "amqp/link.h"
#include "core/assert.h"
#include "reply.h"

static void take_deliver(const amqp_basic_deliver_t *deliver, struct amqp_event *ret)
{
    ret->kind = AMQP_DELIVER;
    ret->tag = deliver->delivery_tag;
    ret->redelivered = deliver->redelivered;
    ret->exchange = amqp_view(deliver->exchange);
    ret->routing_key = amqp_view(deliver->routing_key);
}

static void take_return(const amqp_basic_return_t *returned, struct amqp_event *ret)
{
    ret->kind = AMQP_RETURN;
    ret->code = returned->reply_code;
    ret->text = amqp_view(returned->reply_text);
    ret->exchange = amqp_view(returned->exchange);
    ret->routing_key = amqp_view(returned->routing_key);
}

static void take_confirm(enum amqp_event_kind kind, uint64_t tag, amqp_boolean_t multiple,
                         struct amqp_event *ret)
{
    ret->kind = kind;
    ret->tag = tag;
    ret->multiple = multiple;
}

/* The broker never asks for it; an answer is due all the same. */
static enum sb_err answer_flow(struct amqp_link *link, uint16_t channel,
                               const amqp_channel_flow_t *flow)
{
    amqp_channel_flow_ok_t ok = {.active = flow->active};
    return reply_of_status(
        link, amqp_send_method(link->connection, channel, AMQP_CHANNEL_FLOW_OK_METHOD, &ok),
        "flow");
}

static enum sb_err take_method(struct amqp_link *link, const amqp_frame_t *frame,
                               struct amqp_event *ret)
{
    const void *in = frame->payload.method.decoded;
    switch (frame->payload.method.id) {
    case AMQP_BASIC_DELIVER_METHOD:
        take_deliver(in, ret);
        return SB_OK;
    case AMQP_BASIC_RETURN_METHOD:
        take_return(in, ret);
        return SB_OK;
    case AMQP_BASIC_ACK_METHOD: {
        const amqp_basic_ack_t *ack = in;
        take_confirm(AMQP_ACK, ack->delivery_tag, ack->multiple, ret);
        return SB_OK;
    }
    case AMQP_BASIC_NACK_METHOD: {
        const amqp_basic_nack_t *nack = in;
        take_confirm(AMQP_NACK, nack->delivery_tag, nack->multiple, ret);
        return SB_OK;
    }
    case AMQP_QUEUE_DECLARE_OK_METHOD: {
        const amqp_queue_declare_ok_t *ok = in;
        ret->kind = AMQP_COUNTS;
        ret->counts = (struct amqp_counts){ok->message_count, ok->consumer_count};
        return SB_OK;
    }
    case AMQP_BASIC_CONSUME_OK_METHOD:
        ret->kind = AMQP_CONSUMING;
        return SB_OK;
    case AMQP_BASIC_CANCEL_METHOD:
        ret->kind = AMQP_CANCEL;
        return SB_OK;
    case AMQP_CHANNEL_CLOSE_METHOD:
        ret->kind = AMQP_CHANNEL_CLOSED;
        ret->code = ((const amqp_channel_close_t *)in)->reply_code;
        (void)reply_channel_closed(link, frame->channel, in, "channel closed");
        return SB_OK;
    case AMQP_CHANNEL_FLOW_METHOD:
        return answer_flow(link, frame->channel, in);
    case AMQP_CONNECTION_CLOSE_METHOD:
        return reply_connection_closed(link, in, "connection closed");
    case AMQP_CONNECTION_BLOCKED_METHOD:
        ret->kind = AMQP_BLOCKED;
        ret->text = amqp_view(((const amqp_connection_blocked_t *)in)->reason);
        link->blocked = true;
        return SB_OK;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        ret->kind = AMQP_UNBLOCKED;
        link->blocked = false;
        return SB_OK;
    default:
        return SB_OK;
    }
}

static enum sb_err take_frame(struct amqp_link *link, const amqp_frame_t *frame,
                              struct amqp_event *ret)
{
    ret->kind = AMQP_OTHER;
    ret->channel = frame->channel;
    switch (frame->frame_type) {
    case AMQP_FRAME_METHOD:
        return take_method(link, frame, ret);
    case AMQP_FRAME_HEADER:
        if (frame->payload.properties.class_id != AMQP_BASIC_CLASS)
            return reply_of_status(link, AMQP_STATUS_UNKNOWN_CLASS, "a message's header");
        ret->kind = AMQP_HEADER;
        ret->body_len = frame->payload.properties.body_size;
        ret->properties = frame->payload.properties.decoded;
        return SB_OK;
    case AMQP_FRAME_BODY:
        ret->kind = AMQP_BODY;
        ret->body = amqp_view(frame->payload.body_fragment);
        return SB_OK;
    default:
        return SB_OK;
    }
}

enum sb_err amqp_link_next(struct amqp_link *link, uint64_t wait_ns, struct amqp_event *ret)
{
    SB_ASSERT(amqp_link_is_open(link));
    /* It looks through all frames that came while an answer was waited for: once for each. */
    if (!amqp_frames_enqueued(link->connection))
        amqp_maybe_release_buffers_on_channel(link->connection, link->read_channel);
    const struct timeval wait = link_interval(wait_ns);
    amqp_frame_t frame = {.frame_type = 0};
    int status = amqp_simple_wait_frame_noblock(link->connection, &frame, &wait);
    struct amqp_event event = {.kind = AMQP_NOTHING};
    if (status == AMQP_STATUS_TIMEOUT) {
        *ret = event;
        return SB_OK;
    }
    enum sb_err err = reply_of_status(link, status, "reading");
    /* It fills in type and channel before it decodes the rest, so they hold in both cases. */
    link->read_channel = frame.channel;
    if (err == SB_OK)
        err = take_frame(link, &frame, &event);
    link->unreadable = err == SB_ERR_INPUT;
    link->header_unreadable = link->unreadable && frame.frame_type == AMQP_FRAME_HEADER;
    if (err == SB_OK)
        *ret = event;
    return err;
}

bool amqp_link_broke_at_header(const struct amqp_link *link, uint16_t *ret_channel)
{
    if (link->header_unreadable)
        *ret_channel = link->read_channel;
    return link->header_unreadable;
}
