#include "admin/metrics.h"

#include <inttypes.h>
#include <stdio.h>

#include "exposition.h"

#define PREFIX "spanbridge_"

enum { NUMBER_LEN = 16 };

static void counter(struct text *out, const char *name, const char *help, uint64_t value)
{
    exposition_family(out, name, EXPOSITION_COUNTER, help);
    exposition_sample(out, name, NULL, 0, value);
}

static void gauge(struct text *out, const char *name, const char *help, int64_t value)
{
    exposition_single(out, name, EXPOSITION_GAUGE, help, value);
}

static void write_build(const struct admin_snapshot *snapshot, struct text *out)
{
    static const char name[] = PREFIX "build_info";
    const struct exposition_label labels[] = {{"version", snapshot->version},
                                              {"librdkafka", snapshot->librdkafka}};
    exposition_family(out, name, EXPOSITION_GAUGE, "What runs here; always 1.");
    exposition_sample(out, name, labels, 2, 1);
}

/* ---- by topic ---- */

/* One sample for each topic of the role. */
static void write_topics(const struct admin_snapshot *snapshot, bool spans, const char *name,
                         const char *help, size_t offset, struct text *out)
{
    exposition_family(out, name, EXPOSITION_COUNTER, help);
    for (uint32_t i = 0; i < snapshot->topic_count; i++) {
        const struct exposition_label label = {"topic", snapshot->topics[i].name};
        const char *row = (const char *)&snapshot->topic_counters[i];
        uint64_t value;
        memcpy(&value, row + offset, sizeof(value));
        if (snapshot->topics[i].spans == spans)
            exposition_sample(out, name, &label, 1, value);
    }
}

/* One sample for each reason of each topic of spans, those of 0 too: rates need a beginning. */
static void write_reasons(const struct admin_snapshot *snapshot, const char *name,
                          const char *help, size_t offset, struct text *out)
{
    exposition_family(out, name, EXPOSITION_COUNTER, help);
    for (uint32_t i = 0; i < snapshot->topic_count; i++) {
        uint64_t counts[WORKER_REASON_COUNT];
        memcpy(counts, (const char *)&snapshot->topic_counters[i] + offset, sizeof(counts));
        for (unsigned reason = 0; reason < WORKER_REASON_COUNT; reason++) {
            const struct exposition_label labels[] = {{"topic", snapshot->topics[i].name},
                                                      {"reason", worker_reason_text(reason)}};
            if (snapshot->topics[i].spans && reason != OTLP_FAULT_NONE)
                exposition_sample(out, name, labels, 2, counts[reason]);
        }
    }
}

static void write_unreadable(const struct admin_snapshot *snapshot, struct text *out)
{
    static const char name[] = PREFIX "records_rejected_total";
    exposition_family(out, name, EXPOSITION_COUNTER,
                      "Records that were given back to the broker for good, unread.");
    for (uint32_t i = 0; i < snapshot->topic_count; i++) {
        const struct exposition_label labels[] = {{"topic", snapshot->topics[i].name},
                                                  {"reason", "headers"}};
        exposition_sample(out, name, labels, 2, snapshot->topics[i].unreadable);
    }
}

static void write_lags(const struct admin_snapshot *snapshot, struct text *out)
{
    static const char name[] = PREFIX "lag_records";
    exposition_family(out, name, EXPOSITION_GAUGE,
                      "Records of a partition that are not finished yet; of message topics, "
                      "not read yet. As of the last fetch.");
    for (size_t i = 0; i < snapshot->lag_count; i++) {
        char partition[NUMBER_LEN];
        snprintf(partition, sizeof(partition), "%" PRId32, snapshot->lags[i].partition);
        const struct exposition_label labels[] = {{"topic", snapshot->lags[i].topic},
                                                  {"partition", partition}};
        exposition_sample(out, name, labels, 2, snapshot->lags[i].records);
    }
}

static void write_intake(const struct admin_snapshot *snapshot, struct text *out)
{
#define AT(member) offsetof(struct worker_topic_counters, member)
    write_topics(snapshot, true, PREFIX "spans_received_total", "Spans read.", AT(spans_read),
                 out);
    write_topics(snapshot, true, PREFIX "records_received_total",
                 "Records of span topics that were read.", AT(records_read), out);
    write_topics(snapshot, false, PREFIX "messages_received_total",
                 "Records of message topics that were read.", AT(messages_read), out);
    write_reasons(snapshot, PREFIX "records_dead_lettered_total",
                  "Records that could not be decoded.", AT(dead_records), out);
    write_reasons(snapshot, PREFIX "spans_dead_lettered_total",
                  "Spans that broke a limit or that a sink refused.", AT(dead_spans), out);
    write_topics(snapshot, true, PREFIX "discarded_total",
                 "Dead letters (records and spans, counted among those, too) that no "
                 "dead-letter queue took.",
                 AT(discarded), out);
#undef AT
    static const char failed[] = PREFIX "topic_stopped";
    exposition_family(out, failed, EXPOSITION_GAUGE,
                      "1: the topic is no longer read, since errors are not tolerated.");
    for (uint32_t i = 0; i < snapshot->topic_count; i++) {
        const struct exposition_label label = {"topic", snapshot->topics[i].name};
        exposition_sample(out, failed, &label, 1, snapshot->topics[i].failed);
    }
    write_unreadable(snapshot, out);
    write_lags(snapshot, out);
}

