/*
 * observe_steps: what could be done next, each with how much it is about.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/units.h"
#include "observe_report.h"

enum { SENDERS_SHOWN = 2, NAMES_LEN = 2 * WORKER_NAME_LEN + 16 };

/* The step to be filled, or NULL: there are as many as are kept. */
static struct look_step *add(struct look *look, const char *kind, uint64_t worth)
{
    if (worth == 0 || look->step_count == OBSERVE_STEPS_MAX)
        return NULL;
    struct look_step *step = &look->steps[look->step_count];
    *step = (struct look_step){.kind = kind, .worth = worth, .order = look->step_count++};
    return step;
}

/* "1 hop", "12 hops" */
static const char *counted(uint64_t number, const char *one, const char *many, char ret[48])
{
    char digits[OBSERVE_NUMBER_LEN];
    snprintf(ret, 48, "%s %s", observe_number(number, digits), number == 1 ? one : many);
    return ret;
}

static const char *hops(uint64_t number, char ret[48])
{
    return counted(number, "broken hop", "broken hops", ret);
}

static const char *shown(const char *name)
{
    return name[0] == '\0' ? "(not named)" : name;
}

/* Who sends there: "shop", "shop and 3 more"; "its producers" where nobody was seen. */
static void name_senders(const struct look *look, const char *destination, char ret[NAMES_LEN])
{
    const struct worker_observed *observed = &look->observed;
    const char *found[SENDERS_SHOWN] = {NULL};
    size_t count = 0;
    for (uint32_t i = 0; i < observed->row_count[WORKER_BY_HOP]; i++) {
        const struct worker_observed_row *row = &observed->rows[WORKER_BY_HOP][i];
        if (row->counts[WORKER_HOP_sent] == 0 || strcmp(row->destination, destination) != 0)
            continue;
        if (count < SENDERS_SHOWN)
            found[count] = shown(row->service);
        count++;
    }
    if (count == 0)
        snprintf(ret, NAMES_LEN, "its producers");
    else if (count == 1)
        snprintf(ret, NAMES_LEN, "%s", found[0]);
    else
        snprintf(ret, NAMES_LEN, "%s%s %s%s", found[0], count > 2 ? "," : " and", found[1],
                 count > 2 ? " and others" : "");
}

static enum settings_repair_mode mode_of(const struct look *look,
                                         const struct worker_observed_row *row)
{
    const struct settings *settings = look->app->settings;
    return row->settings < settings->topic_count ? settings->topics[row->settings].repair.mode
                                                 : settings->repair.mode;
}

static void add_topic_file(struct look *look, const struct worker_observed_row *row)
{
    uint64_t worth = row->counts[WORKER_HOP_topic_not_read];
    struct look_step *step = add(look, "add_message_topic", worth);
    char count[48];
    if (step == NULL)
        return;
    snprintf(step->text, sizeof(step->text),
             "Add a topic file with role = messages for %s: %s there, and the headers of the "
             "records that they name may tell who sent them.",
             shown(row->destination), hops(worth, count));
    bool is_name = row->destination[0] != '\0' && strpbrk(row->destination, "?\"\\$") == NULL;
    if (!row->rabbitmq && is_name)
        snprintf(step->file, sizeof(step->file),
                 "name = \"%s\"; source = \"kafka\"; topic = \"%s\"; role = \"messages\";",
                 row->destination, row->destination);
}

static void add_mode(struct look *look, const struct worker_observed_row *row)
{
    uint64_t worth = row->counts[WORKER_HOP_only_reported];
    struct look_step *step = add(look, "set_repair_mode", worth);
    char count[48];
    if (step == NULL)
        return;
    snprintf(step->text, sizeof(step->text),
             "Set repair.mode = auto for %s, it is %s: %s there would be mended.",
             shown(row->destination),
             mode_of(look, row) == SETTINGS_REPAIR_OFF ? "off" : "report", hops(worth, count));
}

static void add_headers(struct look *look, const struct worker_observed_row *row)
{
    uint64_t worth = row->counts[WORKER_HOP_record_bare];
    struct look_step *step = add(look, "propagate_context", worth);
    char count[48];
    char senders[NAMES_LEN];
    if (step == NULL)
        return;
    name_senders(look, row->destination, senders);
    snprintf(step->text, sizeof(step->text),
             "Let %s propagate the context to %s: %s there, and the records that they took in "
             "carry no traceparent.",
             senders, shown(row->destination), hops(worth, count));
}

