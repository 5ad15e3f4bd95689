#include "records.h"

#include <poll.h>
#include <unistd.h>

#include "lanes.h"

static struct worker_view *view_at(struct source_rabbitmq *source, uint32_t worker)
{
    SB_ASSERT(worker < source->options.workers);
    return &source->workers[worker];
}

static struct delivery *take_delivery(struct lane *lane)
{
    struct bytes message;
    struct delivery *delivery;
    if (!ring_peek(lane->ring, &message))
        return NULL;
    memcpy(&delivery, message.at, sizeof(delivery));
    ring_release(lane->ring);
    return delivery;
}

static struct record record_of(const struct lane *lane, struct delivery *delivery)
{
    return (struct record){
        .source = &lane->feed->source->base,
        .topic = lane->feed->topic,
        .lane = lane->number,
        .partition = lane->feed->stream ? 0 : lane->consumer,
        .offset = delivery->offset,
        .time_ms = delivery->time_ms,
        .time_type = delivery->has_time ? RECORD_TIME_CREATE : RECORD_TIME_NONE,
        .flaw = delivery->flaw,
        .key = delivery_piece(delivery, delivery->key),
        .value = delivery_body(delivery),
        .handle = delivery,
    };
}

/* A tap's clock never goes beyond now. */
static void advance_clock(struct feed *feed, const struct record *record, uint64_t now_ns)
{
    if (record->time_type == RECORD_TIME_NONE)
        return;
    uint64_t time_ns = (uint64_t)record->time_ms > now_ns / NS_PER_MS
                           ? now_ns
                           : (uint64_t)record->time_ms * NS_PER_MS;
    if (time_ns > atomic_load_explicit(&feed->newest_ns, memory_order_relaxed))
        atomic_store(&feed->newest_ns, time_ns);
}

static size_t take_lane(struct lane *lane, struct record *ret, size_t max)
{
    struct feed *feed = lane->feed;
    if (lane_state(lane) != LANE_OPEN)
        return 0;
    bool clocked = feed->tap && feed->stream;
    uint64_t now_ns = clocked ? clock_wall_ns(feed->source->options.clock) : 0;
    size_t count = 0;
    while (count < max) {
        struct delivery *delivery = take_delivery(lane);
        if (delivery == NULL && ring_sleep(lane->ring))
            break;
        if (delivery == NULL)
            continue; /* one has come since */
        ret[count] = record_of(lane, delivery);
        if (clocked)
            advance_clock(feed, &ret[count], now_ns);
        count++;
    }
    if (count > 0)
        atomic_fetch_add_explicit(&feed->polled, count, memory_order_release);
    return count;
}

/* The lanes of one kind by turns, so that none starves behind a busy one. */
static size_t take(struct source_rabbitmq *source, struct worker_view *view, bool taps,
                   struct record *ret, size_t max)
{
    uint32_t lanes = view->counts[taps];
    size_t count = 0;
    if (atomic_load_explicit(&source->intake_stopped, memory_order_acquire))
        return 0;
    for (uint32_t i = 0; i < lanes && count < max; i++)
        count +=
            take_lane(view->lanes[taps][(view->next + i) % lanes], ret + count, max - count);
    view->next++;
    return count;
}

static void wait_for_wake(struct worker_view *view, uint32_t wait_ms)
{
    uint64_t count;
    struct pollfd wait = {.fd = view->wake_fd, .events = POLLIN};
    if (poll(&wait, 1, (int)wait_ms) > 0)
        (void)!read(view->wake_fd, &count, sizeof(count));
    atomic_store(&view->woken, false);
}

size_t records_poll(struct source *base, uint32_t worker, uint32_t wait_ms, struct record *ret,
                    size_t max)
{
    struct source_rabbitmq *source = rabbitmq_of(base);
    struct worker_view *view = view_at(source, worker);
    size_t count = take(source, view, false, ret, max);
    if (count > 0 || wait_ms == 0)
        return count;
    wait_for_wake(view, wait_ms);
    return take(source, view, false, ret, max);
}

size_t records_poll_taps(struct source *base, uint32_t worker, struct record *ret, size_t max)
{
    struct source_rabbitmq *source = rabbitmq_of(base);
    struct worker_view *view = view_at(source, worker);
    for (uint32_t i = 0; i < view->counts[1]; i++) {
        struct lane *lane = view->lanes[1][i];
        int64_t released = atomic_load_explicit(&lane->released, memory_order_relaxed);
        if (released == lane->tap_told)
            continue;
        lane->tap_told = released;
        feed_wake(lane->feed); /* what was released since the last turn can be acked */
    }
    return take(source, view, true, ret, max);
}

void records_wake(struct source *base, uint32_t worker)
{
    const uint64_t one = 1;
    struct worker_view *view = view_at(rabbitmq_of(base), worker);
    if (!atomic_exchange(&view->woken, true))
        (void)!write(view->wake_fd, &one, sizeof(one));
}

void records_release(struct record *record)
{
    struct delivery *delivery = record->handle;
    struct lane *lane = delivery->lane;
    /* Either the feed sees this when it has said that it watches, or that is seen here. */
    atomic_store(&lane->released, delivery->offset + 1);
    if (atomic_load(&lane->watched))
        feed_wake(lane->feed);
    lanes_free_delivery(delivery);
    record->handle = NULL;
}

size_t records_headers(const struct record *record, struct record_header *ret, size_t max)
{
    const struct delivery *delivery = record->handle;
    for (uint32_t i = 0; i < delivery->header_count && i < max; i++)
        ret[i] = delivery_header(delivery, i);
    return delivery->header_count;
}

void records_publish(struct source *base, uint32_t worker, uint32_t number, int64_t offset)
{
    struct worker_view *view = view_at(rabbitmq_of(base), worker);
    for (uint32_t i = 0; i < view->counts[0]; i++) {
        struct lane *lane = view->lanes[0][i];
        if (lane->number != number)
            continue;
        int64_t before = atomic_load_explicit(&lane->published, memory_order_relaxed);
        if (lane_state(lane) != LANE_OPEN || offset <= before)
            return;
        atomic_store_explicit(&lane->published, offset, memory_order_release);
        feed_wake(lane->feed);
        return;
    }
}

void records_discard(struct lane *lane)
{
    for (;;) {
        struct delivery *delivery = take_delivery(lane);
        if (delivery == NULL)
            return;
        lanes_free_delivery(delivery);
    }
}
