#include "tap.h"

#include "core/memory.h"
#include "lanes.h"
#include "offsets.h"
#include "peek.h"
#include "topics.h"

enum { SEEK_WAIT_MS = 5000 };

struct tap {
    bool topics_known;
    bool base_known;
    bool asks_times;    /* what was asked last */
    bool behind;        /* older spans have come: lanes may have to go back, the clocks stand */
    int64_t base_ms;    /* lanes without a start of their own are read from this time on */
    int64_t oldest_ms;  /* of what was peeked; INT64_MAX: nothing was */
    uint64_t *times_ns; /* by topic, while the clocks are computed */
};

enum sb_err tap_new(const struct source_kafka_options *options, struct tap **ret)
{
    struct tap *tap = memory_zalloc(1, sizeof(*tap));
    if (tap == NULL)
        return SB_ERR_MEMORY;
    tap->oldest_ms = INT64_MAX;
    tap->times_ns = memory_zalloc(options->topic_count, sizeof(*tap->times_ns));
    if (tap->times_ns == NULL) {
        tap_free(tap);
        return SB_ERR_MEMORY;
    }
    *ret = tap;
    return SB_OK;
}

void tap_free(struct tap *tap)
{
    if (tap == NULL)
        return;
    memory_free(tap->times_ns);
    memory_free(tap);
}

void tap_take_topic(struct source_kafka *source, struct topic *topic, int32_t partitions)
{
    for (int32_t i = 0; i < partitions; i++) {
        if (slots_get(&topic->lanes, (uint32_t)i) != NULL)
            continue;
        struct lane *lane;
        if (lanes_get(topic, i, &lane) != SB_OK)
            return; /* memory is short: the next look brings it again */
        lane->found_late = source->tap->topics_known;
    }
}

void tap_topics_known(struct source_kafka *source)
{
    source->tap->topics_known = true;
}

bool tap_is_topics_known(const struct source_kafka *source)
{
    return source->tap->topics_known;
}

static int64_t base_before(const struct source_kafka *source, int64_t time_ms)
{
    int64_t replay_ms = (int64_t)(source->options.replay_ns / NS_PER_MS);
    return time_ms > replay_ms ? time_ms - replay_ms : 0;
}

void tap_take_oldest(struct source_kafka *source, int64_t time_ms)
{
    struct tap *tap = source->tap;
    if (time_ms < 0)
        time_ms = 0; /* a record without a time may be of any */
    if (time_ms < tap->oldest_ms)
        tap->oldest_ms = time_ms;
    if (!tap->base_known || base_before(source, time_ms) >= tap->base_ms)
        return;
    /* Before its lane is let go: no worker may take the clocks for right meanwhile. */
    tap->behind = true;
    for (uint32_t i = 0; i < source->options.topic_count; i++)
        if (source->options.topics[i].role == SOURCE_MESSAGES)
            atomic_store(&source->tap_times_ns[i], 0);
}

bool tap_is_behind(const struct source_kafka *source)
{
    return source->tap->behind;
}

static enum source_start start_of(const struct source_kafka *source, const struct lane *lane)
{
    if (lane->found_late)
        return SOURCE_START_EARLIEST;
    return source->options.topics[lane->topic->index].start;
}

/* Where the time is that the lane starts from, in the library's terms; false: not known yet. */
static bool start_offset(const struct source_kafka *source, const struct lane *lane,
                         int64_t *ret)
{
    int64_t end = atomic_load(&lane->end_offset);
    if (end == OFFSET_UNKNOWN)
        return false; /* asked first of all, so that drain knows it */
    switch (start_of(source, lane)) {
    case SOURCE_START_EARLIEST:
        *ret = RD_KAFKA_OFFSET_BEGINNING;
        return true;
    case SOURCE_START_LATEST:
        *ret = end;
        return true;
    case SOURCE_START_DEFAULT:
        break;
    }
    *ret = lane->start_offset;
    return lane->start_offset != OFFSET_UNKNOWN;
}

