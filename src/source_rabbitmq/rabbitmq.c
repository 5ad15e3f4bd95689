#include "source_rabbitmq/rabbitmq.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "build.h"
#include "control.h"
#include "core/memory.h"
#include "feed.h"
#include "looks.h"
#include "poster.h"
#include "records.h"

enum { PATIENCE_S = 6, NAME_LEN = 256 };

void rabbitmq_notify(struct source_rabbitmq *source)
{
    const uint64_t one = 1;
    (void)!write(source->event_fd, &one, sizeof(one));
}

void rabbitmq_join(pthread_t thread, struct amqp_link *link, uint32_t patience_s)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += patience_s;
    if (pthread_timedjoin_np(thread, NULL, &until) == 0)
        return;
    amqp_link_interrupt(link);
    (void)pthread_join(thread, NULL);
}

static enum sb_err start(struct source *base)
{
    struct source_rabbitmq *source = rabbitmq_of(base);
    enum sb_err err = SB_OK;
    for (uint32_t i = 0; err == SB_OK && i < source->poster_count; i++)
        err = poster_start(source->posters[i]);
    for (uint32_t i = 0; err == SB_OK && i < source->feed_count; i++) {
        struct feed *feed = &source->feeds[i];
        char name[NAME_LEN + sizeof("rmq-")];
        (void)snprintf(name, sizeof(name), "rmq-%s", feed->queue->queue);
        err = amqp_thread_start(&feed->thread, name, feed_run, feed);
        feed->started = err == SB_OK;
    }
    return err;
}

static int event_fd(const struct source *source)
{
    return ((const struct source_rabbitmq *)source)->event_fd;
}

static void service(struct source *base)
{
    struct source_rabbitmq *source = rabbitmq_of(base);
    uint64_t count;
    (void)!read(source->event_fd, &count, sizeof(count));
    control_serve(source);
}

static const struct source_rabbitmq *of(const struct source *source)
{
    return (const struct source_rabbitmq *)source;
}

static bool reads(const struct source *source, uint32_t topic)
{
    return of(source)->feed_of_topic[topic] != NULL;
}

static bool takes_letters(const struct source *source, uint32_t topic)
{
    return of(source)->poster_of_topic[topic] != NULL;
}

/*
 * Spans name a queue, an exchange, or both and the key between them, as "EXCHANGE:KEY:QUEUE".
 */
static bool is_named(const struct source_rabbitmq_topic *queue, const char *name)
{
    const char *last = strrchr(name, ':');
    if (strcmp(name, queue->queue) == 0 ||
        (last != NULL && strcmp(last + 1, queue->queue) == 0))
        return true;
    if (queue->exchange == NULL)
        return false;
    size_t len = strlen(queue->exchange);
    return len > 0 && strncmp(name, queue->exchange, len) == 0 &&
           (name[len] == '\0' || name[len] == ':');
}

static bool find_topic(const struct source *source, enum source_role role, const char *name,
                       uint32_t *ret_index)
{
    const struct source_rabbitmq_options *options = &of(source)->options;
    for (uint32_t i = 0; i < options->topic_count; i++) {
        if (!reads(source, i) || options->topics[i].role != role ||
            !is_named(&options->queues[i], name))
            continue;
        *ret_index = i;
        return true;
    }
    return false;
}

static enum sb_err dead_letter(struct source *source, const struct source_dead_letter *letter)
{
    struct poster *poster = rabbitmq_of(source)->poster_of_topic[letter->topic];
    SB_ASSERT(poster != NULL);
    return poster_take(poster, letter);
}

static bool is_drained(const struct source *source, bool tap)
{
    for (uint32_t i = 0; i < of(source)->feed_count; i++) {
        const struct feed *feed = &of(source)->feeds[i];
        if (feed->tap == tap && !looks_is_drained(feed))
            return false;
    }
    return true;
}

