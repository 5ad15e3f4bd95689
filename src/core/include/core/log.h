/*
 * log: one line per event on stderr: an event name and key=value pairs, as JSON or logfmt.
 *
 *     log_event(log, LOG_WARN, "sink", "export_failed",
 *               LOG_TEXT("sink", name), LOG_NUMBER("status", status));
 *
 * Only edges that decide may log; core, otlp, repair, window and decide return and count.
 * Never log payload or attribute values.  From any thread.  An event that repeats is shown
 * at most `per_second` times a second; the next one shown carries suppressed=n.
 */
#ifndef SB_CORE_LOG_H
#define SB_CORE_LOG_H

#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };
enum log_format { LOG_LOGFMT, LOG_JSON };

enum log_field_type { LOG_FIELD_END, LOG_FIELD_TEXT, LOG_FIELD_SIGNED };

struct log_field {
    enum log_field_type type;
    const char *key;
    const char *text;
    int64_t number;
};

#define LOG_TEXT(key_, value_)                                                                 \
    (struct log_field)                                                                         \
    {                                                                                          \
        .type = LOG_FIELD_TEXT, .key = (key_), .text = (value_)                                \
    }
#define LOG_NUMBER(key_, value_)                                                               \
    (struct log_field)                                                                         \
    {                                                                                          \
        .type = LOG_FIELD_SIGNED, .key = (key_), .number = (int64_t)(value_)                   \
    }

/* For libraries that tell in the levels of syslog: what is no error and no warning is detail. */
static inline enum log_level log_level_of_syslog(int level)
{
    enum { SYSLOG_ERROR = 3, SYSLOG_WARNING = 4 };
    if (level <= SYSLOG_ERROR)
        return LOG_ERROR;
    return level <= SYSLOG_WARNING ? LOG_WARN : LOG_DEBUG;
}

/* A module that has a level of its own. */
struct log_module {
    const char *name;
    enum log_level level;
};

struct log_options {
    enum log_level level;
    const struct log_module *modules; /* lives as long as the log */
    uint32_t module_count;
    enum log_format format;
    uint32_t per_second; /* lines of one event; 0: no limit */
    int fd;
    const struct clock_source *clock;
};

struct log;

/* SB_ERR_MEMORY.  The caller frees it after every thread that uses it has ended. */
enum sb_err log_new(const struct log_options *options, struct log **ret) SB_MUST_USE;
void log_free(struct log *log);

/* `fields` ends with type LOG_FIELD_END.  A NULL log is silent. */
void log_write(struct log *log, enum log_level level, const char *module, const char *event,
               const struct log_field *fields);

/* The arguments after `event` are LOG_TEXT and LOG_NUMBER fields, one at least. */
#define log_event(log, level, module, event, ...)                                              \
    log_write((log), (level), (module), (event),                                               \
              (const struct log_field[]){__VA_ARGS__, {.type = LOG_FIELD_END}})

#endif
