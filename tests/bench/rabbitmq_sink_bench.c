/*
 * rabbitmq_sink_bench: confirmed messages per second of the RabbitMQ sink, and CPU per span.
 *
 * Batches of 8192 spans, in traces of 2 spans of about 470 bytes, so that a message has about
 * 1 KB, are submitted, made into messages, published (persistent, mandatory) to the exchange
 * of a real broker, and taken back when it has confirmed them.  CPU is that of this process,
 * user and system.  Filling the batches is not counted: each is made once and sent again and
 * again.  Ends with 1 when a span was not acknowledged, or when there were fewer messages per
 * second than the bound.
 *
 *     rabbitmq_sink_bench URL EXCHANGE ROUTING_KEY [BOUND]
 *
 * tests/system/harness/rabbitmq.py runs such a broker; exchange and queue must be there.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "otlp/write.h"
#include "sink/rabbitmq.h"

enum {
    BATCHES = 4,
    ROUNDS = 15,
    SPANS = 8192,
    SPANS_PER_TRACE = 2,
    ATTRIBUTES = 10,
    NAME_LEN = 128,
    ARGUMENTS = 4
};

struct bench {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sink_batch *returned; /* locked */
};

static void die(const char *what)
{
    fprintf(stderr, "rabbitmq_sink_bench: %s\n", what);
    _Exit(1);
}

static void on_done(void *arg, struct sink_batch *batch)
{
    struct bench *bench = arg;
    pthread_mutex_lock(&bench->lock);
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

static struct sink_batch *fill(const struct otlp_envelope *envelope, uint64_t number)
{
    struct sink_batch *batch = NULL;
    if (sink_batch_new(SPANS, 64 << 20, &batch) != SB_OK)
        die("no memory");
    for (uint64_t i = 0; i < SPANS; i++) {
        uint64_t id = number * SPANS + i + SPANS_PER_TRACE;
        uint64_t trace_number = id / SPANS_PER_TRACE * UINT64_C(0x9e3779b97f4a7c15);
        struct trace_id trace = {{1}};
        memcpy(trace.byte + SPAN_ID_LEN, &trace_number, sizeof(trace_number));
        size_t at = batch->bytes.len;
        write_span(&batch->bytes, trace, id);
        batch->spans[batch->span_count++] = (struct sink_span){
            .envelope = envelope,
            .trace = trace,
            .at = (uint32_t)at,
            .len = (uint32_t)(batch->bytes.len - at),
        };
    }
    return batch;
}

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double wall_s(void)
{
    return 1e-9 * (double)clock_monotonic_ns(clock_system());
}

/* Messages per second; *ret_ns: CPU per span.  The first round warms up. */
static double measure(struct bench *bench, struct sink *sink, struct sink_batch **batches,
                      double *ret_ns)
{
    const double spans = (double)ROUNDS * BATCHES * SPANS;
    double cpu_before = 0;
    double wall_before = 0;
    for (int i = 0; i < BATCHES; i++)
        sink_submit(sink, batches[i]);
    for (int i = 0; i < BATCHES; i++)
        batches[i] = take(bench);
    cpu_before = cpu_s();
    wall_before = wall_s();
    for (int i = 0; i < BATCHES; i++)
        sink_submit(sink, batches[i]);
    /* A batch that is back goes out again at once: there is always something to send. */
    for (int left = ROUNDS * BATCHES; left > 0; left--) {
        struct sink_batch *batch = take(bench);
        if (left > BATCHES)
            sink_submit(sink, batch);
        else
            batches[left - 1] = batch;
    }
    *ret_ns = 1e9 * (cpu_s() - cpu_before) / spans;
    return spans / SPANS_PER_TRACE / (wall_s() - wall_before);
}

static struct sink *start_sink(struct bench *bench, char **arguments, struct log *log)
{
    const struct sink_rabbitmq_options options = {
        .name = "kept",
        .url = arguments[1],
        .client_name = "bench",
        .heartbeat_ns = 30 * NS_PER_S,
        .exchange = arguments[2],
        .routing_key = arguments[3],
        .persistent = true,
        .mandatory = true,
        .queue_bytes_max = SIZE_MAX,
        .in_flight_max = 4,
        .timeout_ns = 30 * NS_PER_S,
        .backoff_initial_ns = NS_PER_S,
        .backoff_max_ns = NS_PER_S,
        .seed = 1,
        .clock = clock_system(),
        .log = log,
        .on_done = on_done,
        .on_done_arg = bench,
    };
    struct sink *sink;
    if (sink_rabbitmq_new(&options, &sink) != SB_OK)
        die("the sink does not start");
    return sink;
}

int main(int argc, char **argv)
{
    if (argc < ARGUMENTS)
        die("usage: rabbitmq_sink_bench URL EXCHANGE ROUTING_KEY [BOUND]");
    double bound = argc > ARGUMENTS ? strtod(argv[ARGUMENTS], NULL) : 0;
    struct log *log = NULL;
    const struct log_options log_options = {
        .level = LOG_WARN, .fd = STDERR_FILENO, .clock = clock_system()};
    struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER,
                          .changed = PTHREAD_COND_INITIALIZER};
    const struct otlp_envelope envelope = {.resource_fields = BYTES_LITERAL("")};
    struct sink_batch *batches[BATCHES];
    for (uint64_t i = 0; i < BATCHES; i++)
        batches[i] = fill(&envelope, i);
    if (log_new(&log_options, &log) != SB_OK)
        die("no memory");
    struct sink *sink = start_sink(&bench, argv, log);
    double ns;
    double rate = measure(&bench, sink, batches, &ns);
    printf("rabbitmq sink: %.0f confirmed messages per second, %.0f ns of CPU per kept span "
           "(%d messages of %d spans, %zu bytes a span)\n",
           rate, ns, ROUNDS * BATCHES * SPANS / SPANS_PER_TRACE, SPANS_PER_TRACE,
           batches[0]->bytes.len / SPANS);
    sink->ops->stop(sink);
    sink->ops->free(sink);
    for (int i = 0; i < BATCHES; i++)
        sink_batch_free(batches[i]);
    log_free(log);
    return rate < bound ? 1 : 0;
}
