/*
 * bench_load: writes a load of docs/performance.md to a Kafka and prints as one line of JSON
 * what it wrote.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_kafka.h"
#include "load_records.h"

enum { TOPICS = 3, FLUSH_MS = 120000, POLL_EVERY = 1000, PARTITIONS_MAX = 1000 };

static const char usage[] =
    "usage: bench_load --brokers HOST:PORT --topic NAME [options]\n"
    "  --load A|B|C         records of 50 spans; keyed by trace; as A with two hops (A)\n"
    "  --traces N           of 8 spans each, a multiple of 50 (250000)\n"
    "  --seed N             (1)\n"
    "  --partitions N       of each topic it creates (4)\n"
    "  --compression NAME   none, lz4, zstd, ... (none)\n"
    "  --orders NAME        load C: topic of the first hop's messages\n"
    "  --shipments NAME     load C: topic of the second hop's messages\n"
    "  --no-create          the topics are there already\n"
    "  --dry-run            generates and counts, writes nothing\n"
    "  -X NAME=VALUE        a property of librdkafka\n";

struct options {
    const char *brokers;
    const char *topics[TOPICS]; /* by enum load_topic */
    const char *compression;
    struct load_plan plan;
    uint32_t partitions;
    bool create;
    bool dry_run;
    const char *properties[16];
    uint32_t property_count;
};

struct totals {
    uint64_t records; /* of the span topic */
    uint64_t spans;
    uint64_t messages;
    uint64_t value_bytes; /* of the span topic's records */
    uint64_t span_bytes;  /* of the encoded spans alone */
};

struct producer {
    const struct options *options;
    rd_kafka_t *kafka;
    rd_kafka_topic_t *topics[TOPICS];
    struct totals totals;
    uint64_t produced;
    uint64_t refused;
    const char *refusal;
};

static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *arg)
{
    (void)kafka;
    struct producer *producer = arg;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    producer->refused++;
    producer->refusal = rd_kafka_err2str(message->err);
}

