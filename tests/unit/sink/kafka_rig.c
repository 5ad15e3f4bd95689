#include "kafka_rig.h"

#include <stdlib.h>

enum { WAIT_S = 30, TEXT_LEN = 512, RECORD_BYTES = 64 << 20 };

static void open_cluster(struct kafka_rig *rig)
{
    char why[TEXT_LEN];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why)),
                     0);
    rd_kafka_conf_set_log_cb(conf, NULL);
    rig->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    assert_non_null(rig->kafka);
    rig->cluster = rd_kafka_handle_mock_cluster(rig->kafka);
    assert_int_equal(rd_kafka_mock_topic_create(rig->cluster, "kept", KAFKA_RIG_PARTITIONS, 1),
                     0);
}

void kafka_rig_init(struct kafka_rig *rig)
{
    *rig = (struct kafka_rig){0};
    rig_init(&rig->base, clock_system());
    open_cluster(rig);
    rig->options = (struct sink_kafka_options){
        .name = "test",
        .bootstrap = rd_kafka_mock_cluster_bootstraps(rig->cluster),
        .client_id = "tests",
        .properties = rig->properties,
        .topic = "kept",
        .queue_bytes_max = 64 << 20,
        .in_flight_max = 4,
        .backoff_initial_ns = NS_PER_MS,
        .backoff_max_ns = 10 * NS_PER_MS,
        .seed = 42,
        .clock = clock_system(),
        .log = rig->base.log,
        .on_done = rig_on_done,
        .on_done_arg = &rig->base,
    };
    kafka_rig_set(rig, "linger.ms", "1");
    kafka_rig_set(rig, "retry.backoff.ms", "1");
}

void kafka_rig_set(struct kafka_rig *rig, const char *name, const char *value)
{
    assert_true(rig->options.property_count < KAFKA_RIG_PROPERTIES);
    rig->properties[rig->options.property_count++] = (struct sink_kafka_property){name, value};
}

void kafka_rig_start(struct kafka_rig *rig)
{
    assert_int_equal(sink_kafka_new(&rig->options, &rig->base.sink), SB_OK);
}

void kafka_rig_clear(struct kafka_rig *rig)
{
    rig_clear(&rig->base);
    rd_kafka_destroy(rig->kafka);
}

void kafka_rig_fail(struct kafka_rig *rig, rd_kafka_resp_err_t err, uint32_t times)
{
    enum { PRODUCE = 0 }; /* ApiKey of the Kafka protocol */
    for (uint32_t i = 0; i < times; i++)
        rd_kafka_mock_push_request_errors(rig->cluster, PRODUCE, 1, err);
}

static rd_kafka_t *new_consumer(struct kafka_rig *rig)
{
    char why[TEXT_LEN];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", rig->options.bootstrap, why, sizeof(why));
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof(why));
    rd_kafka_conf_set(conf, "group.id", "rig", why, sizeof(why));
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    assert_non_null(consumer);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(KAFKA_RIG_PARTITIONS);
    for (int32_t i = 0; i < KAFKA_RIG_PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, "kept", i)->offset = 0;
    assert_int_equal(rd_kafka_assign(consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    return consumer;
}

struct kafka_rig_record *kafka_rig_read(struct kafka_rig *rig, size_t *ret_count)
{
    rd_kafka_t *consumer = new_consumer(rig);
    struct kafka_rig_record *records = NULL;
    size_t count = 0;
    int ends = 0;
    while (ends < KAFKA_RIG_PARTITIONS) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, WAIT_S * 1000);
        assert_non_null(message);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ends++;
        } else if (message->err == 0) {
            records = realloc(records, (count + 1) * sizeof(*records));
            assert_non_null(records);
            struct kafka_rig_record *record = &records[count++];
            record->partition = message->partition;
            text_init(&record->key, RECORD_BYTES);
            text_init(&record->value, RECORD_BYTES);
            text_append(&record->key, bytes_of(message->key, message->key_len));
            text_append(&record->value, bytes_of(message->payload, message->len));
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    *ret_count = count;
    return records;
}

void kafka_rig_free_records(struct kafka_rig_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_clear(&records[i].key);
        text_clear(&records[i].value);
    }
    free(records);
}
