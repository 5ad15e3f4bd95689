/*
 * observe_steps: what could be done next, each with how much it is about.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/bytes.h"
#include "core/units.h"
#include "observe_report.h"

enum { SENDERS_SHOWN = 2, NAMES_LEN = 2 * WORKER_NAME_LEN + 16 };

/* What a step is about. */
struct about {
    const struct look *look;
    const struct worker_observed_row *row; /* a destination's, a hop's, or the totals */
    uint32_t topic;                        /* in of_topic */
};

/*
 * A step that is taken when it is worth something.  In its texts {one|many} stands for the
 * worth, counted in these words; what any other {word} stands for, `find_word` says.  A table
 * ends with a kind NULL.
 */
struct rule {
    const char *kind;
    uint64_t (*worth)(const struct about *about); /* NULL: the counter of the row */
    enum worker_hop_counter counter;
    bool urgent;
    const char *text;
    const char *file; /* where the destination can be a topic's name; or NULL */
};

uint64_t observe_dead(const struct look *look, uint32_t topic)
{
    uint64_t dead = 0;
    for (int i = 0; i < WORKER_REASON_COUNT; i++)
        dead += look->topic_counters[topic].dead_records[i] +
                look->topic_counters[topic].dead_spans[i];
    return dead;
}

/* What explains that not one span was read. */
enum silence { SILENCE_NONE, SILENCE_TROUBLE, SILENCE_DEAD, SILENCE_DRAINED, SILENCE_YET };

static enum silence silence_of(const struct look *look)
{
    const struct app *app = look->app;
    if (look->account->counters.spans_read > 0)
        return SILENCE_NONE;
    if (app->troubles.count > 0)
        return SILENCE_TROUBLE;
    for (uint32_t i = 0; i < app->settings->topic_count; i++) {
        if (observe_dead(look, i) > 0)
            return SILENCE_DEAD;
    }
    return app->run.drain ? SILENCE_DRAINED : SILENCE_YET;
}

static uint64_t not_read_in_trouble(const struct about *about)
{
    return silence_of(about->look) == SILENCE_TROUBLE;
}

static uint64_t not_decoded(const struct about *about)
{
    return silence_of(about->look) == SILENCE_DEAD;
}

static uint64_t not_read_by_drain(const struct about *about)
{
    return silence_of(about->look) == SILENCE_DRAINED;
}

static uint64_t not_read_yet(const struct about *about)
{
    return silence_of(about->look) == SILENCE_YET;
}

/* Without --drain a trace is judged when its window ends, and none did. */
static uint64_t all_open(const struct about *about)
{
    const struct worker_account *account = about->look->account;
    return account->counters.observed > 0 || account->held < 0 ? 0 : (uint64_t)account->held;
}

static uint64_t mended(const struct about *about)
{
    return observe_repaired(about->row->counts);
}

bool observe_stops(const struct look *look, uint32_t topic)
{
    const struct settings_topic *settings = &look->app->settings->topics[topic];
    return observe_dead(look, topic) > 0 && settings->errors.deadletterqueue == NULL &&
           settings->errors.tolerance != SETTINGS_TOLERANCE_ALL;
}

static uint64_t dead_that_stop(const struct about *about)
{
    return observe_stops(about->look, about->topic) ? observe_dead(about->look, about->topic)
                                                    : 0;
}

static uint64_t left_out(const struct about *about)
{
    return observe_leaves_out(&about->look->app->settings->topics[about->topic]);
}

static uint64_t missing_parents(const struct about *about)
{
    return about->look->observed.counts.missing_parent;
}

/* Where nobody takes in what is sent, as far as spans tell. */
static uint64_t sent_to_nobody(const struct about *about)
{
    const uint64_t *counts = about->row->counts;
    return counts[WORKER_HOP_intact] + counts[WORKER_HOP_broken] > 0
               ? 0
               : counts[WORKER_HOP_sent_traces];
}

static uint64_t without_evidence(const struct about *about)
{
    return about->row->counts[WORKER_HOP_names_nothing] + about->row->counts[WORKER_HOP_batch];
}

