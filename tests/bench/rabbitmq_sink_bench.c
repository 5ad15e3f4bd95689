/*
 * rabbitmq_sink_bench: confirmed messages per second of the RabbitMQ sink alone, beside those
 * of librabbitmq alone.
 *
 * By turns, in rounds: the sink takes batches (see sink_load.h), makes messages of about 1 KB of
 * them, two spans each, and publishes them persistent and mandatory; a bare publisher publishes
 * the same messages, made before.  Both go to a quorum queue of a real broker, which is
 * emptied before each turn.  Connecting and the first pass are not counted.  Ends with 69 when
 * a message was not confirmed or is not in the queue, and with 1 when the sink is slower than
 * --min.
 */
#include <inttypes.h>
#include <stdio.h>

#include "rabbitmq_publisher.h"
#include "sink/rabbitmq.h"
#include "sink_rounds.h"

static const struct sink_load_shape shape = {.trace_spans = 2, .trace_resources = 1};

static const char usage[] = "usage: rabbitmq_sink_bench --url URL [options]\n"
                            "  --queue NAME   a quorum queue, made when missing (kept)\n"
                            "  --rounds N     of both by turns (5)\n"
                            "  --passes N     over 16384 messages, in each turn (6)\n"
                            "  --min N        messages per second; 0: not judged (0)\n"
                            "  --json         each round, as one line of JSON\n";

struct options {
    struct sink_rounds_options rounds;
    const char *url;
    const char *queue;
    uint64_t min_per_s;
};

enum {
    SINK_PER_S, /* confirmed messages per second of wall time */
    BARE_PER_S,
    SINK_US, /* CPU of this process, per message */
    BARE_US,
    SERIES
};

static struct sink *start_sink(const struct options *options, struct sink_load *load,
                               struct log *log)
{
    const struct sink_rabbitmq_options sink_options = {
        .name = "kept",
        .url = options->url,
        .client_name = "bench",
        .heartbeat_ns = 30 * NS_PER_S,
        .exchange = "",
        .routing_key = options->queue,
        .persistent = true,
        .mandatory = true,
        .queue_bytes_max = SIZE_MAX,
        .in_flight_max = SINK_LOAD_BATCHES,
        .timeout_ns = 30 * NS_PER_S,
        .backoff_initial_ns = NS_PER_S,
        .backoff_max_ns = NS_PER_S,
        .seed = 1,
        .clock = clock_system(),
        .log = log,
        .on_done = sink_load_on_done,
        .on_done_arg = load,
    };
    struct sink *sink;
    if (sink_rabbitmq_new(&sink_options, &sink) != SB_OK)
        bench_fail("the sink does not start");
    return sink;
}

static void send_bare(void *arg, const struct sink_load_record *records, uint32_t count,
                      uint32_t passes)
{
    struct rabbitmq_publisher *publisher = arg;
    for (uint32_t pass = 0; pass < passes; pass++)
        for (uint32_t i = 0; i < count; i++)
            rabbitmq_publisher_send(publisher, records[i].value);
    rabbitmq_publisher_flush(publisher);
}

/* Fails unless the queue has all messages of a turn. */
static void empty_queue(amqp_connection_state_t connection, const char *queue,
                        uint64_t expected)
{
    const amqp_queue_purge_ok_t *ok =
        amqp_queue_purge(connection, BENCH_RABBITMQ_CHANNEL, amqp_cstring_bytes(queue));
    bench_rabbitmq_check(connection, "purge");
    if (expected > 0 && ok->message_count != expected)
        bench_fail("%" PRIu64 " messages were confirmed, %" PRIu32 " are in the queue",
                   expected, ok->message_count);
}

