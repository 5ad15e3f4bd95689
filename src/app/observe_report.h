/*
 * observe_report: what --observe has found, as text for people and as JSON.
 * Private to the app room; control thread, after the workers have ended.
 */
#ifndef SB_APP_OBSERVE_REPORT_H
#define SB_APP_OBSERVE_REPORT_H

#include "core/text.h"
#include "state.h"
#include "worker/observe.h"

enum {
    OBSERVE_NUMBER_LEN = 32,
    OBSERVE_TEXT_MAX = 1 << 20,
    OBSERVE_STEPS_MAX = 64,
    OBSERVE_STEP_LEN = 512
};

/* What the reader could do next, and how many hops, traces or records it is about. */
struct look_step {
    const char *kind; /* stable, for machines */
    bool urgent;      /* a real run would stop, or do nothing at all */
    uint64_t worth;
    uint32_t order; /* of those worth the same: what is easier comes first */
    char text[OBSERVE_STEP_LEN];
    char file[OBSERVE_STEP_LEN]; /* a topic file to be written; "": none */
};

struct look {
    const struct app *app;
    const struct worker_account *account;
    struct worker_topic_counters *topic_counters;
    struct worker_observed observed;
    uint64_t totals[WORKER_HOP_COUNTER_COUNT];
    uint64_t seconds;
    struct look_step steps[OBSERVE_STEPS_MAX]; /* the most valuable first */
    uint32_t step_count;
};

static inline uint64_t observe_repaired(const uint64_t *counts)
{
    return counts[WORKER_HOP_repaired_parent] + counts[WORKER_HOP_repaired_link];
}

/* observe.c: "12,345" */
const char *observe_number(uint64_t number, char ret[OBSERVE_NUMBER_LEN]);

/* observe_steps.c: fills look->steps. */
void observe_find_steps(struct look *look);
/* Dead letters of that topic in all. */
uint64_t observe_dead(const struct look *look, uint32_t topic);
/* Would one of them stop the topic in a real run? */
bool observe_stops(const struct look *look, uint32_t topic);

/* observe_text.c: lines of 80 columns at most. */
void observe_write_text(const struct look *look, bool colour, struct text *out);

/* observe_json.c: the caller's to free; NULL: memory is short. */
char *observe_write_json(const struct look *look);

#endif
