#include "trouble.h"

#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "core/memory.h"

/* More than ACTIVE_MAX troubles at once are one trouble: then further ones are only logged. */
enum { ACTIVE_MAX = 128, WHAT_LEN = 256, SYSLOG_ERROR = 3, SYSLOG_WARNING = 4 };
#define REPEAT_AFTER_NS (10 * NS_PER_S)

struct active {
    char what[WHAT_LEN];
    char text[NOTE_TEXT_LEN];
    uint64_t told_at_ns;
    bool fatal;
};

struct troubles {
    struct active active[ACTIVE_MAX];
    uint32_t count;
    char last_reason[NOTE_TEXT_LEN]; /* why the last connection failed */
};

enum sb_err troubles_new(struct troubles **ret)
{
    struct troubles *troubles = memory_zalloc(1, sizeof(*troubles));
    if (troubles == NULL)
        return SB_ERR_MEMORY;
    *ret = troubles;
    return SB_OK;
}

void troubles_free(struct troubles *troubles)
{
    memory_free(troubles);
}

void trouble_copy_text(char ret[NOTE_TEXT_LEN], const char *text)
{
    snprintf(ret, NOTE_TEXT_LEN, "%s", text);
}

static struct active *find(struct troubles *troubles, const char *what)
{
    for (uint32_t i = 0; i < troubles->count; i++)
        if (strncmp(troubles->active[i].what, what, WHAT_LEN - 1) == 0)
            return &troubles->active[i];
    return NULL;
}

/* Remembers it; true: it is to be told. */
static bool is_news(struct source_kafka *source, const char *what, const char *text, bool fatal)
{
    struct troubles *troubles = source->troubles;
    struct active *active = find(troubles, what);
    uint64_t now_ns = source_now_ns(source);
    if (active != NULL) {
        bool same = strcmp(active->text, text) == 0;
        bool soon = now_ns < active->told_at_ns + REPEAT_AFTER_NS;
        if (active->fatal || (!fatal && (same || soon)))
            return false;
    } else if (troubles->count < ACTIVE_MAX) {
        active = &troubles->active[troubles->count++];
        snprintf(active->what, sizeof(active->what), "%s", what);
    } else {
        log_event(source->options.log, LOG_WARN, "source", "kafka_trouble",
                  LOG_TEXT("what", what), LOG_TEXT("text", text));
        return false;
    }
    trouble_copy_text(active->text, text);
    active->told_at_ns = now_ns;
    active->fatal = fatal;
    return !source->leaving; /* whoever is told decides whether to log it */
}

void trouble_report(struct source_kafka *source, const char *what, const char *text, bool fatal)
{
    if (is_news(source, what, text, fatal))
        source->options.events.on_trouble(source->options.events.arg, what, text, fatal);
}

void trouble_clear(struct source_kafka *source, const char *what)
{
    struct troubles *troubles = source->troubles;
    struct active *active = find(troubles, what);
    if (active == NULL || active->fatal)
        return;
    *active = troubles->active[--troubles->count];
    log_event(source->options.log, LOG_INFO, "source", "kafka_recovered",
              LOG_TEXT("what", what));
    if (!source->leaving)
        source->options.events.on_trouble(source->options.events.arg, what, NULL, false);
}

bool trouble_is_active(const struct source_kafka *source, const char *what)
{
    return find(source->troubles, what) != NULL;
}

void trouble_of_lane(struct source_kafka *source, struct lane *lane, rd_kafka_resp_err_t err,
                     const char *text)
{
    char line[NOTE_TEXT_LEN];
    const char *name = lane->topic->name;
    switch (err) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        snprintf(line, sizeof(line), "topic %s does not exist", name);
        break;
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        snprintf(line, sizeof(line), "topic %s has no partition %d any more", name,
                 (int)lane->partition);
        break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        snprintf(line, sizeof(line), "not authorised to read topic %s", name);
        break;
    default:
        snprintf(line, sizeof(line), "topic %s, partition %d: %s", name, (int)lane->partition,
                 text);
        break;
    }
    atomic_store(&lane->topic->troubled, true);
    trouble_report(source, name, line, false);
}

/*
 * Of two with one name the classic protocol fences the one that was there; the one of KIP-848
 * turns away the one that comes, which first waits whether the other was killed (claim.h).
 */
