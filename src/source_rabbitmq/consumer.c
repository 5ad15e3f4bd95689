#include "consumer.h"

#include "lanes.h"

static const char consumer_tag[] = "spanbridge"; /* of its channel alone */

static amqp_field_value_t text_value(const char *text)
{
    return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_UTF8,
                                .value = {.bytes = amqp_cstring_bytes(text)}};
}

/* Where a stream is read from: where it went on, or by `start`. */
static amqp_field_value_t stream_start(const struct feed *feed)
{
    const struct source_rabbitmq *source = feed->source;
    if (feed->position != OFFSET_NONE)
        return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I64,
                                    .value = {.i64 = feed->position}};
    switch (source->options.topics[feed->topic].start) {
    case SOURCE_START_EARLIEST:
        return text_value("first");
    case SOURCE_START_LATEST:
        return text_value("next");
    case SOURCE_START_DEFAULT:
        break;
    }
    if (!feed->tap)
        return text_value("first");
    uint64_t now_ns = clock_wall_ns(source->options.clock);
    uint64_t back_ns = source->options.replay_ns < now_ns ? source->options.replay_ns : now_ns;
    return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_TIMESTAMP,
                                .value = {.u64 = (now_ns - back_ns) / NS_PER_S}};
}

/*
 * A tap's own queue is for one process: two without an `instance` would call it the same, and
 * each would see a part of the messages.  The second is refused instead, and says so.
 */
static bool is_exclusive(const struct feed *feed)
{
    return feed->tap && feed->queue->declare && !feed->stream && feed->lane_count == 1;
}

enum sb_err consumer_ask(struct lane *lane)
{
    const struct feed *feed = lane->feed;
    lane->asked = true;
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("x-stream-offset")};
    const amqp_table_t from = {.num_entries = 1, .entries = &entry};
    if (feed->stream)
        entry.value = stream_start(feed);
    return amqp_link_ask_consume(feed->link, lane->channel, feed->queue->queue, consumer_tag,
                                 is_exclusive(feed), feed->stream ? &from : NULL);
}

enum sb_err consumer_open(struct lane *lane)
{
    struct feed *feed = lane->feed;
    SB_ASSERT(lane_state(lane) == LANE_CLOSED && !lane->channel_open);
    if (feed->next_channel > AMQP_CHANNEL_MAX)
        feed->next_channel = CHANNEL_FIRST; /* what came of the first ones has long been read */
    lane->channel = feed->next_channel++;
    feed->by_channel[lane->channel] = lane;
    lanes_reset(lane);
    lane->offset_start = feed->position == OFFSET_NONE ? 0 : feed->position;
    enum sb_err err = amqp_link_open_channel(feed->link, lane->channel);
    if (err == SB_OK)
        err = amqp_link_set_prefetch(feed->link, lane->channel, feed->queue->prefetch);
    if (err != SB_OK)
        return err;
    lane->channel_open = true;
    lane->asked = false;
    lane->ready_since_ns = rabbitmq_now_ns(feed->source);
    return SB_OK;
}

void consumer_take_answer(struct lane *lane)
{
    if (lane_state(lane) != LANE_CLOSED)
        return; /* said twice */
    lane->ready_since_ns = rabbitmq_now_ns(lane->feed->source);
    atomic_store(&lane->state, LANE_READY);
    rabbitmq_notify(lane->feed->source);
}

enum sb_err consumer_cancel(struct lane *lane)
{
    return amqp_link_cancel(lane->feed->link, lane->channel, consumer_tag);
}
