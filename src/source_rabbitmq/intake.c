#include "intake.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/memory.h"
#include "feed.h"
#include "lanes.h"
#include "looks.h"

enum { FRAMES_PER_TURN = 1536 };

static struct lane *lane_of(struct feed *feed, uint16_t channel)
{
    struct lane *lane = channel <= AMQP_CHANNEL_MAX ? feed->by_channel[channel] : NULL;
    return lane != NULL && lane->channel == channel && lane->channel_open ? lane : NULL;
}

/* The broker goes on with others while this lane begins anew. */
static void close_lane(struct lane *lane, const char *why)
{
    struct feed *feed = lane->feed;
    char text[FEED_TEXT_LEN];
    (void)snprintf(text, sizeof(text), "%s", why);
    (void)!amqp_link_close_channel(feed->link,
                                   lane->channel); /* or the link breaks: seen later */
    feed_lose_lane(lane, text);
}

static bool has_letters(const struct feed *feed)
{
    const struct source_topic *topic = &feed->source->options.topics[feed->topic];
    return topic->dead_letter_topic != NULL || topic->dead_letter_exchange != NULL;
}

/* False: it was named a stream and is none, so that there is no position to go on from. */
static bool is_expected(struct lane *lane, const struct delivery *delivery)
{
    if (delivery->has_offset || !lane->feed->stream)
        return true;
    close_lane(lane, "it is no stream, but queue_type says so");
    return false;
}

/*
 * Is it a stream where a queue was named?  The header that says so may be the publisher's, too:
 * it is only told, as long as messages come with it, and they are read all the same.
 */
static void look_for_stream(struct feed *feed, const struct delivery *delivery)
{
    bool seems_so = delivery->has_offset && !feed->stream;
    if (seems_so == feed->seems_stream)
        return;
    feed->seems_stream = seems_so;
    feed_set_trouble(
        feed, seems_so ? "it seems to be a stream: queue_type = \"stream\" is missing" : NULL);
}

/* The stream has lost what was to be read first. */
static void look_for_gap(struct lane *lane, const struct delivery *delivery)
{
    struct feed *feed = lane->feed;
    if (!feed->stream || lane->tags_count > 0 || lane->handed != OFFSET_NONE ||
        delivery->offset <= lane->offset_start || feed->position == OFFSET_NONE)
        return;
    (void)pthread_mutex_lock(&feed->lock);
    (void)snprintf(feed->gap, sizeof(feed->gap),
                   "stream %s: offsets %" PRId64 " to %" PRId64 " are gone", feed->queue->queue,
                   lane->offset_start, delivery->offset - 1);
    (void)pthread_mutex_unlock(&feed->lock);
    rabbitmq_notify(feed->source);
}

/*
 * Has it ended processes?  What a channel gave back that ended here has ended none.  Where there
 * are no letters it is handed over all the same, alone: rejected it would be lost.
 */
static void look_for_poison(const struct feed *feed, struct delivery *delivery)
{
    int64_t survived = feed->ends_survived;
    delivery->returns = delivery->returns > survived ? delivery->returns - survived : 0;
    if (delivery->returns > SOURCE_POISON_RETURNS && delivery->flaw == RECORD_WHOLE &&
        (feed->tap || has_letters(feed)))
        delivery->flaw = RECORD_POISON;
}

static enum sb_err take_delivery(struct lane *lane, struct delivery *delivery)
{
    struct feed *feed = lane->feed;
    looks_take_delivery(feed);
    if (!is_expected(lane, delivery)) {
        memory_free(delivery);
        return SB_OK;
    }
    look_for_stream(feed, delivery);
    look_for_poison(feed, delivery);
    look_for_gap(lane, delivery);
    return lanes_take(lane, delivery);
}

static enum sb_err take_content(struct lane *lane, const struct amqp_event *event)
{
    struct delivery *delivery;
    enum sb_err err = assembly_add(&lane->assembly, event, &delivery);
    if (err == SB_OK && delivery != NULL)
        err = take_delivery(lane, delivery);
    return err;
}

/* What the broker did to a channel. */
static void take_closed(struct feed *feed, const struct amqp_event *event)
{
    if (event->channel == CHANNEL_CONTROL)
        feed->control_open = false;
    struct lane *lane = lane_of(feed, event->channel);
    if (lane != NULL)
        feed_lose_lane(lane, amqp_link_why(feed->link));
}

