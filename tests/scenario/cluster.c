/*
 * cluster: the mock Kafka cluster of a scenario, and what is put there and read from it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "scenario.h"

enum { REPLY_MS = 30000, ERROR_LEN = 256, REQUEST_MAX = 64 << 20 };

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[ERROR_LEN];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK)
        fail_msg("%s", why);
}

static const char *bootstrap(const struct scenario *scenario)
{
    return rd_kafka_mock_cluster_bootstraps(scenario->cluster);
}

void kafka_open(struct scenario *scenario)
{
    char why[ERROR_LEN];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "test.mock.num.brokers", "1");
    set(conf, "linger.ms", "1");
    rd_kafka_conf_set_log_cb(conf, NULL);
    scenario->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    assert_non_null(scenario->kafka);
    scenario->cluster = rd_kafka_handle_mock_cluster(scenario->kafka);
    rd_kafka_mock_group_initial_rebalance_delay_ms(scenario->cluster, 0);
}

void kafka_close(struct scenario *scenario)
{
    rd_kafka_destroy(scenario->kafka);
}

void scenario_bare_topic(struct scenario *scenario, const char *name, int partitions)
{
    assert_int_equal(rd_kafka_mock_topic_create(scenario->cluster, name, partitions, 1), 0);
}

static void put(struct scenario *scenario, const char *topic, int32_t partition,
                struct bytes value, rd_kafka_headers_t *headers)
{
    for (;;) {
        rd_kafka_resp_err_t err = rd_kafka_producev(
            scenario->kafka, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)value.at, value.len),
            RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
        if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            assert_int_equal(err, 0);
            return;
        }
        rd_kafka_poll(scenario->kafka, 10);
    }
}

void scenario_put_bytes(struct scenario *scenario, const char *topic, int32_t partition,
                        struct bytes value)
{
    put(scenario, topic, partition, value, rd_kafka_headers_new(0));
}

void scenario_put(struct scenario *scenario, const char *topic, int32_t partition,
                  const struct span_spec *spans, size_t count)
{
    struct text request;
    text_init(&request, REQUEST_MAX);
    spans_write_request(&request, spans, count);
    scenario_put_bytes(scenario, topic, partition, text_bytes(&request));
    text_clear(&request);
}

void scenario_put_message(struct scenario *scenario, const char *topic, int32_t partition,
                          const struct span_context *context)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    char traceparent[64];
    if (context != NULL) {
        spans_traceparent(*context, traceparent);
        rd_kafka_header_add(headers, "traceparent", -1, traceparent, -1);
    }
    put(scenario, topic, partition, BYTES_LITERAL("{}"), headers);
}

void scenario_flush(struct scenario *scenario)
{
    assert_int_equal(rd_kafka_flush(scenario->kafka, REPLY_MS), 0);
}

static rd_kafka_t *new_consumer(const char *brokers)
{
    char why[ERROR_LEN];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "enable.partition.eof", "true");
    set(conf, "group.id", "scenario");
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    assert_non_null(consumer);
    return consumer;
}

static rd_kafka_topic_partition_list_t *one(const char *topic, int32_t partition)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition);
    return list;
}

int64_t scenario_committed(struct scenario *scenario, const char *topic, int32_t partition)
{
    rd_kafka_t *consumer = new_consumer(bootstrap(scenario));
    rd_kafka_topic_partition_list_t *list = one(topic, partition);
    assert_int_equal(rd_kafka_committed(consumer, list, REPLY_MS), 0);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(consumer);
    return offset < 0 ? -1 : offset;
}

void scenario_read(struct scenario *scenario, const char *topic, struct record_copy *ret,
                   size_t count)
{
    rd_kafka_t *consumer = new_consumer(bootstrap(scenario));
    rd_kafka_topic_partition_list_t *list = one(topic, 0);
    list->elems[0].offset = 0;
    assert_int_equal(rd_kafka_assign(consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    for (size_t i = 0; i < count;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, REPLY_MS);
        assert_non_null(message);
        if (message->err == 0) {
            ret[i] = (struct record_copy){.len = message->len};
            ret[i].value = malloc(message->len + 1);
            assert_non_null(ret[i].value);
            if (message->len > 0)
                memcpy(ret[i].value, message->payload, message->len);
            if (rd_kafka_message_detach_headers(message, &ret[i].headers) != 0)
                ret[i].headers = NULL;
            i++;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

static void note_kept(struct scenario *scenario, const rd_kafka_message_t *message,
                      struct kept_record *ret)
{
    struct backend *backend = &scenario->backends[0];
    size_t before = backend->count;
    assert_in_range(message->key_len, 1, TAG_LEN);
    *ret = (struct kept_record){.partition = message->partition,
                                .key_len = message->key_len,
                                .value_len = message->len};
    memcpy(ret->key, message->key, message->key_len);
    backend_note(backend, bytes_of(message->payload, message->len));
    assert_false(backend->unreadable);
    assert_true(backend->count > before);
    ret->trace = backend->seen[before].trace;
    for (size_t i = before; i < backend->count; i++)
        assert_true(trace_id_equal(backend->seen[i].trace, ret->trace));
}

size_t scenario_read_kept(struct scenario *scenario, const char *brokers, int32_t partitions,
                          struct kept_record *ret, size_t room)
{
    rd_kafka_t *consumer = new_consumer(brokers == NULL ? bootstrap(scenario) : brokers);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, "kept", i)->offset = 0;
    assert_int_equal(rd_kafka_assign(consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    size_t count = 0;
    for (int32_t ends = 0; ends < partitions;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, REPLY_MS);
        assert_non_null(message);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ends++;
        } else if (message->err == 0) {
            assert_true(count < room);
            note_kept(scenario, message, &ret[count++]);
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return count;
}

void record_copy_clear(struct record_copy *record)
{
    free(record->value);
    if (record->headers != NULL)
        rd_kafka_headers_destroy(record->headers);
}

bool record_has_header(const struct record_copy *record, const char *name, const char *value)
{
    const void *at;
    size_t len;
    return record->headers != NULL &&
           rd_kafka_header_get_last(record->headers, name, &at, &len) == 0 &&
           len == strlen(value) && memcmp(at, value, len) == 0;
}
