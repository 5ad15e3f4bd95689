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
    memcpy(worker->topics_shared, worker->topic_counters,
           worker->options->topic_count * sizeof(*worker->topic_counters));
    /* Joins that were never made since several producers claim one coordinate. */
    worker->shared.repairs[REPAIR_RULE_COORDINATE][WORKER_REPAIR_AMBIGUOUS] +=
        repair_hops_counters(worker->hops)->ambiguous;
    pthread_mutex_unlock(&worker->shared_lock);
}

/* Nothing but uint64_t is in these structs: they are summed as arrays. */
static void add_words(void *sums, const void *words, size_t len)
{
    uint64_t sum;
    uint64_t word;
    for (size_t at = 0; at < len; at += sizeof(sum)) {
        memcpy(&sum, (char *)sums + at, sizeof(sum));
        memcpy(&word, (const char *)words + at, sizeof(word));
        sum += word;
        memcpy((char *)sums + at, &sum, sizeof(sum));
    }
}

static void read_all(struct worker_group *group, struct worker_counters *ret,
                     struct worker_topic_counters *ret_topics)
{
    size_t topics_len = group->options.topic_count * sizeof(*ret_topics);
    *ret = (struct worker_counters){0};
    if (ret_topics != NULL)
        memset(ret_topics, 0, topics_len);
    for (uint32_t i = 0; i < group->count; i++) {
        struct worker *worker = &group->workers[i];
        pthread_mutex_lock(&worker->shared_lock);
        add_words(ret, &worker->shared, sizeof(*ret));
        if (ret_topics != NULL)
            add_words(ret_topics, worker->topics_shared, topics_len);
        pthread_mutex_unlock(&worker->shared_lock);
    }
}

void worker_group_read_counters(struct worker_group *group, struct worker_counters *ret)
{
    read_all(group, ret, NULL);
}

static uint64_t sum(const uint64_t *numbers, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += numbers[i];
    return total;
}

/*
 * Each worker is seen between two turns, when what it read and took over is what it ended, holds
 * and handed over: so the sum over all closes, though they are not seen at the same moment.
 */
void worker_group_take_account(struct worker_group *group, struct worker_account *ret,
                               struct worker_topic_counters *ret_topics)
{
    struct worker_counters *counters = &ret->counters;
    read_all(group, counters, ret_topics);
    ret->dropped = counters->dropped_no_policy + sum(counters->dropped, DECIDE_POLICIES_MAX);
    ret->dead = sum(counters->dead_spans, WORKER_REASON_COUNT);
    ret->under_way = (int64_t)(counters->spans_handed_over - counters->spans_taken_over);
    ret->held =
        (int64_t)(counters->held_window + counters->held_egress + counters->held_letters) +
        ret->under_way;
    uint64_t ended = counters->exported + ret->dropped + counters->rejected + counters->lost +
                     counters->returned + counters->observed + ret->dead;
    ret->balance = (int64_t)(counters->spans_read - ended) - ret->held;
}