/* ---- the accounting ---- */

static void write_dropped(const struct admin_snapshot *snapshot, struct text *out)
{
    static const char name[] = PREFIX "spans_dropped_total";
    const struct worker_counters *counters = &snapshot->account->counters;
    exposition_family(out, name, EXPOSITION_COUNTER,
                      "Spans of traces that a policy dropped, or that no policy kept.");
    const struct exposition_label none = {"policy", "no_policy"};
    exposition_sample(out, name, &none, 1, counters->dropped_no_policy);
    for (uint32_t i = 0; i < snapshot->policy_count; i++) {
        const struct exposition_label label = {"policy", snapshot->policies[i]};
        if (counters->dropped[i] > 0) /* most policies only ever keep */
            exposition_sample(out, name, &label, 1, counters->dropped[i]);
    }
}

static void write_held(const struct worker_account *account, struct text *out)
{
    static const char name[] = PREFIX "spans_held";
    const struct worker_counters *counters = &account->counters;
    const struct {
        const char *where;
        int64_t count;
    } held[] = {
        {"window", (int64_t)counters->held_window},
        {"sinks", (int64_t)counters->held_egress},
        {"dead_letters", (int64_t)counters->held_letters},
        {"workers", account->under_way},
    };
    exposition_family(out, name, EXPOSITION_GAUGE,
                      "Spans read and not finished, by where they are; between workers it may "
                      "be below zero for a moment.");
    for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++) {
        const struct exposition_label label = {"where", held[i].where};
        exposition_signed(out, name, &label, 1, held[i].count);
    }
}

/* Head sampling, filters and the decision log are later: their classes are empty. */
static void write_accounting(const struct admin_snapshot *snapshot, struct text *out)
{
    const struct worker_account *account = snapshot->account;
    const struct worker_counters *counters = &account->counters;
    counter(out, PREFIX "spans_delivered_total",
            "Spans acknowledged by every sink that they were routed to.", counters->exported);
    write_dropped(snapshot, out);
    counter(out, PREFIX "spans_head_total", "Spans dropped by head sampling.", 0);
    counter(out, PREFIX "spans_filtered_total", "Spans dropped by a filter.", 0);
    counter(out, PREFIX "spans_elided_total", "Spans left out of a trace that was kept.", 0);
    counter(out, PREFIX "spans_rejected_total",
            "Spans that a sink refused for good, without a dead letter.", counters->rejected);
    counter(out, PREFIX "spans_lost_total", "Spans that a sink with drop_oldest lost.",
            counters->lost);
    counter(out, PREFIX "spans_returned_total",
            "Spans left to the next owner of their partition, which moved before the verdict.",
            counters->returned);
    counter(out, PREFIX "spans_replayed_total",
            "Spans read again that the decision log had as done.", 0);
    counter(out, PREFIX "spans_observed_total", "Spans that --observe looked at.",
            counters->observed);
    write_held(account, out);
    gauge(out, PREFIX "balance_spans",
          "Spans received less all they have become or are held as: other than 0 is a bug.",
          account->balance);
    counter(out, PREFIX "spans_synthetic_total",
            "Spans of spanbridge's own making that were exported, outside of the accounting.",
            counters->synthetic);
}

/* ---- traces and repairs ---- */

static void write_repairs(const struct worker_counters *counters, struct text *out)
{
    static const char name[] = PREFIX "repairs_total";
    static const char *const actions[] = {"parent", "link", "split", "ambiguous"};
    exposition_family(out, name, EXPOSITION_COUNTER,
                      "Hops that were repaired, by the rule that joined them and by what was "
                      "done; ambiguous ones are left alone.");
    for (int rule = 0; rule < REPAIR_RULE_COUNT; rule++) {
        for (int action = 0; action < WORKER_REPAIR_RESULTS; action++) {
            const struct exposition_label labels[] = {
                {"rule", repair_rule_text((enum repair_rule)rule)},
                {"action", actions[action]}};
            exposition_sample(out, name, labels, 2, counters->repairs[rule][action]);
        }
    }
}

