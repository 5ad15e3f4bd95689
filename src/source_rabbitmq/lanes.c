#include "lanes.h"

#include "core/memory.h"

int64_t lanes_watermark(const struct lane *lane)
{
    const _Atomic int64_t *at = lane->feed->tap ? &lane->released : &lane->published;
    return atomic_load_explicit(at, memory_order_acquire);
}

void lanes_reset(struct lane *lane)
{
    assembly_clear(&lane->assembly);
    lane->alone = false;
    lane->handed = OFFSET_NONE;
    lane->tag = 0;
    lane->tag_acked = 0;
    lane->tags_at = 0;
    lane->tags_count = 0;
    atomic_store(&lane->watched, false);
}

void lanes_free_delivery(struct delivery *delivery)
{
    struct feed *feed = delivery->lane->feed;
    size_t before =
        atomic_fetch_sub_explicit(&feed->bytes, delivery->bytes, memory_order_seq_cst);
    bool enough = before - delivery->bytes <= feed->bytes_max / 2;
    if (enough && atomic_load_explicit(&feed->full, memory_order_seq_cst) &&
        atomic_exchange(&feed->full, false))
        feed_wake(feed);
    memory_free(delivery);
}

static bool is_suspect(const struct delivery *delivery)
{
    return delivery->returns >= SOURCE_SUSPECT_RETURNS;
}

/* Has the worker given everything back that was handed over? */
static bool is_released(const struct lane *lane)
{
    return lane->handed == OFFSET_NONE || atomic_load(&lane->released) >= lane->handed;
}

/* False: it has to wait, be it for room in the ring. */
static bool hand_over(struct lane *lane, struct delivery *delivery)
{
    bool suspect = is_suspect(delivery);
    if ((suspect || lane->alone) && !is_released(lane))
        return false;
    struct delivery **slot = ring_reserve(lane->ring, sizeof(struct delivery *));
    if (slot == NULL)
        return false;
    *slot = delivery;
    lane->alone = suspect;
    lane->handed = delivery->offset + 1;
    if (ring_commit(lane->ring, sizeof(struct delivery *)))
        sources_wake(lane->feed->source->base.sources, lane->worker);
    return true;
}

static void hold(struct lane *lane, struct delivery *delivery)
{
    delivery->next = NULL;
    if (lane->held_first == NULL)
        lane->held_first = delivery;
    else
        lane->held_last->next = delivery;
    lane->held_last = delivery;
}

void lanes_pump(struct lane *lane)
{
    while (lane->held_first != NULL) {
        struct delivery *next = lane->held_first->next;
        /* Watched before it looks, so that no release goes unseen. */
        atomic_store(&lane->watched, true);
        if (!hand_over(lane, lane->held_first))
            return;
        lane->held_first = next;
    }
    atomic_store(&lane->watched, false);
}

static bool keep_tag(struct lane *lane, const struct delivery *delivery)
{
    if (lane->tags_count == lane->tags_room)
        return false;
    uint32_t at = (lane->tags_at + lane->tags_count++) % lane->tags_room;
    lane->tags[at] = (struct tag_of_offset){delivery->offset, delivery->tag};
    return true;
}

enum sb_err lanes_take(struct lane *lane, struct delivery *delivery)
{
    struct feed *feed = lane->feed;
    delivery->lane = lane;
    lane->tag = delivery->tag;
    atomic_fetch_add_explicit(&feed->bytes, delivery->bytes, memory_order_relaxed);
    if (feed->stream && !keep_tag(lane, delivery)) {
        lanes_free_delivery(delivery);
        return SB_ERR_LIMIT;
    }
    /* The broker begins with a whole chunk, and offsets rise: what comes twice is passed over. */
    int64_t least = lane->handed > lane->offset_start ? lane->handed : lane->offset_start;
    if (feed->stream && delivery->offset < least) {
        lanes_free_delivery(delivery);
        return SB_OK;
    }
    if (lane->held_first != NULL || !hand_over(lane, delivery)) {
        hold(lane, delivery);
        lanes_pump(lane);
    }
    return SB_OK;
}

/* The last tag of a stream's deliveries that are finished, taken off the list; 0: none. */
static uint64_t take_tags(struct lane *lane, int64_t watermark)
{
    uint64_t tag = 0;
    if (watermark < lane->offset_start)
        watermark = lane->offset_start;
    while (lane->tags_count > 0 && lane->tags[lane->tags_at].offset < watermark) {
        tag = lane->tags[lane->tags_at].tag;
        lane->tags_at = (lane->tags_at + 1) % lane->tags_room;
        lane->tags_count--;
    }
    return tag;
}

enum sb_err lanes_ack(struct lane *lane)
{
    struct feed *feed = lane->feed;
    int64_t watermark = lanes_watermark(lane);
    uint64_t tag = 0;
    if (feed->stream)
        tag = take_tags(lane, watermark);
    else if (watermark != OFFSET_NONE)
        tag = (uint64_t)watermark - 1;
    if (tag <= lane->tag_acked)
        return SB_OK;
    SB_ASSERT(tag <= lane->tag);
    lane->tag_acked = tag;
    return amqp_link_ack(feed->link, lane->channel, tag, true);
}

uint64_t lanes_unacked(const struct lane *lane)
{
    return lane->tag - lane->tag_acked;
}

void lanes_end(struct lane *lane)
{
    if (lane->channel_open && lanes_unacked(lane) > 0)
        lane->feed->ends_survived++;
    lane->channel_open = false;
    assembly_clear(&lane->assembly);
    while (lane->held_first != NULL) {
        struct delivery *next = lane->held_first->next;
        lanes_free_delivery(lane->held_first);
        lane->held_first = next;
    }
    int state = (int)lane_state(lane);
    if (state != LANE_READY && state != LANE_OPEN)
        return;
    /* Only the control thread may come between, from READY to OPEN. */
    while (!atomic_compare_exchange_strong(&lane->state, &state, LANE_ENDED)) {
    }
    rabbitmq_notify(lane->feed->source);
}
