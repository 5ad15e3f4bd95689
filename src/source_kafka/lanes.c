#include "lanes.h"

#include <string.h>
#include <time.h>

#include "core/memory.h"

enum { FIRST_ROOM = 16, SETTLE_NAP_NS = 100000 };

static enum sb_err make_room(struct reader *reader)
{
    if (reader->lane_count < reader->lane_room)
        return SB_OK;
    uint32_t room = reader->lane_room == 0 ? FIRST_ROOM : reader->lane_room * 2;
    struct source_kafka *source = reader->source;
    if (!reader_is_tap(reader) && source->closing_room < room) {
        /* Closing lanes must not fail, so its list grows along. */
        struct source_lane *closing =
            memory_realloc(source->closing, room, sizeof(*source->closing));
        if (closing == NULL)
            return SB_ERR_MEMORY;
        source->closing = closing;
        source->closing_room = room;
    }
    struct lane **lanes = memory_realloc(reader->lanes, room, sizeof(struct lane *));
    if (lanes == NULL)
        return SB_ERR_MEMORY;
    reader->lanes = lanes;
    reader->lane_room = room;
    return SB_OK;
}

static void reset(struct lane *lane)
{
    atomic_store(&lane->first_offset, OFFSET_UNKNOWN);
    atomic_store(&lane->next_offset, OFFSET_UNKNOWN);
    atomic_store(&lane->published, OFFSET_UNKNOWN);
    atomic_store(&lane->drained, false);
    atomic_store(&lane->at_end, false);
    atomic_store(&lane->newest_ns, 0);
    lane->committed = OFFSET_UNKNOWN;
}

enum sb_err lanes_get(struct topic *topic, int32_t partition, struct lane **ret)
{
    SB_ASSERT(partition >= 0);
    struct lane *known = slots_get(&topic->lanes, (uint32_t)partition);
    if (known != NULL) {
        *ret = known;
        return SB_OK;
    }
    struct reader *reader = topic->reader;
    struct source_kafka *source = reader->source;
    uint32_t worker_index = reader->next_worker % source->options.workers;
    struct worker *worker = &source->workers[worker_index];
    enum sb_err err = make_room(reader);
    if (err != SB_OK)
        return err;
    struct lane *lane = memory_zalloc(1, sizeof(*lane));
    if (lane == NULL)
        return SB_ERR_MEMORY;
    lane->topic = topic;
    lane->partition = partition;
    lane->worker = worker_index;
    lane->number = source->options.numbers->lanes[worker_index];
    lane->start_offset = OFFSET_UNKNOWN;
    atomic_init(&lane->state, LANE_CLOSED);
    atomic_init(&lane->end_offset, OFFSET_UNKNOWN);
    reset(lane);
    err = slots_set(&worker->lanes, lane->number, lane);
    if (err == SB_OK)
        err = slots_set(&topic->lanes, (uint32_t)partition, lane);
    if (err != SB_OK) {
        /* The number is not used up, so nobody asks for that slot. */
        memory_free(lane);
        return err;
    }
    source->options.numbers->lanes[worker_index]++;
    reader->next_worker++;
    reader->lanes[reader->lane_count++] = lane;
    *ret = lane;
    return SB_OK;
}

enum sb_err lanes_attach(struct lane *lane, bool peeking)
{
    struct reader *reader = lane->topic->reader;
    if (lane->queue == NULL)
        lane->queue =
            rd_kafka_queue_get_partition(reader->rk, lane->topic->name, lane->partition);
    if (lane->queue == NULL)
        return SB_ERR_INTERNAL;
    lane->peeking = peeking;
    /* A queue forwarded by us, be it nowhere, is left alone by the assignment that follows. */
    if (peeking)
        lanes_detach(lane);
    else
        lanes_forward(lane);
    return SB_OK;
}

void lanes_detach(struct lane *lane)
{
    rd_kafka_queue_forward(lane->queue, NULL);
}

/* The worker's queue of that reader, which it begins to poll with its first lane. */
static rd_kafka_queue_t *queue_of(const struct reader *reader, uint32_t worker)
{
    struct source_kafka *source = reader->source;
    rd_kafka_queue_t *_Atomic *slot = &source->workers[worker].queues[reader->role];
    rd_kafka_queue_t *queue = atomic_load(slot);
    if (queue != NULL)
        return queue;
    queue = rd_kafka_queue_new(reader->rk);
    atomic_store(slot, queue);
    source_kafka_wake(source, worker);
    return queue;
}

void lanes_forward(struct lane *lane)
{
    lane->peeking = false;
    rd_kafka_queue_forward(lane->queue, queue_of(lane->topic->reader, lane->worker));
}

void lanes_settle(struct lane *lane)
{
    struct source_kafka *source = lane->topic->reader->source;
    struct worker *worker = &source->workers[lane->worker];
    uint64_t turn = atomic_load(&worker->turns);
    if (turn % 2 == 0)
        return;
    while (atomic_load(&worker->turns) == turn) {
        source_kafka_wake(source, lane->worker);
        nanosleep(&(struct timespec){.tv_nsec = SETTLE_NAP_NS}, NULL);
    }
}

void lanes_open(struct lane *lane)
{
    struct source_kafka *source = lane->topic->reader->source;
    SB_ASSERT(lanes_state(lane) == LANE_CLOSED);
    if (lane->opened_before)
        lanes_settle(lane);
    lane->opened_before = true;
    reset(lane);
    struct source_lane view = lanes_view(lane);
    source->options.events.on_open(source->options.events.arg, &view);
    atomic_store_explicit(&lane->state, LANE_OPEN, memory_order_release);
}

void lanes_fence(struct lane *lane)
{
    atomic_store(&lane->state, LANE_CLOSING);
}

void lanes_close(struct lane *lane)
{
    atomic_store(&lane->state, LANE_CLOSED);
    lane->peeking = false;
    if (lane->queue != NULL)
        rd_kafka_queue_destroy(lane->queue);
    lane->queue = NULL;
}

struct source_lane lanes_view(const struct lane *lane)
{
    return (struct source_lane){
        .source = &lane->topic->reader->source->base,
        .topic = lane->topic->index,
        .topic_name = lane->topic->name,
        .partition = lane->partition,
        .worker = lane->worker,
        .lane = lane->number,
        .tap = reader_is_tap(lane->topic->reader),
        .gone = lanes_state(lane) == LANE_REWOUND,
        .coordinates = true,
    };
}
