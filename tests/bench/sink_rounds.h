/*
 * sink_rounds: what the benches of one sink alone share: the sink and a bare client of the same
 * library by turns, in rounds, with the same load; what each turn has cost; the printing.
 *
 * Of each turn the first pass is not counted, as it warms up: connections, buffers, a producer's
 * id.  Whatever fails ends the program.  One thread, besides the sink's.
 */
#ifndef SB_BENCH_SINK_ROUNDS_H
#define SB_BENCH_SINK_ROUNDS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench.h"
#include "core/log.h"
#include "sink_load.h"

enum { SINK_ROUNDS_MAX = 100 };

struct sink_rounds_options {
    uint32_t rounds;
    uint32_t passes; /* over SINK_LOAD_SPANS spans, in each turn */
    bool json;
};

/* Its rows of the table for getopt_long; the letters r, p and j are taken. */
// clang-format off
#define SINK_ROUNDS_OPTIONS                                                                    \
    {"rounds", required_argument, NULL, 'r'}, {"passes", required_argument, NULL, 'p'},        \
    {"json", no_argument, NULL, 'j'}
// clang-format on

/* True when the option is one of these. */
bool sink_rounds_read_option(struct sink_rounds_options *options, int option,
                             const char *value);

/* The sink's log: warnings, on stderr. */
struct log *sink_rounds_log_new(void);

/* What the counted passes of a turn took. */
struct sink_turn {
    double wall_s;
    double cpu_s;    /* of this process, the library's threads included */
    double thread_s; /* of these, in the sink's own thread; 0: a bare client */
};

/* Ends the sink; fails unless each span was acknowledged, and none sent twice. */
struct sink_turn sink_rounds_run_sink(struct sink_load *load, struct sink *sink,
                                      uint32_t passes);

/* `on_send` sends each record that often, and waits until all are acknowledged. */
typedef void sink_rounds_on_send(void *arg, const struct sink_load_record *records,
                                 uint32_t count, uint32_t passes);
struct sink_turn sink_rounds_run_bare(struct sink_load *load, uint32_t passes,
                                      sink_rounds_on_send *on_send, void *arg);

/* One figure, of each round. */
struct sink_series {
    const char *name; /* in JSON */
    double values[SINK_ROUNDS_MAX];
};
/* All of them, as one line of JSON. */
void sink_rounds_print_json(const struct sink_series *series, uint32_t count, uint32_t rounds);

#endif
