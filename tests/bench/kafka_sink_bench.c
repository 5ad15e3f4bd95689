/*
 * kafka_sink_bench: CPU nanoseconds per kept span of the Kafka sink alone, beside those of
 * librdkafka alone.
 *
 * By turns, in rounds: the sink takes batches (see sink_load.h), makes records of them and
 * sends them; a bare producer sends the same records, made before.  Both write to librdkafka's
 * mock cluster, which runs in a process of its own, so what is counted (user and system of this
 * process, the library's threads included) is theirs.  Connecting and the first pass are not
 * counted.  What the sink itself costs is the difference within a round.  Ends with 69 when a
 * span was not acknowledged, and with 1 when the difference is above --max.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_kafka.h"
#include "kafka_sink_floor.h"
#include "sink/kafka.h"
#include "sink_rounds.h"

enum { PARTITIONS = 4, PROPERTIES_MAX = 8, BOOTSTRAP_LEN = 128 };

static const char topic[] = "kept";
static const struct sink_load_shape shape = {.trace_spans = 8, .trace_resources = 5};

static const char usage[] =
    "usage: kafka_sink_bench [options]\n"
    "  --rounds N      of both by turns (5)\n"
    "  --passes N      over 32768 spans, in each turn (100)\n"
    "  --max NS        of the sink itself, per span; 0: not judged (0)\n"
    "  --json          each round, as one line of JSON\n"
    "  -X NAME=VALUE   a property of librdkafka, for both\n";

struct options {
    struct sink_rounds_options rounds;
    uint64_t max_ns;
    const char *properties[PROPERTIES_MAX];
    uint32_t property_count;
};

/* CPU nanoseconds per span. */
enum {
    SINK,
    THREAD, /* of these, in the sink's own thread */
    BARE,
    ITSELF, /* SINK - BARE: in texts alone */
    SERIES
};

/* In a process of its own: writes its address to `fd`, and waits for its end. */
static _Noreturn void run_cluster(int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bench_conf_set(conf, "test.mock.num.brokers", "1");
    bench_conf_set(conf, "log_level", "3");
    rd_kafka_t *kafka = bench_kafka_new(RD_KAFKA_PRODUCER, conf);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(kafka);
    rd_kafka_mock_topic_create(cluster, topic, PARTITIONS, 1);
    const char *bootstrap = rd_kafka_mock_cluster_bootstraps(cluster);
    if (write(fd, bootstrap, strlen(bootstrap)) < 0)
        bench_fail("the pipe is gone");
    close(fd);
    for (;;)
        pause();
}

static pid_t start_cluster(char *ret_bootstrap, size_t room)
{
    int fds[2];
    if (pipe(fds) != 0)
        bench_fail("no pipe");
    pid_t child = fork();
    if (child < 0)
        bench_fail("no process");
    if (child == 0)
        run_cluster(fds[1]);
    close(fds[1]);
    size_t len = 0;
    ssize_t got;
    while ((got = read(fds[0], ret_bootstrap + len, room - 1 - len)) > 0)
        len += (size_t)got;
    ret_bootstrap[len] = '\0';
    close(fds[0]);
    if (len == 0)
        bench_fail("no cluster");
    return child;
}

static struct sink *start_sink(const struct options *options, const char *bootstrap,
                               struct sink_load *load, struct log *log)
{
    static char names[PROPERTIES_MAX][BOOTSTRAP_LEN];
    static struct sink_kafka_property properties[PROPERTIES_MAX];
    for (uint32_t i = 0; i < options->property_count; i++) {
        const char *equals = strchr(options->properties[i], '=');
        if (equals == NULL)
            bench_usage("-X takes name=value, not \"%s\"", options->properties[i]);
        snprintf(names[i], sizeof(names[i]), "%.*s", (int)(equals - options->properties[i]),
                 options->properties[i]);
        properties[i] = (struct sink_kafka_property){names[i], equals + 1};
    }
    const struct sink_kafka_options sink_options = {
        .name = topic,
        .bootstrap = bootstrap,
        .client_id = "bench",
        .properties = properties,
        .property_count = options->property_count,
        .topic = topic,
        .queue_bytes_max = SIZE_MAX,
        .in_flight_max = SINK_LOAD_BATCHES,
        .backoff_initial_ns = NS_PER_S,
        .backoff_max_ns = NS_PER_S,
        .seed = 1,
        .clock = clock_system(),
        .log = log,
        .on_done = sink_load_on_done,
        .on_done_arg = load,
    };
    struct sink *sink;
    if (sink_kafka_new(&sink_options, &sink) != SB_OK)
        bench_fail("the sink does not start");
    return sink;
}

