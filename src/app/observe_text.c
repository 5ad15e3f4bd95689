/*
 * observe_text: the report for people.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/units.h"
#include "observe_report.h"

enum { COLUMNS = 80, NAME_COLUMNS = 40, ROWS_SHOWN = 10, STEPS_SHOWN = 10 };

enum ink { PLAIN, BOLD, DIM, RED, GREEN, YELLOW };

struct page {
    const struct look *look;
    struct text *out;
    bool colour;
};

static const char *ink(const struct page *page, enum ink ink)
{
    static const char *const codes[] = {"\x1b[0m",  "\x1b[1m",  "\x1b[2m",
                                        "\x1b[31m", "\x1b[32m", "\x1b[33m"};
    return page->colour ? codes[ink] : "";
}

static void write_heading(const struct page *page, const char *text)
{
    text_printf(page->out, "\n%s%s%s\n", ink(page, BOLD), text, ink(page, PLAIN));
}

/* Words of `text` in lines that begin at `indent`, where the cursor is. */
static void write_wrapped(const struct page *page, size_t indent, const char *text)
{
    size_t column = indent;
    for (;;) {
        size_t len = strcspn(text, " ");
        if (len > COLUMNS - indent) /* a name as long as that is cut */
            len = COLUMNS - indent;
        if (column > indent && column + 1 + len > COLUMNS) {
            text_printf(page->out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            text_append_char(page->out, ' ');
            column++;
        }
        text_append(page->out, bytes_of(text, len));
        column += len;
        if (text[len] == '\0')
            break;
        text += len;
        text += *text == ' ';
    }
    text_append_char(page->out, '\n');
}

/* A number in its column, and what it is. */
static void write_count(const struct page *page, enum ink colour, uint64_t count,
                        const char *text)
{
    char number[OBSERVE_NUMBER_LEN];
    text_printf(page->out, "  %s%12s%s  ", ink(page, count > 0 ? colour : PLAIN),
                observe_number(count, number), ink(page, PLAIN));
    write_wrapped(page, 16, text);
}

/* The same, where it is no news that there are none. */
static void write_if_any(const struct page *page, enum ink colour, uint64_t count,
                         const char *text)
{
    if (count > 0)
        write_count(page, colour, count, text);
}

static unsigned percent(uint64_t part, uint64_t whole)
{
    if (whole == 0)
        return 0;
    double exact = 100.0 * (double)part / (double)whole;
    unsigned rounded = (unsigned)(exact + 0.5);
    if (rounded == 100 && part < whole) /* only what is all is called so */
        return 99;
    return rounded == 0 && part > 0 ? 1 : rounded;
}

static void write_summary(const struct page *page)
{
    const struct look *look = page->look;
    const struct worker_counters *counters = &look->account->counters;
    const struct worker_observed_counts *traces = &look->observed.counts;
    char took[UNITS_TEXT_LEN];
    char line[160];
    char numbers[3][OBSERVE_NUMBER_LEN];
    units_format_duration((look->seconds > 0 ? look->seconds : 1) * NS_PER_S, took);
    text_printf(page->out, "%sA look of %s. Nothing was committed, exported or written.%s\n\n",
                ink(page, BOLD), took, ink(page, PLAIN));
    snprintf(line, sizeof(line), "spans read, in %s record%s; %s message%s",
             observe_number(counters->records_read, numbers[0]),
             counters->records_read == 1 ? "" : "s",
             observe_number(counters->messages_read, numbers[1]),
             counters->messages_read == 1 ? "" : "s");
    write_count(page, PLAIN, counters->spans_read, line);
    write_if_any(page, PLAIN, counters->late_spans,
                 "of them came after the verdict on their trace");
    write_if_any(page, PLAIN, (uint64_t)look->account->held,
                 "of them are of traces that were still open at the end");
    write_count(page, PLAIN, traces->traces, "traces, by their ids");
    write_count(page, GREEN, traces->complete, "whole");
    write_count(page, RED, traces->broken, "broken at a message");
    write_count(page, YELLOW, traces->missing_parent, "name a parent that never came");
    write_if_any(page, PLAIN, traces->cut, "began before the look did: not judged");
    write_if_any(page, PLAIN, traces->unknown, "not judged, as memory was short");
    write_if_any(page, YELLOW, traces->reasons[WORKER_OBSERVED_pressure],
                 "decided early, as memory was used up: a greater memory tells more");
}

/* What is too long loses its front: names of libraries differ at their ends. */
static void write_name(const struct page *page, const char *name)
{
    size_t len = strlen(name);
    if (len > NAME_COLUMNS)
        text_printf(page->out, "  ..%s", name + len - NAME_COLUMNS + 2);
    else
        text_printf(page->out, "  %-*s", NAME_COLUMNS, name);
}

static void write_row(const struct page *page, const char *name, const uint64_t *counts)
{
    uint64_t broken = counts[WORKER_HOP_broken];
    uint64_t hops = counts[WORKER_HOP_intact] + broken;
    uint64_t mended = observe_repaired(counts);
    char numbers[3][OBSERVE_NUMBER_LEN];
    write_name(page, name);
    text_printf(page->out, " %9s %s%9s %3u %%%s %s%9s%s\n", observe_number(hops, numbers[0]),
                ink(page, broken > 0 ? RED : PLAIN), observe_number(broken, numbers[1]),
                percent(broken, hops), ink(page, PLAIN), ink(page, mended > 0 ? GREEN : PLAIN),
                observe_number(mended, numbers[2]), ink(page, PLAIN));
}

static void write_table(const struct page *page, enum worker_observed_by by, const char *title)
{
    const struct worker_observed *observed = &page->look->observed;
    uint64_t rest[WORKER_HOP_COUNTER_COUNT];
    uint32_t shown = 0;
    uint32_t left_out = 0;
    memcpy(rest, observed->others[by].counts, sizeof(rest));
    text_printf(page->out, "\n  %s%-*s %9s %15s %9s%s\n", ink(page, DIM), NAME_COLUMNS, title,
                "messages", "broken", "mended", ink(page, PLAIN));
    for (uint32_t i = 0; i < observed->row_count[by]; i++) {
        const struct worker_observed_row *row = &observed->rows[by][i];
        if (row->counts[WORKER_HOP_intact] + row->counts[WORKER_HOP_broken] == 0)
            continue;
        if (shown++ < ROWS_SHOWN) {
            const char *name = by == WORKER_BY_DESTINATION ? row->destination
                               : by == WORKER_BY_SERVICE   ? row->service
                                                           : row->library;
            write_row(page, name[0] == '\0' ? "(not named)" : name, row->counts);
            continue;
        }
        left_out++;
        for (int counter = 0; counter < WORKER_HOP_COUNTER_COUNT; counter++)
            rest[counter] += row->counts[counter];
    }
    if (rest[WORKER_HOP_intact] + rest[WORKER_HOP_broken] == 0)
        return;
    char name[48];
    snprintf(name, sizeof(name), "%u others%s", left_out,
             observed->others[by].counts[WORKER_HOP_broken] > 0 ? " and more" : "");
    write_row(page, name, rest);
}

static void write_hops(const struct page *page)
{
    const uint64_t *totals = page->look->totals;
    uint64_t broken = totals[WORKER_HOP_broken];
    uint64_t hops = totals[WORKER_HOP_intact] + broken;
    uint64_t mended = observe_repaired(totals);
    char numbers[3][OBSERVE_NUMBER_LEN];
    char line[160];
    if (hops == 0) {
        write_heading(page, "No span was seen that takes in a message.");
        return;
    }
    write_heading(page, "Where traces break");
    if (broken == 0)
        snprintf(line, sizeof(line), "Of %s message%s taken in, none lost the trace.",
                 observe_number(hops, numbers[0]), hops == 1 ? "" : "s");
    else
        snprintf(
            line, sizeof(line),
            "Of %s message%s taken in, %s (%u %%) lost the trace; %s of these (%u %%) would be "
            "mended.",
            observe_number(hops, numbers[0]), hops == 1 ? "" : "s",
            observe_number(broken, numbers[1]), percent(broken, hops),
            observe_number(mended, numbers[2]), percent(mended, broken));
    text_append_text(page->out, "  ");
    write_wrapped(page, 2, line);
    write_table(page, WORKER_BY_DESTINATION, "topic");
    write_table(page, WORKER_BY_SERVICE, "consuming service");
    write_table(page, WORKER_BY_LIBRARY, "library");
}

static void write_repairs(const struct page *page)
{
    const uint64_t *totals = page->look->totals;
    if (observe_repaired(totals) + totals[WORKER_HOP_only_reported] == 0)
        return;
    write_heading(page, "What tells where they belong");
    write_if_any(page, PLAIN, totals[WORKER_HOP_by_link],
                 "link: the consumer's span links to the producer's");
    write_if_any(page, PLAIN, totals[WORKER_HOP_by_coordinate],
                 "coordinate: both spans name the same topic, partition and offset");
    write_if_any(page, PLAIN, totals[WORKER_HOP_by_header],
                 "header_at_coordinate: the record that the span names carries the context");
    write_heading(page, "What would be done");
    write_if_any(page, GREEN, totals[WORKER_HOP_repaired_parent],
                 "the consumer's trace moves under the producer's span");
    write_if_any(page, GREEN, totals[WORKER_HOP_repaired_link],
                 "the consumer's span links to the producer's");
    write_if_any(page, YELLOW, totals[WORKER_HOP_only_reported],
                 "nothing, as repair.mode is off or report");
    write_if_any(page, YELLOW, totals[WORKER_HOP_producer_unseen],
                 "of them lead to traces of which no span came");
}

static void write_reasons(const struct page *page)
{
    static const struct {
        enum worker_hop_counter counter;
        const char *text;
    } reasons[] = {
        {WORKER_HOP_topic_not_read, "name a record of a topic that is not read here"},
        {WORKER_HOP_record_bare, "name a record that carries no traceparent"},
        {WORKER_HOP_record_not_seen, "name a record that was not read, or is gone"},
        {WORKER_HOP_names_nothing, "have no link, and do not name their record"},
        {WORKER_HOP_batch, "are batches that name none of their records"},
        {WORKER_HOP_ambiguous, "are ambiguous: several producers claim them"},
        {WORKER_HOP_links_max, "are beyond repair.links_max of their span"},
        {WORKER_HOP_same_trace, "are in their producer's trace, though not below it"},
        {WORKER_HOP_evidence_late, "became clear only after the verdict"},
    };
    const uint64_t *totals = page->look->totals;
    uint64_t any = 0;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        any += totals[reasons[i].counter];
    if (any == 0)
        return;
    write_heading(page, "Why the others would not be mended");
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        write_if_any(page, YELLOW, totals[reasons[i].counter], reasons[i].text);
}

static void write_messages(const struct page *page)
{
    const struct look *look = page->look;
    const struct settings *settings = look->app->settings;
    bool headed = false;
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        const struct worker_observed_topic *topic = &look->observed.topics[i];
        char line[WORKER_NAME_LEN + 128];
        char numbers[2][OBSERVE_NUMBER_LEN];
        if (settings->topics[i].role != SETTINGS_ROLE_MESSAGES)
            continue;
        if (!headed)
            write_heading(page, "Messages");
        headed = true;
        int len = snprintf(line, sizeof(line), "in %.*s, %s of them with a traceparent",
                           WORKER_NAME_LEN, settings->topics[i].name,
                           observe_number(topic->with_context, numbers[0]));
        if (topic->malformed > 0)
            snprintf(line + len, sizeof(line) - (size_t)len, ", %s with one that is malformed",
                     observe_number(topic->malformed, numbers[1]));
        write_count(page, PLAIN, look->topic_counters[i].messages_read, line);
    }
}

