#include "rebalance.h"

#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "commit.h"
#include "dead_letter.h"
#include "lanes.h"
#include "peek.h"
#include "start.h"
#include "tap.h"
#include "topics.h"
#include "trouble.h"

enum { COMMIT_WAIT_MS = 10000, LETTERS_WAIT_MS = 5000, SEEK_WAIT_MS = 5000 };

void rebalance_topic_exists(struct topic *topic, bool exists)
{
    if (exists && topic->missing)
        topic->subscribed = false; /* the library looks for it again only when it refreshes */
    topic->missing = !exists;
}

void rebalance_subscribe(struct source_kafka *source)
{
    struct reader *reader = source_reader(source, SOURCE_SPANS);
    if (reader->rk == NULL || claim_holds_back(source))
        return;
    bool differs = false;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    for (uint32_t i = 0; i < reader->topic_count; i++) {
        const struct topic *topic = reader->topics[i];
        differs = differs || topic->present != topic->subscribed;
        if (topic->present)
            rd_kafka_topic_partition_list_add(list, topic->name, RD_KAFKA_PARTITION_UA);
    }
    /* Patterns that nothing matches: there is nothing to be assigned. */
    if (list->cnt == 0 && !differs)
        source->assigned = true;
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (differs && list->cnt > 0)
        err = rd_kafka_subscribe(reader->rk, list);
    else if (differs)
        err = rd_kafka_unsubscribe(reader->rk);
    rd_kafka_topic_partition_list_destroy(list);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        trouble_report(source, TROUBLE_GROUP, rd_kafka_err2str(err), false);
        return;
    }
    for (uint32_t i = 0; i < reader->topic_count; i++)
        reader->topics[i]->subscribed = reader->topics[i]->present;
}

static bool is_cooperative(rd_kafka_t *rk)
{
    const char *protocol = rd_kafka_rebalance_protocol(rk);
    return protocol != NULL && strcmp(protocol, "COOPERATIVE") == 0;
}

