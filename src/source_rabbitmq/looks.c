#include "looks.h"

#include <stdio.h>

#include "lanes.h"
#include "topology.h"

#define LOOK_INTERVAL_NS (1 * NS_PER_S)
/* A stream that has been silent for so long has been read to its end; longer if it can not be. */
#define QUIET_NS   (1 * NS_PER_S)
#define SILENT_NS  (5 * NS_PER_S)
#define STARVED_NS (5 * NS_PER_S)
/* What is on its way is no longer counted as ready: not once is enough. */
enum { EMPTY_LOOKS = 2 };
#define TAP_QUIET_NS (200 * NS_PER_MS)

void looks_begin(struct feed *feed, uint64_t ready)
{
    feed->quiet_since_ns = rabbitmq_now_ns(feed->source);
    feed->starved_since_ns = 0;
    feed->look_at_ns = feed->quiet_since_ns + LOOK_INTERVAL_NS;
    if (!atomic_load(&feed->counted))
        atomic_store(&feed->target, ready);
    feed->empty_looks = ready == 0;
    atomic_store(&feed->ready, ready);
    atomic_store(&feed->counted, true);
}

void looks_take_answer(struct feed *feed)
{
    feed->quiet_since_ns = rabbitmq_now_ns(feed->source);
}

void looks_take_delivery(struct feed *feed)
{
    if (feed->stream)
        feed->quiet_since_ns = rabbitmq_now_ns(feed->source);
    feed->empty_looks = 0;
    if (atomic_load_explicit(&feed->at_end, memory_order_relaxed))
        atomic_store(&feed->at_end, false);
}

/* Everything handed over has been given back, and nothing is held: the rings are empty. */
static bool is_idle(const struct feed *feed)
{
    for (uint32_t i = 0; i < feed->lane_count; i++) {
        const struct lane *lane = &feed->lanes[i];
        if (!lane->channel_open || lane_state(lane) != LANE_OPEN || lane->held_first != NULL ||
            lane->assembly.stage != ASSEMBLY_IDLE)
            return false;
        if (lane->handed != OFFSET_NONE && atomic_load(&lane->released) < lane->handed)
            return false;
    }
    return true;
}

static bool stream_has_ended(const struct feed *feed, uint64_t quiet_ns)
{
    int64_t next = feed->lanes[0].handed;
    if (next == OFFSET_NONE)
        next = feed->position;
    bool behind = next == OFFSET_NONE ? atomic_load(&feed->target) > 0
                                      : (uint64_t)next < atomic_load(&feed->target);
    if (feed->tap)
        return quiet_ns >= TAP_QUIET_NS && (!behind || quiet_ns >= QUIET_NS);
    return quiet_ns >= (behind ? SILENT_NS : QUIET_NS);
}

/* Nothing more can come before something is acked. */
static bool is_prefetch_out(const struct feed *feed)
{
    for (uint32_t i = 0; i < feed->lane_count; i++)
        if (!feed->lanes[i].channel_open ||
            lanes_unacked(&feed->lanes[i]) < feed->queue->prefetch)
            return false;
    return true;
}

static bool queue_has_ended(const struct feed *feed)
{
    return feed->empty_looks >= EMPTY_LOOKS && !is_prefetch_out(feed);
}

static void look_for_end(struct feed *feed)
{
    uint64_t quiet_ns = rabbitmq_now_ns(feed->source) - feed->quiet_since_ns;
    bool ended = is_idle(feed) &&
                 (feed->stream ? stream_has_ended(feed, quiet_ns) : queue_has_ended(feed));
    if (ended != atomic_load_explicit(&feed->at_end, memory_order_relaxed))
        atomic_store(&feed->at_end, ended);
}

/* Every consumer waits for acks, and there is more: the prefetch bounds the rate. */
static bool is_starved(const struct feed *feed)
{
    return !feed->stream && atomic_load(&feed->ready) > 0 && is_prefetch_out(feed);
}

