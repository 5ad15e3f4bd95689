/*
 * observe_json: the totals of a run, and beside them what a look has found.
 */
#include <jansson.h>

#include "observe_report.h"

static void put(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static json_t *counts(const uint64_t *numbers, enum worker_hop_counter from,
                      enum worker_hop_counter end)
{
    json_t *object = json_object();
    for (int i = (int)from; i < (int)end; i++)
        put(object, worker_hop_counter_text((enum worker_hop_counter)i), numbers[i]);
    return object;
}

static json_t *hops(const struct look *look)
{
    const uint64_t *totals = look->totals;
    json_t *object = counts(totals, WORKER_HOP_intact, WORKER_HOP_by_link);
    json_t *rules = json_object();
    put(rules, repair_rule_text(REPAIR_RULE_LINK), totals[WORKER_HOP_by_link]);
    put(rules, repair_rule_text(REPAIR_RULE_COORDINATE), totals[WORKER_HOP_by_coordinate]);
    put(rules, repair_rule_text(REPAIR_RULE_HEADER_AT_COORDINATE),
        totals[WORKER_HOP_by_header]);
    json_object_set_new(object, "rules", rules);
    json_t *would = json_object();
    put(would, "parent", totals[WORKER_HOP_repaired_parent]);
    put(would, "link", totals[WORKER_HOP_repaired_link]);
    put(would, "report", totals[WORKER_HOP_only_reported]);
    put(would, "producer_unseen", totals[WORKER_HOP_producer_unseen]);
    json_object_set_new(object, "would", would);
    json_object_set_new(object, "not_repaired",
                        counts(totals, WORKER_HOP_ambiguous, WORKER_HOP_COUNTER_COUNT));
    return object;
}

static json_t *row_of(const struct worker_observed_row *row, enum worker_observed_by by)
{
    json_t *object = json_object();
    const struct {
        const char *key;
        const char *name;
        enum worker_observed_by by;
    } names[] = {{"destination", row->destination, WORKER_BY_DESTINATION},
                 {"service", row->service, WORKER_BY_SERVICE},
                 {"library", row->library, WORKER_BY_LIBRARY}};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (row->named && (by == WORKER_BY_HOP || by == names[i].by))
            json_object_set_new(object, names[i].key, json_string(names[i].name));
    json_t *numbers = counts(row->counts, (enum worker_hop_counter)0, WORKER_HOP_COUNTER_COUNT);
    json_object_update(object, numbers);
    json_decref(numbers);
    return object;
}

/* The last one, without a name, is of all that found no room. */
static json_t *rows(const struct look *look, enum worker_observed_by by)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < look->observed.row_count[by]; i++)
        json_array_append_new(array, row_of(&look->observed.rows[by][i], by));
    const struct worker_observed_row *others = &look->observed.others[by];
    uint64_t any = 0;
    for (int i = 0; i < WORKER_HOP_COUNTER_COUNT; i++)
        any |= others->counts[i];
    if (any != 0)
        json_array_append_new(array, row_of(others, by));
    return array;
}

static json_t *traces(const struct look *look)
{
    const struct worker_observed_counts *counted = &look->observed.counts;
    json_t *object = json_object();
#define PUT_COUNT(name) put(object, #name, counted->name);
    WORKER_OBSERVED_COUNTERS(PUT_COUNT)
#undef PUT_COUNT
    json_t *reasons = json_object();
    for (int i = 0; i < WORKER_OBSERVED_REASON_COUNT; i++)
        put(reasons, worker_observed_reason_text((enum worker_observed_reason)i),
            counted->reasons[i]);
    json_object_set_new(object, "window_reasons", reasons);
    put(object, "late_spans", look->account->counters.late_spans);
    return object;
}

static json_t *topics(const struct look *look)
{
    const struct settings *settings = look->app->settings;
    json_t *array = json_array();
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        const struct worker_topic_counters *counters = &look->topic_counters[i];
        json_t *object = json_object();
        json_object_set_new(object, "name", json_string(settings->topics[i].name));
        if (settings->topics[i].role == SETTINGS_ROLE_SPANS) {
            put(object, "records", counters->records_read);
            put(object, "spans", counters->spans_read);
            put(object, "dead", observe_dead(look, i));
            json_object_set_new(object, "would_stop", json_boolean(observe_stops(look, i)));
        } else {
            put(object, "messages", counters->messages_read);
            put(object, "with_context", look->observed.topics[i].with_context);
            put(object, "without_context", look->observed.topics[i].without_context);
            put(object, "malformed_context", look->observed.topics[i].malformed);
        }
        json_array_append_new(array, object);
    }
    return array;
}

/* Sent to, and never taken in. */
static json_t *unconsumed(const struct look *look)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < look->observed.row_count[WORKER_BY_DESTINATION]; i++) {
        const struct worker_observed_row *row = &look->observed.rows[WORKER_BY_DESTINATION][i];
        if (row->counts[WORKER_HOP_intact] + row->counts[WORKER_HOP_broken] > 0)
            continue;
        json_t *object = json_object();
        json_object_set_new(object, "destination", json_string(row->destination));
        put(object, "traces", row->counts[WORKER_HOP_sent_traces]);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *steps(const struct look *look)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < look->step_count; i++) {
        const struct look_step *step = &look->steps[i];
        json_t *object = json_object();
        json_object_set_new(object, "kind", json_string(step->kind));
        put(object, "worth", step->worth);
        json_object_set_new(object, "text", json_string(step->text));
        if (step->file[0] != '\0')
            json_object_set_new(object, "file", json_string(step->file));
        json_array_append_new(array, object);
    }
    return array;
}

char *observe_write_json(const struct look *look)
{
    json_t *line = summary_object(look->app, look->account);
    json_t *found = json_object();
    put(found, "seconds", look->seconds);
    json_object_set_new(found, "group", json_string(look->app->look_group));
    json_object_set_new(found, "traces", traces(look));
    json_object_set_new(found, "hops", hops(look));
    json_object_set_new(found, "destinations", rows(look, WORKER_BY_DESTINATION));
    json_object_set_new(found, "services", rows(look, WORKER_BY_SERVICE));
    json_object_set_new(found, "libraries", rows(look, WORKER_BY_LIBRARY));
    json_object_set_new(found, "rows", rows(look, WORKER_BY_HOP));
    json_object_set_new(found, "unconsumed", unconsumed(look));
    json_object_set_new(found, "topics", topics(look));
    json_object_set_new(found, "next_steps", steps(look));
    json_object_set_new(line, "observe", found);
    char *text = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    return text;
}
