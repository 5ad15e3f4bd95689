#include "feed.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "consumer.h"
#include "core/memory.h"
#include "intake.h"
#include "lanes.h"
#include "looks.h"
#include "position.h"
#include "topology.h"

enum { WAIT_MAX_MS = 1000, BUSY_WAIT_MS = 50 };
#define GOOD_BYE_NS      (2 * NS_PER_S)
#define SAVE_INTERVAL_NS (1 * NS_PER_S)
/* What has held for so long has come to stay: the next failure is a first one. */
#define STABLE_NS (30 * NS_PER_S)

void feed_wake(struct feed *feed)
{
    const uint64_t one = 1;
    if (!atomic_exchange(&feed->woken, true))
        (void)!write(feed->wake_fd, &one, sizeof(one));
}

void feed_set_trouble(struct feed *feed, const char *text)
{
    (void)pthread_mutex_lock(&feed->lock);
    const char *now = text == NULL ? "" : text;
    if (strcmp(feed->trouble, now) != 0) {
        (void)snprintf(feed->trouble, sizeof(feed->trouble), "%s", now);
        feed->trouble_changed = true;
    }
    (void)pthread_mutex_unlock(&feed->lock);
    rabbitmq_notify(feed->source);
}

static bool may_read(const struct feed *feed)
{
    return !atomic_load_explicit(&feed->source->intake_stopped, memory_order_acquire);
}

/* A stream goes on behind what is finished, in this process and after it. */
static void note_position(struct feed *feed)
{
    if (!feed->stream)
        return;
    int64_t watermark = lanes_watermark(&feed->lanes[0]);
    if (watermark > feed->position)
        feed->position = watermark;
}

static void save_position(struct feed *feed)
{
    if (feed->queue->offsets_file == NULL || feed->tap || feed->position == OFFSET_NONE ||
        feed->position == feed->position_saved)
        return;
    enum sb_err err =
        position_write(feed->queue->offsets_file, feed->queue->queue, feed->position);
    if (err == SB_OK) {
        feed->position_saved = feed->position;
        if (feed->save_failed)
            feed_set_trouble(feed, NULL);
        feed->save_failed = false;
        return;
    }
    char text[FEED_TEXT_LEN];
    (void)snprintf(text, sizeof(text), "the position can not be written to %s: %s",
                   feed->queue->offsets_file, strerrordesc_np(errno));
    feed->save_failed = true;
    feed_set_trouble(feed, text);
}

/* All lanes are lost; they begin anew after a while. */
static void lose_all(struct feed *feed, const char *why)
{
    char text[FEED_TEXT_LEN];
    (void)snprintf(text, sizeof(text), "%s", why);
    note_position(feed);
    for (uint32_t i = 0; i < feed->lane_count; i++)
        lanes_end(&feed->lanes[i]);
    feed->control_open = false;
    atomic_store(&feed->at_end, false);
    amqp_link_close(feed->link, GOOD_BYE_NS);
    feed->retry_at_ns =
        rabbitmq_now_ns(feed->source) + retry_wait_ns(&feed->retry, ++feed->failures);
    feed_set_trouble(feed, text);
}

/* False: it is there and can not be used; starting over would be wrong. */
static bool read_position(struct feed *feed)
{
    const char *path = feed->queue->offsets_file;
    if (!feed->stream || feed->tap || path == NULL || feed->position_read)
        return true;
    enum sb_err err = position_read(path, feed->queue->queue, &feed->position);
    if (err == SB_OK || err == SB_ERR_NOT_FOUND) {
        feed->position_read = true;
        feed->position_saved = feed->position;
        return true;
    }
    char text[FEED_TEXT_LEN];
    (void)snprintf(text, sizeof(text),
                   err == SB_ERR_INPUT ? "%s holds no position of this queue"
                                       : "%s can not be read",
                   path);
    lose_all(feed, text);
    return false;
}

