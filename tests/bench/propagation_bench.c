/*
 * propagation_bench: CPU nanoseconds of one extract and one inject of libspanbridge, for each
 * carrier, on a message of six headers with a context among them.
 *
 *     propagation_bench [MESSAGES]
 *
 * Beside each inject stands what the carrier alone takes: the same headers removed and added by
 * the client library's own functions.  Ends with 1 when a context came back as another.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spanbridge/amqp.h"
#include "spanbridge/kafka.h"

enum { MESSAGES_DEFAULT = 2000000, ROUNDS = 5, POOL_PAGE_SIZE = 4096 };

#define PARENT "00-0123456789abcdef0123456789abcdef-1111111111111111-01"
#define STATE  "ot=th:8;rv:0123456789abcd,vendor=t61rcWkgMzE"

static const char *const others[] = {"content-type", "message-type", "order-id", "tenant"};
enum { OTHERS = sizeof(others) / sizeof(others[0]) };

/* What all cases work on; `work` does it `count` times and adds up something of each. */
struct bench {
    struct spanbridge_context context;
    rd_kafka_headers_t *kafka;
    amqp_table_t table;
    amqp_pool_t pool;
    uint64_t sum;
};

static void die(const char *what)
{
    fprintf(stderr, "propagation_bench: %s\n", what);
    _Exit(1);
}

static double cpu_ns(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0)
        die("no clock");
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void parse(struct bench *bench, size_t count)
{
    struct spanbridge_context context;
    for (size_t i = 0; i < count; i++) {
        if (spanbridge_parse_traceparent(PARENT, strlen(PARENT), &context) != SPANBRIDGE_OK)
            die("parse");
        bench->sum += context.span_id[0];
    }
}

static void format(struct bench *bench, size_t count)
{
    char text[SPANBRIDGE_TRACEPARENT_LEN + 1];
    for (size_t i = 0; i < count; i++) {
        spanbridge_format_traceparent(&bench->context, text);
        bench->sum += (uint64_t)text[i % SPANBRIDGE_TRACEPARENT_LEN];
    }
}

/* One system call each: the figure is mostly the kernel's. */
static void start_span(struct bench *bench, size_t count)
{
    struct spanbridge_context context;
    for (size_t i = 0; i < count; i++) {
        if (spanbridge_start_span(&bench->context, &context) != SPANBRIDGE_OK)
            die("no random numbers");
        bench->sum += context.span_id[0];
    }
}

static void kafka_extract(struct bench *bench, size_t count)
{
    struct spanbridge_context context;
    for (size_t i = 0; i < count; i++) {
        if (spanbridge_kafka_extract(bench->kafka, &context) != SPANBRIDGE_OK)
            die("extract from Kafka");
        bench->sum += context.span_id[0] + context.tracestate_len;
    }
}

static void kafka_inject(struct bench *bench, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (spanbridge_kafka_inject(&bench->context, bench->kafka) != SPANBRIDGE_OK)
            die("inject into Kafka");
}

static void kafka_alone(struct bench *bench, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rd_kafka_header_remove(bench->kafka, "tracestate");
        rd_kafka_header_remove(bench->kafka, "traceparent");
        rd_kafka_header_add(bench->kafka, "traceparent", 11, PARENT, 55);
        rd_kafka_header_add(bench->kafka, "tracestate", 10, STATE, sizeof(STATE) - 1);
    }
}

static void amqp_extract(struct bench *bench, size_t count)
{
    struct spanbridge_context context;
    for (size_t i = 0; i < count; i++) {
        if (spanbridge_amqp_extract(&bench->table, &context) != SPANBRIDGE_OK)
            die("extract from AMQP");
        bench->sum += context.span_id[0] + context.tracestate_len;
    }
}

/* As a producer does it: the same table again for each message, the pool recycled behind it. */
static void amqp_inject(struct bench *bench, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        amqp_table_t table = bench->table;
        if (spanbridge_amqp_inject(&bench->context, &table, &bench->pool) != SPANBRIDGE_OK)
            die("inject into AMQP");
        bench->sum += (uint64_t)table.num_entries;
        recycle_amqp_pool(&bench->pool);
    }
}