static const struct rule of_all_first[] = {
    {.kind = "read_spans",
     .worth = not_read_in_trouble,
     .urgent = true,
     .text = "Not one span was read, and there is trouble: see what the log says of it."},
    {.kind = "read_spans",
     .worth = not_decoded,
     .urgent = true,
     .text = "Not one span was read, as no record of spans could be decoded: is the encoding "
             "in the topic file right?"},
    {.kind = "read_spans",
     .worth = not_read_by_drain,
     .urgent = true,
     .text = "Not one span was read: are the topics right, and is start = latest in none of "
             "their files?"},
    {.kind = "read_spans",
     .worth = not_read_yet,
     .urgent = true,
     .text = "Not one span came: wait longer, or add --drain to read what is there."},
    {.kind = "look_longer",
     .worth = all_open,
     .urgent = true,
     .text = "Look for longer: a trace is judged window.wait ({wait}) after its first span, "
             "and all of them were still open."},
    {.kind = "run",
     .worth = mended,
     .text = "Run it without --observe: {number} of {broken} would be mended."},
    {.kind = NULL},
};

static const struct rule of_topic[] = {
    {.kind = "set_dead_letter_queue",
     .worth = dead_that_stop,
     .urgent = true,
     .text =
         "Set errors.deadletterqueue for {topic}: {record or span|records or spans} can not "
         "be taken, and a run would stop reading the topic at the first of them."},
    {.kind = "left_out",
     .worth = left_out,
     .text = "{topic} was left out: of RabbitMQ a look reads streams alone, as messages of a "
             "queue would be kept from their consumers. A run reads it."},
    {.kind = NULL},
};

static const struct rule of_all[] = {
    {.kind = "raise_window_wait",
     .counter = WORKER_HOP_evidence_late,
     .text = "Raise window.wait or window.hold (wait is {wait}): the producers of "
             "{broken hop|broken hops} became known only after the verdict."},
    {.kind = "find_missing_parents",
     .worth = missing_parents,
     .text = "Look for the spans that never came: {trace names|traces name} a parent that is "
             "not here. A service may export elsewhere, or sample by itself."},
    {.kind = NULL},
};

static const struct rule of_destination[] = {
    {.kind = "add_message_topic",
     .counter = WORKER_HOP_topic_not_read,
     .text =
         "Add a topic file with role = messages for {destination}: {broken hop|broken hops} "
         "there, and the headers of the records that they name may tell who sent them.",
     .file = "name = \"{destination}\"; source = \"kafka\"; topic = \"{destination}\"; "
             "role = \"messages\";"},
    {.kind = "set_repair_mode",
     .counter = WORKER_HOP_only_reported,
     .text = "Set repair.mode = auto for {destination}, it is {mode}: {broken hop|broken hops} "
             "there would be mended."},
    {.kind = "propagate_context",
     .counter = WORKER_HOP_record_bare,
     .text = "Let {senders} propagate the context to {destination}: {broken hop|broken hops} "
             "there, and the records that they took in carry no traceparent."},
    {.kind = "read_messages_earlier",
     .counter = WORKER_HOP_record_not_seen,
     .text = "Read the messages of {destination} from earlier on (start = earliest, or a "
             "greater repair.replay): {broken hop|broken hops} there, of records that were not "
             "read or are gone."},
    {.kind = "find_consumers",
     .worth = sent_to_nobody,
     .text = "Look for the consumers of {destination}: {trace sends|traces send} there, and no "
             "span that takes anything in was seen. Are they instrumented, and are their spans "
             "in a topic that is read here?"},
    {.kind = "read_producer_spans",
     .counter = WORKER_HOP_producer_unseen,
     .text = "Read the spans of those who send to {destination}, too: {broken hop|broken hops} "
             "would be mended under a producer of whose trace no span came."},
    {.kind = NULL},
};

/* By service and library: it is for these to say more. */
static const struct rule of_hop[] = {
    {.kind = "improve_instrumentation",
     .worth = without_evidence,
     .text =
         "Let the consumer spans of {service} name their messages: {broken hop|broken hops} "
         "of {destination}, with neither a link nor topic, partition and offset (library: "
         "{library})."},
    {.kind = NULL},
};

static const char *shown(const char *name)
{
    return name[0] == '\0' ? "(not named)" : name;
}

/* Who sends there: "shop", "shop and web", "shop, web and others"; unseen: "its producers". */
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

/* "1 broken hop", "12 broken hops", of the words "broken hop|broken hops" */
static void count_in(struct bytes words, uint64_t number, char ret[NAMES_LEN])
{
    const uint8_t *bar = memchr(words.at, '|', words.len);
    SB_ASSERT(bar != NULL);
    struct bytes one = bytes_of(words.at, (size_t)(bar - words.at));
    struct bytes many = bytes_of(bar + 1, words.len - one.len - 1);
    struct bytes noun = number == 1 ? one : many;
    char digits[OBSERVE_NUMBER_LEN];
    snprintf(ret, NAMES_LEN, "%s %.*s", observe_number(number, digits), (int)noun.len,
             (const char *)noun.at);
}

