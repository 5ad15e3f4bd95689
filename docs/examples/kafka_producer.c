/*
 * kafka_producer BOOTSTRAP TOPIC: sends one order to a Kafka topic, with the context of its span
 * in the message's headers, and prints the span.
 */
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "span.h"
#include "spanbridge/kafka.h"

enum { PATIENCE_MS = 30000 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "kafka_producer: %s: %s\n", what, why);
    exit(1);
}

/* Librdkafka calls it in rd_kafka_flush: `opaque` is what the message was produced with. */
static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *arg)
{
    rd_kafka_resp_err_t *delivered = message->_private;
    (void)producer;
    (void)arg;
    *delivered = message->err;
}

static rd_kafka_t *open_producer(const char *bootstrap)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, why, sizeof(why)) !=
        RD_KAFKA_CONF_OK)
        die("bootstrap.servers", why);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (producer == NULL)
        die("the producer", why);
    return producer;
}

static void send_order(rd_kafka_t *producer, const char *topic,
                       const struct spanbridge_context *context)
{
    static char order[] = "{\"order\": 7}";
    rd_kafka_resp_err_t delivered = RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
    enum spanbridge_result result = spanbridge_kafka_inject(context, headers);
    /* A message without a context is better than no message. */
    if (result != SPANBRIDGE_OK)
        fprintf(stderr, "kafka_producer: not traced: %s\n", spanbridge_result_text(result));

    rd_kafka_resp_err_t error = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_VALUE(order, strlen(order)),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(&delivered), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_headers_destroy(headers); /* on success they are librdkafka's */
        die(topic, rd_kafka_err2str(error));
    }
    rd_kafka_flush(producer, PATIENCE_MS);
    if (delivered != RD_KAFKA_RESP_ERR_NO_ERROR)
        die(topic, rd_kafka_err2str(delivered));
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage", "kafka_producer BOOTSTRAP TOPIC");
    struct span span = {.service = "shop",
                        .name = "send order",
                        .kind = SPAN_PRODUCER,
                        .system = "kafka",
                        .destination = argv[2],
                        .start_ns = span_now_ns()};
    /* Inside another span it would be spanbridge_start_span(&that, &span.context). */
    enum spanbridge_result result = spanbridge_start_trace(&span.context);
    if (result != SPANBRIDGE_OK)
        die("no trace", spanbridge_result_text(result));

    rd_kafka_t *producer = open_producer(argv[1]);
    send_order(producer, argv[2], &span.context);
    span_print(&span);
    rd_kafka_destroy(producer);
    return 0;
}
