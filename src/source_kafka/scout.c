#include "scout.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "properties.h"
#include "rebalance.h"
#include "tap.h"
#include "topics.h"
#include "trouble.h"

enum { LOOK_TIMEOUT_MS = 2000, UNEASY_INTERVAL_MS = 1000, FIRST_ROOM = 16, FIRST_PLEA = 3 };

struct scout {
    struct source_kafka *source;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    uint32_t interval_ms;
    bool lists; /* there are patterns */
    rd_kafka_t *rk;
    rd_kafka_topic_t **named;
    rd_kafka_t **named_of; /* the handle that each belongs to */
    uint32_t named_count;
    uint32_t in_vain; /* looks that nobody answered, one after the other */
    uint32_t plea_at; /* so many of them: the next plea */
};

void scout_report_free(struct scout_report *report)
{
    if (report == NULL)
        return;
    for (uint32_t i = 0; i < report->count; i++)
        memory_free(report->topics[i].name);
    memory_free(report->topics);
    memory_free(report);
}

static bool add_topic(struct scout_report *report, const char *name, int32_t partitions,
                      rd_kafka_resp_err_t err)
{
    if (report->count == report->room) {
        uint32_t room = report->room == 0 ? FIRST_ROOM : report->room * 2;
        struct scout_topic *topics =
            memory_realloc(report->topics, room, sizeof(*report->topics));
        if (topics == NULL)
            return false;
        report->topics = topics;
        report->room = room;
    }
    char *copy = memory_copy_text(name);
    if (copy == NULL)
        return false;
    report->topics[report->count++] =
        (struct scout_topic){.name = copy, .partitions = partitions, .err = err};
    return true;
}

/* One question about one topic, or about all (NULL).  False: memory is short. */
static bool ask(rd_kafka_t *rk, rd_kafka_topic_t *topic, struct scout_report *report)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t err =
        rd_kafka_metadata(rk, topic == NULL, topic, &metadata, LOOK_TIMEOUT_MS);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        report->err = err;
        return true;
    }
    bool stored = true;
    for (int i = 0; i < metadata->topic_cnt && stored; i++) {
        const struct rd_kafka_metadata_topic *found = &metadata->topics[i];
        if (found->topic != NULL)
            stored = add_topic(report, found->topic, found->partition_cnt, found->err);
    }
    rd_kafka_metadata_destroy(metadata);
    return stored;
}

static bool is_stopping(struct scout *scout)
{
    pthread_mutex_lock(&scout->lock);
    bool stopping = scout->stopping;
    pthread_mutex_unlock(&scout->lock);
    return stopping;
}

