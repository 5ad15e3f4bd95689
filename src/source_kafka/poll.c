/* poll: records for workers, out of the queues of the library. */
#include "lanes.h"
#include "trouble.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

static struct worker *worker_at(struct source_kafka *source, uint32_t worker)
{
    SB_ASSERT(worker < source->options.workers);
    return &source->workers[worker];
}

/* Stores only what changes: the control thread reads these, and lines are shared. */
static void set_flag(_Atomic bool *flag, bool value)
{
    if (atomic_load_explicit(flag, memory_order_relaxed) != value)
        atomic_store_explicit(flag, value, memory_order_release);
}

static void note_recovery(struct source_kafka *source, struct lane *lane)
{
    struct topic *topic = lane->topic;
    if (!atomic_load_explicit(&topic->troubled, memory_order_relaxed) ||
        !atomic_exchange(&topic->troubled, false))
        return;
    struct note *note = source_note_new(NOTE_RECOVERED, lane);
    if (note != NULL)
        source_note_post(source, note);
    else
        atomic_store(&topic->troubled, true); /* the next record tells */
}

/* At the end of a partition its tap is complete up to now. */
static void take_end(struct source_kafka *source, struct lane *lane)
{
    set_flag(&lane->drained, true);
    if (reader_is_tap(lane->topic->reader))
        set_flag(&lane->at_end, true);
    note_recovery(source, lane);
}

static void take_error(struct source_kafka *source, struct lane *lane,
                       const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        take_end(source, lane);
        return;
    }
    struct note *note = source_note_new(NOTE_TROUBLE, lane);
    if (note == NULL)
        return; /* the library repeats it */
    note->err = message->err;
    trouble_copy_text(note->text, rd_kafka_message_errstr(message));
    source_note_post(source, note);
}

/* The broker went back: the records from here on come again after the lane is opened anew. */
static void take_rewind(struct source_kafka *source, struct lane *lane, int64_t offset)
{
    struct note *note = source_note_new(NOTE_REWOUND, lane);
    if (note == NULL)
        return;
    note->offset = offset;
    int open = LANE_OPEN;
    if (atomic_compare_exchange_strong(&lane->state, &open, LANE_REWOUND))
        source_note_post(source, note);
    else
        source_note_drop(note);
}

static enum record_time_type time_type(rd_kafka_timestamp_type_t type)
{
    switch (type) {
    case RD_KAFKA_TIMESTAMP_CREATE_TIME:
        return RECORD_TIME_CREATE;
    case RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME:
        return RECORD_TIME_LOG_APPEND;
    case RD_KAFKA_TIMESTAMP_NOT_AVAILABLE:
        break;
    }
    return RECORD_TIME_NONE;
}

static void advance_tap(struct lane *lane, const struct record *record, uint64_t now_ns)
{
    uint64_t time_ns = 0;
    if (record->time_type != RECORD_TIME_NONE && record->time_ms > 0)
        time_ns = (uint64_t)record->time_ms > now_ns / NS_PER_MS
                      ? now_ns
                      : (uint64_t)record->time_ms * NS_PER_MS;
    if (time_ns > atomic_load_explicit(&lane->newest_ns, memory_order_relaxed))
        atomic_store_explicit(&lane->newest_ns, time_ns, memory_order_release);
    set_flag(&lane->at_end, false);
}

static void fill_record(struct lane *lane, rd_kafka_message_t *message, struct record *ret)
{
    rd_kafka_timestamp_type_t type;
    int64_t time_ms = rd_kafka_message_timestamp(message, &type);
    *ret = (struct record){
        .source = &lane->topic->reader->source->base,
        .topic = lane->topic->index,
        .lane = lane->number,
        .partition = message->partition,
        .offset = message->offset,
        .time_ms = time_ms,
        .time_type = time_type(type),
        .key = bytes_of(message->key, message->key_len),
        .value = bytes_of(message->payload, message->len),
        .handle = message,
    };
}

/* True: *ret holds the message.  False: it was a mark, or must not surface. */
static bool take(struct source_kafka *source, rd_kafka_message_t *message, uint64_t now_ns,
                 struct record *ret)
{
    struct lane *lane = lanes_of_message(message);
    if (lane == NULL || lanes_state(lane) != LANE_OPEN)
        return false;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        take_error(source, lane, message);
        return false;
    }
    bool tap = reader_is_tap(lane->topic->reader);
    int64_t next = atomic_load_explicit(&lane->next_offset, memory_order_relaxed);
    if (next == OFFSET_UNKNOWN)
        atomic_store_explicit(&lane->first_offset, message->offset, memory_order_relaxed);
    if (!tap && message->offset < next) {
        take_rewind(source, lane, message->offset);
        return false;
    }
    fill_record(lane, message, ret);
    atomic_store_explicit(&lane->next_offset, message->offset + 1, memory_order_release);
    if (tap)
        advance_tap(lane, ret, now_ns);
    note_recovery(source, lane);
    return true;
}

