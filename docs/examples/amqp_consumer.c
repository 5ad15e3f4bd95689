/*
 * amqp_consumer URL QUEUE [COUNT]: reads COUNT messages (1) from a RabbitMQ queue (made if it is
 * not there), and prints a span for each, below the span of the producer that the headers name.
 */
#include "amqp_connection.h"
#include "span.h"
#include "spanbridge/amqp.h"

enum { PATIENCE_S = 60 };

static void process_order(const amqp_basic_properties_t *properties, const char *queue)
{
    struct span span = {.service = "billing",
                        .name = "process order",
                        .kind = SPAN_CONSUMER,
                        .system = "rabbitmq",
                        .destination = queue,
                        .start_ns = span_now_ns()};
    struct spanbridge_context producer;
    /* Without the flag there is nothing in properties->headers; NULL is no headers. */
    const amqp_table_t *headers =
        properties->_flags & AMQP_BASIC_HEADERS_FLAG ? &properties->headers : NULL;
    enum spanbridge_result result = spanbridge_amqp_extract(headers, &producer);
    if (result == SPANBRIDGE_OK) {
        span.parent = &producer;
        result = spanbridge_start_span(&producer, &span.context);
    } else {
        fprintf(stderr, "amqp_consumer: a new trace: %s\n", spanbridge_result_text(result));
        result = spanbridge_start_trace(&span.context);
    }
    /* ... the work; what it sends on is injected with span.context ... */
    if (result == SPANBRIDGE_OK)
        span_print(&span);
}

static void consume_one(amqp_connection_state_t connection, const char *queue)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    amqp_envelope_t envelope;
    amqp_maybe_release_buffers(connection);
    amqp_check(queue, amqp_consume_message(connection, &envelope, &patience, 0));
    process_order(&envelope.message.properties, queue);
    amqp_basic_ack(connection, AMQP_CHANNEL, envelope.delivery_tag, 0);
    /* The context borrowed from the envelope: it ends here. */
    amqp_destroy_envelope(&envelope);
}

int main(int argc, char **argv)
{
    enum { NO_LOCAL = 0, NO_ACK = 0, EXCLUSIVE = 0 };
    if (argc != 3 && argc != 4)
        amqp_die("usage", "amqp_consumer URL QUEUE [COUNT]");
    long count = argc == 4 ? strtol(argv[3], NULL, 10) : 1;
    amqp_connection_state_t connection = amqp_open(argv[1]);
    amqp_declare(connection, argv[2]);
    amqp_basic_qos(connection, AMQP_CHANNEL, 0, 1, 0); /* take no more than is asked for */
    amqp_check("prefetch", amqp_get_rpc_reply(connection));
    amqp_basic_consume(connection, AMQP_CHANNEL, amqp_cstring_bytes(argv[2]), amqp_empty_bytes,
                       NO_LOCAL, NO_ACK, EXCLUSIVE, amqp_empty_table);
    amqp_check(argv[2], amqp_get_rpc_reply(connection));
    for (long i = 0; i < count; i++)
        consume_one(connection, argv[2]);
    amqp_close(connection);
    return 0;
}