/* False: it failed. */
static bool connect_feed(struct feed *feed)
{
    struct amqp_counts counts = {0, 0};
    if (!read_position(feed))
        return false;
    enum sb_err err = amqp_link_open(feed->link);
    if (err == SB_OK)
        err = topology_ensure(feed, &counts);
    if (err != SB_OK) {
        lose_all(feed, amqp_link_why(feed->link));
        return false;
    }
    feed->next_channel = CHANNEL_FIRST;
    for (uint32_t i = 0; i < feed->lane_count; i++) {
        feed->lanes[i].retry_at_ns = 0;
        feed->lanes[i].retry_topology = false;
    }
    looks_begin(feed, counts.ready);
    looks_take_consumers(feed, counts.consumers);
    return true;
}

void feed_lose_lane(struct lane *lane, const char *why)
{
    struct feed *feed = lane->feed;
    char text[FEED_TEXT_LEN];
    (void)snprintf(text, sizeof(text), "%s", why);
    note_position(feed);
    lanes_end(lane);
    lane->retry_at_ns =
        rabbitmq_now_ns(feed->source) + retry_wait_ns(&lane->retry, ++lane->failures);
    lane->retry_topology = true;
    feed_set_trouble(feed, text);
}

static enum sb_err open_lane(struct lane *lane)
{
    struct feed *feed = lane->feed;
    struct amqp_counts counts;
    enum sb_err err = lane->retry_topology ? topology_ensure(feed, &counts) : SB_OK;
    if (err == SB_OK)
        err = consumer_open(lane);
    return err;
}

/* False: the link is lost. */
static bool survives(struct lane *lane, enum sb_err err)
{
    struct feed *feed = lane->feed;
    if (err != SB_OK && amqp_link_is_open(feed->link))
        feed_lose_lane(lane, amqp_link_why(feed->link));
    return amqp_link_is_open(feed->link);
}

/* Lanes that are due begin to consume.  False: the link is lost. */
static bool start_lanes(struct feed *feed)
{
    uint64_t now_ns = rabbitmq_now_ns(feed->source);
    for (uint32_t i = 0; i < feed->lane_count; i++) {
        struct lane *lane = &feed->lanes[i];
        if (!lane->channel_open && lane_state(lane) == LANE_CLOSED &&
            now_ns >= lane->retry_at_ns && !survives(lane, open_lane(lane)))
            return false;
    }
    for (uint32_t i = 0; i < feed->lane_count; i++) {
        struct lane *lane = &feed->lanes[i];
        if (lane->channel_open && !lane->asked && !survives(lane, consumer_ask(lane)))
            return false;
    }
    return true;
}

void feed_take_answer(struct lane *lane)
{
    struct feed *feed = lane->feed;
    consumer_take_answer(lane);
    looks_take_answer(feed);
    for (uint32_t i = 0; i < feed->lane_count; i++)
        if (!feed->lanes[i].channel_open || lane_state(&feed->lanes[i]) == LANE_CLOSED)
            return;
    atomic_store(&feed->running, true);
    feed_set_trouble(feed, NULL);
}

/* False: the link is lost. */
static bool cancel_lanes(struct feed *feed)
{
    feed->cancelled = true;
    if (atomic_load(&feed->full))
        return true; /* the socket is not read: nothing more comes either way */
    for (uint32_t i = 0; i < feed->lane_count; i++) {
        struct lane *lane = &feed->lanes[i];
        if (lane->channel_open && consumer_cancel(lane) != SB_OK) {
            if (!amqp_link_is_open(feed->link))
                return false;
            lanes_end(lane);
        }
    }
    return true;
}

/* False: the link is lost. */
static bool tend_lanes(struct feed *feed)
{
    uint64_t now_ns = rabbitmq_now_ns(feed->source);
    for (uint32_t i = 0; i < feed->lane_count; i++) {
        struct lane *lane = &feed->lanes[i];
        if (!lane->channel_open)
            continue;
        lanes_pump(lane);
        if (lanes_ack(lane) != SB_OK)
            return false;
        if (now_ns - lane->ready_since_ns >= STABLE_NS) {
            lane->failures = 0;
            feed->failures = 0;
        }
    }
    note_position(feed);
    if (now_ns >= feed->save_at_ns) {
        save_position(feed);
        feed->save_at_ns = now_ns + SAVE_INTERVAL_NS;
    }
    return true;
}

