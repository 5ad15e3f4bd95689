/*
 * bench_consumer: the floor: reads a topic from its beginning to its end with librdkafka alone,
 * one thread, in batches, touching every 64th byte of what it reads.
 *
 * Properties and the allocator's thresholds are those of spanbridge with 64 MiB of prefetch, so
 * that the difference to spanbridge is spanbridge.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_kafka.h"

enum { BATCH = 1000, POLL_MS = 50, CACHE_LINE = 64, SILENT_MAX = 600, PROPERTIES_MAX = 16 };

static const char usage[] =
    "usage: bench_consumer --brokers HOST:PORT --topic NAME [-X NAME=VALUE]\n"
    "  --spans N    that the topic holds, to be printed with the rest\n";

struct options {
    const char *brokers;
    const char *topic;
    uint64_t spans;
    const char *properties[PROPERTIES_MAX];
    uint32_t property_count;
};

struct totals {
    uint64_t records;
    uint64_t bytes;
    uint64_t touched; /* printed, so that the compiler can not leave the reading out */
    uint32_t ended;   /* partitions */
};

static void take(struct totals *totals, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        totals->ended++;
        return;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("consume: %s", rd_kafka_message_errstr(message));
    const uint8_t *at = message->payload;
    for (size_t i = 0; i < message->len; i += CACHE_LINE)
        totals->touched += at[i];
    totals->records++;
    totals->bytes += message->len;
}

/* All partitions from their beginning to the end they have now. */
static rd_kafka_queue_t *assign_all(rd_kafka_t *kafka, const char *topic, uint32_t partitions)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)partitions);
    for (uint32_t i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, (int32_t)i)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t err = rd_kafka_assign(kafka, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("assign: %s", rd_kafka_err2str(err));
    return rd_kafka_queue_get_consumer(kafka);
}

static struct totals read_all(rd_kafka_queue_t *queue, uint32_t partitions)
{
    static rd_kafka_message_t *messages[BATCH];
    struct totals totals = {0};
    uint32_t silent = 0;
    while (totals.ended < partitions) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, POLL_MS, messages, BATCH);
        if (count < 0)
            bench_fail("consume: %s", rd_kafka_err2str(rd_kafka_last_error()));
        silent = count == 0 ? silent + 1 : 0;
        if (silent == SILENT_MAX)
            bench_fail("nothing came for %d s", SILENT_MAX * POLL_MS / 1000);
        for (ssize_t i = 0; i < count; i++) {
            take(&totals, messages[i]);
            rd_kafka_message_destroy(messages[i]);
        }
    }
    return totals;
}

static rd_kafka_conf_t *conf_of(const struct options *options)
{
    rd_kafka_conf_t *conf = bench_conf_new(options->brokers);
    bench_conf_set(conf, "group.id", "bench_consumer");
    bench_conf_set(conf, "enable.auto.commit", "false");
    bench_conf_set(conf, "enable.partition.eof", "true");
    bench_conf_set(conf, "fetch.queue.backoff.ms", "2");
    bench_conf_set(conf, "queued.min.messages", "1000000");
    bench_conf_set(conf, "isolation.level", "read_committed");
    bench_conf_set(conf, "check.crcs", "true");
    bench_conf_set(conf, "queued.max.messages.kbytes", "65536");
    bench_conf_set(conf, "fetch.max.bytes", "52428800");
    for (uint32_t i = 0; i < options->property_count; i++)
        bench_conf_set_pair(conf, options->properties[i]);
    return conf;
}

static struct totals consume(const struct options *options)
{
    rd_kafka_t *kafka = bench_kafka_new(RD_KAFKA_CONSUMER, conf_of(options));
    uint32_t partitions = bench_topic_partitions(kafka, options->topic);
    rd_kafka_queue_t *queue = assign_all(kafka, options->topic, partitions);
    struct totals totals = read_all(queue, partitions);
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(kafka);
    rd_kafka_destroy(kafka);
    return totals;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"brokers", required_argument, NULL, 'b'},
                                          {"topic", required_argument, NULL, 't'},
                                          {"spans", required_argument, NULL, 's'},
                                          {0}};
    struct options options = {0};
    int option;
    while ((option = getopt_long(argc, argv, "b:t:X:", names, NULL)) != -1) {
        if (option == 'b')
            options.brokers = optarg;
        else if (option == 't')
            options.topic = optarg;
        else if (option == 's')
            options.spans = bench_number("--spans", optarg, UINT64_MAX);
        else if (option == 'X' && options.property_count < PROPERTIES_MAX)
            options.properties[options.property_count++] = optarg;
        else
            bench_usage("\n%s", usage);
    }
    if (options.brokers == NULL || options.topic == NULL || optind < argc)
        bench_usage("\n%s", usage);

    double begin_s = bench_now_s();
    bench_keep_memory();
    struct totals totals = consume(&options);
    printf("{\"records\":%" PRIu64 ",\"spans\":%" PRIu64 ",\"bytes\":%" PRIu64
           ",\"touched\":%" PRIu64 ",\"cpu_s\":%.3f,\"wall_s\":%.3f,\"peak_bytes\":%" PRIu64
           "}\n",
           totals.records, options.spans, totals.bytes, totals.touched, bench_cpu_s(),
           bench_now_s() - begin_s, bench_peak_bytes());
    return 0;
}
