#include "rabbitmq_publisher.h"

#include <inttypes.h>

enum { PATIENCE_MS = 60000, LOOK_EVERY = 256, PERSISTENT = 2 };

void rabbitmq_publisher_open(struct rabbitmq_publisher *publisher, const char *url,
                             const char *queue)
{
    *publisher = (struct rabbitmq_publisher){.queue = queue};
    publisher->connection = bench_rabbitmq_open(url);
    bench_rabbitmq_declare(publisher->connection, queue);
    amqp_confirm_select(publisher->connection, BENCH_RABBITMQ_CHANNEL);
    bench_rabbitmq_check(publisher->connection, "confirms");
}

void rabbitmq_publisher_close(struct rabbitmq_publisher *publisher)
{
    bench_rabbitmq_close(publisher->connection);
}

/* False: no confirm came within the wait. */
static bool take_confirm(struct rabbitmq_publisher *publisher, uint32_t wait_ms)
{
    amqp_frame_t frame;
    if (!bench_rabbitmq_next(publisher->connection, wait_ms, &frame))
        return false;
    if (frame.frame_type != AMQP_FRAME_METHOD)
        bench_fail("a frame of type %u came unasked", frame.frame_type);
    if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
        bench_fail("a message was not taken: %s", amqp_method_name(frame.payload.method.id));
    const amqp_basic_ack_t *ack = frame.payload.method.decoded;
    if (!confirms_take(&publisher->confirms, ack->delivery_tag, ack->multiple))
        bench_fail("message %" PRIu64 " was confirmed, which is not out", ack->delivery_tag);
    return true;
}

static void wait_for_confirm(struct rabbitmq_publisher *publisher)
{
    if (!take_confirm(publisher, PATIENCE_MS))
        bench_fail("nothing was confirmed for %d s", PATIENCE_MS / 1000);
}

void rabbitmq_publisher_send(struct rabbitmq_publisher *publisher, struct bytes body)
{
    static const amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                                       .delivery_mode = PERSISTENT};
    /* Once full it waits for a good part, and does not go on one by one. */
    if (!confirms_has_room(&publisher->confirms))
        while (publisher->confirms.sent - publisher->confirms.done > CONFIRMS_MAX / 2)
            wait_for_confirm(publisher);
    int status = amqp_basic_publish(publisher->connection, BENCH_RABBITMQ_CHANNEL,
                                    amqp_empty_bytes, amqp_cstring_bytes(publisher->queue),
                                    /* mandatory */ 1, /* immediate */ 0, &properties,
                                    (amqp_bytes_t){body.len, (void *)body.at});
    if (status != AMQP_STATUS_OK)
        bench_fail("publishing: %s", amqp_error_string2(status));
    confirms_add(&publisher->confirms);
    if (publisher->confirms.sent % LOOK_EVERY == 0)
        while (take_confirm(publisher, 0))
            continue;
}

void rabbitmq_publisher_flush(struct rabbitmq_publisher *publisher)
{
    while (publisher->confirms.done < publisher->confirms.sent)
        wait_for_confirm(publisher);
}
