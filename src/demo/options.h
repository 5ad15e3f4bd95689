/*
 * options: what was asked for on the command line of `spanbridge demo`.
 */
#ifndef SB_DEMO_OPTIONS_H
#define SB_DEMO_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

struct demo_options {
    const char *kafka;    /* a real broker; NULL: the one in the process */
    const char *rabbitmq; /* URL of a real one; NULL: the shop has none */
    const char *keep;     /* folder for the configuration; NULL: a temporary one */
    uint64_t seed;
    uint32_t traces; /* with `once` */
    uint32_t rate;   /* checkouts a second, without it */
    bool once;
    bool json;
    bool verbose;
    bool help;
};

/*
 * A partition of the Kafka in the process keeps its newest 5 MiB only; on a real broker the
 * windows, which have 256 MiB, are the bound.
 */
enum { DEMO_TRACES_MAX = 20000, DEMO_TRACES_IN_PROCESS_MAX = 3000, DEMO_RATE_MAX = 2000 };

extern const char demo_help[];

/* False: `message` says what is wrong.  The strings are argv's. */
bool demo_options_read(int argc, char **argv, struct demo_options *ret, struct text *message);

#endif