static void write_traces(const struct worker_counters *counters, struct text *out)
{
    static const char name[] = PREFIX "traces_decided_total";
    const struct exposition_label kept = {"verdict", "kept"};
    const struct exposition_label dropped = {"verdict", "dropped"};
    exposition_family(out, name, EXPOSITION_COUNTER, "Traces that got their verdict.");
    exposition_sample(out, name, &kept, 1, counters->traces_kept);
    exposition_sample(out, name, &dropped, 1, counters->traces_dropped);
    write_repairs(counters, out);
    counter(out, PREFIX "late_spans_total", "Spans that came after their trace's verdict.",
            counters->late_spans);
    counter(out, PREFIX "late_joins_total", "Hops whose evidence came after the verdict.",
            counters->late_joins);
    counter(out, PREFIX "pressure_decisions_total",
            "Traces decided early since memory was used up.", counters->pressure_decisions);
    counter(out, PREFIX "incomplete_traces_total", "Kept traces with a parent missing.",
            counters->incomplete_traces);
    counter(out, PREFIX "adopted_spans_total", "Orphans that were given an ancestor.",
            counters->adopted_spans);
    counter(out, PREFIX "headers_malformed_total", "traceparent headers that are none.",
            counters->headers_malformed);
    counter(out, PREFIX "hops_forgotten_total",
            "Evidence of hops that was let go since its memory was used up.",
            counters->hops_forgotten);
    gauge(out, PREFIX "window_traces", "Traces that wait for their verdict.",
          (int64_t)counters->window_traces);
    gauge(out, PREFIX "window_bytes", "Memory of the windows, with their books.",
          (int64_t)counters->window_bytes);
}

/* ---- sinks ---- */

static uint64_t sink_counter(const struct admin_sink *sink, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)&sink->counters + offset, sizeof(value));
    return value;
}

static void write_sink_counters(const struct admin_snapshot *snapshot, struct text *out)
{
#define ROW(name_, member, help_)                                                              \
    {                                                                                          \
        PREFIX name_ "_total", help_, offsetof(struct sink_counters, member)                   \
    }
    static const struct {
        const char *name;
        const char *help;
        size_t offset;
    } rows[] = {
        ROW("spans_exported", spans_exported,
            "Spans that the sink's backend acknowledged, synthetic ones too."),
        ROW("sink_spans_rejected", spans_rejected, "Spans that the backend refused."),
        ROW("sink_spans_too_large", spans_too_large,
            "Spans larger than the backend takes, even alone."),
        ROW("sink_requests", requests, "Requests sent, retries among them."),
        ROW("sink_retries", retries, "Requests sent again."),
        ROW("sink_sent_bytes", bytes_sent, "Encoded bytes sent, before compression."),
        ROW("sink_bisections", bisections, "Batches cut in two after a refusal."),
        ROW("sink_partial_successes", partial_successes, "Answers that took a part only."),
        ROW("sink_response_overflows", response_overflows, "Answers beyond the cap."),
    };
#undef ROW
    for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
        exposition_family(out, rows[row].name, EXPOSITION_COUNTER, rows[row].help);
        for (uint32_t i = 0; i < snapshot->sink_count; i++) {
            const struct exposition_label label = {"sink", snapshot->sinks[i].name};
            exposition_sample(out, rows[row].name, &label, 1,
                              sink_counter(&snapshot->sinks[i], rows[row].offset));
        }
    }
}

static void write_sink_gauges(const struct admin_snapshot *snapshot, struct text *out)
{
    static const char queued[] = PREFIX "sink_queue_bytes";
    static const char room[] = PREFIX "sink_queue_limit_bytes";
    static const char up[] = PREFIX "sink_up";
    exposition_family(out, queued, EXPOSITION_GAUGE, "Bytes that wait for the sink.");
    for (uint32_t i = 0; i < snapshot->sink_count; i++) {
        const struct exposition_label label = {"sink", snapshot->sinks[i].name};
        exposition_sample(out, queued, &label, 1, snapshot->sinks[i].queued_bytes);
    }
    exposition_family(out, room, EXPOSITION_GAUGE, "Where intake begins to wait for the sink.");
    for (uint32_t i = 0; i < snapshot->sink_count; i++) {
        const struct exposition_label label = {"sink", snapshot->sinks[i].name};
        exposition_sample(out, room, &label, 1, snapshot->sinks[i].queue_bytes_max);
    }
    exposition_family(out, up, EXPOSITION_GAUGE,
                      "0: the sink backs off, or its backend does not let it in.");
    for (uint32_t i = 0; i < snapshot->sink_count; i++) {
        const struct exposition_label label = {"sink", snapshot->sinks[i].name};
        enum sink_state state = snapshot->sinks[i].state;
        exposition_sample(out, up, &label, 1, state == SINK_CONNECTING || state == SINK_READY);
    }
}

void admin_write_metrics(const struct admin_snapshot *snapshot, struct text *out)
{
    write_build(snapshot, out);
    write_intake(snapshot, out);
    write_accounting(snapshot, out);
    write_traces(&snapshot->account->counters, out);
    write_sink_counters(snapshot, out);
    write_sink_gauges(snapshot, out);
}
