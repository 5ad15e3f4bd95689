/*
 * kafka_consumer BOOTSTRAP TOPIC [COUNT]: reads COUNT messages (1) from a Kafka topic, and prints
 * a span for each, below the span of the producer that the headers name.
 */
#include <librdkafka/rdkafka.h>
#include <stdlib.h>

#include "span.h"
#include "spanbridge/kafka.h"

enum { POLL_MS = 1000, EMPTY_POLLS_MAX = 60 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "kafka_consumer: %s: %s\n", what, why);
    exit(1);
}

static rd_kafka_t *open_consumer(const char *bootstrap, const char *topic)
{
    const char *const settings[][2] = {{"bootstrap.servers", bootstrap},
                                       {"group.id", "example"},
                                       {"auto.offset.reset", "earliest"}};
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof(why)) !=
            RD_KAFKA_CONF_OK)
            die(settings[i][0], why);
    }
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (consumer == NULL)
        die("the consumer", why);
    rd_kafka_poll_set_consumer(consumer);

    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        die(topic, rd_kafka_err2str(error));
    return consumer;
}

static void process_order(const rd_kafka_message_t *message, const char *topic)
{
    struct span span = {.service = "billing",
                        .name = "process order",
                        .kind = SPAN_CONSUMER,
                        .system = "kafka",
                        .destination = topic,
                        .start_ns = span_now_ns()};
    struct spanbridge_context producer;
    rd_kafka_headers_t *headers = NULL;
    /* Without headers it leaves NULL there, which is a message without a context. */
    (void)rd_kafka_message_headers(message, &headers);
    enum spanbridge_result result = spanbridge_kafka_extract(headers, &producer);
    if (result == SPANBRIDGE_OK) {
        span.parent = &producer;
        result = spanbridge_start_span(&producer, &span.context);
    } else {
        fprintf(stderr, "kafka_consumer: a new trace: %s\n", spanbridge_result_text(result));
        result = spanbridge_start_trace(&span.context);
    }
    /* ... the work; what it sends on is injected with span.context ... */
    if (result == SPANBRIDGE_OK)
        span_print(&span);
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4)
        die("usage", "kafka_consumer BOOTSTRAP TOPIC [COUNT]");
    long left = argc == 4 ? strtol(argv[3], NULL, 10) : 1;
    rd_kafka_t *consumer = open_consumer(argv[1], argv[2]);
    int empty_polls = 0;
    while (left > 0 && empty_polls < EMPTY_POLLS_MAX) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, POLL_MS);
        if (message == NULL) {
            empty_polls++;
            continue;
        }
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            process_order(message, argv[2]);
            left--;
        } else {
            fprintf(stderr, "kafka_consumer: %s\n", rd_kafka_message_errstr(message));
            empty_polls++;
        }
        /* The context borrowed from the message: it ends here. */
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return left > 0 ? 1 : 0;
}
