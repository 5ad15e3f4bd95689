/*
 * bench_rabbitmq_load: fills a RabbitMQ queue with load B of docs/performance.md, a message for
 * each trace and service, and prints as one line of JSON what it published and how long that
 * took.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "load_records.h"
#include "rabbitmq_publisher.h"

static const char usage[] = "usage: bench_rabbitmq_load --url URL --queue NAME [options]\n"
                            "  --traces N   of 8 spans each, a multiple of 50 (100000)\n"
                            "  --seed N     (1)\n";

struct filler {
    struct rabbitmq_publisher publisher;
    uint64_t spans;
    uint64_t body_bytes;
};

static enum sb_err on_record(void *arg, const struct load_record *record)
{
    struct filler *filler = arg;
    rabbitmq_publisher_send(&filler->publisher, record->value);
    filler->spans += record->spans;
    filler->body_bytes += record->value.len;
    return SB_OK;
}

static void fill(struct filler *filler, const struct load_plan *plan)
{
    enum sb_err err = load_generate(plan, 1, on_record, filler);
    if (err == SB_ERR_INPUT)
        bench_usage("--traces must be a multiple of %d", LOAD_TRACES_PER_BLOCK);
    if (err != SB_OK)
        bench_fail("generate: %s", sb_err_text(err));
    rabbitmq_publisher_flush(&filler->publisher);
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"url", required_argument, NULL, 'u'},
                                          {"queue", required_argument, NULL, 'q'},
                                          {"traces", required_argument, NULL, 'n'},
                                          {"seed", required_argument, NULL, 'r'},
                                          {0}};
    struct load_plan plan = {.kind = LOAD_B, .seed = 1, .traces = 100000};
    const char *url = NULL;
    const char *queue = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'u')
            url = optarg;
        else if (option == 'q')
            queue = optarg;
        else if (option == 'n')
            plan.traces = (uint32_t)bench_number("--traces", optarg, 1u << 30);
        else if (option == 'r')
            plan.seed = bench_number("--seed", optarg, UINT64_MAX);
        else
            bench_usage("\n%s", usage);
    }
    if (url == NULL || queue == NULL || optind < argc)
        bench_usage("\n%s", usage);

    static struct filler filler;
    rabbitmq_publisher_open(&filler.publisher, url, queue);
    double begin_s = bench_now_s();
    fill(&filler, &plan);
    double wall_s = bench_now_s() - begin_s;
    rabbitmq_publisher_close(&filler.publisher);
    printf("{\"seed\":%" PRIu64 ",\"traces\":%" PRIu32 ",\"spans\":%" PRIu64
           ",\"messages\":%" PRIu64 ",\"body_bytes\":%" PRIu64
           ",\"wall_s\":%.3f,\"cpu_s\":%.3f}\n",
           plan.seed, plan.traces, filler.spans, filler.publisher.confirms.done,
           filler.body_bytes, wall_s, bench_cpu_s());
    return 0;
}
