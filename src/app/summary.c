/*
 * summary: the totals at the end, in the classes of delivery.md's accounting.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "state.h"

static uint64_t sum(const uint64_t *numbers, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += numbers[i];
    return total;
}

static void put(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static json_t *reasons(const uint64_t *counts)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < WORKER_REASON_COUNT; i++) {
        if (counts[i] > 0)
            put(object, worker_reason_text(i), counts[i]);
    }
    return object;
}

static json_t *dropped(const struct app *app, const struct worker_counters *counters)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i < app->settings->sampling.policy_count; i++) {
        if (counters->dropped[i] > 0)
            put(object, app->settings->sampling.policies[i].name, counters->dropped[i]);
    }
    if (counters->dropped_no_policy > 0)
        put(object, "no_policy", counters->dropped_no_policy);
    return object;
}

static json_t *repairs(const struct worker_counters *counters)
{
    static const char *const results[] = {"parent", "link", "split", "ambiguous"};
    json_t *object = json_object();
    for (int rule = 0; rule < REPAIR_RULE_COUNT; rule++) {
        json_t *row = json_object();
        for (int result = 0; result < WORKER_REPAIR_RESULTS; result++)
            put(row, results[result], counters->repairs[rule][result]);
        json_object_set_new(object, repair_rule_text((enum repair_rule)rule), row);
    }
    return object;
}

static json_t *sinks(const struct app *app)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i < app->sink_count; i++) {
        struct sink_counters counters = {0};
        app->sinks[i]->ops->read_counters(app->sinks[i], &counters);
        put(object, app->sinks[i]->name, counters.spans_exported);
    }
    return object;
}

json_t *summary_object(const struct app *app, const struct worker_account *account)
{
    const struct worker_counters *counters = &account->counters;
    json_t *read = json_object();
    put(read, "records", counters->records_read);
    put(read, "spans", counters->spans_read);
    json_t *dead = json_object();
    json_object_set_new(dead, "records", reasons(counters->dead_records));
    json_object_set_new(dead, "spans", reasons(counters->dead_spans));
    json_t *traces = json_object();
    put(traces, "kept", counters->traces_kept);
    put(traces, "dropped", counters->traces_dropped);

    json_t *line = json_object();
    json_object_set_new(line, "read", read);
    put(line, "exported", counters->exported);
    json_object_set_new(line, "dropped", dropped(app, counters));
    put(line, "head", 0);     /* head sampling, filters and the decision log are later steps: */
    put(line, "filtered", 0); /* their classes are there, and empty */
    put(line, "elided", 0);
    json_object_set_new(line, "dead_lettered", dead);
    put(line, "rejected", counters->rejected);
    put(line, "lost", counters->lost);
    put(line, "returned", counters->returned);
    put(line, "replayed", 0);
    put(line, "observed", counters->observed);
    put(line, "held", (uint64_t)account->held);
    json_object_set_new(line, "balance", json_integer(account->balance));
    json_object_set_new(line, "shared", json_boolean(app->shared));
    put(line, "synthetic", counters->synthetic);
    json_object_set_new(line, "sinks", sinks(app));
    json_object_set_new(line, "traces", traces);
    json_object_set_new(line, "repairs", repairs(counters));
    return line;
}

char *summary_json(const struct app *app, const struct worker_account *account)
{
    json_t *line = summary_object(app, account);
    char *text = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    return text;
}

void summary_print(const struct app *app, const struct worker_account *account)
{
    const struct worker_counters *counters = &account->counters;
    printf("read       %12" PRIu64 " spans in %" PRIu64 " records\n", counters->spans_read,
           counters->records_read);
    printf("exported   %12" PRIu64 " spans of %" PRIu64 " traces\n", counters->exported,
           counters->traces_kept);
    printf("dropped    %12" PRIu64 " spans of %" PRIu64 " traces\n", account->dropped,
           counters->traces_dropped);
    for (int rule = 0; rule < REPAIR_RULE_COUNT; rule++) {
        const uint64_t *row = counters->repairs[rule];
        if (sum(row, WORKER_REPAIR_RESULTS) > 0)
            printf("repaired   %12" PRIu64 " hops by %s (%" PRIu64 " as links, %" PRIu64
                   " ambiguous)\n",
                   row[WORKER_REPAIRED_PARENT] + row[WORKER_REPAIRED_LINK],
                   repair_rule_text((enum repair_rule)rule), row[WORKER_REPAIRED_LINK],
                   row[WORKER_REPAIR_AMBIGUOUS]);
    }
    uint64_t dead_records = sum(counters->dead_records, WORKER_REASON_COUNT);
    if (account->dead + dead_records > 0)
        printf("dead       %12" PRIu64 " spans and %" PRIu64 " records\n", account->dead,
               dead_records);
    if (counters->rejected > 0)
        printf("rejected   %12" PRIu64 " spans\n", counters->rejected);
    if (counters->returned > 0)
        printf("returned   %12" PRIu64 " spans, to the next owner of their partition\n",
               counters->returned);
    printf("held       %12" PRId64 " spans\n", account->held);
    printf("balance    %12" PRId64 "\n", account->balance);
    if (app->shared)
        printf("shared with other instances: a hop whose other side they have gets a link at\n"
               "most; joining these too takes scale, which is not in this version\n");
}
