/*
 * bench_rabbitmq_consumer: the floor: takes what a RabbitMQ queue holds with librabbitmq alone,
 * frame by frame on one connection and one channel, touching every 64th byte, and acks it.
 *
 * Prefetch is that of spanbridge, and acks are as it sends them: one for many deliveries.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "bench_rabbitmq.h"

enum { SILENT_MS = 30000, CACHE_LINE = 64, PREFETCH_MAX = UINT16_MAX };

static const char usage[] =
    "usage: bench_rabbitmq_consumer --url URL --queue NAME --messages N [options]\n"
    "  --messages N    that the queue holds\n"
    "  --prefetch N    (65535)\n"
    "  --ack-every N   deliveries (1000)\n";

struct options {
    const char *url;
    const char *queue;
    uint64_t messages;
    uint16_t prefetch;
    uint32_t ack_every;
};

struct consumer {
    amqp_connection_state_t connection;
    uint64_t tag;       /* of the message that is coming */
    uint64_t body_left; /* of it */
    uint64_t messages;  /* that have come */
    uint64_t bytes;
    uint64_t touched; /* printed, so that the compiler can not leave the reading out */
};

static void touch(struct consumer *consumer, amqp_bytes_t body)
{
    const uint8_t *at = body.bytes;
    for (size_t i = 0; i < body.len; i += CACHE_LINE)
        consumer->touched += at[i];
    consumer->bytes += body.len;
}

/* True: it was the last frame of a message. */
static bool take_frame(struct consumer *consumer, const amqp_frame_t *frame)
{
    switch (frame->frame_type) {
    case AMQP_FRAME_METHOD:
        if (frame->payload.method.id != AMQP_BASIC_DELIVER_METHOD)
            bench_fail("%s came unasked", amqp_method_name(frame->payload.method.id));
        consumer->tag =
            ((const amqp_basic_deliver_t *)frame->payload.method.decoded)->delivery_tag;
        return false;
    case AMQP_FRAME_HEADER:
        consumer->body_left = frame->payload.properties.body_size;
        return consumer->body_left == 0;
    case AMQP_FRAME_BODY:
        touch(consumer, frame->payload.body_fragment);
        consumer->body_left -= frame->payload.body_fragment.len;
        return consumer->body_left == 0;
    default:
        return false;
    }
}

static void ack(struct consumer *consumer)
{
    int status = amqp_basic_ack(consumer->connection, BENCH_RABBITMQ_CHANNEL, consumer->tag,
                                /* multiple */ 1);
    if (status != AMQP_STATUS_OK)
        bench_fail("ack: %s", amqp_error_string2(status));
}

static void consume(struct consumer *consumer, const struct options *options)
{
    amqp_basic_qos(consumer->connection, BENCH_RABBITMQ_CHANNEL, 0, options->prefetch, 0);
    bench_rabbitmq_check(consumer->connection, "prefetch");
    amqp_basic_consume(consumer->connection, BENCH_RABBITMQ_CHANNEL,
                       amqp_cstring_bytes(options->queue), amqp_empty_bytes, 0, 0, 0,
                       amqp_empty_table);
    bench_rabbitmq_check(consumer->connection, "consume");
    while (consumer->messages < options->messages) {
        amqp_frame_t frame;
        if (!bench_rabbitmq_next(consumer->connection, SILENT_MS, &frame))
            bench_fail("nothing came for %d s", SILENT_MS / 1000);
        if (!take_frame(consumer, &frame))
            continue;
        consumer->messages++;
        if (consumer->messages % options->ack_every == 0 ||
            consumer->messages == options->messages)
            ack(consumer);
    }
}

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"url", required_argument, NULL, 'u'},       {"queue", required_argument, NULL, 'q'},
        {"messages", required_argument, NULL, 'n'},  {"prefetch", required_argument, NULL, 'p'},
        {"ack-every", required_argument, NULL, 'a'}, {0}};
    struct options options = {.prefetch = PREFETCH_MAX, .ack_every = 1000};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'u')
            options.url = optarg;
        else if (option == 'q')
            options.queue = optarg;
        else if (option == 'n')
            options.messages = bench_number("--messages", optarg, UINT64_MAX);
        else if (option == 'p')
            options.prefetch = (uint16_t)bench_number("--prefetch", optarg, PREFETCH_MAX);
        else if (option == 'a')
            options.ack_every = (uint32_t)bench_number("--ack-every", optarg, PREFETCH_MAX);
        else
            bench_usage("\n%s", usage);
    }
    if (options.url == NULL || options.queue == NULL || options.messages == 0 || optind < argc)
        bench_usage("\n%s", usage);
    if (options.ack_every == 0 || options.ack_every > options.prefetch)
        bench_usage("--ack-every is 1 to --prefetch");
    return options;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    double begin_s = bench_now_s();
    struct consumer consumer = {.connection = bench_rabbitmq_open(options.url)};
    consume(&consumer, &options);
    bench_rabbitmq_close(consumer.connection);
    printf("{\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"touched\":%" PRIu64
           ",\"cpu_s\":%.3f,\"wall_s\":%.3f,\"peak_bytes\":%" PRIu64 "}\n",
           consumer.messages, consumer.bytes, consumer.touched, bench_cpu_s(),
           bench_now_s() - begin_s, bench_peak_bytes());
    return 0;
}
