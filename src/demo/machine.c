#include "machine.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "workspace.h"

/* jansson's setters take what they are given, and report want of memory as -1: it sticks. */
struct making {
    bool failed;
};

static void put(struct making *making, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        making->failed = true;
}

static void put_number(struct making *making, json_t *object, const char *key, uint64_t value)
{
    put(making, object, key, json_integer((json_int_t)value));
}

static void put_text(struct making *making, json_t *object, const char *key, const char *value)
{
    if (value[0] != '\0')
        put(making, object, key, json_string(value));
}

static json_t *span_object(struct making *making, const struct seen_span *span)
{
    static const char *const kinds[] = {"unspecified", "internal", "server",
                                        "client",      "producer", "consumer"};
    char trace[TRACE_ID_HEX_LEN + 1];
    char id[SPAN_ID_HEX_LEN + 1];
    json_t *object = json_object();
    trace_id_format(span->trace_id, trace);
    put_text(making, object, "trace_id", trace);
    span_id_format(span->span_id, id);
    put_text(making, object, "span_id", id);
    if (!span_id_is_zero(span->parent_id)) {
        span_id_format(span->parent_id, id);
        put_text(making, object, "parent_span_id", id);
    }
    put_text(making, object, "service", span->service);
    put_text(making, object, "name", span->name);
    put_text(making, object, "kind",
             span->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[span->kind] : kinds[0]);
    put_number(making, object, "start_ns", span->start_ns);
    put_number(making, object, "end_ns", span->end_ns);
    put(making, object, "error", json_boolean(span->failed));
    put(making, object, "synthetic", json_boolean(span->synthetic));
    put_text(making, object, "repair_rule", span->rule);
    put_text(making, object, "repair_action", span->action);
    put_text(making, object, "repair_evidence", span->evidence);
    put_text(making, object, "policy", span->policy);
    return object;
}

static json_t *span_array(struct making *making, const struct seen_list *list)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < list->count; i++)
        if (json_array_append_new(array, span_object(making, &list->spans[i])) != 0)
            making->failed = true;
    return array;
}

static json_t *by_rule(struct making *making, const uint64_t *numbers)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i < SHOP_RULES; i++)
        put_number(making, object, shop_rule_name((enum shop_evidence)i), numbers[i]);
    return object;
}

static json_t *sent_object(struct making *making, const struct traffic_totals *sent)
{
    json_t *object = json_object();
    put_number(making, object, "checkouts", sent->checkouts);
    put_number(making, object, "failed", sent->failed);
    put_number(making, object, "slow", sent->slow);
    put_number(making, object, "traces", sent->pieces);
    put_number(making, object, "spans", sent->spans);
    put_number(making, object, "records", sent->records);
    put_number(making, object, "rabbitmq_records", sent->rabbitmq_records);
    put_number(making, object, "messages", sent->messages);
    put(making, object, "hops", by_rule(making, sent->hops));
    put_number(making, object, "apart", sent->apart);
    return object;
}

static json_t *received_object(struct making *making, const struct receiver_counts *received)
{
    json_t *object = json_object();
    json_t *kept_by = json_object();
    put_number(making, object, "requests", received->requests);
    put_number(making, object, "refused", received->refused);
    put_number(making, object, "traces", received->traces);
    put_number(making, object, "spans", received->spans);
    put_number(making, object, "queue_spans", received->queue_spans);
    put(making, object, "joined", by_rule(making, received->joined));
    for (uint32_t i = 0; i < WORKSPACE_POLICIES; i++)
        put_number(making, kept_by, workspace_policies[i], received->kept_by[i]);
    put(making, object, "kept_by", kept_by);
    return object;
}

/* What the shown trace was to be joined by, hop by hop; without a rule: by nothing. */
static json_t *expected_array(struct making *making, const struct shop_checkout *showpiece)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < showpiece->hop_count; i++) {
        json_t *hop = json_object();
        put_text(making, hop, "topic", shop_topic_names[i]);
        put_text(making, hop, "reader", shop_service_names[shop_reader(showpiece, i)]);
        put_text(making, hop, "rule", shop_rule_name(showpiece->hops[i].evidence));
        if (json_array_append_new(array, hop) != 0)
            making->failed = true;
    }
    return array;
}

static json_t *problem_array(struct making *making, const char *problems)
{
    json_t *array = json_array();
    while (*problems != '\0') {
        size_t len = strcspn(problems, "\n");
        if (json_array_append_new(array, json_stringn(problems, len)) != 0)
            making->failed = true;
        problems += len + (problems[len] == '\n');
    }
    return array;
}

enum sb_err machine_report(const struct machine_report *report, struct text *out)
{
    struct making making = {false};
    json_t *object = json_object();
    put(&making, object, "ok", json_boolean(report->problems[0] == '\0'));
    put(&making, object, "problems", problem_array(&making, report->problems));
    if (report->showpiece != NULL)
        put(&making, object, "expected", expected_array(&making, report->showpiece));
    put(&making, object, "before", span_array(&making, report->before));
    put(&making, object, "after", span_array(&making, report->after));
    put(&making, object, "sent", sent_object(&making, report->sent));
    put(&making, object, "received", received_object(&making, report->received));
    if (report->summary != NULL)
        put(&making, object, "totals", json_loads(report->summary, 0, NULL));
    char *line = making.failed ? NULL : json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (line == NULL)
        return SB_ERR_MEMORY;
    text_append_text(out, line);
    text_append_char(out, '\n');
    free(line);
    return out->error;
}