static enum sb_err take(struct feed *feed, const struct amqp_event *event)
{
    struct lane *lane = lane_of(feed, event->channel);
    if (event->kind == AMQP_CHANNEL_CLOSED) {
        take_closed(feed, event);
        return SB_OK;
    }
    if (event->kind == AMQP_COUNTS)
        looks_take_ready(feed, event->counts.ready, event->counts.consumers);
    if (lane == NULL)
        return SB_OK; /* the rest of a channel that is gone */
    switch (event->kind) {
    case AMQP_DELIVER:
        return assembly_begin(&lane->assembly, event);
    case AMQP_HEADER:
    case AMQP_BODY:
        return take_content(lane, event);
    case AMQP_CONSUMING:
        feed_take_answer(lane);
        return SB_OK;
    case AMQP_CANCEL:
        lane->gone = true; /* or they do: twice is better than never */
        close_lane(lane, "the broker has ended the consumer: the queue is gone, or its node");
        return SB_OK;
    default:
        return SB_OK;
    }
}

/* True: nothing is read before the workers have given bytes back. */
static bool is_full(struct feed *feed)
{
    if (atomic_load_explicit(&feed->bytes, memory_order_relaxed) <= feed->bytes_max)
        return false;
    /* Said before it is looked at again: whoever gives bytes back after this wakes the feed. */
    atomic_store(&feed->full, true);
    if (atomic_load(&feed->bytes) > feed->bytes_max / 2)
        return true;
    atomic_store(&feed->full, false);
    return false;
}

/*
 * What came can not be read.  If that is a message's header, it would break off there for ever: the
 * message is rejected, unread, for the broker's own dead letters, if it has any.  That is not
 * put off until it comes again, as all that is out comes again each time.  A stream takes no
 * rejects: it stays where it is.  Returns what to say about it.
 */
static const char *drop_unreadable(struct feed *feed)
{
    uint16_t channel;
    struct lane *lane =
        amqp_link_broke_at_header(feed->link, &channel) ? lane_of(feed, channel) : NULL;
    if (lane == NULL || lane->assembly.stage != ASSEMBLY_HEADER)
        return amqp_link_why(feed->link);
    if (feed->stream)
        return "the headers of a message can not be decoded, and a stream can not be read past "
               "it";
    uint64_t tag = lane->assembly.tag;
    if (amqp_link_reject(feed->link, lane->channel, tag, /* requeue */ false) != SB_OK)
        return amqp_link_why(feed->link);
    uint64_t rejected = atomic_fetch_add(&feed->unreadable, 1) + 1;
    log_event(feed->source->options.log, LOG_ERROR, "source", "unreadable_rejected",
              LOG_TEXT("queue", feed->queue->queue), LOG_NUMBER("delivery_tag", tag),
              LOG_TEXT("reason", "its headers can not be decoded"),
              LOG_NUMBER("rejected", rejected));
    feed->failures = 0; /* it got on: the next connection does not wait for long */
    return "the headers of a message could not be decoded: it was rejected";
}

static const char *text_of(enum sb_err err)
{
    switch (err) {
    case SB_ERR_LIMIT:
        return "the broker sends more than the prefetch";
    case SB_ERR_MEMORY:
        return "no memory for a delivery";
    default:
        return "the broker sends a message's frames out of order";
    }
}

const char *intake_read(struct feed *feed, bool *ret_more)
{
    if (atomic_load(&feed->full) || is_full(feed))
        return NULL;
    for (int i = 0; i < FRAMES_PER_TURN; i++) {
        struct amqp_event event;
        enum sb_err err = amqp_link_next(feed->link, 0, &event);
        if (err == SB_ERR_INPUT)
            return drop_unreadable(feed);
        if (err != SB_OK)
            return amqp_link_why(feed->link);
        if (event.kind == AMQP_NOTHING)
            return NULL;
        err = take(feed, &event);
        if (!amqp_link_is_open(feed->link))
            return amqp_link_why(feed->link);
        if (err != SB_OK)
            return text_of(err);
        if (is_full(feed))
            return NULL;
    }
    *ret_more = true;
    return NULL;
}
