#include "reader.h"

#include "dead_letter.h"
#include "properties.h"
#include "rebalance.h"
#include "topics.h"
#include "trouble.h"

enum { ERROR_TEXT_LEN = 512, CLOSE_WAIT_MS = 10000, CLOSE_NAP_MS = 20 };

enum sb_err reader_make_handle(struct source_kafka *source, enum properties_for handle,
                               rd_kafka_t **ret)
{
    rd_kafka_conf_t *conf;
    enum sb_err err = properties_build(&source->options, handle, &conf);
    if (err != SB_OK)
        return err;
    rd_kafka_conf_set_opaque(conf, source);
    rd_kafka_conf_set_error_cb(conf, trouble_on_error);
    rd_kafka_conf_set_log_cb(conf, trouble_on_log);
    if (handle == PROPERTIES_GROUP)
        rd_kafka_conf_set_rebalance_cb(conf, rebalance_on_event);
    if (handle == PROPERTIES_PRODUCER)
        rd_kafka_conf_set_dr_msg_cb(conf, dead_letter_on_report);
    char text[ERROR_TEXT_LEN];
    rd_kafka_t *rk =
        rd_kafka_new(handle == PROPERTIES_PRODUCER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER,
                     conf, text, sizeof(text));
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        log_event(source->options.log, LOG_ERROR, "source", "kafka_configuration_refused",
                  LOG_TEXT("reason", text));
        return SB_ERR_CONFIG;
    }
    *ret = rk;
    return SB_OK;
}

void reader_watch(struct source_kafka *source, rd_kafka_queue_t *queue)
{
    const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, source->event_fd, &one, sizeof(one));
}

static enum sb_err add_named_topics(struct reader *reader)
{
    const struct source_kafka_options *options = &reader->source->options;
    for (uint32_t i = 0; i < options->topic_count; i++) {
        const struct source_topic *configured = &options->topics[i];
        if (!topics_is_read(configured, reader->role) ||
            topics_is_pattern(configured->pattern) ||
            topics_find(reader, configured->pattern) != NULL)
            continue;
        struct topic *topic;
        enum sb_err err = topics_add(reader, i, configured->pattern, &topic);
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}

enum sb_err reader_make(struct source_kafka *source, enum source_role role)
{
    struct reader *reader = source_reader(source, role);
    reader->source = source;
    reader->role = role;
    bool wanted = false;
    for (uint32_t i = 0; i < source->options.topic_count; i++)
        wanted = wanted || topics_is_read(&source->options.topics[i], role);
    if (!wanted)
        return SB_OK;
    enum sb_err err = reader_make_handle(
        source, role == SOURCE_SPANS ? PROPERTIES_GROUP : PROPERTIES_TAP, &reader->rk);
    if (err != SB_OK)
        return err;
    if (rd_kafka_poll_set_consumer(reader->rk) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return SB_ERR_INTERNAL;
    reader->events = rd_kafka_queue_get_consumer(reader->rk);
    reader->answers = rd_kafka_queue_new(reader->rk);
    reader_watch(source, reader->events);
    reader_watch(source, reader->answers);
    return add_named_topics(reader);
}

/* Leaves the group.  A broker that does not answer is not waited for much longer. */
static void close_consumer(const struct reader *reader)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(reader->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(reader->rk, queue);
    bool closing = error == NULL;
    rd_kafka_error_destroy(error);
    const struct clock_source *clock = clock_system();
    uint64_t until_ns = clock_monotonic_ns(clock) + CLOSE_WAIT_MS * NS_PER_MS;
    while (closing && !rd_kafka_consumer_closed(reader->rk) &&
           clock_monotonic_ns(clock) < until_ns)
        rd_kafka_queue_poll_callback(queue, CLOSE_NAP_MS);
    rd_kafka_queue_destroy(queue);
}

/* Messages and queues first: each holds on to the handle. */
static void empty_queue(rd_kafka_queue_t *queue)
{
    rd_kafka_message_t *message;
    while (queue != NULL && rd_kafka_consume_batch_queue(queue, 0, &message, 1) == 1)
        rd_kafka_message_destroy(message);
}

void reader_clear(struct reader *reader)
{
    struct source_kafka *source = reader->source;
    if (reader->rk == NULL)
        return;
    close_consumer(reader);
    for (uint32_t i = 0; i < reader->lane_count; i++) {
        struct lane *lane = reader->lanes[i];
        if (lane->queue != NULL)
            rd_kafka_queue_forward(lane->queue, NULL);
    }
    for (uint32_t i = 0; i < source->options.workers; i++) {
        rd_kafka_queue_t *queue = atomic_load(&source->workers[i].queues[reader->role]);
        empty_queue(queue);
        if (queue != NULL)
            rd_kafka_queue_destroy(queue);
    }
    topics_clear(reader);
    rd_kafka_queue_t *queues[] = {reader->events, reader->answers};
    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        if (queues[i] == NULL)
            continue;
        rd_kafka_queue_io_event_enable(queues[i], -1, NULL, 0);
        rd_kafka_queue_destroy(queues[i]);
    }
    rd_kafka_destroy_flags(reader->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    reader->rk = NULL;
    reader->events = reader->answers = NULL;
    reader->question = OFFSETS_NO_QUESTION;
}