static void add_earlier(struct look *look, const struct worker_observed_row *row)
{
    uint64_t worth = row->counts[WORKER_HOP_record_not_seen];
    struct look_step *step = add(look, "read_messages_earlier", worth);
    char count[48];
    if (step == NULL)
        return;
    snprintf(step->text, sizeof(step->text),
             "Read the messages of %s from earlier on (start = earliest, or a greater "
             "repair.replay): %s there, of records that were not read or are gone.",
             shown(row->destination), hops(worth, count));
}

/* Nobody takes in what is sent there, as far as spans tell. */
static void add_consumers(struct look *look, const struct worker_observed_row *row)
{
    if (row->counts[WORKER_HOP_intact] + row->counts[WORKER_HOP_broken] > 0)
        return;
    uint64_t worth = row->counts[WORKER_HOP_sent_traces];
    struct look_step *step = add(look, "find_consumers", worth);
    char count[48];
    if (step == NULL)
        return;
    snprintf(step->text, sizeof(step->text),
             "Look for the consumers of %s: %s there, and no span that takes anything in was "
             "seen. Are they instrumented, and are their spans in a topic that is read here?",
             shown(row->destination), counted(worth, "trace sends", "traces send", count));
}

static void add_unseen(struct look *look, const struct worker_observed_row *row)
{
    uint64_t worth = row->counts[WORKER_HOP_producer_unseen];
    struct look_step *step = add(look, "read_producer_spans", worth);
    char count[48];
    if (step == NULL)
        return;
    snprintf(step->text, sizeof(step->text),
             "Read the spans of those who send to %s, too: %s would be mended under a producer "
             "of whose trace no span came.",
             shown(row->destination), hops(worth, count));
}

/* By service and library: it is for these to say more. */
static void add_instrumentation(struct look *look, const struct worker_observed_row *row)
{
    uint64_t worth = row->counts[WORKER_HOP_names_nothing] + row->counts[WORKER_HOP_batch];
    struct look_step *step = add(look, "improve_instrumentation", worth);
    char count[48];
    if (step == NULL)
        return;
    snprintf(step->text, sizeof(step->text),
             "Let the consumer spans of %s name their messages: %s of %s, with neither a link "
             "nor topic, partition and offset (library: %s).",
             shown(row->service), hops(worth, count), shown(row->destination),
             shown(row->library));
}

uint64_t observe_dead(const struct look *look, uint32_t topic)
{
    uint64_t dead = 0;
    for (int i = 0; i < WORKER_REASON_COUNT; i++)
        dead += look->topic_counters[topic].dead_records[i] +
                look->topic_counters[topic].dead_spans[i];
    return dead;
}

bool observe_stops(const struct look *look, uint32_t topic)
{
    const struct settings_topic *settings = &look->app->settings->topics[topic];
    return observe_dead(look, topic) > 0 && settings->errors.deadletterqueue == NULL &&
           settings->errors.tolerance != SETTINGS_TOLERANCE_ALL;
}

static void add_dead(struct look *look, uint32_t topic)
{
    if (!observe_stops(look, topic))
        return;
    struct look_step *step = add(look, "set_dead_letter_queue", observe_dead(look, topic));
    char count[48];
    if (step == NULL)
        return;
    step->urgent = true;
    snprintf(step->text, sizeof(step->text),
             "Set errors.deadletterqueue for %s: %s can not be taken, and a run would stop "
             "reading the topic at the first of them.",
             look->app->settings->topics[topic].name,
             counted(step->worth, "record or span", "records or spans", count));
}

static void add_left_out(struct look *look, const struct settings_topic *topic)
{
    struct look_step *step = observe_leaves_out(topic) ? add(look, "left_out", 1) : NULL;
    if (step != NULL)
        snprintf(
            step->text, sizeof(step->text),
            "%s was left out: of RabbitMQ a look reads streams alone, as messages of a queue "
            "would be kept from their consumers. A run reads it.",
            topic->name);
}

static bool any_dead(const struct look *look)
{
    for (uint32_t i = 0; i < look->app->settings->topic_count; i++) {
        if (observe_dead(look, i) > 0)
            return true;
    }
    return false;
}

