/*
 * kafka_sink_bench: CPU nanoseconds per kept span of the Kafka sink alone.
 *
 * Batches of 8192 spans of about 470 bytes, in traces of 8 spans under 5 resources of some 200
 * bytes, as the load of docs/performance.md has them, are submitted, made into records, sent
 * to librdkafka's mock cluster, and taken back with their acknowledgements.  The cluster runs
 * in a process of its own, so what is counted (user and system of this process, librdkafka's
 * threads included) is what the sink costs.  Filling the batches is not counted: each is made
 * once and sent again and again.  Ends with 1 when a span was not acknowledged, or when the
 * figure is above the bound given as the first argument (0: none).  Further arguments are
 * properties of librdkafka, each a name and a value.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otlp/write.h"
#include "sink/kafka.h"

enum {
    BATCHES = 4,
    ROUNDS = 100,
    SPANS = 8192,
    SPANS_PER_TRACE = 8,
    RESOURCES = 5,
    ATTRIBUTES = 10,
    NAME_LEN = 128,
    PARTITIONS = 4,
    PROPERTIES_MAX = 8
};

struct bench {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sink_batch *returned; /* locked */
    double own_ns;               /* locked: of the sink's thread, so far */
};

static void die(const char *what)
{
    fprintf(stderr, "kafka_sink_bench: %s\n", what);
    _Exit(1);
}

static void on_done(void *arg, struct sink_batch *batch)
{
    struct bench *bench = arg;
    struct timespec own;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
    pthread_mutex_lock(&bench->lock);
    bench->own_ns = 1e9 * (double)own.tv_sec + (double)own.tv_nsec;
    batch->item.next = (struct mailbox_item *)bench->returned;
    bench->returned = batch;
    pthread_cond_signal(&bench->changed);
    pthread_mutex_unlock(&bench->lock);
}

static struct sink_batch *take(struct bench *bench)
{
    pthread_mutex_lock(&bench->lock);
    while (bench->returned == NULL)
        pthread_cond_wait(&bench->changed, &bench->lock);
    struct sink_batch *batch = bench->returned;
    bench->returned = (struct sink_batch *)batch->item.next;
    pthread_mutex_unlock(&bench->lock);
    for (uint32_t i = 0; i < batch->span_count; i++)
        if (batch->spans[i].outcome != SINK_EXPORTED)
            die("a span was not acknowledged");
    return batch;
}

static void write_resource(struct text *out, int number)
{
    enum { RESOURCE = 1, ATTRIBUTE = 1 };
    struct text fields;
    char name[NAME_LEN];
    text_init(&fields, 1 << 16);
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof(name), "resource.attribute.%d", i);
        otlp_write_string_attribute(&fields, ATTRIBUTE, bytes_text(name),
                                    bytes_text(number % 2 == 0 ? "checkout" : "warehouse"));
    }
    otlp_write_bytes_field(out, RESOURCE, text_bytes(&fields));
    text_clear(&fields);
}

static void write_span(struct text *out, struct trace_id trace, uint64_t id)
{
    char key[NAME_LEN];
    otlp_patch_trace_id(out, trace);
    otlp_write_bytes_field(out, OTLP_SPAN_SPAN_ID, bytes_of(&id, SPAN_ID_LEN));
    otlp_write_bytes_field(out, OTLP_SPAN_PARENT_ID, bytes_of(&id, SPAN_ID_LEN));
    otlp_write_bytes_field(out, OTLP_SPAN_NAME, BYTES_LITERAL("POST /api/checkout"));
    otlp_write_fixed64_field(out, OTLP_SPAN_START, id);
    otlp_write_fixed64_field(out, OTLP_SPAN_END, id + 1);
    for (int i = 0; i < ATTRIBUTES; i++) {
        snprintf(key, sizeof(key), "attribute.number.%d", i);
        otlp_write_string_attribute(out, OTLP_SPAN_ATTRIBUTES, bytes_text(key),
                                    BYTES_LITERAL("the.value"));
    }
}

static struct sink_batch *fill(const struct otlp_envelope *envelopes, uint64_t number)
{
    struct sink_batch *batch = NULL;
    if (sink_batch_new(SPANS, 64 << 20, &batch) != SB_OK)
        die("no memory");
    for (uint64_t i = 0; i < SPANS; i++) {
        uint64_t id = number * SPANS + i + 1;
        uint64_t trace_number = id / SPANS_PER_TRACE * UINT64_C(0x9e3779b97f4a7c15);
        struct trace_id trace = {{1}};
        memcpy(trace.byte + SPAN_ID_LEN, &trace_number, sizeof(trace_number));
        size_t at = batch->bytes.len;
        write_span(&batch->bytes, trace, id);
        batch->spans[batch->span_count++] = (struct sink_span){
            .envelope = &envelopes[i % RESOURCES],
            .trace = trace,
            .at = (uint32_t)at,
            .len = (uint32_t)(batch->bytes.len - at),
        };
    }
    return batch;
}