static void report_fenced(struct source_kafka *source, rd_kafka_resp_err_t err)
{
    char line[NOTE_TEXT_LEN];
    const char *group = source->options.group;
    const char *instance = source->options.instance;
    if (err == RD_KAFKA_RESP_ERR_UNRELEASED_INSTANCE_ID && claim_is_tried_again(source))
        return;
    if (err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        snprintf(line, sizeof(line),
                 "another process has joined group %.150s as instance %.150s", group, instance);
    else
        snprintf(line, sizeof(line), "another process is instance %.150s of group %.150s",
                 instance, group);
    if (is_news(source, TROUBLE_GROUP, line, true))
        source->options.events.on_fenced(source->options.events.arg, line);
}

static void report_fatal(struct source_kafka *source, rd_kafka_t *rk)
{
    char text[NOTE_TEXT_LEN];
    rd_kafka_resp_err_t err = rd_kafka_fatal_error(rk, text, sizeof(text));
    if ((err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID ||
         err == RD_KAFKA_RESP_ERR_UNRELEASED_INSTANCE_ID) &&
        source->options.instance != NULL)
        report_fenced(source, err);
    else
        trouble_report(source, TROUBLE_CLUSTER, text, true);
}

/*
 * librdkafka ends its reasons with "(after 3ms in state CONNECT, 17 identical error(s)
 * suppressed)", so that no two are alike; a trouble is told once.
 */
static void copy_reason(char ret[NOTE_TEXT_LEN], const char *text)
{
    trouble_copy_text(ret, text);
    char *changing = strstr(ret, " (after ");
    if (changing != NULL)
        *changing = '\0';
}

void trouble_of_handle(struct source_kafka *source, rd_kafka_t *rk, rd_kafka_resp_err_t err,
                       const char *reason)
{
    char text[NOTE_TEXT_LEN];
    char line[NOTE_TEXT_LEN];
    copy_reason(text, reason);
    char *last_reason = source->troubles->last_reason;
    const char *what = TROUBLE_CLUSTER;
    switch (err) {
    case RD_KAFKA_RESP_ERR__FATAL:
        report_fatal(source, rk);
        return;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
        /* One broker of several; if none is left the next case follows. */
        trouble_copy_text(last_reason, text);
        return;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        snprintf(line, sizeof(line), "no broker of %.200s answers: %.250s",
                 source->options.bootstrap, last_reason[0] == '\0' ? text : last_reason);
        break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        snprintf(line, sizeof(line), "authentication failed: %.400s", text);
        break;
    case RD_KAFKA_RESP_ERR__SSL:
        snprintf(line, sizeof(line), "TLS failed: %.400s", text);
        break;
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        what = TROUBLE_GROUP;
        snprintf(line, sizeof(line), "not authorised to use group %.400s",
                 source->options.group);
        break;
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
        what = TROUBLE_GROUP;
        snprintf(line, sizeof(line), "this process was thrown out of the group: %.400s", text);
        break;
    default:
        trouble_copy_text(line, text);
        break;
    }
    trouble_report(source, what, line, false);
}

void trouble_on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    struct source_kafka *source = opaque;
    trouble_of_handle(source, rk, (rd_kafka_resp_err_t)err, reason);
}

/*
 * Any of the library's threads.  What comes through the error callback as well is not shown
 * twice; a reset of an offset is known from its log line alone, and must be told.
 */
void trouble_on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    struct source_kafka *source = rd_kafka_opaque(rk);
    if (source == NULL)
        return;
    if (strcmp(facility, "OFFSET") == 0 && level <= SYSLOG_WARNING) {
        struct note *note = source_note_new(NOTE_GAP, NULL);
        if (note == NULL)
            return;
        const char *from = strstr(text, "]: "); /* the library's thread stands before it */
        bool has_thread = strncmp(text, "[thrd:", strlen("[thrd:")) == 0 && from != NULL;
        trouble_copy_text(note->text, has_thread ? from + strlen("]: ") : text);
        source_note_post(source, note);
        return;
    }
    /* These come as errors, too; CONFWARN: properties are given to all kinds of handles. */
    bool told_otherwise = strcmp(facility, "FAIL") == 0 || strcmp(facility, "ERROR") == 0 ||
                          strcmp(facility, "FATAL") == 0 || strcmp(facility, "CONFWARN") == 0;
    enum log_level as = LOG_DEBUG;
    if (!told_otherwise && level <= SYSLOG_ERROR)
        as = LOG_ERROR;
    else if (!told_otherwise && level <= SYSLOG_WARNING)
        as = LOG_WARN;
    log_event(source->options.log, as, "source", "librdkafka", LOG_TEXT("facility", facility),
              LOG_TEXT("text", text));
}
