/*
 * scout: a thread that looks at the cluster's topics from time to time, because the library can
 * only be asked by waiting: are the named topics there, with how many partitions, what else is
 * there for patterns, does any broker answer.
 *
 * It posts a report to the control thread after each look.
 */
#ifndef SB_SOURCE_KAFKA_SCOUT_H
#define SB_SOURCE_KAFKA_SCOUT_H

#include "state.h"

struct scout_topic {
    char *name;
    int32_t partitions;
    rd_kafka_resp_err_t err;
};

struct scout_report {
    rd_kafka_resp_err_t err; /* no broker answered, and nothing below holds */
    struct scout_topic *topics;
    uint32_t count;
    uint32_t room;
    /* topics[0 ... named_count - 1] are the named ones, spans and messages; the rest is what a
     * listing showed. */
    uint32_t named_count;
    bool listed;
};

/* Control thread, after the named topics have been added to the readers. */
enum sb_err scout_start(struct source_kafka *source, struct scout **ret) SB_MUST_USE;

/* Ends the thread: waits for the look that is under way, two seconds at most.  NULL is fine. */
void scout_stop(struct scout *scout);

/* Any thread: how long to wait between looks; a shorter wait starts at once. */
void scout_set_interval(struct scout *scout, uint32_t interval_ms);

void scout_report_free(struct scout_report *report);

/* Control thread: takes a report in: subscriptions, partitions of taps, troubles. */
void scout_apply(struct source_kafka *source, const struct scout_report *report);

#endif