static bool take_looks(struct feed *feed)
{
    if (atomic_load(&feed->full))
        return true; /* the answer would not be read */
    enum sb_err err = looks_run(feed);
    if (err != SB_OK && amqp_link_is_open(feed->link))
        feed_set_trouble(feed, amqp_link_why(feed->link));
    return amqp_link_is_open(feed->link);
}

/* One turn of an open link.  *ret_more: there may be more to read. */
static void turn(struct feed *feed, bool *ret_more)
{
    bool good = true;
    const char *why = NULL;
    if (may_read(feed))
        good = start_lanes(feed);
    else if (!feed->cancelled)
        good = cancel_lanes(feed);
    if (good)
        why = intake_read(feed, ret_more);
    good = good && why == NULL && tend_lanes(feed) && take_looks(feed) &&
           amqp_link_keep_alive(feed->link) == SB_OK;
    if (!good)
        lose_all(feed, why != NULL ? why : amqp_link_why(feed->link));
}

static int wait_ms(const struct feed *feed)
{
    uint64_t now_ns = rabbitmq_now_ns(feed->source);
    uint64_t until_ns = now_ns + WAIT_MAX_MS * NS_PER_MS;
    if (!amqp_link_is_open(feed->link)) {
        if (may_read(feed) && feed->retry_at_ns < until_ns)
            until_ns = feed->retry_at_ns;
    } else {
        for (uint32_t i = 0; i < feed->lane_count; i++)
            if (!feed->lanes[i].channel_open && feed->lanes[i].retry_at_ns > now_ns &&
                feed->lanes[i].retry_at_ns < until_ns)
                until_ns = feed->lanes[i].retry_at_ns;
        if (feed->stream || feed->tap)
            until_ns = now_ns + BUSY_WAIT_MS * NS_PER_MS; /* for the end, and the tap's clock */
    }
    return until_ns <= now_ns ? 0 : (int)((until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void wait_for_work(struct feed *feed, bool more)
{
    struct pollfd fds[2] = {
        {.fd = feed->wake_fd, .events = POLLIN},
        {.fd = atomic_load(&feed->full) ? -1 : amqp_link_fd(feed->link), .events = POLLIN}};
    uint64_t count;
    if (poll(fds, 2, more ? 0 : wait_ms(feed)) > 0 && (fds[0].revents & POLLIN) != 0)
        (void)!read(feed->wake_fd, &count, sizeof(count));
    atomic_store(&feed->woken, false);
}

/* What is finished is acked, and the rest goes back to the queue with the connection. */
static void finish(struct feed *feed)
{
    bool commits = atomic_load_explicit(&feed->source->committing, memory_order_acquire);
    note_position(feed);
    for (uint32_t i = 0; commits && i < feed->lane_count; i++)
        if (feed->lanes[i].channel_open && amqp_link_is_open(feed->link) &&
            lanes_ack(&feed->lanes[i]) != SB_OK)
            break;
    if (commits)
        save_position(feed);
    amqp_link_close(feed->link, GOOD_BYE_NS);
    atomic_store(&feed->ended, true);
}

void *feed_run(void *arg)
{
    struct feed *feed = arg;
    while (!atomic_load_explicit(&feed->source->ending, memory_order_acquire)) {
        bool more = false;
        if (amqp_link_is_open(feed->link))
            turn(feed, &more);
        else if (may_read(feed) && rabbitmq_now_ns(feed->source) >= feed->retry_at_ns)
            more = connect_feed(feed);
        wait_for_work(feed, more);
    }
    finish(feed);
    return NULL;
}