/* NULL: no report this time. */
static struct scout_report *look(struct scout *scout)
{
    struct scout_report *report = memory_zalloc(1, sizeof(*report));
    if (report == NULL)
        return NULL;
    bool stored = true;
    for (uint32_t i = 0; i < scout->named_count && stored; i++) {
        if (report->err != RD_KAFKA_RESP_ERR_NO_ERROR || is_stopping(scout))
            break;
        stored = ask(scout->named_of[i], scout->named[i], report);
    }
    report->named_count = report->count;
    if (stored && scout->lists && report->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
        !is_stopping(scout)) {
        stored = ask(scout->rk, NULL, report);
        report->listed = report->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (!stored || is_stopping(scout)) {
        scout_report_free(report);
        return NULL;
    }
    return report;
}

/* True: look again; false: the thread is to end. */
static bool wait_for_next(struct scout *scout)
{
    struct timespec until;
    pthread_mutex_lock(&scout->lock);
    clock_gettime(CLOCK_MONOTONIC, &until);
    struct timespec since = until;
    int timed_out = 0;
    while (!scout->stopping && timed_out != ETIMEDOUT) {
        until.tv_sec = since.tv_sec + (time_t)(scout->interval_ms / MS_PER_S);
        until.tv_nsec = since.tv_nsec + (long)(scout->interval_ms % MS_PER_S * NS_PER_MS);
        if (until.tv_nsec >= (long)NS_PER_S) {
            until.tv_sec++;
            until.tv_nsec -= (long)NS_PER_S;
        }
        timed_out = pthread_cond_timedwait(&scout->changed, &scout->lock, &until);
    }
    bool go_on = !scout->stopping;
    pthread_mutex_unlock(&scout->lock);
    return go_on;
}

/*
 * A broker that is being shut down may answer that there are no brokers.  The library (2.15) then
 * forgets it, and nothing makes it think of the bootstrap servers again.  So it is told of them,
 * more and more seldom, since it keeps a note of each time.
 */
static void plead(struct scout *scout, bool answered)
{
    struct source_kafka *source = scout->source;
    if (answered) {
        scout->in_vain = 0;
        scout->plea_at = FIRST_PLEA;
        return;
    }
    if (++scout->in_vain < scout->plea_at)
        return;
    scout->plea_at *= 2;
    for (int role = 0; role < READER_COUNT; role++)
        if (source->readers[role].rk != NULL)
            rd_kafka_brokers_add(source->readers[role].rk, source->options.bootstrap);
    if (source->producer != NULL)
        rd_kafka_brokers_add(source->producer, source->options.bootstrap);
}

static void *run(void *arg)
{
    struct scout *scout = arg;
    do {
        struct scout_report *report = look(scout);
        if (report != NULL)
            plead(scout, report->err == RD_KAFKA_RESP_ERR_NO_ERROR);
        struct note *note = report == NULL ? NULL : source_note_new(NOTE_SCOUT, NULL);
        if (note != NULL) {
            note->report = report;
            source_note_post(scout->source, note);
        } else {
            scout_report_free(report);
        }
    } while (wait_for_next(scout));
    return NULL;
}

static enum sb_err collect_named(struct scout *scout)
{
    struct source_kafka *source = scout->source;
    uint32_t room = source->readers[0].topic_count + source->readers[1].topic_count;
    if (room == 0)
        return SB_OK;
    scout->named = memory_zalloc(room, sizeof(rd_kafka_topic_t *));
    scout->named_of = memory_zalloc(room, sizeof(rd_kafka_t *));
    if (scout->named == NULL || scout->named_of == NULL)
        return SB_ERR_MEMORY;
    for (int role = 0; role < READER_COUNT; role++) {
        const struct reader *reader = &source->readers[role];
        for (uint32_t i = 0; i < reader->topic_count; i++) {
            scout->named_of[scout->named_count] = reader->rk;
            scout->named[scout->named_count++] = reader->topics[i]->handle;
        }
    }
    return SB_OK;
}

static void free_scout(struct scout *scout)
{
    pthread_cond_destroy(&scout->changed);
    pthread_mutex_destroy(&scout->lock);
    memory_free(scout->named);
    memory_free(scout->named_of);
    memory_free(scout);
}

enum sb_err scout_start(struct source_kafka *source, struct scout **ret)
{
    struct scout *scout = memory_zalloc(1, sizeof(*scout));
    if (scout == NULL)
        return SB_ERR_MEMORY;
    pthread_mutex_init(&scout->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&scout->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    scout->source = source;
    scout->interval_ms = UNEASY_INTERVAL_MS;
    scout->plea_at = FIRST_PLEA;
    for (uint32_t i = 0; i < source->options.topic_count; i++)
        scout->lists = scout->lists || (source->options.topics[i].kind == SOURCE_KAFKA &&
                                        topics_is_pattern(source->options.topics[i].pattern));
    const struct reader *spans = source_reader(source, SOURCE_SPANS);
    scout->rk = spans->rk != NULL ? spans->rk : source_reader(source, SOURCE_MESSAGES)->rk;
    enum sb_err err = collect_named(scout);
    if (err == SB_OK && pthread_create(&scout->thread, NULL, run, scout) != 0)
        err = SB_ERR_INTERNAL;
    if (err != SB_OK) {
        free_scout(scout);
        return err;
    }
    *ret = scout;
    return SB_OK;
}

void scout_stop(struct scout *scout)
{
    if (scout == NULL)
        return;
    pthread_mutex_lock(&scout->lock);
    scout->stopping = true;
    pthread_cond_signal(&scout->changed);
    pthread_mutex_unlock(&scout->lock);
    pthread_join(scout->thread, NULL);
    free_scout(scout);
}

void scout_set_interval(struct scout *scout, uint32_t interval_ms)
{
    pthread_mutex_lock(&scout->lock);
    bool sooner = interval_ms < scout->interval_ms;
    scout->interval_ms = interval_ms;
    if (sooner)
        pthread_cond_signal(&scout->changed);
    pthread_mutex_unlock(&scout->lock);
}

/* True when the topic is as it should be. */
static bool apply_named(struct source_kafka *source, const struct scout_topic *found)
{
    char line[NOTE_TEXT_LEN];
    bool exists = found->err == RD_KAFKA_RESP_ERR_NO_ERROR && found->partitions > 0;
    if (exists) {
        trouble_clear(source, found->name);
    } else {
        if (found->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
            snprintf(line, sizeof(line), "not authorised to read topic %s", found->name);
        else if (found->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                 found->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            snprintf(line, sizeof(line), "topic %s does not exist", found->name);
        else
            snprintf(line, sizeof(line), "topic %s: %s", found->name,
                     rd_kafka_err2str(found->err));
        trouble_report(source, found->name, line, false);
    }
    for (int role = 0; role < READER_COUNT; role++) {
        struct topic *topic = topics_find(&source->readers[role], found->name);
        if (topic == NULL)
            continue;
        topic->partitions = exists ? found->partitions : 0;
        if (role == SOURCE_MESSAGES && exists)
            tap_take_topic(source, topic, found->partitions);
        if (role == SOURCE_SPANS)
            rebalance_topic_exists(topic, exists);
    }
    return exists;
}

/* Topics that a pattern of that role finds; those it found before and that are gone. */
static void apply_listing(struct source_kafka *source, enum source_role role,
                          const struct scout_report *report)
{
    struct reader *reader = source_reader(source, role);
    if (reader->rk == NULL)
        return;
    for (uint32_t i = 0; i < reader->topic_count; i++)
        if (topics_is_pattern(source->options.topics[reader->topics[i]->index].pattern))
            reader->topics[i]->present = false;
    for (uint32_t i = report->named_count; i < report->count; i++) {
        const struct scout_topic *found = &report->topics[i];
        uint32_t index;
        if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR || found->partitions == 0 ||
            !matchers_find(source->matchers, role, found->name, &index))
            continue;
        struct topic *topic = topics_find(reader, found->name);
        /* What memory is short for now comes again with the next report. */
        if (topic == NULL && topics_add(reader, index, found->name, &topic) != SB_OK)
            continue;
        topic->present = true;
        topic->partitions = found->partitions;
        if (role == SOURCE_MESSAGES)
            tap_take_topic(source, topic, found->partitions);
    }
}

void scout_apply(struct source_kafka *source, const struct scout_report *report)
{
    uint32_t calm_ms = properties_metadata_interval_ms(&source->options);
    uint32_t uneasy_ms = calm_ms < UNEASY_INTERVAL_MS ? calm_ms : UNEASY_INTERVAL_MS;
    if (report->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        trouble_of_handle(source, NULL, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
                          rd_kafka_err2str(report->err));
        scout_set_interval(source->scout, uneasy_ms);
        return;
    }
    trouble_clear(source, TROUBLE_CLUSTER);
    bool complete = true;
    for (uint32_t i = 0; i < report->named_count; i++)
        complete = apply_named(source, &report->topics[i]) && complete;
    if (report->listed) {
        apply_listing(source, SOURCE_SPANS, report);
        apply_listing(source, SOURCE_MESSAGES, report);
    }
    rebalance_subscribe(source);
    tap_topics_known(source);
    scout_set_interval(source->scout, complete ? calm_ms : uneasy_ms);
}
