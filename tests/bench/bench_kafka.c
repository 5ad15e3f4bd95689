#include "bench_kafka.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 30000, ERROR_LEN = 512, PROPERTY_LEN = 256 };

rd_kafka_conf_t *bench_conf_new(const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bench_conf_set(conf, "bootstrap.servers", brokers);
    bench_conf_set(conf, "log_level", "3"); /* a broker that has just started causes warnings */
    return conf;
}

void bench_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char error[ERROR_LEN];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof(error)) != RD_KAFKA_CONF_OK)
        bench_usage("%s=%s: %s", name, value, error);
}

void bench_conf_set_pair(rd_kafka_conf_t *conf, const char *pair)
{
    char name[PROPERTY_LEN];
    const char *equals = strchr(pair, '=');
    if (equals == NULL || (size_t)(equals - pair) >= sizeof(name))
        bench_usage("-X takes name=value, not \"%s\"", pair);
    snprintf(name, sizeof(name), "%.*s", (int)(equals - pair), pair);
    bench_conf_set(conf, name, equals + 1);
}

rd_kafka_t *bench_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char error[ERROR_LEN];
    rd_kafka_t *kafka = rd_kafka_new(type, conf, error, sizeof(error));
    if (kafka == NULL)
        bench_usage("librdkafka: %s", error);
    return kafka;
}

/* The first error in the answer to a CreateTopics request. */
static void check_created(const char *topic, rd_kafka_event_t *event)
{
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("topic %s can not be created: %s", topic,
                   rd_kafka_event_error_string(event));
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++)
        if (rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
            bench_fail("topic %s can not be created: %s", topic,
                       rd_kafka_topic_result_error_string(results[i]));
}

void bench_topic_create(rd_kafka_t *kafka, const char *topic, uint32_t partitions)
{
    char error[ERROR_LEN];
    rd_kafka_NewTopic_t *wanted =
        rd_kafka_NewTopic_new(topic, (int)partitions, 1, error, sizeof(error));
    if (wanted == NULL)
        bench_usage("topic %s: %s", topic, error);
    rd_kafka_NewTopic_set_config(wanted, "retention.ms", "-1");
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka);
    rd_kafka_CreateTopics(kafka, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, PATIENCE_MS);
    if (event == NULL)
        bench_fail("no broker answers");
    check_created(topic, event);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wanted);
}

uint32_t bench_topic_partitions(rd_kafka_t *kafka, const char *topic)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka, topic, NULL);
    rd_kafka_resp_err_t err = rd_kafka_metadata(kafka, 0, handle, &metadata, PATIENCE_MS);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("topic %s: %s", topic, rd_kafka_err2str(err));
    int count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    if (count <= 0)
        bench_fail("there is no topic %s", topic);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return (uint32_t)count;
}
