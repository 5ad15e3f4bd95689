#include "kafka_sink_floor.h"

#include "core/memory.h"

enum { POLL_MS = 100, SILENT_MAX = 300 };

struct kafka_sink_floor {
    rd_kafka_t *kafka;
    rd_kafka_topic_t *topic;
    size_t under_way;
};

static void on_report(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *arg)
{
    (void)kafka;
    struct kafka_sink_floor *floor = arg;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("a record was refused: %s", rd_kafka_err2str(message->err));
    floor->under_way--;
}

struct kafka_sink_floor *kafka_sink_floor_new(const char *bootstrap, const char *topic,
                                              const char *const *properties, size_t count)
{
    struct kafka_sink_floor *floor = memory_zalloc(1, sizeof(*floor));
    if (floor == NULL)
        bench_fail("memory is short");
    rd_kafka_conf_t *conf = bench_conf_new(bootstrap);
    bench_conf_set(conf, "socket.keepalive.enable", "true");
    bench_conf_set(conf, "message.copy.max.bytes", "256");
    bench_conf_set(conf, "queue.buffering.max.messages", "10000000");
    bench_conf_set(conf, "queue.buffering.max.kbytes", "2097151");
    bench_conf_set(conf, "partitioner", "murmur2");
    bench_conf_set(conf, "enable.idempotence", "true");
    bench_conf_set(conf, "acks", "all");
    bench_conf_set(conf, "message.timeout.ms", "0");
    for (size_t i = 0; i < count; i++)
        bench_conf_set_pair(conf, properties[i]);
    rd_kafka_conf_set_opaque(conf, floor);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    floor->kafka = bench_kafka_new(RD_KAFKA_PRODUCER, conf);
    floor->topic = rd_kafka_topic_new(floor->kafka, topic, NULL);
    if (floor->topic == NULL)
        bench_fail("topic %s: %s", topic, rd_kafka_err2str(rd_kafka_last_error()));
    return floor;
}

void kafka_sink_floor_free(struct kafka_sink_floor *floor)
{
    rd_kafka_topic_destroy(floor->topic);
    rd_kafka_destroy(floor->kafka);
    memory_free(floor);
}

void kafka_sink_floor_pass(struct kafka_sink_floor *floor,
                           const struct sink_load_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char key[TRACE_ID_HEX_LEN + 1];
        trace_id_format(records[i].trace, key);
        /* The library copies the key; the value stays where it is. */
        if (rd_kafka_produce(floor->topic, RD_KAFKA_PARTITION_UA, 0,
                             (void *)records[i].value.at, records[i].value.len, key,
                             TRACE_ID_HEX_LEN, NULL) != 0)
            bench_fail("produce: %s", rd_kafka_err2str(rd_kafka_last_error()));
        floor->under_way++;
    }
    for (int silent = 0; floor->under_way > 0; silent++) {
        if (silent == SILENT_MAX)
            bench_fail("%zu records were not acknowledged", floor->under_way);
        if (rd_kafka_poll(floor->kafka, POLL_MS) > 0)
            silent = 0;
    }
}
