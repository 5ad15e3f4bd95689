#include "sink_rounds.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { PASSES_MAX = 1 << 20 };

bool sink_rounds_read_option(struct sink_rounds_options *options, int option, const char *value)
{
    if (option == 'r')
        options->rounds = (uint32_t)bench_number("--rounds", value, SINK_ROUNDS_MAX);
    else if (option == 'p')
        options->passes = (uint32_t)bench_number("--passes", value, PASSES_MAX);
    else if (option == 'j')
        options->json = true;
    else
        return false;
    return true;
}

struct log *sink_rounds_log_new(void)
{
    struct log *log;
    const struct log_options options = {
        .level = LOG_WARN, .fd = STDERR_FILENO, .clock = clock_system()};
    if (log_new(&options, &log) != SB_OK)
        bench_fail("memory is short");
    return log;
}

static struct sink_turn begin(void)
{
    return (struct sink_turn){.wall_s = bench_now_s(), .cpu_s = bench_cpu_s()};
}

static struct sink_turn since(struct sink_turn begun)
{
    return (struct sink_turn){.wall_s = bench_now_s() - begun.wall_s,
                              .cpu_s = bench_cpu_s() - begun.cpu_s};
}

/* Each span counts once, in all passes together. */
static void check_counters(const struct sink *sink, uint32_t passes)
{
    struct sink_counters counters;
    sink->ops->read_counters(sink, &counters);
    if (counters.spans_exported != (uint64_t)passes * SINK_LOAD_SPANS || counters.retries != 0)
        bench_fail("%" PRIu64 " spans were acknowledged, %" PRIu64 " records sent twice",
                   counters.spans_exported, counters.retries);
}

struct sink_turn sink_rounds_run_sink(struct sink_load *load, struct sink *sink,
                                      uint32_t passes)
{
    sink_load_run(load, sink, 1);
    double thread_begun_ns = sink_load_own_ns(load);
    struct sink_turn begun = begin();
    sink_load_run(load, sink, passes);
    struct sink_turn turn = since(begun);
    turn.thread_s = (sink_load_own_ns(load) - thread_begun_ns) / 1e9;
    check_counters(sink, passes + 1);
    sink->ops->stop(sink);
    sink->ops->free(sink);
    return turn;
}

struct sink_turn sink_rounds_run_bare(struct sink_load *load, uint32_t passes,
                                      sink_rounds_on_send *on_send, void *arg)
{
    uint32_t count;
    const struct sink_load_record *records = sink_load_records(load, &count);
    on_send(arg, records, count, 1);
    struct sink_turn begun = begin();
    on_send(arg, records, count, passes);
    return since(begun);
}

void sink_rounds_print_json(const struct sink_series *series, uint32_t count, uint32_t rounds)
{
    for (uint32_t i = 0; i < count; i++) {
        printf("%s", i == 0 ? "{" : ",");
        bench_print_values(series[i].name, series[i].values, rounds);
    }
    printf("}\n");
}
