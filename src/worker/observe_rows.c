/*
 * observe_rows: bounded tables of rows, and their sum over all workers.
 */
#include "core/memory.h"
#include "observe.h"

#include <stdlib.h>

const char *worker_hop_counter_text(enum worker_hop_counter counter)
{
    static const char *const texts[] = {
#define HOP_TEXT(name) #name,
        WORKER_HOP_COUNTERS(HOP_TEXT)
#undef HOP_TEXT
    };
    return texts[counter];
}

const char *worker_observed_reason_text(enum worker_observed_reason reason)
{
    static const char *const texts[] = {
#define REASON_TEXT(name) #name,
        WORKER_OBSERVED_REASONS(REASON_TEXT)
#undef REASON_TEXT
    };
    return texts[reason];
}

enum sb_err observe_table_init(struct observe_table *table)
{
    table->rows = memory_zalloc(WORKER_OBSERVED_ROWS + 1, sizeof(*table->rows));
    table->count = 1;
    return table->rows == NULL ? SB_ERR_MEMORY : table_init(&table->by_id, 64);
}

void observe_table_clear(struct observe_table *table)
{
    memory_free(table->rows);
    table_clear(&table->by_id);
}

struct worker_observed_row *observe_row(struct observe_table *table, uint64_t id)
{
    struct table_cursor at = table_find(&table->by_id, id);
    uint32_t number;
    if (id == 0)
        return &table->rows[0];
    while (table_next(&table->by_id, &at, &number))
        if (table->rows[number].id == id)
            return &table->rows[number];
    if (table->count > WORKER_OBSERVED_ROWS ||
        table_insert(&table->by_id, id, table->count) != SB_OK)
        return &table->rows[0];
    table->rows[table->count].id = id;
    return &table->rows[table->count++];
}

static void add_row(struct worker_observed_row *sum, const struct worker_observed_row *row)
{
    uint64_t counts[WORKER_HOP_COUNTER_COUNT];
    for (int i = 0; i < WORKER_HOP_COUNTER_COUNT; i++)
        counts[i] = sum->counts[i] + row->counts[i];
    if (sum->id == row->id && row->named)
        *sum = *row;
    memcpy(sum->counts, counts, sizeof(counts));
}

static int compare_rows(const void *left, const void *right)
{
    static const enum worker_hop_counter by[] = {WORKER_HOP_broken, WORKER_HOP_intact,
                                                 WORKER_HOP_sent};
    const struct worker_observed_row *a = left;
    const struct worker_observed_row *b = right;
    for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++)
        if (a->counts[by[i]] != b->counts[by[i]])
            return a->counts[by[i]] < b->counts[by[i]] ? 1 : -1;
    int order = strcmp(a->destination, b->destination);
    if (order == 0)
        order = strcmp(a->service, b->service);
    return order == 0 ? strcmp(a->library, b->library) : order;
}

/* The rows of all workers' tables of one kind. */
static enum sb_err merge_tables(const struct worker_group *group, enum worker_observed_by by,
                                struct worker_observed *ret)
{
    struct observe_table sums = {0};
    enum sb_err err = observe_table_init(&sums);
    for (uint32_t i = 0; err == SB_OK && i < group->count; i++) {
        const struct observe_table *table = &group->workers[i].observe->tables[by];
        add_row(&sums.rows[0], &table->rows[0]);
        for (uint32_t row = 1; row < table->count; row++)
            add_row(observe_row(&sums, table->rows[row].id), &table->rows[row]);
    }
    if (err != SB_OK) {
        observe_table_clear(&sums);
        return err;
    }
    ret->others[by] = sums.rows[0];
    ret->row_count[by] = sums.count - 1;
    memmove(sums.rows, sums.rows + 1, ret->row_count[by] * sizeof(*sums.rows));
    qsort(sums.rows, ret->row_count[by], sizeof(*sums.rows), compare_rows);
    ret->rows[by] = sums.rows;
    table_clear(&sums.by_id);
    return SB_OK;
}

static void add_counts(struct worker_observed_counts *sum,
                       const struct worker_observed_counts *counts)
{
#define ADD_COUNT(name) sum->name += counts->name;
    WORKER_OBSERVED_COUNTERS(ADD_COUNT)
#undef ADD_COUNT
    for (int i = 0; i < WORKER_OBSERVED_REASON_COUNT; i++)
        sum->reasons[i] += counts->reasons[i];
}

enum sb_err worker_group_take_observed(struct worker_group *group, struct worker_observed *ret)
{
    SB_ASSERT(group->options.observe && !group->started);
    uint32_t topics = group->options.topic_count;
    *ret = (struct worker_observed){0};
    ret->topics = memory_zalloc((size_t)topics + 1, sizeof(*ret->topics));
    enum sb_err err = ret->topics == NULL ? SB_ERR_MEMORY : SB_OK;
    for (int by = 0; err == SB_OK && by < WORKER_BY_COUNT; by++)
        err = merge_tables(group, (enum worker_observed_by)by, ret);
    for (uint32_t i = 0; err == SB_OK && i < group->count; i++) {
        const struct observe *observe = group->workers[i].observe;
        add_counts(&ret->counts, &observe->counts);
        for (uint32_t topic = 0; topic < topics; topic++) {
            ret->topics[topic].with_context += observe->topics[topic].with_context;
            ret->topics[topic].without_context += observe->topics[topic].without_context;
            ret->topics[topic].malformed += observe->topics[topic].malformed;
        }
    }
    if (err != SB_OK)
        worker_observed_clear(ret);
    return err;
}

void worker_observed_clear(struct worker_observed *observed)
{
    for (int by = 0; by < WORKER_BY_COUNT; by++)
        memory_free(observed->rows[by]);
    memory_free(observed->topics);
    *observed = (struct worker_observed){0};
}