static void amqp_alone(struct bench *bench, size_t count)
{
    enum { ENTRIES = OTHERS + 2 };
    for (size_t i = 0; i < count; i++) {
        amqp_bytes_t text;
        amqp_table_entry_t *entries =
            amqp_pool_alloc(&bench->pool, (ENTRIES + 2) * sizeof(*entries));
        memcpy(entries, bench->table.entries, ENTRIES * sizeof(*entries));
        amqp_pool_alloc_bytes(&bench->pool, 11, &text);
        memcpy(text.bytes, "traceparent", 11);
        amqp_pool_alloc_bytes(&bench->pool, 55, &text);
        memcpy(text.bytes, PARENT, 55);
        amqp_pool_alloc_bytes(&bench->pool, 10, &text);
        memcpy(text.bytes, "tracestate", 10);
        amqp_pool_alloc_bytes(&bench->pool, sizeof(STATE) - 1, &text);
        memcpy(text.bytes, STATE, sizeof(STATE) - 1);
        bench->sum += (uint64_t)entries[i % ENTRIES].key.len + text.len;
        recycle_amqp_pool(&bench->pool);
    }
}

static void fill(struct bench *bench)
{
    static amqp_table_entry_t entries[OTHERS + 2];
    bench->table.entries = entries;
    for (int i = 0; i < OTHERS; i++) {
        rd_kafka_header_add(bench->kafka, others[i], -1, "some value", -1);
        entries[i].key = amqp_cstring_bytes(others[i]);
        entries[i].value.kind = AMQP_FIELD_KIND_I64;
    }
    bench->table.num_entries = OTHERS;
    if (spanbridge_kafka_inject(&bench->context, bench->kafka) != SPANBRIDGE_OK)
        die("inject into Kafka");
    static amqp_pool_t keep;
    init_amqp_pool(&keep, POOL_PAGE_SIZE);
    if (spanbridge_amqp_inject(&bench->context, &bench->table, &keep) != SPANBRIDGE_OK)
        die("inject into AMQP");
}

/* The best of some rounds: others use the machine, too. */
static void measure(const char *name, void (*work)(struct bench *, size_t), struct bench *bench,
                    size_t count)
{
    double best = 0;
    work(bench, count / 10 + 1);
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        work(bench, count);
        double each = (cpu_ns() - start) / (double)count;
        if (round == 0 || each < best)
            best = each;
    }
    printf("%-34s %7.1f ns\n", name, best);
}

static void check(const struct spanbridge_context *expected,
                  const struct spanbridge_context *found)
{
    if (memcmp(expected->trace_id, found->trace_id, sizeof(found->trace_id)) != 0 ||
        memcmp(expected->span_id, found->span_id, sizeof(found->span_id)) != 0 ||
        expected->flags != found->flags || found->tracestate_len != expected->tracestate_len)
        die("a context came back as another");
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct spanbridge_context found;
    size_t count = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : MESSAGES_DEFAULT;
    if (count == 0 ||
        spanbridge_parse_traceparent(PARENT, strlen(PARENT), &bench.context) != SPANBRIDGE_OK)
        die("usage: propagation_bench [MESSAGES]");
    bench.context.tracestate = STATE;
    bench.context.tracestate_len = strlen(STATE);
    bench.kafka = rd_kafka_headers_new(OTHERS + 2);
    init_amqp_pool(&bench.pool, POOL_PAGE_SIZE);
    fill(&bench);

    measure("parse traceparent", parse, &bench, count);
    measure("format traceparent", format, &bench, count);
    measure("start a span", start_span, &bench, count);
    measure("Kafka: extract", kafka_extract, &bench, count);
    measure("Kafka: inject", kafka_inject, &bench, count);
    measure("  of it librdkafka", kafka_alone, &bench, count);
    measure("AMQP: extract", amqp_extract, &bench, count);
    measure("AMQP: inject", amqp_inject, &bench, count);
    measure("  of it librabbitmq's pool", amqp_alone, &bench, count);

    if (spanbridge_kafka_extract(bench.kafka, &found) != SPANBRIDGE_OK)
        die("extract from Kafka");
    check(&bench.context, &found);
    if (spanbridge_amqp_extract(&bench.table, &found) != SPANBRIDGE_OK)
        die("extract from AMQP");
    check(&bench.context, &found);
    printf("(sum %" PRIu64 ")\n", bench.sum);
    return 0;
}