/* What {name} stands for, in a step of that worth; `room` may hold it. */
static const char *find_word(const struct about *about, uint64_t worth, struct bytes name,
                             char room[NAMES_LEN])
{
    const struct settings *settings = about->look->app->settings;
    const struct worker_observed_row *row = about->row;
    if (bytes_equal(name, BYTES_LITERAL("destination")))
        return shown(row->destination);
    if (bytes_equal(name, BYTES_LITERAL("service")))
        return shown(row->service);
    if (bytes_equal(name, BYTES_LITERAL("library")))
        return shown(row->library);
    if (bytes_equal(name, BYTES_LITERAL("topic")))
        return settings->topics[about->topic].name;
    if (bytes_equal(name, BYTES_LITERAL("mode")))
        return mode_of(about->look, row) == SETTINGS_REPAIR_OFF ? "off" : "report";
    if (bytes_equal(name, BYTES_LITERAL("number")))
        return observe_number(worth, room);
    if (bytes_equal(name, BYTES_LITERAL("senders")))
        name_senders(about->look, row->destination, room);
    else if (bytes_equal(name, BYTES_LITERAL("wait")))
        units_format_duration(settings->window.wait_ns, room);
    else if (bytes_equal(name, BYTES_LITERAL("broken")))
        count_in(BYTES_LITERAL("broken hop|broken hops"), row->counts[WORKER_HOP_broken], room);
    else
        count_in(name, worth, room);
    return room;
}

/* The text with its words; cut where it does not fit. */
static void fill(const struct about *about, uint64_t worth, const char *text,
                 char ret[OBSERVE_STEP_LEN])
{
    size_t len = 0;
    while (*text != '\0' && len < OBSERVE_STEP_LEN) {
        size_t plain = strcspn(text, "{");
        char room[NAMES_LEN];
        const char *word = "";
        size_t named = 0;
        if (text[plain] == '{') {
            named = strcspn(text + plain, "}") + 1;
            word = find_word(about, worth, bytes_of(text + plain + 1, named - 2), room);
        }
        len += (size_t)snprintf(ret + len, OBSERVE_STEP_LEN - len, "%.*s%s", (int)plain, text,
                                word);
        text += plain + named;
    }
}

static bool can_be_topic(const struct worker_observed_row *row)
{
    bool is_name = row->destination[0] != '\0' && strpbrk(row->destination, "?\"\\$") == NULL;
    return !row->rabbitmq && is_name;
}

/* Nothing where it is worth nothing, or as many are there as are kept. */
static void add(struct look *look, const struct about *about, const struct rule *rule)
{
    uint64_t worth =
        rule->worth != NULL ? rule->worth(about) : about->row->counts[rule->counter];
    if (worth == 0 || look->step_count == OBSERVE_STEPS_MAX)
        return;
    struct look_step *step = &look->steps[look->step_count];
    *step = (struct look_step){.kind = rule->kind,
                               .urgent = rule->urgent,
                               .worth = worth,
                               .order = look->step_count++};
    fill(about, worth, rule->text, step->text);
    if (rule->file != NULL && can_be_topic(about->row))
        fill(about, worth, rule->file, step->file);
}

static void add_each(struct look *look, const struct about *about, const struct rule *rules)
{
    for (const struct rule *rule = rules; rule->kind != NULL; rule++)
        add(look, about, rule);
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
    const struct worker_observed *observed = &look->observed;
    struct worker_observed_row totals = {.settings = 0};
    memcpy(totals.counts, look->totals, sizeof(totals.counts));
    struct about about = {.look = look, .row = &totals};
    add_each(look, &about, of_all_first);
    for (; about.topic < look->app->settings->topic_count; about.topic++)
        add_each(look, &about, of_topic);
    add_each(look, &about, of_all);
    for (uint32_t i = 0; i < observed->row_count[WORKER_BY_DESTINATION]; i++) {
        about.row = &observed->rows[WORKER_BY_DESTINATION][i];
        add_each(look, &about, of_destination);
    }
    for (uint32_t i = 0; i < observed->row_count[WORKER_BY_HOP]; i++) {
        about.row = &observed->rows[WORKER_BY_HOP][i];
        add_each(look, &about, of_hop);
    }
    qsort(look->steps, look->step_count, sizeof(*look->steps), by_worth);
}
