#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "pieces.h"
#include "waterfall.h"
#include "workspace.h"

static const char *ink(const struct terminal_style *style, enum terminal_ink which)
{
    return terminal_ink_text(style, which);
}

void report_put_number(struct text *out, uint64_t number)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, number);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            text_append_char(out, ',');
        text_append_char(out, digits[i]);
    }
}

static void put_count(struct text *out, uint64_t number, const char *what)
{
    report_put_number(out, number);
    text_printf(out, " %s%s", what, number == 1 ? "" : "s");
}

static void put_title(struct text *out, const char *text, const struct terminal_style *style)
{
    text_printf(out, "\n%s%s%s\n", ink(style, TERMINAL_BOLD), text, ink(style, TERMINAL_PLAIN));
}

/* "trace 0af7...: 5 spans, 62.1 ms" */
static void put_trace_line(struct text *out, const struct seen_list *list,
                           const struct terminal_style *style)
{
    char id[TRACE_ID_HEX_LEN + 1];
    trace_id_format(list->spans[0].trace_id, id);
    text_printf(out, "\n  trace %s%s%s: ", ink(style, TERMINAL_BOLD), id,
                ink(style, TERMINAL_PLAIN));
    put_count(out, list->count, "span");
    text_append_text(out, ", ");
    waterfall_put_duration(out, seen_list_end_ns(list) - seen_list_start_ns(list), style);
}

/* With the short names of what is on the brokers. */
static void draw(struct text *out, struct seen_list *list, const struct terminal_style *style)
{
    for (uint32_t i = 0; i < list->count; i++)
        names_shorten(list->spans[i].name);
    waterfall_draw(out, list, style);
}

void report_before(struct text *out, const struct shop_checkout *checkout,
                   const struct seen_list *before, const struct terminal_style *style)
{
    static struct seen_list piece; /* large; one thread reports */
    put_title(out,
              "1  One checkout, as its spans arrive: traces that know nothing of each other",
              style);
    for (uint32_t i = 0; i <= checkout->hop_count; i++) {
        pieces_take(checkout, i, before, &piece);
        if (piece.count == 0)
            continue;
        put_trace_line(out, &piece, style);
        if (i > 0)
            text_printf(out, ", cut off at %s%s%s", ink(style, TERMINAL_RED),
                        shop_topic_names[i - 1], ink(style, TERMINAL_PLAIN));
        text_append_char(out, '\n');
        if (i == SHOP_MAILS + 1)
            text_append_text(out,
                             "  its spans come through RabbitMQ, all others through Kafka\n");
        draw(out, &piece, style);
    }
}

/* By what the hop was joined. */
static void put_reason(struct text *out, const struct shop_checkout *checkout, uint32_t number)
{
    const struct shop_hop *hop = &checkout->hops[number];
    switch (hop->evidence) {
    case SHOP_HEADER:
        text_printf(out,
                    "record %s[%" PRId32 "]@%" PRId64
                    " still held the context that its consumer ignored",
                    shop_topic_names[number], hop->partition, hop->offset);
        break;
    case SHOP_LINK:
        text_append_text(out, "the consumer's span had kept a link to the producer's");
        break;
    case SHOP_COORDINATE:
    case SHOP_NOTHING:
    case SHOP_EVIDENCES:
        text_printf(out, "the spans on both sides name record %s[%" PRId32 "]@%" PRId64,
                    shop_topic_names[number], hop->partition, hop->offset);
        break;
    }
}

static void put_hop(struct text *out, const struct shop_checkout *checkout, uint32_t number,
                    const struct seen_list *after, const struct terminal_style *style)
{
    const struct shop_hop *hop = &checkout->hops[number];
    const struct seen_span *process =
        seen_list_find(after, checkout->spans[hop->process].span_id);
    if (process == NULL || process->rule[0] == '\0')
        return;
    text_printf(out, "  %s%-10s%sjoined by %s%s%s", ink(style, TERMINAL_BOLD),
                shop_topic_names[number], ink(style, TERMINAL_PLAIN),
                ink(style, TERMINAL_GREEN), process->rule, ink(style, TERMINAL_PLAIN));
    const struct seen_span *queue = seen_list_find(after, process->parent_id);
    if (queue != NULL && queue->synthetic) {
        text_append_text(out, ", after ");
        waterfall_put_duration(out, queue->end_ns - queue->start_ns, style);
        text_append_text(out, " in the queue");
    }
    text_append_text(out, ":\n            ");
    put_reason(out, checkout, number);
    text_append_char(out, '\n');
}

/* The policy that kept the trace stands on its root. */
static void put_policy(struct text *out, const struct seen_list *trace)
{
    for (uint32_t i = 0; i < trace->count; i++) {
        if (trace->spans[i].policy[0] == '\0')
            continue;
        text_printf(out, ", kept by \"%s\"", trace->spans[i].policy);
        return;
    }
}

/* A piece that nothing could join: decided by itself, and perhaps not kept. */
static void put_apart(struct text *out, const struct shop_checkout *checkout, uint32_t number,
                      const struct seen_list *after, const struct terminal_style *style)
{
    static struct seen_list piece; /* large; one thread reports */
    pieces_take(checkout, number + 1, after, &piece);
    if (piece.count > 0) {
        put_trace_line(out, &piece, style);
        put_policy(out, &piece);
        text_append_char(out, '\n');
        draw(out, &piece, style);
        text_append_char(out, '\n');
    }
    text_printf(out, "  %s%-10s%s%snot joined%s to %s:\n", ink(style, TERMINAL_BOLD),
                shop_topic_names[number], ink(style, TERMINAL_PLAIN), ink(style, TERMINAL_RED),
                ink(style, TERMINAL_PLAIN), shop_service_names[shop_reader(checkout, number)]);
    text_append_text(
        out, "            its span has no link and names no record: nothing to join it by\n");
}

