#include "drain.h"

#include "lanes.h"
#include "tap.h"

static bool is_drained(const struct lane *lane)
{
    if (atomic_load(&lane->drained))
        return true;
    /* Or to the record before the end that it had, or to a later one: more may come for ever. */
    int64_t end = atomic_load(&lane->end_offset);
    return end != OFFSET_UNKNOWN && atomic_load(&lane->next_offset) >= end;
}

/* A lane that is not ours is another member's to drain. */
static bool spans_are_drained(const struct source_kafka *source)
{
    const struct reader *reader = &source->readers[SOURCE_SPANS];
    if (reader->rk == NULL)
        return true;
    if (!source->assigned)
        return false;
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        enum lane_state state = lanes_state(reader->lanes[i]);
        if (state != LANE_CLOSED && (state != LANE_OPEN || !is_drained(reader->lanes[i])))
            return false;
    }
    return true;
}

static bool taps_are_drained(const struct source_kafka *source)
{
    const struct reader *reader = &source->readers[SOURCE_MESSAGES];
    if (reader->rk == NULL)
        return true;
    if (!tap_is_topics_known(source) || tap_is_behind(source))
        return false;
    for (uint32_t i = 0; i < reader->lane_count; i++)
        if (lanes_state(reader->lanes[i]) != LANE_OPEN || !is_drained(reader->lanes[i]))
            return false;
    return true;
}

void drain_refresh(struct source_kafka *source)
{
    atomic_store(&source->spans_drained, spans_are_drained(source));
    atomic_store(&source->taps_drained, taps_are_drained(source));
}

bool source_kafka_spans_drained(const struct source_kafka *source)
{
    return atomic_load(&source->spans_drained);
}

bool source_kafka_taps_drained(const struct source_kafka *source)
{
    return atomic_load(&source->taps_drained);
}
