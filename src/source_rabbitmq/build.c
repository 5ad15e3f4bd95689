#include "build.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "core/memory.h"
#include "lanes.h"
#include "poster.h"
#include "records.h"

enum { RING_BYTES_EACH = 16 };
/* A stream is sent by whole chunks of so many at most, the last one beyond the prefetch. */
enum { STREAM_CHUNK_MAX = UINT16_MAX };

enum sb_err rabbitmq_new_link(const struct source_rabbitmq *source,
                              const struct source_rabbitmq_broker *broker, const char *what,
                              struct amqp_link **ret)
{
    char why[AMQP_WHY_LEN] = "";
    const struct amqp_link_options options = {
        .url = broker->url,
        .ca_file = broker->ca_file,
        .certificate_file = broker->certificate_file,
        .key_file = broker->key_file,
        .insecure = broker->insecure,
        .heartbeat_s = (uint32_t)(broker->heartbeat_ns / NS_PER_S),
        .timeout_ns = source->options.timeout_ns,
        .client_name = source->options.client_name,
        .clock = source->options.clock,
    };
    enum sb_err err = amqp_link_new(&options, ret, why);
    if (err == SB_ERR_CONFIG)
        log_event(source->options.log, LOG_ERROR, "source", "rabbitmq_url_refused",
                  LOG_TEXT("of", what), LOG_TEXT("text", why));
    return err;
}

static enum sb_err init_lane(struct feed *feed, struct lane *lane, uint32_t index,
                             uint32_t worker)
{
    struct source_rabbitmq *source = feed->source;
    lane->feed = feed;
    lane->consumer = (int32_t)index;
    lane->worker = worker;
    lane->number = source->options.numbers->lanes[worker]++;
    retry_init(&lane->retry, RETRY_FIRST_NS, RETRY_MOST_NS, rabbitmq_now_ns(source) + index);
    lane->assembly.firehose = feed->queue->firehose;
    lane->assembly.stream = feed->stream;
    lane->assembly.body_max = SOURCE_BODY_BYTES_MAX;
    atomic_init(&lane->state, LANE_CLOSED);
    atomic_init(&lane->published, OFFSET_NONE);
    atomic_init(&lane->released, OFFSET_NONE);
    lane->tap_told = OFFSET_NONE;
    lanes_reset(lane);
    if (feed->stream) {
        lane->tags_room = feed->queue->prefetch + STREAM_CHUNK_MAX;
        lane->tags = memory_zalloc(lane->tags_room, sizeof(*lane->tags));
        if (lane->tags == NULL)
            return SB_ERR_MEMORY;
    }
    return ring_new(((size_t)feed->queue->prefetch + 1) * RING_BYTES_EACH, &lane->ring);
}

static enum sb_err init_feed(struct source_rabbitmq *source, struct feed *feed, uint32_t topic,
                             uint32_t *next_worker)
{
    feed->source = source;
    feed->topic = topic;
    feed->queue = &source->options.queues[topic];
    feed->tap = source->options.topics[topic].role == SOURCE_MESSAGES;
    feed->stream = feed->queue->queue_type == SOURCE_QUEUE_STREAM;
    feed->position = OFFSET_NONE;
    feed->position_saved = OFFSET_NONE;
    retry_init(&feed->retry, RETRY_FIRST_NS, RETRY_MOST_NS, rabbitmq_now_ns(source) + topic);
    (void)pthread_mutex_init(&feed->lock, NULL);
    feed->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (feed->wake_fd < 0)
        return SB_ERR_INTERNAL;
    uint32_t consumers = feed->stream ? 1 : feed->queue->consumers;
    SB_ASSERT(consumers > 0 && consumers <= SOURCE_CONSUMERS_MAX && feed->queue->prefetch > 0);
    feed->lanes = memory_zalloc(consumers, sizeof(*feed->lanes));
    if (feed->lanes == NULL)
        return SB_ERR_MEMORY;
    feed->lane_count = consumers;
    for (uint32_t i = 0; i < consumers; i++) {
        enum sb_err err = init_lane(feed, &feed->lanes[i], i, (*next_worker)++);
        *next_worker %= source->options.workers;
        if (err != SB_OK)
            return err;
    }
    return rabbitmq_new_link(source, &feed->queue->broker, feed->queue->queue, &feed->link);
}

static void clear_feed(struct feed *feed)
{
    if (feed->source == NULL)
        return; /* it was not begun */
    for (uint32_t i = 0; i < feed->lane_count; i++) {
        struct lane *lane = &feed->lanes[i];
        if (lane->feed == NULL)
            break;
        lanes_end(lane);
        if (lane->ring != NULL)
            records_discard(lane);
        ring_free(lane->ring);
        memory_free(lane->tags);
    }
    memory_free(feed->lanes);
    amqp_link_free(feed->link);
    if (feed->wake_fd >= 0)
        (void)close(feed->wake_fd);
    (void)pthread_mutex_destroy(&feed->lock);
}

