#include "offsets.h"

#include <string.h>

#include "claim.h"
#include "commit.h"
#include "lanes.h"
#include "topics.h"

enum { ASK_TIMEOUT_MS = 10000, TEXT_LEN = 256 };
#define ASK_AGAIN_NS NS_PER_S

bool offsets_may_ask(const struct reader *reader)
{
    return reader->question == OFFSETS_NO_QUESTION &&
           source_now_ns(reader->source) >= reader->ask_again_at_ns;
}

/* The end must be the one that the consumer can reach: the last stable offset, by default. */
static rd_kafka_IsolationLevel_t isolation_of(const struct reader *reader)
{
    char level[TEXT_LEN];
    size_t len = sizeof(level);
    if (rd_kafka_conf_get(rd_kafka_conf(reader->rk), "isolation.level", level, &len) ==
            RD_KAFKA_CONF_OK &&
        strcmp(level, "read_uncommitted") == 0)
        return RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED;
    return RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED;
}

void offsets_ask(struct reader *reader, enum offsets_question question,
                 rd_kafka_topic_partition_list_t *list)
{
    SB_ASSERT(reader->question == OFFSETS_NO_QUESTION);
    char text[TEXT_LEN];
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(reader->rk, RD_KAFKA_ADMIN_OP_LISTOFFSETS);
    /* Neither can fail with these values. */
    (void)rd_kafka_AdminOptions_set_request_timeout(options, ASK_TIMEOUT_MS, text,
                                                    sizeof(text));
    rd_kafka_error_destroy(
        rd_kafka_AdminOptions_set_isolation_level(options, isolation_of(reader)));
    rd_kafka_ListOffsets(reader->rk, list, options, reader->answers);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_topic_partition_list_destroy(list);
    reader->question = question;
}

void offsets_ask_ends(struct reader *reader)
{
    if (reader->rk == NULL || !offsets_may_ask(reader))
        return;
    rd_kafka_topic_partition_list_t *list = NULL;
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        struct lane *lane = reader->lanes[i];
        if (lanes_state(lane) != LANE_OPEN || atomic_load(&lane->end_offset) != OFFSET_UNKNOWN)
            continue;
        if (list == NULL)
            list = rd_kafka_topic_partition_list_new(8);
        rd_kafka_topic_partition_list_add(list, lane->topic->name, lane->partition)->offset =
            RD_KAFKA_OFFSET_SPEC_LATEST;
    }
    if (list != NULL)
        offsets_ask(reader, OFFSETS_ENDS, list);
}

/* False: the answer is of no use. */
static bool take_partition(struct reader *reader, const rd_kafka_topic_partition_t *partition)
{
    struct lane *lane = topics_lane(reader, partition);
    if (lane == NULL || partition->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    if (reader->question == OFFSETS_ENDS) {
        atomic_store(&lane->end_offset, partition->offset);
    } else {
        /* No record is as new as that: from where it ended when that was asked. */
        int64_t end = atomic_load(&lane->end_offset);
        lane->start_offset = partition->offset < 0 ? end : partition->offset;
    }
    return true;
}

static void take_offsets(struct reader *reader, rd_kafka_event_t *event)
{
    size_t count = 0;
    bool useful = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!useful)
        log_event(reader->source->options.log, LOG_DEBUG, "source", "offsets_not_answered",
                  LOG_TEXT("reason", rd_kafka_event_error_string(event)));
    const rd_kafka_ListOffsets_result_t *result = rd_kafka_event_ListOffsets_result(event);
    if (useful && result != NULL) {
        const rd_kafka_ListOffsetsResultInfo_t **infos =
            rd_kafka_ListOffsets_result_infos(result, &count);
        for (size_t i = 0; i < count; i++)
            if (!take_partition(reader,
                                rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i])))
                useful = false;
    }
    reader->question = OFFSETS_NO_QUESTION;
    if (!useful)
        reader->ask_again_at_ns = source_now_ns(reader->source) + ASK_AGAIN_NS;
}

void offsets_take_answers(struct source_kafka *source, struct reader *reader, uint32_t wait_ms)
{
    if (reader->rk == NULL)
        return;
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(reader->answers, (int)wait_ms)) != NULL) {
        wait_ms = 0;
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT)
            commit_take_answer(source, event);
        else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_LISTOFFSETS_RESULT)
            take_offsets(reader, event);
        else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT)
            claim_take_answer(source, event);
        rd_kafka_event_destroy(event);
    }
}