static void write_dead_reasons(const struct page *page, const uint64_t *counts,
                               const char *what, const char *topic)
{
    for (unsigned i = 0; i < WORKER_REASON_COUNT; i++) {
        char line[WORKER_NAME_LEN + 128];
        snprintf(line, sizeof(line), "%s of %.*s: %s", what, WORKER_NAME_LEN, topic,
                 worker_reason_text(i));
        write_if_any(page, RED, counts[i], line);
    }
}

static void write_dead(const struct page *page)
{
    const struct look *look = page->look;
    bool headed = false;
    for (uint32_t i = 0; i < look->app->settings->topic_count; i++) {
        const char *name = look->app->settings->topics[i].name;
        if (observe_dead(look, i) == 0)
            continue;
        if (!headed)
            write_heading(page, "What would be dead-lettered");
        headed = true;
        write_dead_reasons(page, look->topic_counters[i].dead_records, "records", name);
        write_dead_reasons(page, look->topic_counters[i].dead_spans, "spans", name);
    }
}

static void write_steps(const struct page *page)
{
    const struct look *look = page->look;
    if (look->step_count == 0)
        return;
    write_heading(page, "What to do next, the most valuable first");
    for (uint32_t i = 0; i < look->step_count && i < STEPS_SHOWN; i++) {
        text_printf(page->out, "  %s%2u.%s ", ink(page, BOLD), i + 1, ink(page, PLAIN));
        write_wrapped(page, 6, look->steps[i].text);
        if (look->steps[i].file[0] != '\0')
            text_printf(page->out, "        %s%s%s\n", ink(page, DIM), look->steps[i].file,
                        ink(page, PLAIN));
    }
    if (look->step_count > STEPS_SHOWN)
        text_printf(page->out, "      and %u more: see next_steps in the report of --json\n",
                    look->step_count - STEPS_SHOWN);
}

static void write_account(const struct page *page)
{
    const struct worker_account *account = page->look->account;
    char numbers[4][OBSERVE_NUMBER_LEN];
    text_printf(page->out,
                "\n%sEvery span is accounted for: %s read, %s observed, %s dead, %s open%s%s\n",
                ink(page, DIM), observe_number(account->counters.spans_read, numbers[0]),
                observe_number(account->counters.observed, numbers[1]),
                observe_number(account->dead, numbers[2]),
                observe_number((uint64_t)account->held, numbers[3]),
                account->balance == 0 ? "." : ": NOT SO.", ink(page, PLAIN));
}

void observe_write_text(const struct look *look, bool colour, struct text *out)
{
    const struct page page = {.look = look, .out = out, .colour = colour};
    write_summary(&page);
    write_hops(&page);
    write_repairs(&page);
    write_reasons(&page);
    write_messages(&page);
    write_dead(&page);
    write_steps(&page);
    write_account(&page);
}