/* The time to read from; a later assignment may bring older spans, then all is asked anew. */
static void settle_base(struct source_kafka *source)
{
    struct tap *tap = source->tap;
    bool spans = source_reader(source, SOURCE_SPANS)->rk != NULL;
    if ((spans && !source->assigned) || peek_is_pending(source))
        return;
    int64_t now_ms = (int64_t)(clock_wall_ns(source->options.clock) / NS_PER_MS);
    int64_t base_ms =
        base_before(source, tap->oldest_ms == INT64_MAX ? now_ms : tap->oldest_ms);
    if (tap->base_known && base_ms >= tap->base_ms)
        return;
    tap->base_known = true;
    tap->base_ms = base_ms;
    struct reader *reader = source_reader(source, SOURCE_MESSAGES);
    for (uint32_t i = 0; i < reader->lane_count; i++)
        reader->lanes[i]->start_offset = OFFSET_UNKNOWN;
}

/* The clocks go on when every lane is known to stand where it must, or was sent there. */
static void settle_clocks(struct source_kafka *source, const struct reader *reader)
{
    struct tap *tap = source->tap;
    if (!tap->behind || base_before(source, tap->oldest_ms) < tap->base_ms)
        return;
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        const struct lane *lane = reader->lanes[i];
        if (lanes_state(lane) == LANE_OPEN && lane->start_offset == OFFSET_UNKNOWN &&
            start_of(source, lane) == SOURCE_START_DEFAULT)
            return;
    }
    tap->behind = false;
}

static void ask(struct source_kafka *source, struct reader *reader,
                enum offsets_question question)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        const struct lane *lane = reader->lanes[i];
        bool knows_end = atomic_load(&lane->end_offset) != OFFSET_UNKNOWN;
        bool wanted = !knows_end;
        if (question == OFFSETS_TIMES)
            wanted = knows_end && lane->start_offset == OFFSET_UNKNOWN &&
                     start_of(source, lane) == SOURCE_START_DEFAULT;
        if (!wanted)
            continue;
        if (list == NULL)
            list = rd_kafka_topic_partition_list_new(8);
        rd_kafka_topic_partition_list_add(list, lane->topic->name, lane->partition)->offset =
            question == OFFSETS_ENDS ? (int64_t)RD_KAFKA_OFFSET_SPEC_LATEST
                                     : source->tap->base_ms;
    }
    if (list != NULL)
        offsets_ask(reader, question, list);
}

static void assign_ready(struct source_kafka *source, struct reader *reader)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        struct lane *lane = reader->lanes[i];
        int64_t offset;
        if (lanes_state(lane) != LANE_CLOSED || !start_offset(source, lane, &offset) ||
            lanes_attach(lane, false) != SB_OK)
            continue;
        lane->started_at = offset;
        lanes_open(lane);
        if (list == NULL)
            list = rd_kafka_topic_partition_list_new(8);
        rd_kafka_topic_partition_list_add(list, lane->topic->name, lane->partition)->offset =
            offset;
    }
    if (list == NULL)
        return;
    rd_kafka_error_t *error = rd_kafka_incremental_assign(reader->rk, list);
    if (error != NULL)
        log_event(source->options.log, LOG_ERROR, "source", "taps_not_assigned",
                  LOG_TEXT("reason", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
    rd_kafka_topic_partition_list_destroy(list);
}

/* The clock of a lane that goes back starts again. */
static void reset_clock(struct lane *lane)
{
    atomic_store(&lane->newest_ns, 0);
    atomic_store(&lane->at_end, false);
    atomic_store(&lane->drained, false);
}

/* The lanes that run, and that have to go back behind where they were started. */
static rd_kafka_topic_partition_list_t *list_backward(const struct source_kafka *source,
                                                      const struct reader *reader)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        struct lane *lane = reader->lanes[i];
        if (lanes_state(lane) != LANE_OPEN || start_of(source, lane) != SOURCE_START_DEFAULT ||
            lane->start_offset == OFFSET_UNKNOWN || lane->start_offset >= lane->started_at)
            continue;
        lane->started_at = lane->start_offset;
        if (list == NULL)
            list = rd_kafka_topic_partition_list_new(8);
        rd_kafka_topic_partition_list_add(list, lane->topic->name, lane->partition)->offset =
            lane->start_offset;
        reset_clock(lane);
    }
    return list;
}