static void warn_starved(struct feed *feed)
{
    const struct source_rabbitmq_options *options = &feed->source->options;
    char text[FEED_TEXT_LEN];
    double wait_s = (double)options->window_wait_ns / (double)NS_PER_S;
    double rate = (double)feed->queue->prefetch * feed->lane_count / wait_s;
    (void)snprintf(text, sizeof(text),
                   "messages wait while all of the prefetch is unacked: at most prefetch x "
                   "consumers / window.wait = %u x %u / %.1f s = %.1f messages/s",
                   feed->queue->prefetch, feed->lane_count, wait_s, rate);
    log_event(options->log, LOG_WARN, "source", "prefetch_too_small",
              LOG_TEXT("queue", feed->queue->queue), LOG_TEXT("text", text));
}

static void look_for_starvation(struct feed *feed)
{
    uint64_t now_ns = rabbitmq_now_ns(feed->source);
    if (!is_starved(feed))
        feed->starved_since_ns = 0;
    else if (feed->starved_since_ns == 0)
        feed->starved_since_ns = now_ns;
    else if (!feed->warned && now_ns - feed->starved_since_ns >= STARVED_NS) {
        feed->warned = true;
        warn_starved(feed);
    }
}

/* Others who consume from a queue get a part of its messages. */
void looks_take_consumers(struct feed *feed, uint32_t consumers)
{
    uint32_t own = 0;
    for (uint32_t i = 0; i < feed->lane_count; i++)
        own += feed->lanes[i].channel_open;
    atomic_store(&feed->share, (int)(consumers > own ? SOURCE_SHARE_PART : SOURCE_SHARE_ALL));
}

/*
 * A quorum queue whose leader has not answered the broker for 250 ms has 0 messages and 0
 * consumers (rabbit_quorum_queue:stat): since we consume, that is no answer.
 */
void looks_take_ready(struct feed *feed, uint32_t ready, uint32_t consumers)
{
    uint64_t unacked = 0;
    if (!feed->stream && consumers == 0)
        return;
    looks_take_consumers(feed, consumers);
    for (uint32_t i = 0; i < feed->lane_count; i++)
        unacked += lanes_unacked(&feed->lanes[i]);
    feed->empty_looks = ready == 0 ? feed->empty_looks + 1 : 0;
    atomic_store(&feed->ready, ready);
    atomic_store(&feed->unacked, unacked);
    look_for_starvation(feed);
}

enum source_share looks_share(const struct feed *feed)
{
    if (feed->tap || feed->stream)
        return SOURCE_SHARE_ALL;
    return (enum source_share)atomic_load(&feed->share);
}

enum sb_err looks_run(struct feed *feed)
{
    uint64_t now_ns = rabbitmq_now_ns(feed->source);
    look_for_end(feed);
    if (now_ns < feed->look_at_ns)
        return SB_OK;
    feed->look_at_ns = now_ns + LOOK_INTERVAL_NS;
    return topology_ask(feed);
}

bool looks_is_drained(const struct feed *feed)
{
    if (!atomic_load(&feed->counted))
        return false;
    uint64_t target = atomic_load(&feed->target);
    if (!feed->stream && target > 0 && atomic_load(&feed->polled) >= target)
        return true;
    return atomic_load(&feed->at_end);
}

bool looks_lag(const struct feed *feed, struct source_lag *ret)
{
    if (!atomic_load(&feed->counted))
        return false;
    uint64_t ready = atomic_load(&feed->ready);
    uint64_t unacked = atomic_load(&feed->unacked);
    uint64_t records = ready + unacked;
    if (feed->stream) {
        /* All that is in it counts as ready; what was removed from its beginning is not known. */
        int64_t next = lanes_watermark(&feed->lanes[0]);
        uint64_t read = next == OFFSET_NONE ? 0 : (uint64_t)next;
        records = ready > read ? ready - read : 0;
        records = records > unacked ? records : unacked;
    }
    *ret = (struct source_lag){.topic = feed->queue->queue, .partition = 0, .records = records};
    return true;
}

uint64_t looks_tap_time_ns(const struct feed *feed)
{
    if (!feed->stream)
        return UINT64_MAX; /* its records have no coordinates: nobody waits for what they tell */
    uint64_t time_ns = atomic_load(&feed->newest_ns);
    if (atomic_load(&feed->at_end))
        time_ns = clock_wall_ns(feed->source->options.clock);
    uint64_t lateness_ns = feed->source->options.lateness_ns;
    return time_ns > lateness_ns ? time_ns - lateness_ns : 0;
}