/* In a process of its own: writes its address to `fd`, and waits for its end. */
static void run_cluster(int fd)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why));
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (rk == NULL)
        die(why);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(rk);
    rd_kafka_mock_topic_create(cluster, "kept", PARTITIONS, 1);
    const char *bootstrap = rd_kafka_mock_cluster_bootstraps(cluster);
    if (write(fd, bootstrap, strlen(bootstrap)) < 0)
        die("the pipe is gone");
    close(fd);
    for (;;)
        pause();
}

static pid_t start_cluster(char *ret_bootstrap, size_t room)
{
    int fds[2];
    if (pipe(fds) != 0)
        die("no pipe");
    pid_t child = fork();
    if (child < 0)
        die("no process");
    if (child == 0)
        run_cluster(fds[1]);
    close(fds[1]);
    size_t len = 0;
    ssize_t got;
    while ((got = read(fds[0], ret_bootstrap + len, room - 1 - len)) > 0)
        len += (size_t)got;
    ret_bootstrap[len] = '\0';
    close(fds[0]);
    return child;
}

static double cpu_ns(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return 1e9 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e3 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* Per span; *ret_own: of the sink's own thread alone. */
static double measure(struct bench *bench, struct sink *sink, struct sink_batch **batches,
                      double *ret_own)
{
    const double spans = (double)ROUNDS * BATCHES * SPANS;
    double before = 0;
    double own_before = 0;
    /* The first round warms up: connections, buffers, the producer's id. */
    for (int round = 0; round < ROUNDS + 1; round++) {
        if (round == 1) {
            before = cpu_ns();
            own_before = bench->own_ns;
        }
        for (int i = 0; i < BATCHES; i++)
            sink_submit(sink, batches[i]);
        for (int i = 0; i < BATCHES; i++)
            batches[i] = take(bench);
    }
    *ret_own = (bench->own_ns - own_before) / spans;
    return (cpu_ns() - before) / spans;
}

static void make_envelopes(struct text *resources, struct otlp_envelope *ret)
{
    for (int i = 0; i < RESOURCES; i++) {
        text_init(&resources[i], 1 << 16);
        write_resource(&resources[i], i);
        ret[i] = (struct otlp_envelope){.resource_fields = text_bytes(&resources[i])};
    }
}

static struct sink *start_sink(struct bench *bench, const char *bootstrap, struct log *log,
                               char **properties, int count)
{
    static struct sink_kafka_property list[PROPERTIES_MAX];
    struct sink_kafka_options options = {
        .name = "kept",
        .bootstrap = bootstrap,
        .client_id = "bench",
        .properties = list,
        .topic = "kept",
        .queue_bytes_max = SIZE_MAX,
        .in_flight_max = 4,
        .backoff_initial_ns = NS_PER_S,
        .backoff_max_ns = NS_PER_S,
        .seed = 1,
        .clock = clock_system(),
        .log = log,
        .on_done = on_done,
        .on_done_arg = bench,
    };
    for (int i = 0; i + 1 < count && options.property_count < PROPERTIES_MAX; i += 2)
        list[options.property_count++] =
            (struct sink_kafka_property){properties[i], properties[i + 1]};
    struct sink *sink;
    if (sink_kafka_new(&options, &sink) != SB_OK)
        die("the sink does not start");
    return sink;
}

int main(int argc, char **argv)
{
    /* As the service does, see src/app/run.c. */
    enum { MMAP_THRESHOLD = 32 << 20, TRIM_THRESHOLD = 256 << 20 };
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    double bound = argc > 1 ? strtod(argv[1], NULL) : 0;
    char bootstrap[NAME_LEN];
    pid_t cluster = start_cluster(bootstrap, sizeof(bootstrap));
    struct log *log = NULL;
    const struct log_options log_options = {
        .level = LOG_WARN, .fd = STDERR_FILENO, .clock = clock_system()};
    struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER,
                          .changed = PTHREAD_COND_INITIALIZER};
    struct text resources[RESOURCES];
    struct otlp_envelope envelopes[RESOURCES];
    struct sink_batch *batches[BATCHES];
    make_envelopes(resources, envelopes);
    for (uint64_t i = 0; i < BATCHES; i++)
        batches[i] = fill(envelopes, i);
    if (log_new(&log_options, &log) != SB_OK)
        die("no memory");
    struct sink *sink = start_sink(&bench, bootstrap, log, argv + 2, argc - 2);
    double own_ns;
    double ns = measure(&bench, sink, batches, &own_ns);
    printf("kafka sink: %.0f ns of CPU per kept span, %.0f of them in the sink's own thread "
           "(%d spans of %zu bytes, %d a record)\n",
           ns, own_ns, ROUNDS * BATCHES * SPANS, batches[0]->bytes.len / SPANS,
           SPANS_PER_TRACE);
    sink->ops->stop(sink);
    sink->ops->free(sink);
    for (int i = 0; i < BATCHES; i++)
        sink_batch_free(batches[i]);
    for (int i = 0; i < RESOURCES; i++)
        text_clear(&resources[i]);
    log_free(log);
    kill(cluster, SIGKILL);
    waitpid(cluster, NULL, 0);
    return bound > 0 && ns > bound ? 1 : 0;
}
