#include "start.h"

#include "commit.h"
#include "topics.h"

enum { COMMITTED_WAIT_MS = 10000, END_WAIT_MS = 5000 };

/* Those of the list whose topic starts at its end. */
static rd_kafka_topic_partition_list_t *list_latest(const struct source_kafka *source,
                                                    const rd_kafka_topic_partition_list_t *list)
{
    const struct reader *reader = &source->readers[SOURCE_SPANS];
    rd_kafka_topic_partition_list_t *latest = rd_kafka_topic_partition_list_new(list->cnt);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *given = &list->elems[i];
        const struct topic *topic = topics_find(reader, given->topic);
        if (topic != NULL && source->options.topics[topic->index].start == SOURCE_START_LATEST)
            rd_kafka_topic_partition_list_add(latest, given->topic, given->partition);
    }
    return latest;
}

/* The end of a partition without a commit, into `ret`; others are left alone. */
static rd_kafka_resp_err_t find_end(rd_kafka_t *rk, const rd_kafka_topic_partition_t *committed,
                                    rd_kafka_topic_partition_t *ret)
{
    if (committed->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return committed->err;
    if (committed->offset != RD_KAFKA_OFFSET_INVALID)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    int64_t first;
    int64_t end;
    rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(
        rk, committed->topic, committed->partition, &first, &end, END_WAIT_MS);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
        ret->offset = end;
    return err;
}

void start_resolve(struct source_kafka *source, rd_kafka_t *rk,
                   rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *asked = list_latest(source, list);
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (asked->cnt > 0)
        err = rd_kafka_committed(rk, asked, COMMITTED_WAIT_MS);
    for (int i = 0; i < asked->cnt && err == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        const rd_kafka_topic_partition_t *answer = &asked->elems[i];
        err = find_end(
            rk, answer,
            rd_kafka_topic_partition_list_find(list, answer->topic, answer->partition));
    }
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_event(source->options.log, LOG_WARN, "source", "start_latest_not_resolved",
                  LOG_TEXT("reason", rd_kafka_err2str(err)));
    rd_kafka_topic_partition_list_destroy(asked);
}

void start_pin(struct source_kafka *source, const rd_kafka_topic_partition_list_t *list)
{
    const struct reader *reader = source_reader(source, SOURCE_SPANS);
    for (int i = 0; i < list->cnt; i++) {
        struct lane *lane = topics_lane(reader, &list->elems[i]);
        if (lane == NULL || list->elems[i].offset < 0)
            continue; /* it starts where the group is, or at the earliest */
        /* The worker, which may have read on already, publishes nothing that is lower. */
        int64_t unknown = OFFSET_UNKNOWN;
        (void)atomic_compare_exchange_strong(&lane->published, &unknown, list->elems[i].offset);
        commit_soon(source);
    }
}
