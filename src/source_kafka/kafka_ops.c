#include "kafka_ops.h"

#include "core/assert.h"
#include "state.h"
#include "topics.h"

struct source_kafka *source_kafka_of(struct source *source)
{
    SB_ASSERT(source->ops == &kafka_ops);
    return (struct source_kafka *)source;
}

static const struct source_kafka *of(const struct source *source)
{
    return (const struct source_kafka *)source;
}

static enum sb_err start(struct source *source)
{
    return source_kafka_start(source_kafka_of(source));
}

static int event_fd(const struct source *source)
{
    return source_kafka_event_fd(of(source));
}

static void service(struct source *source)
{
    source_kafka_service(source_kafka_of(source));
}

static size_t poll(struct source *source, uint32_t worker, uint32_t wait_ms, struct record *ret,
                   size_t max)
{
    return source_kafka_poll(source_kafka_of(source), worker, wait_ms, ret, max);
}

static size_t poll_taps(struct source *source, uint32_t worker, struct record *ret, size_t max)
{
    return source_kafka_poll_taps(source_kafka_of(source), worker, ret, max);
}

static void wake(struct source *source, uint32_t worker)
{
    source_kafka_wake(source_kafka_of(source), worker);
}

static void publish(struct source *source, uint32_t worker, uint32_t lane, int64_t offset)
{
    source_kafka_publish(source_kafka_of(source), worker, lane, offset);
}

static bool reads(const struct source *source, uint32_t topic)
{
    return of(source)->options.topics[topic].kind == SOURCE_KAFKA;
}

static bool takes_letters(const struct source *source, uint32_t topic)
{
    return of(source)->options.topics[topic].dead_letter_topic != NULL;
}

static bool find_topic(const struct source *source, enum source_role role, const char *name,
                       uint32_t *ret_index)
{
    return matchers_find(of(source)->matchers, role, name, ret_index);
}

static enum sb_err dead_letter(struct source *source, const struct source_dead_letter *letter)
{
    return source_kafka_dead_letter(source_kafka_of(source), letter);
}

static bool spans_drained(const struct source *source)
{
    return source_kafka_spans_drained(of(source));
}

static bool taps_drained(const struct source *source)
{
    return source_kafka_taps_drained(of(source));
}

static uint64_t tap_time_ns(const struct source *source, uint32_t topic)
{
    return source_kafka_tap_time_ns(of(source), topic);
}

static char *cluster_id(struct source *source)
{
    return source_kafka_cluster_id(source_kafka_of(source));
}

static size_t lags(const struct source *source, struct source_lag *ret, size_t max)
{
    return source_kafka_lags(of(source), ret, max);
}

static bool is_assigned(const struct source *source)
{
    return source_kafka_is_assigned(of(source));
}

static enum source_share share(const struct source *source)
{
    return source_kafka_share(of(source));
}

static void stop_intake(struct source *source)
{
    source_kafka_stop_intake(source_kafka_of(source));
}

static void free_source(struct source *source, bool commit)
{
    source_kafka_free(source_kafka_of(source), commit);
}

const struct source_ops kafka_ops = {
    .start = start,
    .event_fd = event_fd,
    .service = service,
    .poll = poll,
    .poll_taps = poll_taps,
    .wake = wake,
    .release = source_kafka_release,
    .headers = source_kafka_headers,
    .publish = publish,
    .reads = reads,
    .takes_letters = takes_letters,
    .find_topic = find_topic,
    .dead_letter = dead_letter,
    .spans_drained = spans_drained,
    .taps_drained = taps_drained,
    .tap_time_ns = tap_time_ns,
    .cluster_id = cluster_id,
    .lags = lags,
    .is_assigned = is_assigned,
    .share = share,
    .stop_intake = stop_intake,
    .free = free_source,
};