static void tell_error(struct source_kafka *source, const char *event, rd_kafka_error_t *error)
{
    if (error == NULL)
        return;
    log_event(source->options.log, LOG_WARN, "source", event,
              LOG_TEXT("reason", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
}

static void apply_list(struct source_kafka *source, rd_kafka_t *rk, bool add,
                       const rd_kafka_topic_partition_list_t *list)
{
    if (is_cooperative(rk)) {
        tell_error(source, "assignment_failed",
                   add ? rd_kafka_incremental_assign(rk, list)
                       : rd_kafka_incremental_unassign(rk, list));
        return;
    }
    rd_kafka_resp_err_t err = rd_kafka_assign(rk, add ? list : NULL);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_event(source->options.log, LOG_WARN, "source", "assignment_failed",
                  LOG_TEXT("reason", rd_kafka_err2str(err)));
}

/* Its records stay with the broker, and nothing of it is ever committed; but nobody reads it. */
static void tell_unread(struct source_kafka *source,
                        const rd_kafka_topic_partition_t *partition, enum sb_err err)
{
    char line[NOTE_TEXT_LEN];
    if (err == SB_ERR_NOT_FOUND)
        snprintf(
            line, sizeof(line),
            "the group gave topic %s, partition %d to this process, which is not configured "
            "to read it: all members need the same topics",
            partition->topic, (int)partition->partition);
    else
        snprintf(line, sizeof(line), "topic %s, partition %d can not be read: %s",
                 partition->topic, (int)partition->partition, sb_err_text(err));
    trouble_report(source, partition->topic, line, err != SB_ERR_NOT_FOUND);
}

static enum sb_err attach_lane(struct source_kafka *source,
                               const rd_kafka_topic_partition_t *partition)
{
    struct topic *topic = topics_find(source_reader(source, SOURCE_SPANS), partition->topic);
    if (topic == NULL)
        return SB_ERR_NOT_FOUND;
    struct lane *lane;
    enum sb_err err = lanes_get(topic, partition->partition, &lane);
    if (err != SB_OK || lanes_state(lane) != LANE_CLOSED)
        return err;
    err = lanes_attach(lane, peek_is_wanted(source));
    if (err != SB_OK)
        return err;
    lanes_open(lane);
    if (lane->peeking)
        peek_begin(source, lane);
    return SB_OK;
}

static void assign(struct source_kafka *source, rd_kafka_t *rk,
                   rd_kafka_topic_partition_list_t *list)
{
    /* Before the assignment, so that no record goes past its worker. */
    for (int i = 0; i < list->cnt; i++) {
        enum sb_err err = attach_lane(source, &list->elems[i]);
        if (err != SB_OK)
            tell_unread(source, &list->elems[i], err);
    }
    start_resolve(source, rk, list);
    apply_list(source, rk, true, list);
    start_pin(source, list);
    source->assigned = true;
    claim_succeeded(source);
    trouble_clear(source, TROUBLE_GROUP);
    log_event(source->options.log, LOG_INFO, "source", "assigned",
              LOG_NUMBER("partitions", list->cnt));
}

/* Fences the lanes of the list and tells on_close; those that were rewound apart, as lost. */
static void close_lanes(struct source_kafka *source,
                        const rd_kafka_topic_partition_list_t *list, enum lane_state state,
                        bool lost)
{
    const struct reader *reader = source_reader(source, SOURCE_SPANS);
    size_t count = 0;
    for (int i = 0; i < list->cnt; i++) {
        struct lane *lane = topics_lane(reader, &list->elems[i]);
        if (lane == NULL || lanes_state(lane) != state)
            continue;
        source->closing[count++] = lanes_view(lane);
        lanes_fence(lane);
        if (lost) /* what the callee still publishes must not be committed */
            lane->committed = INT64_MAX;
    }
    if (count == 0)
        return;
    if (!lost) /* who waits for a letter is not finished, and the next owner would send another */
        (void)dead_letter_flush(source, LETTERS_WAIT_MS);
    source->options.events.on_close(source->options.events.arg, source->closing, count, lost);
}

static void revoke(struct source_kafka *source, rd_kafka_t *rk,
                   const rd_kafka_topic_partition_list_t *list)
{
    const struct reader *reader = source_reader(source, SOURCE_SPANS);
    bool lost = rd_kafka_assignment_lost(rk) != 0;
    close_lanes(source, list, LANE_REWOUND, true);
    close_lanes(source, list, LANE_OPEN, lost);
    if (!lost && source->committing)
        (void)commit_now(source, LANE_CLOSING, COMMIT_WAIT_MS);
    for (int i = 0; i < list->cnt; i++) {
        struct lane *lane = topics_lane(reader, &list->elems[i]);
        if (lane != NULL && lanes_state(lane) != LANE_CLOSED)
            lanes_close(lane);
    }
    if (!is_cooperative(rk))
        source->assigned = false; /* all is taken away, to be dealt anew */
    log_event(source->options.log, lost ? LOG_WARN : LOG_INFO, "source", "revoked",
              LOG_NUMBER("partitions", list->cnt), LOG_NUMBER("lost", lost));
    apply_list(source, rk, false, list);
}

/*
 * While the handle is being closed.  Any call means "unassign" to it then.  Two events may have
 * been queued, and the answer to the first lets it terminate: a call after that would wait for
 * ever, as nobody serves the group any more (librdkafka 2.15).
 */
static void leave(struct source_kafka *source, rd_kafka_t *rk)
{
    struct reader *reader = source_reader(source, SOURCE_SPANS);
    for (uint32_t i = 0; i < reader->lane_count; i++)
        if (lanes_state(reader->lanes[i]) != LANE_CLOSED)
            lanes_close(reader->lanes[i]);
    if (!source->left)
        (void)rd_kafka_assign(rk, NULL);
    source->left = true;
}

void rebalance_on_event(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                        rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct source_kafka *source = opaque;
    if (source->leaving) {
        leave(source, rk);
        return;
    }
    switch (err) {
    case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
        assign(source, rk, list);
        break;
    case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
        revoke(source, rk, list);
        break;
    default:
        trouble_of_handle(source, rk, err, rd_kafka_err2str(err));
        revoke(source, rk, list);
        break;
    }
}

void rebalance_reopen(struct source_kafka *source, struct lane *lane, int64_t offset)
{
    if (lanes_state(lane) != LANE_REWOUND)
        return; /* taken away meanwhile */
    struct source_lane view = lanes_view(lane);
    lanes_fence(lane);
    source->options.events.on_close(source->options.events.arg, &view, 1, true);
    /*
     * What the seek brings must not come to the worker before the lane is open: it would drop
     * that, and nobody would read it again.
     */
    lanes_detach(lane);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, lane->topic->name, lane->partition)->offset =
        offset;
    rd_kafka_error_t *error =
        rd_kafka_seek_partitions(lane->topic->reader->rk, list, SEEK_WAIT_MS);
    bool sought = error == NULL && list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    tell_error(source, "seek_failed", error);
    rd_kafka_topic_partition_list_destroy(list);
    log_event(source->options.log, LOG_WARN, "source", "partition_rewound",
              LOG_TEXT("topic", lane->topic->name), LOG_NUMBER("partition", lane->partition),
              LOG_NUMBER("offset", offset), LOG_NUMBER("sought", sought));
    atomic_store(&lane->state, LANE_CLOSED);
    /* The end that was known belongs to what was there before. */
    atomic_store(&lane->end_offset, OFFSET_UNKNOWN);
    lanes_open(lane);
    lanes_forward(lane);
}