void report_after(struct text *out, const struct shop_checkout *checkout,
                  const struct seen_list *after, const struct terminal_style *style)
{
    static struct seen_list mended; /* large; one thread reports */
    pieces_take_mended(checkout, after, &mended);
    put_title(out,
              "2  The same checkout, as spanbridge sends it on: one trace, with its queues",
              style);
    if (mended.count == 0) {
        text_append_text(out, "\n  it did not come out\n");
        return;
    }
    put_trace_line(out, &mended, style);
    put_policy(out, &mended);
    text_append_char(out, '\n');
    draw(out, &mended, style);
    text_append_char(out, '\n');
    for (uint32_t hop = 0; hop < checkout->hop_count; hop++) {
        if (checkout->hops[hop].evidence == SHOP_NOTHING)
            put_apart(out, checkout, hop, after, style);
        else
            put_hop(out, checkout, hop, &mended, style);
    }
}

static void put_label(struct text *out, const char *label, const struct terminal_style *style)
{
    text_printf(out, "  %s%-10s%s", ink(style, TERMINAL_BOLD), label,
                ink(style, TERMINAL_PLAIN));
}

/* "1,301 by link, 1,274 by coordinate" */
static void put_by_rule(struct text *out, const uint64_t *numbers)
{
    for (uint32_t i = 0; i < SHOP_RULES; i++) {
        text_append_text(out, i == 0 ? "" : ", ");
        report_put_number(out, numbers[i]);
        text_printf(out, " by %s", shop_rule_name((enum shop_evidence)i));
    }
}

static void put_kept(struct text *out, const struct receiver_counts *received)
{
    put_count(out, received->traces, "trace");
    const char *between = " (";
    for (uint32_t i = 0; i < WORKSPACE_POLICIES; i++) {
        text_printf(out, "%s%s ", between, workspace_policies[i]);
        report_put_number(out, received->kept_by[i]);
        between = ", ";
    }
    text_append_text(out, ")");
}

void report_totals(struct text *out, const struct traffic_totals *sent,
                   const struct receiver_counts *received, const struct totals *totals,
                   const struct terminal_style *style)
{
    uint64_t joined = 0;
    for (uint32_t i = 0; i < SHOP_RULES; i++)
        joined += totals->parents[i];
    put_title(out, "3  All checkouts", style);
    text_append_char(out, '\n');
    put_label(out, "came in", style);
    put_count(out, totals->read_spans, "span");
    text_append_text(out, " in ");
    put_count(out, totals->read_records, "record");
    if (sent->rabbitmq_records > 0) {
        text_append_text(out, ", ");
        report_put_number(out, sent->rabbitmq_records);
        text_append_text(out, " of them through RabbitMQ");
    }
    text_append_text(out, ":\n            ");
    put_count(out, sent->checkouts, "checkout");
    text_append_text(out, ", broken into ");
    put_count(out, sent->pieces, "trace");
    text_append_char(out, '\n');
    put_label(out, "joined", style);
    put_count(out, joined, "hop");
    text_append_text(out, ":\n            ");
    put_by_rule(out, totals->parents);
    text_append_char(out, '\n');
    if (sent->apart > 0) {
        put_label(out, "apart", style);
        put_count(out, sent->apart, "trace");
        text_append_text(out, " whose spans tell of no message\n");
    }
    put_label(out, "kept", style);
    put_kept(out, received);
    text_append_text(out, ":\n            ");
    put_count(out, totals->exported, "span");
    text_append_text(out, " exported, and ");
    put_count(out, received->queue_spans, "queue span");
    text_append_char(out, '\n');
    put_label(out, "dropped", style);
    put_count(out, totals->traces_dropped, "trace");
    text_append_text(out, " with ");
    put_count(out, totals->dropped, "span");
    text_append_text(out, ": no policy wanted them\n");
    if (sent->spans > totals->read_spans) {
        put_label(out, "left", style);
        put_count(out, sent->spans - totals->read_spans, "span");
        text_append_text(out, " that were still on their way when the shop closed\n");
    }
    put_label(out, "balance", style);
    text_printf(out, "%s%" PRId64 "%s%s\n",
                ink(style, totals->balance == 0 ? TERMINAL_GREEN : TERMINAL_RED),
                totals->balance, ink(style, TERMINAL_PLAIN),
                totals->balance == 0 ? ": every span that came in is accounted for" : "");
}

/* Right-aligned, so that lines below each other can be compared. */
static void put_column(struct text *out, uint64_t number, const char *what)
{
    enum { NUMBER_COLUMNS = 10 };
    struct text digits;
    text_init(&digits, 64);
    report_put_number(&digits, number);
    text_printf(out, "%*s %s", NUMBER_COLUMNS, text_string(&digits), what);
    text_clear(&digits);
}

void report_line(struct text *out, uint64_t seconds, const struct traffic_totals *sent,
                 const struct receiver_counts *received)
{
    uint64_t joined = 0;
    for (uint32_t i = 0; i < SHOP_RULES; i++)
        joined += received->joined[i];
    text_printf(out, "%5" PRIu64 " s   in", seconds);
    put_column(out, sent->pieces, "traces");
    put_column(out, sent->spans, "spans");
    text_append_text(out, "   out");
    put_column(out, received->traces, "traces");
    put_column(out, received->spans, "spans");
    put_column(out, joined, "hops joined\n");
}