/* One batch out of a queue: what the library hands out is either in *ret or given back. */
static size_t take_batch(struct source_kafka *source, rd_kafka_queue_t *queue,
                         struct record *ret, size_t max, uint32_t wait_ms, bool *ret_more)
{
    rd_kafka_message_t *batch[BATCH_MAX];
    ssize_t got = rd_kafka_consume_batch_queue(queue, (int)wait_ms, batch, max);
    *ret_more = got > 0;
    uint64_t now_ns = got > 0 ? clock_wall_ns(source->options.clock) : 0;
    size_t count = 0;
    for (ssize_t i = 0; i < got; i++) {
        if (take(source, batch[i], now_ns, &ret[count]))
            count++;
        else
            rd_kafka_message_destroy(batch[i]);
    }
    return count;
}

/* All that is there, without waiting. */
static size_t take_ready(struct source_kafka *source, rd_kafka_queue_t *queue,
                         struct record *ret, size_t max)
{
    size_t count = 0;
    bool more = true;
    while (more && count < max) {
        size_t room = max - count < BATCH_MAX ? max - count : BATCH_MAX;
        count += take_batch(source, queue, ret + count, room, 0, &more);
    }
    return count;
}

/* A batch call that does not wait swallows the library's own wake: this keeps it. */
static bool was_woken(struct worker *worker)
{
    return atomic_exchange(&worker->woken, false);
}

static void wait_idle(struct worker *worker, uint32_t wait_ms)
{
    uint64_t count;
    struct pollfd wait = {.fd = worker->idle_fd, .events = POLLIN};
    if (wait_ms == 0)
        return;
    /* Said before it is looked at: a wake is seen here, or sees this and writes. */
    atomic_store(&worker->idling, true);
    if (!was_woken(worker) && poll(&wait, 1, (int)wait_ms) > 0)
        (void)!read(worker->idle_fd, &count, sizeof(count));
    atomic_store(&worker->idling, false);
}

size_t source_kafka_poll(struct source_kafka *source, uint32_t worker, uint32_t wait_ms,
                         struct record *ret, size_t max)
{
    struct worker *polling = worker_at(source, worker);
    rd_kafka_queue_t *queue = atomic_load(&polling->queues[SOURCE_SPANS]);
    if (max == 0 || queue == NULL ||
        atomic_load_explicit(&source->intake_stopped, memory_order_acquire)) {
        wait_idle(polling, wait_ms);
        return 0;
    }
    atomic_fetch_add(&polling->turns, 1);
    size_t count = take_ready(source, queue, ret, max);
    if (count == 0 && wait_ms > 0 && !was_woken(polling)) {
        /* A batch call waits until the batch is full: wait for one, then take what is there. */
        bool more;
        count = take_batch(source, queue, ret, 1, wait_ms, &more);
        if (more)
            count += take_ready(source, queue, ret + count, max - count);
    }
    atomic_fetch_add(&polling->turns, 1);
    return count;
}

size_t source_kafka_poll_taps(struct source_kafka *source, uint32_t worker, struct record *ret,
                              size_t max)
{
    struct worker *polling = worker_at(source, worker);
    rd_kafka_queue_t *queue = atomic_load(&polling->queues[SOURCE_MESSAGES]);
    if (queue == NULL || atomic_load_explicit(&source->intake_stopped, memory_order_acquire))
        return 0;
    atomic_fetch_add(&polling->turns, 1);
    size_t count = take_ready(source, queue, ret, max);
    atomic_fetch_add(&polling->turns, 1);
    return count;
}

void source_kafka_wake(struct source_kafka *source, uint32_t worker)
{
    const uint64_t one = 1;
    struct worker *woken = worker_at(source, worker);
    atomic_store(&woken->woken, true);
    rd_kafka_queue_t *queue = atomic_load(&woken->queues[SOURCE_SPANS]);
    if (queue != NULL)
        rd_kafka_queue_yield(queue);
    if (atomic_load(&woken->idling))
        (void)!write(woken->idle_fd, &one, sizeof(one));
}

void source_kafka_release(struct record *record)
{
    if (record->handle != NULL)
        rd_kafka_message_destroy(record->handle);
    record->handle = NULL;
}

size_t source_kafka_headers(const struct record *record, struct record_header *ret, size_t max)
{
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(record->handle, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    size_t count = rd_kafka_header_cnt(headers);
    for (size_t i = 0; i < count && i < max; i++) {
        const char *name;
        const void *value;
        size_t len;
        if (rd_kafka_header_get_all(headers, i, &name, &value, &len) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            return i;
        ret[i] =
            (struct record_header){.name = bytes_text(name), .value = bytes_of(value, len)};
    }
    return count;
}

void source_kafka_publish(struct source_kafka *source, uint32_t worker, uint32_t lane,
                          int64_t offset)
{
    struct lane *its = slots_get(&worker_at(source, worker)->lanes, lane);
    SB_ASSERT(its != NULL && !reader_is_tap(its->topic->reader));
    enum lane_state state = lanes_state(its);
    if (state != LANE_OPEN && state != LANE_CLOSING)
        return;
    if (offset > atomic_load_explicit(&its->published, memory_order_relaxed))
        atomic_store_explicit(&its->published, offset, memory_order_release);
}
