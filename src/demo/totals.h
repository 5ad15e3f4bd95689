/*
 * totals: the service's own final figures, read from its line of JSON.
 */
#ifndef SB_DEMO_TOTALS_H
#define SB_DEMO_TOTALS_H

#include <stdbool.h>
#include <stdint.h>

#include "shop.h"

struct totals {
    uint64_t read_records;
    uint64_t read_spans;
    uint64_t exported;
    uint64_t dropped; /* by all policies, and by none */
    uint64_t held;
    uint64_t synthetic;
    uint64_t traces_kept;
    uint64_t traces_dropped;
    uint64_t parents[SHOP_RULES]; /* hops joined, by rule */
    uint64_t links[SHOP_RULES];   /* hops that got a link only */
    int64_t balance;
};

/* False: it is not such a line. */
bool totals_read(const char *json_line, struct totals *ret);

#endif