static void add_nothing_read(struct look *look)
{
    if (look->account->counters.spans_read > 0)
        return;
    struct look_step *step = add(look, "read_spans", 1);
    if (step == NULL)
        return;
    step->urgent = true;
    const char *text = "Not one span came: wait longer, or add --drain to read what is there.";
    if (look->app->troubled)
        text = "Not one span was read, and there is trouble: see what the log says of it.";
    else if (any_dead(look))
        text = "Not one span was read, as no record of spans could be decoded: is the encoding "
               "in the topic file right?";
    else if (look->app->run.drain)
        text = "Not one span was read: are the topics right, and is start = latest in none of "
               "their files?";
    snprintf(step->text, sizeof(step->text), "%s", text);
}

/* Without --drain a trace is judged when its window ends, and none did. */
static void add_longer_look(struct look *look)
{
    const struct worker_account *account = look->account;
    if (account->held <= 0 || account->counters.observed > 0)
        return;
    struct look_step *step = add(look, "look_longer", (uint64_t)account->held);
    char wait[UNITS_TEXT_LEN];
    if (step == NULL)
        return;
    step->urgent = true;
    units_format_duration(look->app->settings->window.wait_ns, wait);
    snprintf(
        step->text, sizeof(step->text),
        "Look for longer: a trace is judged window.wait (%s) after its first span, and all of "
        "them were still open.",
        wait);
}

static void add_longer_window(struct look *look)
{
    uint64_t worth = look->totals[WORKER_HOP_evidence_late];
    struct look_step *step = add(look, "raise_window_wait", worth);
    char wait[UNITS_TEXT_LEN];
    char count[48];
    if (step == NULL)
        return;
    units_format_duration(look->app->settings->window.wait_ns, wait);
    snprintf(step->text, sizeof(step->text),
             "Raise window.wait or window.hold (wait is %s): the producers of %s became known "
             "only after the verdict.",
             wait, hops(worth, count));
}

static void add_missing(struct look *look)
{
    uint64_t worth = look->observed.counts.missing_parent;
    struct look_step *step = add(look, "find_missing_parents", worth);
    char count[48];
    if (step == NULL)
        return;
    snprintf(step->text, sizeof(step->text),
             "Look for the spans that never came: %s a parent that is not here. A service "
             "may export elsewhere, or sample by itself.",
             counted(worth, "trace names", "traces name", count));
}

static void add_run(struct look *look)
{
    uint64_t worth = observe_repaired(look->totals);
    struct look_step *step = add(look, "run", worth);
    char broken[48];
    char mended[OBSERVE_NUMBER_LEN];
    if (step == NULL)
        return;
    snprintf(step->text, sizeof(step->text),
             "Run it without --observe: %s of %s would be mended.",
             observe_number(worth, mended), hops(look->totals[WORKER_HOP_broken], broken));
}

static int by_worth(const void *left, const void *right)
{
    const struct look_step *a = left;
    const struct look_step *b = right;
    if (a->urgent != b->urgent)
        return a->urgent ? -1 : 1;
    if (a->worth != b->worth)
        return a->worth < b->worth ? 1 : -1;
    return a->order < b->order ? -1 : 1;
}

void observe_find_steps(struct look *look)
{
    static void (*const of_destination[])(struct look *, const struct worker_observed_row *) = {
        add_topic_file, add_mode, add_headers, add_earlier, add_consumers, add_unseen};
    const struct worker_observed *observed = &look->observed;
    add_nothing_read(look);
    add_longer_look(look);
    add_run(look);
    for (uint32_t i = 0; i < look->app->settings->topic_count; i++) {
        add_dead(look, i);
        add_left_out(look, &look->app->settings->topics[i]);
    }
    add_longer_window(look);
    add_missing(look);
    for (uint32_t i = 0; i < observed->row_count[WORKER_BY_DESTINATION]; i++)
        for (size_t j = 0; j < sizeof(of_destination) / sizeof(*of_destination); j++)
            of_destination[j](look, &observed->rows[WORKER_BY_DESTINATION][i]);
    for (uint32_t i = 0; i < observed->row_count[WORKER_BY_HOP]; i++)
        add_instrumentation(look, &observed->rows[WORKER_BY_HOP][i]);
    qsort(look->steps, look->step_count, sizeof(*look->steps), by_worth);
}