static bool spans_drained(const struct source *source)
{
    return is_drained(source, false);
}

static bool taps_drained(const struct source *source)
{
    return is_drained(source, true);
}

static uint64_t tap_time_ns(const struct source *source, uint32_t topic)
{
    const struct feed *feed = of(source)->feed_of_topic[topic];
    return feed == NULL || !feed->tap ? UINT64_MAX : looks_tap_time_ns(feed);
}

static char *cluster_id(struct source *source)
{
    (void)source;
    return NULL; /* it has none that spans would name */
}

static size_t lags(const struct source *source, struct source_lag *ret, size_t max)
{
    size_t count = 0;
    for (uint32_t i = 0; i < of(source)->feed_count; i++) {
        struct source_lag lag;
        if (!looks_lag(&of(source)->feeds[i], &lag))
            continue;
        if (count < max)
            ret[count] = lag;
        count++;
    }
    return count;
}

static uint64_t unreadable(const struct source *source, uint32_t topic)
{
    const struct feed *feed = of(source)->feed_of_topic[topic];
    return feed == NULL ? 0 : atomic_load(&feed->unreadable);
}

static bool is_assigned(const struct source *source)
{
    for (uint32_t i = 0; i < of(source)->feed_count; i++)
        if (!atomic_load(&of(source)->feeds[i].running))
            return false;
    return true;
}

static enum source_share share(const struct source *source)
{
    enum source_share all = SOURCE_SHARE_ALL;
    for (uint32_t i = 0; i < of(source)->feed_count; i++)
        all = source_share_both(all, looks_share(&of(source)->feeds[i]));
    return all;
}

static void stop_intake(struct source *base)
{
    struct source_rabbitmq *source = rabbitmq_of(base);
    atomic_store_explicit(&source->intake_stopped, true, memory_order_release);
    for (uint32_t i = 0; i < source->feed_count; i++)
        feed_wake(&source->feeds[i]);
}

static void free_source(struct source *base, bool commit)
{
    struct source_rabbitmq *source = rabbitmq_of(base);
    atomic_store(&source->committing, commit);
    atomic_store_explicit(&source->ending, true, memory_order_release);
    for (uint32_t i = 0; i < source->feed_count; i++)
        if (source->feeds[i].started)
            feed_wake(&source->feeds[i]);
    for (uint32_t i = 0; i < source->feed_count; i++)
        if (source->feeds[i].started)
            rabbitmq_join(source->feeds[i].thread, source->feeds[i].link, PATIENCE_S);
    build_clear(source);
    memory_free(source);
}

static const struct source_ops ops = {
    .start = start,
    .event_fd = event_fd,
    .service = service,
    .poll = records_poll,
    .poll_taps = records_poll_taps,
    .wake = records_wake,
    .release = records_release,
    .headers = records_headers,
    .publish = records_publish,
    .reads = reads,
    .takes_letters = takes_letters,
    .find_topic = find_topic,
    .dead_letter = dead_letter,
    .spans_drained = spans_drained,
    .taps_drained = taps_drained,
    .tap_time_ns = tap_time_ns,
    .cluster_id = cluster_id,
    .lags = lags,
    .unreadable = unreadable,
    .is_assigned = is_assigned,
    .share = share,
    .stop_intake = stop_intake,
    .free = free_source,
};

enum sb_err source_rabbitmq_new(const struct source_rabbitmq_options *options,
                                struct source **ret)
{
    SB_ASSERT(options->workers > 0 && options->workers <= SOURCE_WORKERS_MAX);
    struct source_rabbitmq *source = memory_zalloc(1, sizeof(*source));
    if (source == NULL)
        return SB_ERR_MEMORY;
    source->base.ops = &ops;
    source->options = *options;
    enum sb_err err = build_source(source);
    if (err != SB_OK) {
        free_source(&source->base, false);
        return err;
    }
    *ret = &source->base;
    return SB_OK;
}
