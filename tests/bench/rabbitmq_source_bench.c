/*
 * rabbitmq_source_bench: deliveries per second, and CPU microseconds of each, of the RabbitMQ
 * source alone.
 *
 *     rabbitmq_source_bench URL [MESSAGES [BYTES [CONSUMERS [PREFETCH]]]]
 *
 * A queue of its own, which the broker drops a minute later, is filled first.  Then it is read by
 * the source with one worker, which gives every record back and calls it finished at once.
 * What is counted is this process, both of its threads: the broker has its own.
 */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "amqp/channel.h"
#include "core/memory.h"
#include "source/sources.h"
#include "source_rabbitmq/rabbitmq.h"

enum {
    MESSAGES = 200000,
    BYTES = 1024,
    PREFETCH = 5000,
    POLLED = 256,
    LANES_MAX = 64,
    UNCONFIRMED_MAX = 10000,
    EXPIRES_MS = 60000,
    NAME_LEN = 64,
    PUBLISH_EACH = 64 /* polls between two watermarks */
};

struct bench {
    const char *url;
    char queue[NAME_LEN];
    uint64_t messages;
    size_t bytes;
    struct sources *sources;
    struct source *lanes[LANES_MAX]; /* by number; NULL: not open */
    int64_t next[LANES_MAX];
    _Atomic uint64_t seen;
    _Atomic bool ending;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "rabbitmq_source_bench: %s: %s\n", what, why);
    exit(1);
}

static void declare(struct amqp_link *link, const char *queue)
{
    amqp_table_entry_t expires = {
        .key = amqp_cstring_bytes("x-expires"),
        .value = {.kind = AMQP_FIELD_KIND_I32, .value.i32 = EXPIRES_MS}};
    const amqp_table_t arguments = {.num_entries = 1, .entries = &expires};
    const struct amqp_queue wanted = {.name = queue, .arguments = &arguments};
    if (amqp_link_open_channel(link, 1) != SB_OK ||
        amqp_link_declare_queue(link, 1, &wanted, NULL) != SB_OK ||
        amqp_link_select_confirms(link, 1) != SB_OK)
        die("queue", amqp_link_why(link));
}

/* Reads confirms until no more than so many are missing. */
static void await_confirms(struct amqp_link *link, uint64_t sent, uint64_t missing,
                           uint64_t *confirmed)
{
    while (sent - *confirmed > missing) {
        struct amqp_event event;
        if (amqp_link_next(link, NS_PER_S, &event) != SB_OK)
            die("confirms", amqp_link_why(link));
        if (event.kind == AMQP_ACK)
            *confirmed = event.multiple ? event.tag : *confirmed + 1;
    }
}

static void fill(const struct bench *bench)
{
    const struct amqp_link_options options = {
        .url = bench->url, .client_name = "bench", .clock = clock_system()};
    struct amqp_link *link = NULL;
    char why[AMQP_WHY_LEN] = "";
    uint64_t confirmed = 0;
    uint8_t *body = memory_zalloc(1, bench->bytes + 1);
    if (body == NULL || amqp_link_new(&options, &link, why) != SB_OK)
        die("URL", why);
    if (amqp_link_open(link) != SB_OK)
        die("broker", amqp_link_why(link));
    declare(link, bench->queue);
    const struct amqp_header header = {
        .name = BYTES_LITERAL("traceparent"),
        .value = BYTES_LITERAL("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")};
    const struct amqp_message message = {.routing_key = bytes_text(bench->queue),
                                         .headers = &header,
                                         .header_count = 1,
                                         .body = bytes_of(body, bench->bytes)};
    for (uint64_t sent = 1; sent <= bench->messages; sent++) {
        if (amqp_link_publish(link, 1, &message) != SB_OK)
            die("message", amqp_link_why(link));
        await_confirms(link, sent, sent == bench->messages ? 0 : UNCONFIRMED_MAX, &confirmed);
    }
    amqp_link_close(link, NS_PER_S);
    amqp_link_free(link);
    memory_free(body);
}

static void on_open(void *arg, const struct source_lane *lane)
{
    struct bench *bench = arg;
    if (lane->lane >= LANES_MAX)
        die("lanes", "too many");
    bench->lanes[lane->lane] = lane->source;
}