static void go_back(struct source_kafka *source, struct reader *reader)
{
    rd_kafka_topic_partition_list_t *list = list_backward(source, reader);
    if (list == NULL)
        return;
    rd_kafka_error_t *error = rd_kafka_seek_partitions(reader->rk, list, SEEK_WAIT_MS);
    if (error != NULL)
        log_event(source->options.log, LOG_WARN, "source", "seek_failed",
                  LOG_TEXT("reason", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
    for (int i = 0; i < list->cnt; i++) {
        struct topic *topic = topics_find(reader, list->elems[i].topic);
        struct lane *lane = slots_get(&topic->lanes, (uint32_t)list->elems[i].partition);
        /* Until the seek, records from before it moved the clock. */
        lanes_settle(lane);
        reset_clock(lane);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

/* The clock of one lane: what was written before this time has been polled. */
static uint64_t lane_time_ns(const struct source_kafka *source, const struct lane *lane,
                             uint64_t now_ns)
{
    uint64_t lateness_ns = source->options.lateness_ns;
    if (lanes_state(lane) != LANE_OPEN)
        return 0;
    if (source->tap->behind && start_of(source, lane) == SOURCE_START_DEFAULT)
        return 0;
    uint64_t newest_ns = now_ns;
    if (!atomic_load_explicit(&lane->at_end, memory_order_acquire))
        newest_ns = atomic_load_explicit(&lane->newest_ns, memory_order_acquire);
    if (newest_ns > now_ns)
        newest_ns = now_ns; /* the wall clock was set back */
    return newest_ns > lateness_ns ? newest_ns - lateness_ns : 0;
}

static void store_clocks(struct source_kafka *source, const struct reader *reader)
{
    struct tap *tap = source->tap;
    uint32_t count = source->options.topic_count;
    uint64_t now_ns = clock_wall_ns(source->options.clock);
    for (uint32_t i = 0; i < count; i++) {
        bool waits = source->options.topics[i].role == SOURCE_MESSAGES && !tap->topics_known;
        tap->times_ns[i] = waits ? 0 : UINT64_MAX;
    }
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        const struct lane *lane = reader->lanes[i];
        uint32_t topic = lane->topic->index;
        uint64_t time_ns = lane_time_ns(source, lane, now_ns);
        if (time_ns < tap->times_ns[topic])
            tap->times_ns[topic] = time_ns;
    }
    for (uint32_t i = 0; i < count; i++)
        atomic_store_explicit(&source->tap_times_ns[i], tap->times_ns[i], memory_order_release);
}

void tap_service(struct source_kafka *source)
{
    struct reader *reader = source_reader(source, SOURCE_MESSAGES);
    struct tap *tap = source->tap;
    if (reader->rk != NULL && tap->topics_known) {
        settle_base(source);
        /* By turns: a partition that never answers one must not keep the other from being asked. */
        for (int i = 0; i < 2 && offsets_may_ask(reader); i++) {
            tap->asks_times = !tap->asks_times;
            if (!tap->asks_times)
                ask(source, reader, OFFSETS_ENDS);
            else if (tap->base_known)
                ask(source, reader, OFFSETS_TIMES);
        }
        go_back(source, reader);
        settle_clocks(source, reader);
        assign_ready(source, reader);
    }
    store_clocks(source, reader);
}

uint64_t source_kafka_tap_time_ns(const struct source_kafka *source, uint32_t topic)
{
    SB_ASSERT(topic < source->options.topic_count);
    return atomic_load_explicit(&source->tap_times_ns[topic], memory_order_acquire);
}
