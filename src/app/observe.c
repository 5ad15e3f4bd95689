/*
 * observe: what --observe sets otherwise than a real run, and its report.
 *
 * It has to be harmless on a cluster in production: a consumer group of its own, of which nothing
 * is committed; no static membership, which could push the service itself out; no sink, no
 * dead-letter producer, no admin server.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/memory.h"
#include "observe_report.h"

#define PROGRESS_INTERVAL_NS (5 * NS_PER_S)

char *observe_group_name(const struct app *app)
{
    static const char between[] = ".observe.";
    enum { RANDOM_LEN = 16 };
    size_t len = strlen(app->settings->group) + sizeof(between) + RANDOM_LEN;
    char *name = memory_alloc(len);
    if (name != NULL)
        snprintf(name, len, "%s%s%016" PRIx64, app->settings->group, between,
                 hash_random_seed());
    return name;
}

enum repair_mode observe_mode(enum repair_mode mode)
{
    return mode == REPAIR_OFF ? REPAIR_REPORT : mode;
}

/* What is new: spans from now on, and messages from a little before, whatever the files say. */
enum source_start observe_start(const struct app *app, enum source_role role,
                                enum source_start start)
{
    if (!app->run.observe || app->run.drain)
        return start;
    return role == SOURCE_SPANS ? SOURCE_START_LATEST : SOURCE_START_DEFAULT;
}

/*
 * RabbitMQ gives a message of a queue to one consumer alone: what a look took would be kept from
 * the service.  A queue of its own at an exchange would stay behind, and so far tell nothing, as
 * its records have no coordinates.  Streams keep what is read.
 */
bool observe_leaves_out(const struct settings_topic *topic)
{
    return topic->source == SETTINGS_SOURCE_RABBITMQ &&
           topic->rabbitmq.queue_type != SETTINGS_QUEUE_STREAM;
}

enum sb_err observe_check_topics(const struct app *app)
{
    uint32_t left = app->settings->topic_count;
    for (uint32_t i = 0; i < app->settings->topic_count; i++) {
        const struct settings_topic *topic = &app->settings->topics[i];
        if (!observe_leaves_out(topic))
            continue;
        left--;
        log_event(
            app->log, LOG_WARN, "app", "left_out", LOG_TEXT("topic", topic->name),
            LOG_TEXT("help",
                     "of RabbitMQ --observe reads streams alone: what it took from a queue "
                     "would be kept from its consumer"));
    }
    if (left > 0)
        return SB_OK;
    log_event(app->log, LOG_ERROR, "app", "nothing_to_look_at",
              LOG_NUMBER("topics", app->settings->topic_count));
    return SB_ERR_CONFIG;
}

void observe_progress(struct app *app, uint64_t now_ns)
{
    if (now_ns < app->progress_due_ns)
        return;
    bool first = app->progress_due_ns == 0;
    app->progress_due_ns = now_ns + PROGRESS_INTERVAL_NS;
    if (first || isatty(STDERR_FILENO) != 1)
        return;
    struct worker_counters counters;
    worker_group_read_counters(app->group, &counters);
    char spans[OBSERVE_NUMBER_LEN];
    char messages[OBSERVE_NUMBER_LEN];
    char traces[OBSERVE_NUMBER_LEN];
    fprintf(stderr, "%s spans, %s messages, %s traces%s\n",
            observe_number(counters.spans_read, spans),
            observe_number(counters.messages_read, messages),
            observe_number(counters.traces_kept + counters.traces_dropped, traces),
            app->run.drain ? "" : " so far; Ctrl-C ends it and reports");
}

const char *observe_number(uint64_t number, char ret[OBSERVE_NUMBER_LEN])
{
    char digits[OBSERVE_NUMBER_LEN];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, number);
    int out = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            ret[out++] = ',';
        ret[out++] = digits[i];
    }
    ret[out] = '\0';
    return ret;
}

/* Of all destinations together. */
static void add_up(struct look *look)
{
    const struct worker_observed *observed = &look->observed;
    for (uint32_t i = 0; i <= observed->row_count[WORKER_BY_DESTINATION]; i++) {
        const struct worker_observed_row *row = i < observed->row_count[WORKER_BY_DESTINATION]
                                                    ? &observed->rows[WORKER_BY_DESTINATION][i]
                                                    : &observed->others[WORKER_BY_DESTINATION];
        for (int counter = 0; counter < WORKER_HOP_COUNTER_COUNT; counter++)
            look->totals[counter] += row->counts[counter];
    }
}

static bool wants_colour(void)
{
    /* Nothing changes the environment. */
    const char *no_colour = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe) */
    const char *terminal = getenv("TERM");      /* NOLINT(concurrency-mt-unsafe) */
    return (no_colour == NULL || no_colour[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0 && isatty(STDOUT_FILENO) == 1;
}

static enum sb_err print(const struct app *app, const struct look *look)
{
    if (app->run.json || app->run.on_summary != NULL) {
        char *line = observe_write_json(look);
        if (line == NULL)
            return SB_ERR_MEMORY;
        if (app->run.on_summary != NULL)
            app->run.on_summary(app->run.on_summary_arg, line);
        else
            puts(line);
        free(line);
    } else {
        struct text text;
        text_init(&text, OBSERVE_TEXT_MAX);
        observe_write_text(look, wants_colour(), &text);
        enum sb_err err = text.error;
        fputs(text_string(&text), stdout);
        text_clear(&text);
        if (err != SB_OK)
            return err;
    }
    fflush(stdout);
    return SB_OK;
}

enum sb_err observe_report(struct app *app, const struct worker_account *account)
{
    struct look look = {.app = app, .account = account};
    size_t topics = (size_t)app->settings->topic_count + 1;
    look.topic_counters = memory_zalloc(topics, sizeof(*look.topic_counters));
    look.seconds = (clock_monotonic_ns(clock_system()) - app->started_ns) / NS_PER_S;
    enum sb_err err = look.topic_counters == NULL ? SB_ERR_MEMORY : SB_OK;
    if (err == SB_OK)
        err = worker_group_take_observed(app->group, &look.observed);
    if (err == SB_OK) {
        struct worker_account again; /* the same: nothing has run since */
        worker_group_take_account(app->group, &again, look.topic_counters);
        add_up(&look);
        observe_find_steps(&look);
        err = print(app, &look);
    }
    worker_observed_clear(&look.observed);
    memory_free(look.topic_counters);
    return err;
}
