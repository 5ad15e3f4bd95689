/* lag: how far the partitions' lanes are behind, from what is known without asking anybody. */
#include "kafka_ops.h"
#include "lanes.h"

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/*
 * Where the partition ends, as of the library's last fetch of it, or what we have seen beyond;
 * OFFSET_UNKNOWN before that.  The call looks into a cache: it never waits for a broker.
 */
static int64_t end_of(const struct lane *lane)
{
    int64_t low;
    int64_t high;
    if (rd_kafka_get_watermark_offsets(lane->topic->reader->rk, lane->topic->name,
                                       lane->partition, &low,
                                       &high) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        high < 0)
        high = OFFSET_UNKNOWN;
    return greater(high, atomic_load(&lane->next_offset));
}

/*
 * Spans: one behind the last finished record, or where it began.  Taps, which finish nothing:
 * one behind the last polled.
 */
static int64_t position_of(const struct lane *lane)
{
    if (reader_is_tap(lane->topic->reader))
        return atomic_load(&lane->next_offset);
    int64_t published = atomic_load_explicit(&lane->published, memory_order_acquire);
    return published == OFFSET_UNKNOWN ? atomic_load(&lane->first_offset) : published;
}

/* False: nothing is known yet. */
static bool lag_of(const struct lane *lane, struct source_lag *ret)
{
    int64_t end = end_of(lane);
    int64_t position = position_of(lane);
    if (position == OFFSET_UNKNOWN && atomic_load(&lane->drained))
        position = end; /* it began at its end, and nothing has come since */
    if (end == OFFSET_UNKNOWN || position == OFFSET_UNKNOWN)
        return false;
    *ret = (struct source_lag){
        .topic = lane->topic->name,
        .partition = lane->partition,
        .records = (uint64_t)greater(end - position, 0),
    };
    return true;
}

size_t source_kafka_lags(const struct source_kafka *source, struct source_lag *ret, size_t max)
{
    size_t count = 0;
    for (uint32_t role = 0; role < READER_COUNT; role++) {
        const struct reader *reader = &source->readers[role];
        for (uint32_t i = 0; i < reader->lane_count; i++) {
            struct source_lag lag;
            if (lanes_state(reader->lanes[i]) != LANE_OPEN || !lag_of(reader->lanes[i], &lag))
                continue;
            if (count < max)
                ret[count] = lag;
            count++;
        }
    }
    return count;
}

bool source_kafka_is_assigned(const struct source_kafka *source)
{
    return source->assigned || source->readers[SOURCE_SPANS].rk == NULL;
}
