#include "control.h"

#include <stdio.h>

#include "poster.h"
#include "records.h"

static struct source_lane view_of(const struct lane *lane)
{
    const struct feed *feed = lane->feed;
    return (struct source_lane){
        .source = &feed->source->base,
        .topic = feed->topic,
        .topic_name = feed->queue->queue,
        .partition = feed->stream ? 0 : lane->consumer,
        .worker = lane->worker,
        .lane = lane->number,
        .tap = feed->tap,
        .coordinates = feed->stream,
    };
}

static void open_ready(struct feed *feed)
{
    const struct source_events *events = &feed->source->options.events;
    for (uint32_t i = 0; i < feed->lane_count; i++) {
        struct lane *lane = &feed->lanes[i];
        if (lane_state(lane) != LANE_READY || lane->told)
            continue;
        const struct source_lane view = view_of(lane);
        events->on_open(events->arg, &view);
        lane->told = true;
        int ready = LANE_READY;
        /* Or it has ended by now: then it is closed at once. */
        if (atomic_compare_exchange_strong(&lane->state, &ready, LANE_OPEN))
            sources_wake(feed->source->base.sources, lane->worker);
    }
}

/* From here on nothing of the lane's last turn is left anywhere. */
static void make_closed(struct lane *lane)
{
    records_discard(lane);
    lane->told = false;
    lane->gone = false;
    atomic_store(&lane->published, OFFSET_NONE);
    atomic_store(&lane->released, OFFSET_NONE);
    atomic_store(&lane->state, LANE_CLOSED);
    feed_wake(lane->feed);
}

static void close_ended(struct feed *feed)
{
    const struct source_events *events = &feed->source->options.events;
    struct source_lane *views = feed->source->closing;
    bool ended[SOURCE_CONSUMERS_MAX] = {false};
    size_t count = 0;
    for (uint32_t i = 0; i < feed->lane_count; i++) {
        ended[i] = lane_state(&feed->lanes[i]) == LANE_ENDED;
        if (!ended[i] || !feed->lanes[i].told)
            continue;
        views[count] = view_of(&feed->lanes[i]);
        views[count++].gone = feed->lanes[i].gone;
    }
    if (count > 0)
        events->on_close(events->arg, views, count, true);
    for (uint32_t i = 0; i < feed->lane_count; i++)
        if (ended[i])
            make_closed(&feed->lanes[i]);
}

static void tell_trouble(struct feed *feed)
{
    const struct source_events *events = &feed->source->options.events;
    char trouble[FEED_TEXT_LEN];
    char gap[FEED_TEXT_LEN];
    (void)pthread_mutex_lock(&feed->lock);
    bool changed = feed->trouble_changed;
    feed->trouble_changed = false;
    (void)snprintf(trouble, sizeof(trouble), "%s", feed->trouble);
    (void)snprintf(gap, sizeof(gap), "%s", feed->gap);
    feed->gap[0] = '\0';
    (void)pthread_mutex_unlock(&feed->lock);
    if (gap[0] != '\0')
        events->on_gap(events->arg, gap);
    if (!changed)
        return;
    if (trouble[0] != '\0')
        events->on_trouble(events->arg, feed->queue->queue, trouble, false);
    else if (feed->trouble_told)
        events->on_trouble(events->arg, feed->queue->queue, NULL, false);
    feed->trouble_told = trouble[0] != '\0';
}

void control_serve(struct source_rabbitmq *source)
{
    for (uint32_t i = 0; i < source->feed_count; i++) {
        open_ready(&source->feeds[i]);
        close_ended(&source->feeds[i]);
        tell_trouble(&source->feeds[i]);
    }
    posters_serve(source);
}
