/*
 * counters: a worker's counters, shown to others now and then.
 */
#include "core/clock.h"
#include "state.h"

#define SHARE_INTERVAL_NS (100 * NS_PER_MS)

/* What is counted afresh, from what is there. */
static void count_held(const struct worker *worker, struct worker_counters *ret)
{
    struct window_totals totals = window_totals(worker->window);
    ret->held_window = totals.spans;
    ret->window_traces = totals.traces;
    ret->window_bytes = totals.bytes;
    ret->window_span_bytes = totals.span_bytes;
    ret->held_egress = egress_held(&worker->egress) - worker->synthetic_out;
    ret->held_letters = atomic_load_explicit(&worker->letter_spans_out, memory_order_relaxed) +
                        worker->stranded_spans;
}

void worker_share_counters(struct worker *worker)
{
    atomic_store_explicit(&worker->egress_out, egress_held(&worker->egress),
                          memory_order_relaxed);
    bool running =
        atomic_load_explicit(&worker->group->phase, memory_order_relaxed) <= WORKER_RUN;
    if (running && worker->now_ns < worker->share_due_ns)
        return;
    worker->share_due_ns = worker->now_ns + SHARE_INTERVAL_NS;
    count_held(worker, &worker->counters);
    pthread_mutex_lock(&worker->shared_lock);
    worker->shared = worker->counters;
    /* Joins that were never made since several producers claim one coordinate. */
    worker->shared.repairs[REPAIR_RULE_COORDINATE][WORKER_REPAIR_AMBIGUOUS] +=
        repair_hops_counters(worker->hops)->ambiguous;
    pthread_mutex_unlock(&worker->shared_lock);
}

void worker_group_read_counters(struct worker_group *group, struct worker_counters *ret)
{
    /* Nothing but uint64_t is in there: summed as an array. */
    enum { WORDS = sizeof(struct worker_counters) / sizeof(uint64_t) };
    uint64_t sums[WORDS] = {0};
    for (uint32_t i = 0; i < group->count; i++) {
        struct worker *worker = &group->workers[i];
        uint64_t words[WORDS];
        pthread_mutex_lock(&worker->shared_lock);
        memcpy(words, &worker->shared, sizeof(words));
        pthread_mutex_unlock(&worker->shared_lock);
        for (size_t at = 0; at < WORDS; at++)
            sums[at] += words[at];
    }
    memcpy(ret, sums, sizeof(*ret));
}