/* An array, and not rd_kafka_producev: its macros are no ISO C, and clang says so. */
static rd_kafka_resp_err_t produce(struct producer *producer, const struct load_record *record)
{
    enum { FIELDS_MAX = 7 };
    rd_kafka_vu_t fields[FIELDS_MAX] = {{.vtype = RD_KAFKA_VTYPE_END}};
    size_t count = 0;
    fields[count].vtype = RD_KAFKA_VTYPE_RKT;
    fields[count++].u.rkt = producer->topics[record->topic];
    fields[count].vtype = RD_KAFKA_VTYPE_PARTITION;
    fields[count++].u.i32 = record->partition;
    fields[count].vtype = RD_KAFKA_VTYPE_KEY;
    fields[count].u.mem.ptr = (void *)record->key.at;
    fields[count++].u.mem.size = record->key.len;
    fields[count].vtype = RD_KAFKA_VTYPE_VALUE;
    fields[count].u.mem.ptr = (void *)record->value.at;
    fields[count++].u.mem.size = record->value.len;
    fields[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    fields[count++].u.i64 = record->time_ms;
    fields[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    fields[count++].u.i = RD_KAFKA_MSG_F_COPY;
    if (record->traceparent.len > 0) {
        fields[count].vtype = RD_KAFKA_VTYPE_HEADER;
        fields[count].u.header.name = "traceparent";
        fields[count].u.header.val = record->traceparent.at;
        fields[count++].u.header.size = (ssize_t)record->traceparent.len;
    }
    rd_kafka_error_t *error = rd_kafka_produceva(producer->kafka, fields, count);
    rd_kafka_resp_err_t err = rd_kafka_error_code(error); /* takes NULL */
    rd_kafka_error_destroy(error);
    return err;
}

static enum sb_err on_record(void *arg, const struct load_record *record)
{
    struct producer *producer = arg;
    struct totals *totals = &producer->totals;
    if (record->topic == LOAD_TOPIC_SPANS) {
        totals->records++;
        totals->spans += record->spans;
        totals->value_bytes += record->value.len;
        totals->span_bytes += record->span_bytes;
    } else {
        totals->messages++;
    }
    if (producer->kafka == NULL)
        return SB_OK;
    rd_kafka_resp_err_t err;
    while ((err = produce(producer, record)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(producer->kafka, 100);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("produce: %s", rd_kafka_err2str(err));
    if (++producer->produced % POLL_EVERY == 0)
        rd_kafka_poll(producer->kafka, 0);
    if (producer->refused > 0)
        bench_fail("a record was refused: %s", producer->refusal);
    return SB_OK;
}

static rd_kafka_topic_t *open_topic(rd_kafka_t *kafka, const char *name)
{
    char error[256];
    rd_kafka_topic_conf_t *conf = rd_kafka_topic_conf_new();
    /* As the Collector's exporter and every Java producer spread keys. */
    if (rd_kafka_topic_conf_set(conf, "partitioner", "murmur2_random", error, sizeof(error)) !=
        RD_KAFKA_CONF_OK)
        bench_fail("%s", error);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, name, conf);
    if (topic == NULL)
        bench_fail("topic %s: %s", name, rd_kafka_err2str(rd_kafka_last_error()));
    return topic;
}

static void connect_producer(struct producer *producer)
{
    const struct options *options = producer->options;
    rd_kafka_conf_t *conf = bench_conf_new(options->brokers);
    bench_conf_set(conf, "enable.idempotence",
                   "true"); /* a duplicate would be the bridge's fault */
    bench_conf_set(conf, "linger.ms", "20");
    bench_conf_set(conf, "batch.num.messages", "100000");
    bench_conf_set(conf, "batch.size", "900000");
    bench_conf_set(conf, "queue.buffering.max.messages", "400000");
    bench_conf_set(conf, "queue.buffering.max.kbytes", "262144");
    bench_conf_set(conf, "compression.codec", options->compression);
    for (uint32_t i = 0; i < options->property_count; i++)
        bench_conf_set_pair(conf, options->properties[i]);
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    producer->kafka = bench_kafka_new(RD_KAFKA_PRODUCER, conf);
    for (uint32_t i = 0; i < TOPICS; i++) {
        if (options->topics[i] == NULL)
            continue;
        if (options->create)
            bench_topic_create(producer->kafka, options->topics[i], options->partitions);
        producer->topics[i] = open_topic(producer->kafka, options->topics[i]);
    }
}

static void disconnect_producer(struct producer *producer)
{
    if (producer->kafka == NULL)
        return;
    if (rd_kafka_flush(producer->kafka, FLUSH_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail("the broker did not take everything within %d s", FLUSH_MS / 1000);
    if (producer->refused > 0)
        bench_fail("%" PRIu64 " records were refused: %s", producer->refused,
                   producer->refusal);
    for (uint32_t i = 0; i < TOPICS; i++)
        if (producer->topics[i] != NULL)
            rd_kafka_topic_destroy(producer->topics[i]);
    rd_kafka_destroy(producer->kafka);
}

static enum load_kind load_kind_of(const char *text)
{
    if (strlen(text) == 1 && text[0] >= 'A' && text[0] <= 'C')
        return (enum load_kind)(text[0] - 'A');
    bench_usage("--load is A, B or C, not \"%s\"", text);
}

static void take_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case 'b':
        options->brokers = value;
        break;
    case 't':
        options->topics[LOAD_TOPIC_SPANS] = value;
        break;
    case 'o':
        options->topics[LOAD_TOPIC_ORDERS] = value;
        break;
    case 's':
        options->topics[LOAD_TOPIC_SHIPMENTS] = value;
        break;
    case 'c':
        options->compression = value;
        break;
    case 'k':
        options->plan.kind = load_kind_of(value);
        break;
    case 'n':
        options->plan.traces = (uint32_t)bench_number("--traces", value, 1u << 30);
        break;
    case 'r':
        options->plan.seed = bench_number("--seed", value, UINT64_MAX);
        break;
    case 'C':
        options->create = false;
        break;
    case 'd':
        options->dry_run = true;
        break;
    case 'p':
        options->partitions = (uint32_t)bench_number("--partitions", value, PARTITIONS_MAX);
        break;
    case 'X':
        if (options->property_count == sizeof(options->properties) / sizeof(char *))
            bench_usage("too many -X");
        options->properties[options->property_count++] = value;
        break;
    default:
        bench_usage("\n%s", usage);
    }
}

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {{"brokers", required_argument, NULL, 'b'},
                                          {"topic", required_argument, NULL, 't'},
                                          {"load", required_argument, NULL, 'k'},
                                          {"traces", required_argument, NULL, 'n'},
                                          {"seed", required_argument, NULL, 'r'},
                                          {"partitions", required_argument, NULL, 'p'},
                                          {"orders", required_argument, NULL, 'o'},
                                          {"shipments", required_argument, NULL, 's'},
                                          {"no-create", no_argument, NULL, 'C'},
                                          {"dry-run", no_argument, NULL, 'd'},
                                          {"compression", required_argument, NULL, 'c'},
                                          {0}};
    struct options options = {.plan = {.kind = LOAD_A, .seed = 1, .traces = 250000},
                              .partitions = 4,
                              .compression = "none",
                              .create = true};
    int option;
    while ((option = getopt_long(argc, argv, "b:t:X:", names, NULL)) != -1)
        take_option(&options, option, optarg);
    if (optind < argc)
        bench_usage("unexpected \"%s\"", argv[optind]);
    bool messages = options.topics[LOAD_TOPIC_ORDERS] && options.topics[LOAD_TOPIC_SHIPMENTS];
    if (!options.dry_run && (options.brokers == NULL || options.topics[0] == NULL))
        bench_usage("--brokers and --topic are needed");
    if (!options.dry_run && options.plan.kind == LOAD_C && !messages)
        bench_usage("load C needs --orders and --shipments");
    return options;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    struct producer producer = {.options = &options};
    double begin_s = bench_now_s();
    if (!options.dry_run)
        connect_producer(&producer);
    enum sb_err err = load_generate(&options.plan, options.partitions, on_record, &producer);
    if (err == SB_ERR_INPUT)
        bench_usage("--traces must be a multiple of %d", LOAD_TRACES_PER_BLOCK);
    if (err != SB_OK)
        bench_fail("generate: %s", sb_err_text(err));
    disconnect_producer(&producer);
    const struct totals *totals = &producer.totals;
    printf("{\"load\":\"%c\",\"seed\":%" PRIu64 ",\"traces\":%" PRIu32 ",\"spans\":%" PRIu64
           ",\"records\":%" PRIu64 ",\"messages\":%" PRIu64 ",\"value_bytes\":%" PRIu64
           ",\"span_bytes\":%" PRIu64 ",\"wall_s\":%.3f,\"cpu_s\":%.3f}\n",
           "ABC"[options.plan.kind], options.plan.seed, options.plan.traces, totals->spans,
           totals->records, totals->messages, totals->value_bytes, totals->span_bytes,
           bench_now_s() - begin_s, bench_cpu_s());
    return 0;
}
