#include "dead_letter.h"

#include "kafka_ops.h"

enum { GIVE_UP_WAIT_MS = 2000 };

bool dead_letter_is_wanted(const struct source_kafka_options *options)
{
    for (uint32_t i = 0; i < options->topic_count; i++)
        if (options->topics[i].dead_letter_topic != NULL)
            return true;
    return false;
}

static enum sb_err result_of(rd_kafka_resp_err_t err)
{
    switch (err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return SB_OK;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return SB_ERR_FULL;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return SB_ERR_LIMIT;
    default:
        return SB_ERR_UNAVAILABLE;
    }
}

void dead_letter_on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    struct source_kafka *source = opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_event(source->options.log, LOG_ERROR, "source", "dead_letter_failed",
                  LOG_TEXT("topic", rd_kafka_topic_name(message->rkt)),
                  LOG_TEXT("reason", rd_kafka_err2str(message->err)));
    source->options.events.on_dead_letter(source->options.events.arg, message->_private,
                                          result_of(message->err));
}

static rd_kafka_headers_t *copy_headers(const struct source_dead_letter *letter)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(letter->header_count);
    for (uint32_t i = 0; i < letter->header_count; i++) {
        const struct record_header *header = &letter->headers[i];
        /* Refuses only what can not be: headers that are read-only. */
        (void)rd_kafka_header_add(headers, (const char *)header->name.at,
                                  (ssize_t)header->name.len, header->value.at,
                                  (ssize_t)header->value.len);
    }
    return headers;
}

enum sb_err source_kafka_dead_letter(struct source_kafka *source,
                                     const struct source_dead_letter *letter)
{
    SB_ASSERT(letter->topic < source->options.topic_count);
    const char *to = source->options.topics[letter->topic].dead_letter_topic;
    SB_ASSERT(to != NULL && source->producer != NULL);
    rd_kafka_headers_t *headers = copy_headers(letter);
    rd_kafka_resp_err_t err = rd_kafka_producev(
        source->producer, RD_KAFKA_V_TOPIC(to), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY((void *)letter->key.at, letter->key.len),
        RD_KAFKA_V_VALUE((void *)letter->value.at, letter->value.len),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(letter->ticket), RD_KAFKA_V_END);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_headers_destroy(headers); /* else the library's */
    return result_of(err);
}

bool dead_letter_flush(struct source_kafka *source, uint32_t wait_ms)
{
    return source->producer == NULL ||
           rd_kafka_flush(source->producer, (int)wait_ms) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void dead_letter_finish(struct source_kafka *source, uint32_t wait_ms)
{
    if (dead_letter_flush(source, wait_ms))
        return;
    rd_kafka_purge(source->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(source->producer, GIVE_UP_WAIT_MS);
}
