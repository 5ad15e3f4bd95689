#include "commit.h"

#include "core/memory.h"
#include "lanes.h"
#include "offsets.h"
#include "topics.h"

struct commits {
    uint64_t due_at_ns;
    uint64_t asked; /* commits sent; they are answered one by one */
    uint64_t answered;
    bool failed; /* the newest answer was a refusal, */
    bool passes; /* for a reason that passes by itself */
};

/* So often, and so long apart, a commit is sent again that was refused for such a reason. */
enum { AGAIN_MAX = 50, AGAIN_MS = 100 };

enum sb_err commits_new(struct source_kafka *source, struct commits **ret)
{
    struct commits *commits = memory_zalloc(1, sizeof(*commits));
    if (commits == NULL)
        return SB_ERR_MEMORY;
    commits->due_at_ns = source_now_ns(source) + source->options.commit_interval_ns;
    *ret = commits;
    return SB_OK;
}

void commits_free(struct commits *commits)
{
    memory_free(commits);
}

/* The lanes of that state whose watermark the broker does not know yet; NULL: there are none. */
static rd_kafka_topic_partition_list_t *list_changed(struct reader *reader,
                                                     enum lane_state state)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        struct lane *lane = reader->lanes[i];
        int64_t published = atomic_load_explicit(&lane->published, memory_order_acquire);
        if (lanes_state(lane) != state || published == OFFSET_UNKNOWN ||
            published <= lane->committed)
            continue;
        if (list == NULL)
            list = rd_kafka_topic_partition_list_new(8);
        rd_kafka_topic_partition_list_add(list, lane->topic->name, lane->partition)->offset =
            published;
    }
    return list;
}

/* All commits are sent here.  False: there was nothing to send, or it was refused at once. */
static bool send_changed(struct source_kafka *source, enum lane_state state)
{
    struct reader *reader = source_reader(source, SOURCE_SPANS);
    struct commits *commits = source->commits;
    rd_kafka_topic_partition_list_t *list =
        source->options.looks_only ? NULL : list_changed(reader, state);
    if (list == NULL)
        return false;
    rd_kafka_resp_err_t err =
        rd_kafka_commit_queue(reader->rk, list, reader->answers, NULL, NULL);
    rd_kafka_topic_partition_list_destroy(list);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_event(source->options.log, LOG_WARN, "source", "commit_failed",
                  LOG_TEXT("reason", rd_kafka_err2str(err)));
        commits->failed = true;
        return false;
    }
    commits->asked++;
    return true;
}

void commit_when_due(struct source_kafka *source)
{
    struct commits *commits = source->commits;
    uint64_t now_ns = source_now_ns(source);
    if (now_ns < commits->due_at_ns || !source->committing ||
        commits->answered != commits->asked)
        return;
    commits->due_at_ns = now_ns + source->options.commit_interval_ns;
    send_changed(source, LANE_OPEN);
}

void commit_soon(struct source_kafka *source)
{
    source->commits->due_at_ns = source_now_ns(source);
}

/*
 * Waiting reads the system's clock, not the injected one: it is for a broker in the real world.
 */
static void await(struct source_kafka *source, uint32_t wait_ms)
{
    struct commits *commits = source->commits;
    const struct clock_source *clock = clock_system();
    uint64_t until_ns = clock_monotonic_ns(clock) + wait_ms * NS_PER_MS;
    while (commits->answered != commits->asked) {
        uint64_t now_ns = clock_monotonic_ns(clock);
        if (now_ns >= until_ns)
            return;
        offsets_take_answers(source, source_reader(source, SOURCE_SPANS),
                             (uint32_t)((until_ns - now_ns) / NS_PER_MS) + 1);
    }
}

bool commit_now(struct source_kafka *source, enum lane_state state, uint32_t wait_ms)
{
    struct commits *commits = source->commits;
    await(source, wait_ms); /* one that is under way tells what is still to be sent */
    for (int again = 0;; again++) {
        commits->failed = false;
        commits->passes = false;
        if (!send_changed(source, state))
            return !commits->failed;
        await(source, wait_ms);
        if (commits->answered != commits->asked)
            break;
        if (!commits->passes || again == AGAIN_MAX)
            return !commits->failed;
        offsets_take_answers(source, source_reader(source, SOURCE_SPANS), AGAIN_MS);
    }
    log_event(source->options.log, LOG_WARN, "source", "commit_failed",
              LOG_TEXT("reason", "the broker did not answer in time"));
    return false;
}

static void take_partition(struct source_kafka *source, struct reader *reader,
                           const rd_kafka_topic_partition_t *partition)
{
    struct lane *lane = topics_lane(reader, partition);
    if (partition->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_event(source->options.log, LOG_WARN, "source", "commit_failed",
                  LOG_TEXT("topic", partition->topic),
                  LOG_NUMBER("partition", partition->partition),
                  LOG_TEXT("reason", rd_kafka_err2str(partition->err)));
        source->commits->failed = true;
    } else if (lane != NULL && partition->offset > lane->committed) {
        lane->committed = partition->offset;
    }
}

void commit_take_answer(struct source_kafka *source, rd_kafka_event_t *event)
{
    struct commits *commits = source->commits;
    commits->answered++;
    rd_kafka_resp_err_t err = rd_kafka_event_error(event);
    commits->failed = err != RD_KAFKA_RESP_ERR_NO_ERROR;
    commits->passes = err == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS ||
                      err == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
    if (commits->failed)
        log_event(source->options.log, LOG_WARN, "source", "commit_failed",
                  LOG_TEXT("reason", rd_kafka_event_error_string(event)));
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    bool refused = commits->failed;
    for (int i = 0; !refused && list != NULL && i < list->cnt; i++)
        take_partition(source, source_reader(source, SOURCE_SPANS), &list->elems[i]);
}
