#include "peek.h"

#include "lanes.h"
#include "tap.h"
#include "topics.h"
#include "trouble.h"

enum { SEEK_WAIT_MS = 5000 };
/* A partition without a leader must not keep its lane from being read later. */
#define PEEK_AT_MOST_NS (10 * NS_PER_S)

bool peek_is_wanted(const struct source_kafka *source)
{
    for (uint32_t i = 0; i < source->options.topic_count; i++)
        if (topics_is_read(&source->options.topics[i], SOURCE_MESSAGES) &&
            source->options.topics[i].start == SOURCE_START_DEFAULT)
            return true;
    return false;
}

void peek_begin(struct source_kafka *source, struct lane *lane)
{
    lane->peeked_offset = OFFSET_UNKNOWN;
    lane->peek_until_ns = source_now_ns(source) + PEEK_AT_MOST_NS;
    const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(lane->queue, source->event_fd, &one, sizeof(one));
}

static void end(struct lane *lane)
{
    rd_kafka_queue_io_event_enable(lane->queue, -1, NULL, 0);
    lanes_forward(lane);
}

bool peek_is_pending(const struct source_kafka *source)
{
    const struct reader *reader = &source->readers[SOURCE_SPANS];
    for (uint32_t i = 0; i < reader->lane_count; i++)
        if (reader->lanes[i]->peeking)
            return true;
    return false;
}

static void look(struct source_kafka *source, struct lane *lane)
{
    rd_kafka_message_t *message;
    if (rd_kafka_consume_batch_queue(lane->queue, 0, &message, 1) != 1) {
        if (source_now_ns(source) >= lane->peek_until_ns)
            end(lane);
        return;
    }
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_timestamp_type_t type;
        lane->peeked_offset = message->offset;
        tap_take_oldest(source, rd_kafka_message_timestamp(message, &type));
    } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        /* The event does not come a second time. */
        atomic_store(&lane->drained, true);
        end(lane);
    } else {
        trouble_of_lane(source, lane, message->err, rd_kafka_message_errstr(message));
    }
    rd_kafka_message_destroy(message);
}

/* Back to what was looked at.  Lanes that could not be sought are tried again. */
static void seek_back(struct source_kafka *source, struct reader *reader,
                      rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_error_t *error = rd_kafka_seek_partitions(reader->rk, list, SEEK_WAIT_MS);
    if (error != NULL)
        log_event(source->options.log, LOG_WARN, "source", "seek_failed",
                  LOG_TEXT("reason", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        struct lane *lane = reader->lanes[i];
        if (!lane->peeking || lane->peeked_offset == OFFSET_UNKNOWN)
            continue;
        const rd_kafka_topic_partition_t *sought =
            rd_kafka_topic_partition_list_find(list, lane->topic->name, lane->partition);
        if (sought != NULL && sought->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            end(lane);
    }
}

void peek_service(struct source_kafka *source)
{
    struct reader *reader = source_reader(source, SOURCE_SPANS);
    rd_kafka_topic_partition_list_t *list = NULL;
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        struct lane *lane = reader->lanes[i];
        if (!lane->peeking || lanes_state(lane) != LANE_OPEN)
            continue;
        if (lane->peeked_offset == OFFSET_UNKNOWN)
            look(source, lane);
        if (!lane->peeking || lane->peeked_offset == OFFSET_UNKNOWN)
            continue;
        if (list == NULL)
            list = rd_kafka_topic_partition_list_new(8);
        rd_kafka_topic_partition_list_add(list, lane->topic->name, lane->partition)->offset =
            lane->peeked_offset;
    }
    if (list == NULL)
        return;
    seek_back(source, reader, list);
    rd_kafka_topic_partition_list_destroy(list);
}