static bool is_ours(const struct source_rabbitmq *source, uint32_t topic)
{
    return source->options.topics[topic].kind == SOURCE_RABBITMQ;
}

static enum sb_err make_feeds(struct source_rabbitmq *source)
{
    uint32_t next_worker = 0;
    for (uint32_t i = 0; i < source->options.topic_count; i++) {
        if (!is_ours(source, i))
            continue;
        struct feed *feed = &source->feeds[source->feed_count++];
        enum sb_err err = init_feed(source, feed, i, &next_worker);
        if (err != SB_OK)
            return err;
        source->feed_of_topic[i] = feed;
    }
    for (uint32_t i = 0; i < source->feed_count; i++)
        source->feeds[i].bytes_max = source->options.prefetch_bytes / source->feed_count;
    return SB_OK;
}

static enum sb_err make_posters(struct source_rabbitmq *source)
{
    for (uint32_t i = 0; i < source->options.topic_count; i++) {
        const struct source_rabbitmq_broker *broker = &source->options.queues[i].broker;
        if (source->options.topics[i].dead_letter_exchange == NULL || broker->url == NULL)
            continue;
        for (uint32_t j = 0; j < source->poster_count; j++)
            if (poster_is_for(source->posters[j], broker))
                source->poster_of_topic[i] = source->posters[j];
        if (source->poster_of_topic[i] != NULL)
            continue;
        enum sb_err err = poster_new(source, broker, &source->poster_of_topic[i]);
        if (err != SB_OK)
            return err;
        source->posters[source->poster_count++] = source->poster_of_topic[i];
    }
    return SB_OK;
}

/* The lanes of each worker, by role. */
static enum sb_err make_views(struct source_rabbitmq *source)
{
    uint32_t lanes = 0;
    for (uint32_t i = 0; i < source->feed_count; i++)
        lanes += source->feeds[i].lane_count;
    for (uint32_t i = 0; i < source->options.workers; i++) {
        struct worker_view *view = &source->workers[i];
        view->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (view->wake_fd < 0)
            return SB_ERR_INTERNAL;
        for (int taps = 0; taps < 2; taps++) {
            view->lanes[taps] = memory_zalloc(lanes + 1, sizeof(struct lane *));
            if (view->lanes[taps] == NULL)
                return SB_ERR_MEMORY;
        }
    }
    for (uint32_t i = 0; i < source->feed_count; i++) {
        struct feed *feed = &source->feeds[i];
        for (uint32_t j = 0; j < feed->lane_count; j++) {
            struct worker_view *view = &source->workers[feed->lanes[j].worker];
            view->lanes[feed->tap][view->counts[feed->tap]++] = &feed->lanes[j];
        }
    }
    return SB_OK;
}

enum sb_err build_source(struct source_rabbitmq *source)
{
    uint32_t topics = source->options.topic_count;
    source->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (source->event_fd < 0)
        return SB_ERR_INTERNAL;
    source->feeds = memory_zalloc(topics, sizeof(*source->feeds));
    source->feed_of_topic = memory_zalloc(topics, sizeof(struct feed *));
    source->posters = memory_zalloc(topics, sizeof(struct poster *));
    source->poster_of_topic = memory_zalloc(topics, sizeof(struct poster *));
    source->workers = memory_zalloc(source->options.workers, sizeof(*source->workers));
    source->closing = memory_zalloc(SOURCE_CONSUMERS_MAX, sizeof(*source->closing));
    if (source->feeds == NULL || source->feed_of_topic == NULL || source->posters == NULL ||
        source->poster_of_topic == NULL || source->workers == NULL || source->closing == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < source->options.workers; i++)
        source->workers[i].wake_fd = -1;
    enum sb_err err = make_feeds(source);
    if (err == SB_OK)
        err = make_posters(source);
    return err == SB_OK ? make_views(source) : err;
}

static void free_views(struct source_rabbitmq *source)
{
    for (uint32_t i = 0; source->workers != NULL && i < source->options.workers; i++) {
        memory_free(source->workers[i].lanes[0]);
        memory_free(source->workers[i].lanes[1]);
        if (source->workers[i].wake_fd >= 0)
            (void)close(source->workers[i].wake_fd);
    }
    memory_free(source->workers);
}

void build_clear(struct source_rabbitmq *source)
{
    for (uint32_t i = 0; i < source->poster_count; i++)
        poster_free(source->posters[i]);
    for (uint32_t i = 0; i < source->feed_count; i++)
        clear_feed(&source->feeds[i]);
    free_views(source);
    memory_free(source->feeds);
    memory_free(source->feed_of_topic);
    memory_free(source->posters);
    memory_free(source->poster_of_topic);
    memory_free(source->closing);
    if (source->event_fd >= 0)
        (void)close(source->event_fd);
}