static void on_close(void *arg, const struct source_lane *lanes, size_t count, bool lost)
{
    (void)arg;
    (void)lanes;
    (void)count;
    (void)lost;
    die("source", "a lane was lost");
}

static void on_trouble(void *arg, const char *what, const char *text, bool fatal)
{
    (void)arg;
    (void)fatal;
    if (text != NULL)
        die(what, text);
}

static void publish(struct bench *bench)
{
    for (uint32_t i = 0; i < LANES_MAX; i++)
        if (bench->next[i] > 0)
            bench->lanes[i]->ops->publish(bench->lanes[i], 0, i, bench->next[i]);
}

static void *work(void *arg)
{
    struct bench *bench = arg;
    struct record records[POLLED];
    for (uint64_t polls = 0; !atomic_load(&bench->ending); polls++) {
        size_t count = sources_poll(bench->sources, 0, 1, records, POLLED);
        for (size_t i = 0; i < count; i++) {
            bench->next[records[i].lane] = records[i].offset + 1;
            source_record_release(&records[i]);
        }
        atomic_fetch_add(&bench->seen, count);
        if (count == 0 || polls % PUBLISH_EACH == 0)
            publish(bench);
    }
    return NULL;
}

static double cpu_s(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void start_source(struct bench *bench, const struct source_rabbitmq_topic *queue)
{
    static struct source_numbers numbers;
    static const struct source_topic topic = {.kind = SOURCE_RABBITMQ, .role = SOURCE_SPANS};
    const struct source_rabbitmq_options options = {
        .numbers = &numbers,
        .topics = &topic,
        .queues = queue,
        .topic_count = 1,
        .workers = 1,
        .client_name = "bench",
        .prefetch_bytes = 64 << 20,
        .window_wait_ns = NS_PER_S,
        .clock = clock_system(),
        .events = {
            .on_open = on_open, .on_close = on_close, .on_trouble = on_trouble, .arg = bench}};
    struct source *source;
    if (source_rabbitmq_new(&options, &source) != SB_OK ||
        sources_new(1, 1, &bench->sources) != SB_OK ||
        sources_add(bench->sources, source) != SB_OK || sources_start(bench->sources) != SB_OK)
        die("source", "not started");
}

static void measure(struct bench *bench)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, bench) != 0)
        die("worker", "no thread");
    double cpu_before = cpu_s();
    uint64_t before_ns = clock_monotonic_ns(clock_system());
    while (atomic_load(&bench->seen) < bench->messages) {
        struct pollfd wait = {.fd = sources_event_fd(bench->sources), .events = POLLIN};
        (void)poll(&wait, 1, 1);
        sources_service(bench->sources);
    }
    double wall_s = (double)(clock_monotonic_ns(clock_system()) - before_ns) / (double)NS_PER_S;
    double cpu = cpu_s() - cpu_before;
    atomic_store(&bench->ending, true);
    (void)pthread_join(thread, NULL);
    printf("%" PRIu64 " deliveries of %zu bytes: %.0f per second, %.2f us of CPU each\n",
           bench->messages, bench->bytes, (double)bench->messages / wall_s,
           cpu * 1e6 / (double)bench->messages);
}

static uint64_t argument(int argc, char **argv, int at, uint64_t otherwise)
{
    return argc > at ? strtoull(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    if (argc < 2)
        die("usage", "rabbitmq_source_bench URL [MESSAGES [BYTES [CONSUMERS [PREFETCH]]]]");
    bench.url = argv[1];
    bench.messages = argument(argc, argv, 2, MESSAGES);
    bench.bytes = (size_t)argument(argc, argv, 3, BYTES);
    (void)snprintf(bench.queue, sizeof(bench.queue), "spanbridge.bench.%ld", (long)getpid());
    const struct source_rabbitmq_topic queue = {
        .broker = {.url = bench.url},
        .queue = bench.queue,
        .consumers = (uint32_t)argument(argc, argv, 4, 1),
        .prefetch = (uint16_t)argument(argc, argv, 5, PREFETCH)};
    fill(&bench);
    start_source(&bench, &queue);
    measure(&bench);
    sources_stop_intake(bench.sources);
    sources_free(bench.sources, true);
    return 0;
}