static void send_bare(void *arg, const struct sink_load_record *records, uint32_t count,
                      uint32_t passes)
{
    for (uint32_t i = 0; i < passes; i++)
        kafka_sink_floor_pass(arg, records, count);
}

static void run_rounds(const struct options *options, const char *bootstrap,
                       struct sink_load *load, struct sink_series *series)
{
    const uint32_t passes = options->rounds.passes;
    const double per_span = 1e9 / ((double)passes * SINK_LOAD_SPANS);
    struct log *log = sink_rounds_log_new();
    for (uint32_t i = 0; i < options->rounds.rounds; i++) {
        struct sink *sink = start_sink(options, bootstrap, load, log);
        struct sink_turn own = sink_rounds_run_sink(load, sink, passes);
        struct kafka_sink_floor *floor = kafka_sink_floor_new(
            bootstrap, topic, options->properties, options->property_count);
        struct sink_turn bare = sink_rounds_run_bare(load, passes, send_bare, floor);
        kafka_sink_floor_free(floor);
        series[SINK].values[i] = own.cpu_s * per_span;
        series[THREAD].values[i] = own.thread_s * per_span;
        series[BARE].values[i] = bare.cpu_s * per_span;
        series[ITSELF].values[i] = series[SINK].values[i] - series[BARE].values[i];
    }
    log_free(log);
}

static void print_figure(const char *name, double *values, uint32_t count)
{
    struct bench_figure figure = bench_figure_of(values, count);
    printf("  %-28s %5.0f (%.0f - %.0f)\n", name, figure.median, figure.least, figure.greatest);
}

static void print_text(struct sink_series *series, uint32_t count, size_t span_bytes)
{
    printf("Kafka sink, ns of CPU per kept span (%zu bytes, %u a record), %u rounds:\n",
           span_bytes, shape.trace_spans, count);
    print_figure("sink and librdkafka", series[SINK].values, count);
    print_figure("  of these in its thread", series[THREAD].values, count);
    print_figure("librdkafka alone", series[BARE].values, count);
    print_figure("the sink itself", series[ITSELF].values, count);
}

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {
        SINK_ROUNDS_OPTIONS, {"max", required_argument, NULL, 'm'}, {0}};
    struct options options = {.rounds = {.rounds = 5, .passes = 100}};
    int option;
    while ((option = getopt_long(argc, argv, "X:", names, NULL)) != -1) {
        if (option == 'm')
            options.max_ns = bench_number("--max", optarg, UINT32_MAX);
        else if (option == 'X' && options.property_count < PROPERTIES_MAX)
            options.properties[options.property_count++] = optarg;
        else if (!sink_rounds_read_option(&options.rounds, option, optarg))
            bench_usage("\n%s", usage);
    }
    if (optind < argc || options.rounds.rounds == 0 || options.rounds.passes == 0)
        bench_usage("\n%s", usage);
    return options;
}

int main(int argc, char **argv)
{
    static struct sink_series series[SERIES] = {
        [SINK] = {"sink_ns"}, [THREAD] = {"thread_ns"}, [BARE] = {"bare_ns"}};
    bench_keep_memory();
    struct options options = read_options(argc, argv);
    const uint32_t rounds = options.rounds.rounds;
    char bootstrap[BOOTSTRAP_LEN];
    pid_t cluster = start_cluster(bootstrap, sizeof(bootstrap));
    struct sink_load *load = sink_load_new(&shape);
    run_rounds(&options, bootstrap, load, series);
    if (options.rounds.json)
        sink_rounds_print_json(series, ITSELF, rounds);
    else
        print_text(series, rounds, sink_load_span_bytes(load));
    double itself_ns = bench_figure_of(series[ITSELF].values, rounds).median;
    sink_load_free(load);
    kill(cluster, SIGKILL);
    waitpid(cluster, NULL, 0);
    return options.max_ns > 0 && itself_ns > (double)options.max_ns ? 1 : 0;
}
