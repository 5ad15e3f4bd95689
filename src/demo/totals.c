#include "totals.h"

#include <jansson.h>

/* Clears *fine when there is no such integer. */
static uint64_t number(const json_t *object, const char *key, bool *fine)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        *fine = false;
    return (uint64_t)json_integer_value(value);
}

static uint64_t sum(json_t *object, bool *fine)
{
    uint64_t total = 0;
    const char *key;
    json_t *value;
    *fine = *fine && json_is_object(object);
    json_object_foreach(object, key, value)
    {
        total += (uint64_t)json_integer_value(value);
    }
    return total;
}

/* A rule that never acted may be left out. */
static void read_repairs(const json_t *repairs, struct totals *totals)
{
    for (uint32_t i = 0; i < SHOP_RULES; i++) {
        const json_t *rule = json_object_get(repairs, shop_rule_name((enum shop_evidence)i));
        totals->parents[i] = (uint64_t)json_integer_value(json_object_get(rule, "parent"));
        totals->links[i] = (uint64_t)json_integer_value(json_object_get(rule, "link"));
    }
}

bool totals_read(const char *json_line, struct totals *ret)
{
    json_t *line = json_loads(json_line, 0, NULL);
    if (line == NULL)
        return false;
    bool fine = true;
    const json_t *read = json_object_get(line, "read");
    const json_t *traces = json_object_get(line, "traces");
    struct totals totals = {
        .read_records = number(read, "records", &fine),
        .read_spans = number(read, "spans", &fine),
        .exported = number(line, "exported", &fine),
        .dropped = sum(json_object_get(line, "dropped"), &fine),
        .held = number(line, "held", &fine),
        .synthetic = number(line, "synthetic", &fine),
        .traces_kept = number(traces, "kept", &fine),
        .traces_dropped = number(traces, "dropped", &fine),
        .balance = (int64_t)number(line, "balance", &fine),
    };
    read_repairs(json_object_get(line, "repairs"), &totals);
    json_decref(line);
    if (fine)
        *ret = totals;
    return fine;
}
