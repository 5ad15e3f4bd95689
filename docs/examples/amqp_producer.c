/*
 * amqp_producer URL QUEUE: sends one order to a RabbitMQ queue (made if it is not there), with
 * the context of its span in the message's headers, and prints the span.
 */
#include "amqp_connection.h"
#include "span.h"
#include "spanbridge/amqp.h"

enum { POOL_PAGE_SIZE = 4096 };

static void send_order(amqp_connection_state_t connection, const char *queue,
                       const struct spanbridge_context *context)
{
    amqp_table_entry_t own = {.key = amqp_cstring_bytes("order")};
    own.value.kind = AMQP_FIELD_KIND_I32;
    own.value.value.i32 = 7;
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG |
                                                    AMQP_BASIC_HEADERS_FLAG,
                                          .delivery_mode = AMQP_DELIVERY_PERSISTENT,
                                          .headers = {.num_entries = 1, .entries = &own}};

    /* The pool holds what is injected, until the message has been sent.  Keep one for each
     * thread that sends, and recycle_amqp_pool() it behind each message. */
    amqp_pool_t pool;
    init_amqp_pool(&pool, POOL_PAGE_SIZE);
    enum spanbridge_result result = spanbridge_amqp_inject(context, &properties.headers, &pool);
    /* A message without a context is better than no message. */
    if (result != SPANBRIDGE_OK)
        fprintf(stderr, "amqp_producer: not traced: %s\n", spanbridge_result_text(result));

    int status = amqp_basic_publish(connection, AMQP_CHANNEL, amqp_empty_bytes,
                                    amqp_cstring_bytes(queue), 0, 0, &properties,
                                    amqp_cstring_bytes("{\"order\": 7}"));
    if (status != AMQP_STATUS_OK)
        amqp_die(queue, amqp_error_string2(status));
    empty_amqp_pool(&pool);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        amqp_die("usage", "amqp_producer URL QUEUE");
    struct span span = {.service = "shop",
                        .name = "send order",
                        .kind = SPAN_PRODUCER,
                        .system = "rabbitmq",
                        .destination = argv[2],
                        .start_ns = span_now_ns()};
    /* Inside another span it would be spanbridge_start_span(&that, &span.context). */
    enum spanbridge_result result = spanbridge_start_trace(&span.context);
    if (result != SPANBRIDGE_OK)
        amqp_die("no trace", spanbridge_result_text(result));

    amqp_connection_state_t connection = amqp_open(argv[1]);
    amqp_declare(connection, argv[2]);
    send_order(connection, argv[2], &span.context);
    span_print(&span);
    amqp_close(connection);
    return 0;
}
