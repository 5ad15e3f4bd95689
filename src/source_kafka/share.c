#include "share.h"

#include "kafka_ops.h"
#include "lanes.h"

/* Partitions of all span topics; 0: there is a topic that nobody has looked at yet, or none. */
static uint32_t count_partitions(const struct reader *reader)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < reader->topic_count; i++) {
        const struct topic *topic = reader->topics[i];
        if (topic->present && !topic->missing && topic->partitions == 0)
            return 0;
        count += topic->present ? (uint32_t)topic->partitions : 0;
    }
    return count;
}

static uint32_t count_lanes(const struct reader *reader)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < reader->lane_count; i++)
        count += lanes_state(reader->lanes[i]) != LANE_CLOSED;
    return count;
}

static enum source_share find_share(const struct source_kafka *source)
{
    const struct reader *reader = &source->readers[SOURCE_SPANS];
    if (reader->rk == NULL)
        return SOURCE_SHARE_ALL;
    uint32_t partitions = count_partitions(reader);
    if (!source->assigned || partitions == 0)
        return SOURCE_SHARE_UNKNOWN;
    return count_lanes(reader) < partitions ? SOURCE_SHARE_PART : SOURCE_SHARE_ALL;
}

void share_refresh(struct source_kafka *source)
{
    atomic_store(&source->share, (int)find_share(source));
}

enum source_share source_kafka_share(const struct source_kafka *source)
{
    return (enum source_share)atomic_load(&source->share);
}
