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
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "rabbitmq_publisher.h"
#include "sink/rabbitmq.h"
#include "sink_load.h"

enum { ROUNDS_MAX = 100 };

static const struct sink_load_shape shape = {.trace_spans = 2, .trace_resources = 1};

static const char usage[] = "usage: rabbitmq_sink_bench --url URL [options]\n"
                            "  --queue NAME   a quorum queue, made when missing (kept)\n"
                            "  --rounds N     of both by turns (5)\n"
                            "  --passes N     over 16384 messages, in each turn (6)\n"
                            "  --min N        messages per second; 0: not judged (0)\n"
                            "  --json         each round, as one line of JSON\n";

struct options {
    const char *url;
    const char *queue;
    uint32_t rounds;
    uint32_t passes;
    uint64_t min_per_s;
    bool json;
};

/* What one turn gave. */
struct turn {
    double per_s;  /* confirmed messages per second of wall time */
    double cpu_us; /* of this process, per message */
};

struct rounds {
    double sink_per_s[ROUNDS_MAX];
    double bare_per_s[ROUNDS_MAX];
    double sink_us[ROUNDS_MAX];
    double bare_us[ROUNDS_MAX];
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

static struct turn turn_of(double begin_s, double cpu_begin_s, uint64_t messages)
{
    return (struct turn){
        .per_s = (double)messages / (bench_now_s() - begin_s),
        .cpu_us = (bench_cpu_s() - cpu_begin_s) * 1e6 / (double)messages,
    };
}

/* Each span counts once, and each message of a pass is one. */
static void check_counters(const struct sink *sink, uint32_t passes)
{
    struct sink_counters counters;
    sink->ops->read_counters(sink, &counters);
    if (counters.spans_exported != (uint64_t)passes * SINK_LOAD_SPANS || counters.retries != 0)
        bench_fail("%" PRIu64 " spans were confirmed, %" PRIu64 " messages sent twice",
                   counters.spans_exported, counters.retries);
}

static struct turn measure_sink(const struct options *options, struct sink_load *load,
                                uint32_t messages, struct log *log)
{
    struct sink *sink = start_sink(options, load, log);
    sink_load_run(load, sink, 1);
    double cpu_begin_s = bench_cpu_s();
    double begin_s = bench_now_s();
    sink_load_run(load, sink, options->passes);
    struct turn turn = turn_of(begin_s, cpu_begin_s, (uint64_t)options->passes * messages);
    check_counters(sink, options->passes + 1);
    sink->ops->stop(sink);
    sink->ops->free(sink);
    return turn;
}

static void publish_all(struct rabbitmq_publisher *publisher,
                        const struct sink_load_record *records, uint32_t count, uint32_t passes)
{
    for (uint32_t pass = 0; pass < passes; pass++)
        for (uint32_t i = 0; i < count; i++)
            rabbitmq_publisher_send(publisher, records[i].value);
    rabbitmq_publisher_flush(publisher);
}

static struct turn measure_bare(const struct options *options,
                                const struct sink_load_record *records, uint32_t count)
{
    static struct rabbitmq_publisher publisher;
    rabbitmq_publisher_open(&publisher, options->url, options->queue);
    publish_all(&publisher, records, count, 1);
    double cpu_begin_s = bench_cpu_s();
    double begin_s = bench_now_s();
    publish_all(&publisher, records, count, options->passes);
    struct turn turn = turn_of(begin_s, cpu_begin_s, (uint64_t)options->passes * count);
    rabbitmq_publisher_close(&publisher);
    return turn;
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
                       struct rounds *ret)
{
    struct log *log;
    const struct log_options log_options = {
        .level = LOG_WARN, .fd = STDERR_FILENO, .clock = clock_system()};
    if (log_new(&log_options, &log) != SB_OK)
        bench_fail("memory is short");
    uint32_t count;
    const struct sink_load_record *records = sink_load_records(load, &count);
    const uint64_t sent = (uint64_t)(options->passes + 1) * count;
    amqp_connection_state_t connection = bench_rabbitmq_open(options->url);
    bench_rabbitmq_declare(connection, options->queue);
    empty_queue(connection, options->queue, 0);
    for (uint32_t i = 0; i < options->rounds; i++) {
        struct turn sink = measure_sink(options, load, count, log);
        empty_queue(connection, options->queue, sent);
        struct turn bare = measure_bare(options, records, count);
        empty_queue(connection, options->queue, sent);
        ret->sink_per_s[i] = sink.per_s;
        ret->sink_us[i] = sink.cpu_us;
        ret->bare_per_s[i] = bare.per_s;
        ret->bare_us[i] = bare.cpu_us;
    }
    bench_rabbitmq_close(connection);
    log_free(log);
}

static void print_json(const struct rounds *rounds, uint32_t count)
{
    printf("{");
    bench_print_values("sink_per_s", rounds->sink_per_s, count);
    printf(",");
    bench_print_values("bare_per_s", rounds->bare_per_s, count);
    printf(",");
    bench_print_values("sink_us", rounds->sink_us, count);
    printf(",");
    bench_print_values("bare_us", rounds->bare_us, count);
    printf("}\n");
}

static void print_row(const char *name, double *per_s, double *us, uint32_t count)
{
    struct bench_figure rate = bench_figure_of(per_s, count);
    struct bench_figure cpu = bench_figure_of(us, count);
    printf("  %-18s %6.0f (%.0f - %.0f) / s, %5.1f us of CPU (%.1f - %.1f)\n", name,
           rate.median, rate.least, rate.greatest, cpu.median, cpu.least, cpu.greatest);
}

static void print_text(struct rounds *rounds, uint32_t count, size_t message_bytes)
{
    printf("RabbitMQ sink, confirmed messages of %u spans (%zu bytes), %u rounds:\n",
           shape.trace_spans, message_bytes, count);
    print_row("the sink", rounds->sink_per_s, rounds->sink_us, count);
    print_row("librabbitmq alone", rounds->bare_per_s, rounds->bare_us, count);
}

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {{"url", required_argument, NULL, 'u'},
                                          {"queue", required_argument, NULL, 'q'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"passes", required_argument, NULL, 'p'},
                                          {"min", required_argument, NULL, 'm'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    struct options options = {.queue = "kept", .rounds = 5, .passes = 6};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'u')
            options.url = optarg;
        else if (option == 'q')
            options.queue = optarg;
        else if (option == 'r')
            options.rounds = (uint32_t)bench_number("--rounds", optarg, ROUNDS_MAX);
        else if (option == 'p')
            options.passes = (uint32_t)bench_number("--passes", optarg, 1u << 20);
        else if (option == 'm')
            options.min_per_s = bench_number("--min", optarg, UINT32_MAX);
        else if (option == 'j')
            options.json = true;
        else
            bench_usage("\n%s", usage);
    }
    if (options.url == NULL || optind < argc || options.rounds == 0 || options.passes == 0)
        bench_usage("\n%s", usage);
    return options;
}

int main(int argc, char **argv)
{
    /* As the service does, see src/app/run.c. */
    enum { MMAP_THRESHOLD = 32 << 20, TRIM_THRESHOLD = 256 << 20 };
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    struct options options = read_options(argc, argv);
    struct sink_load *load = sink_load_new(&shape);
    uint32_t count;
    size_t message_bytes = sink_load_records(load, &count)->value.len;
    struct rounds rounds;
    run_rounds(&options, load, &rounds);
    if (options.json)
        print_json(&rounds, options.rounds);
    else
        print_text(&rounds, options.rounds, message_bytes);
    double per_s = bench_figure_of(rounds.sink_per_s, options.rounds).median;
    sink_load_free(load);
    return options.min_per_s > 0 && per_s < (double)options.min_per_s ? 1 : 0;
}
