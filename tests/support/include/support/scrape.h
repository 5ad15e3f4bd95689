/*
 * scrape: a strict reader of the Prometheus text format 0.0.4.
 *
 * Fails the test at anything that a strict parser would refuse, and at what only the rules of
 * the field forbid: a counter that does not end in _total, a family in two places, a series
 * given twice.  Written from the format's description, not from our writer.
 */
#ifndef SB_TEST_SCRAPE_H
#define SB_TEST_SCRAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCRAPE_NAME_LEN = 96, SCRAPE_LABELS_LEN = 512, SCRAPE_SERIES_MAX = 2048 };

struct scrape_series {
    char name[SCRAPE_NAME_LEN];
    char labels[SCRAPE_LABELS_LEN]; /* as they stand between the braces; "" without */
    int64_t value;
};

struct scrape {
    struct scrape_series series[SCRAPE_SERIES_MAX];
    size_t count;
    size_t families;
};

void scrape_read(struct scrape *ret, const char *page, size_t len);

/* Fails the test where there is no such series. */
int64_t scrape_value(const struct scrape *scrape, const char *name, const char *labels);
bool scrape_has(const struct scrape *scrape, const char *name, const char *labels);
/* Of all series of that name; 0 where there is none. */
int64_t scrape_sum(const struct scrape *scrape, const char *name);

/*
 * What the accounting says is left over, from the page alone: spans received less all classes
 * and what is held.
 */
int64_t scrape_left_over(const struct scrape *scrape);

#endif