static void run_rounds(const struct options *options, struct sink_load *load,
                       struct sink_series *series)
{
    static struct rabbitmq_publisher publisher;
    const uint32_t passes = options->rounds.passes;
    uint32_t count;
    (void)sink_load_records(load, &count);
    const double messages = (double)passes * count;
    const uint64_t sent = (uint64_t)(passes + 1) * count;
    struct log *log = sink_rounds_log_new();
    amqp_connection_state_t connection = bench_rabbitmq_open(options->url);
    bench_rabbitmq_declare(connection, options->queue);
    empty_queue(connection, options->queue, 0);
    for (uint32_t i = 0; i < options->rounds.rounds; i++) {
        struct sink *sink = start_sink(options, load, log);
        struct sink_turn own = sink_rounds_run_sink(load, sink, passes);
        empty_queue(connection, options->queue, sent);
        rabbitmq_publisher_open(&publisher, options->url, options->queue);
        struct sink_turn bare = sink_rounds_run_bare(load, passes, send_bare, &publisher);
        rabbitmq_publisher_close(&publisher);
        empty_queue(connection, options->queue, sent);
        series[SINK_PER_S].values[i] = messages / own.wall_s;
        series[BARE_PER_S].values[i] = messages / bare.wall_s;
        series[SINK_US].values[i] = own.cpu_s * 1e6 / messages;
        series[BARE_US].values[i] = bare.cpu_s * 1e6 / messages;
    }
    bench_rabbitmq_close(connection);
    log_free(log);
}

static void print_row(const char *name, double *per_s, double *us, uint32_t count)
{
    struct bench_figure rate = bench_figure_of(per_s, count);
    struct bench_figure cpu = bench_figure_of(us, count);
    printf("  %-18s %6.0f (%.0f - %.0f) / s, %5.1f us of CPU (%.1f - %.1f)\n", name,
           rate.median, rate.least, rate.greatest, cpu.median, cpu.least, cpu.greatest);
}

static void print_text(struct sink_series *series, uint32_t count, size_t message_bytes)
{
    printf("RabbitMQ sink, confirmed messages of %u spans (%zu bytes), %u rounds:\n",
           shape.trace_spans, message_bytes, count);
    print_row("the sink", series[SINK_PER_S].values, series[SINK_US].values, count);
    print_row("librabbitmq alone", series[BARE_PER_S].values, series[BARE_US].values, count);
}

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {SINK_ROUNDS_OPTIONS,
                                          {"url", required_argument, NULL, 'u'},
                                          {"queue", required_argument, NULL, 'q'},
                                          {"min", required_argument, NULL, 'm'},
                                          {0}};
    struct options options = {.queue = "kept", .rounds = {.rounds = 5, .passes = 6}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'u')
            options.url = optarg;
        else if (option == 'q')
            options.queue = optarg;
        else if (option == 'm')
            options.min_per_s = bench_number("--min", optarg, UINT32_MAX);
        else if (!sink_rounds_read_option(&options.rounds, option, optarg))
            bench_usage("\n%s", usage);
    }
    if (options.url == NULL || optind < argc || options.rounds.rounds == 0 ||
        options.rounds.passes == 0)
        bench_usage("\n%s", usage);
    return options;
}

int main(int argc, char **argv)
{
    static struct sink_series series[SERIES] = {[SINK_PER_S] = {"sink_per_s"},
                                                [BARE_PER_S] = {"bare_per_s"},
                                                [SINK_US] = {"sink_us"},
                                                [BARE_US] = {"bare_us"}};
    bench_keep_memory();
    struct options options = read_options(argc, argv);
    const uint32_t rounds = options.rounds.rounds;
    struct sink_load *load = sink_load_new(&shape);
    uint32_t count;
    size_t message_bytes = sink_load_records(load, &count)->value.len;
    run_rounds(&options, load, series);
    if (options.rounds.json)
        sink_rounds_print_json(series, SERIES, rounds);
    else
        print_text(series, rounds, message_bytes);
    double per_s = bench_figure_of(series[SINK_PER_S].values, rounds).median;
    sink_load_free(load);
    return options.min_per_s > 0 && per_s < (double)options.min_per_s ? 1 : 0;
}
