#include "core/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/bytes.h"
#include "core/hash.h"
#include "core/memory.h"
#include "core/utf8.h"

enum {
    LINE_ROOM = 4096,  /* PIPE_BUF: a write of this size to a pipe is not torn */
    LINE_RESERVE = 32, /* kept for what ends a line that is cut */
    VALUE_LEN_MAX = 1024,
    EVENT_COUNT = 128 /* events beyond share the last place */
};

struct event_limit {
    uint64_t name_hash; /* 0: free */
    uint64_t window_start_ns;
    uint32_t shown; /* in this window */
    uint32_t suppressed;
};

struct log {
    struct log_options options;
    pthread_mutex_t lock; /* of `limits` */
    struct event_limit limits[EVENT_COUNT];
};

struct line {
    char at[LINE_ROOM];
    size_t len;
    bool json;
    bool full; /* an append did not fit */
};

enum sb_err log_new(const struct log_options *options, struct log **ret)
{
    struct log *log = memory_zalloc(1, sizeof(*log));
    if (log == NULL)
        return SB_ERR_MEMORY;
    log->options = *options;
    int failed = pthread_mutex_init(&log->lock, NULL);
    SB_ASSERT(failed == 0);
    *ret = log;
    return SB_OK;
}

void log_free(struct log *log)
{
    if (log == NULL)
        return;
    int failed = pthread_mutex_destroy(&log->lock);
    SB_ASSERT(failed == 0);
    memory_free(log);
}

static struct event_limit *find_limit(struct log *log, const char *event)
{
    uint64_t name_hash = hash_bytes(bytes_text(event), 0) | 1;
    size_t i = 0;
    while (i < EVENT_COUNT - 1 && log->limits[i].name_hash != 0 &&
           log->limits[i].name_hash != name_hash)
        i++;
    log->limits[i].name_hash = name_hash;
    return &log->limits[i];
}

/* True when the event may be shown now; then *ret_suppressed is what was not shown before. */
static bool may_show(struct log *log, const char *event, uint32_t *ret_suppressed)
{
    *ret_suppressed = 0;
    if (log->options.per_second == 0)
        return true;
    uint64_t now_ns = clock_monotonic_ns(log->options.clock);
    int failed = pthread_mutex_lock(&log->lock);
    SB_ASSERT(failed == 0);
    struct event_limit *limit = find_limit(log, event);
    /* Another thread may have read the clock later and locked first: compare without wrapping. */
    if (now_ns >= limit->window_start_ns + NS_PER_S) {
        limit->window_start_ns = now_ns;
        limit->shown = 0;
    }
    bool shows = limit->shown < log->options.per_second;
    if (shows) {
        limit->shown++;
        *ret_suppressed = limit->suppressed;
        limit->suppressed = 0;
    } else if (limit->suppressed < UINT32_MAX) {
        limit->suppressed++;
    }
    failed = pthread_mutex_unlock(&log->lock);
    SB_ASSERT(failed == 0);
    return shows;
}

static void put(struct line *line, const char *at, size_t len)
{
    if (line->full || len > LINE_ROOM - LINE_RESERVE - line->len) {
        line->full = true;
        return;
    }
    memcpy(line->at + line->len, at, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void SB_PRINTF(2, 3) put_format(struct line *line, const char *format, ...)
{
    char text[64];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    SB_ASSERT(len >= 0 && (size_t)len < sizeof(text));
    put(line, text, (size_t)len);
}

static void put_control(struct line *line, unsigned code)
{
    if (code == '\n')
        put_text(line, "\\n");
    else if (code == '\r')
        put_text(line, "\\r");
    else if (code == '\t')
        put_text(line, "\\t");
    else
        put_format(line, "\\u%04x", code);
}

/* One character, escaped; returns how many bytes of the input it took. */
static size_t put_character(struct line *line, const uint8_t *at)
{
    size_t len = utf8_sequence(bytes_of(at, strnlen((const char *)at, UTF8_MAX)));
    if (len == 0) {
        put_text(line, "\xef\xbf\xbd"); /* U+FFFD */
        return 1;
    }
    bool c1_control = at[0] == 0xc2 && at[1] < 0xa0; /* terminals obey these as well */
    if (at[0] < 0x20 || at[0] == 0x7f) {
        put_control(line, at[0]);
    } else if (c1_control) {
        put_control(line, at[1]);
    } else {
        if (at[0] == '"' || at[0] == '\\')
            put(line, "\\", 1);
        put(line, (const char *)at, len);
    }
    return len;
}

static bool needs_quotes(const char *text)
{
    if (*text == '\0')
        return true;
    for (const uint8_t *at = (const uint8_t *)text; *at != '\0'; at++)
        if (*at <= ' ' || *at == '=' || *at == '"' || *at == '\\' || *at >= 0x7f)
            return true;
    return false;
}

static void put_value(struct line *line, const char *text)
{
    if (text == NULL) {
        put_text(line, "null");
        return;
    }
    bool quoted = line->json || needs_quotes(text);
    if (quoted)
        put(line, "\"", 1);
    size_t start = line->len;
    const uint8_t *at = (const uint8_t *)text;
    while (*at != '\0' && !line->full) {
        if (line->len - start >= VALUE_LEN_MAX) {
            put_text(line, "...");
            break;
        }
        at += put_character(line, at);
    }
    if (quoted)
        put(line, "\"", 1);
}

/* A field's separator and key. */
static void put_key(struct line *line, const char *key)
{
    if (line->json) {
        put(line, line->len == 0 ? "{" : ",", 1);
        put_value(line, key);
        put(line, ":", 1);
    } else {
        if (line->len > 0)
            put(line, " ", 1);
        put_text(line, key);
        put(line, "=", 1);
    }
}

static void put_text_field(struct line *line, const char *key, const char *text)
{
    put_key(line, key);
    put_value(line, text);
}

static void put_number_field(struct line *line, const char *key, int64_t number)
{
    put_key(line, key);
    put_format(line, "%" PRId64, number);
}

static void put_time_field(struct line *line, uint64_t wall_ns)
{
    char text[64];
    struct tm utc;
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    struct tm *known = gmtime_r(&seconds, &utc);
    SB_ASSERT(known != NULL);
    int len = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                       utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                       utc.tm_sec, (int)(wall_ns % NS_PER_S / NS_PER_MS));
    SB_ASSERT(len > 0 && (size_t)len < sizeof(text));
    put_text_field(line, "ts", text);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG:
        return "debug";
    case LOG_INFO:
        return "info";
    case LOG_WARN:
        return "warn";
    case LOG_ERROR:
    case LOG_OFF:
        break;
    }
    return "error";
}

/* The caller's pairs; stops at the first that does not fit, and says so. */
static void put_fields(struct line *line, const struct log_field *fields)
{
    for (; fields->type != LOG_FIELD_END; fields++) {
        size_t before = line->len;
        if (fields->type == LOG_FIELD_TEXT)
            put_text_field(line, fields->key, fields->text);
        else
            put_number_field(line, fields->key, fields->number);
        if (line->full) {
            line->len = before;
            return;
        }
    }
}

/* Closes the line in the reserve and writes it; a line that can not be written is lost. */
static void write_line(struct line *line, int fd)
{
    const char *end = "\n";
    if (line->json)
        end = line->full ? ",\"cut\":true}\n" : "}\n";
    else if (line->full)
        end = " cut=true\n";
    size_t end_len = strlen(end);
    SB_ASSERT(line->len + end_len <= LINE_ROOM);
    memcpy(line->at + line->len, end, end_len);
    ssize_t written;
    do {
        written = write(fd, line->at, line->len + end_len);
    } while (written < 0 && errno == EINTR);
}

static enum log_level level_of(const struct log *log, const char *module)
{
    for (uint32_t i = 0; i < log->options.module_count; i++) {
        if (strcmp(log->options.modules[i].name, module) == 0)
            return log->options.modules[i].level;
    }
    return log->options.level;
}

void log_write(struct log *log, enum log_level level, const char *module, const char *event,
               const struct log_field *fields)
{
    if (log == NULL || level >= LOG_OFF || level < level_of(log, module))
        return;
    int errno_before = errno;
    uint32_t suppressed;
    if (may_show(log, event, &suppressed)) {
        struct line line;
        line.len = 0;
        line.json = log->options.format == LOG_JSON;
        line.full = false;
        put_time_field(&line, clock_wall_ns(log->options.clock));
        put_text_field(&line, "level", level_name(level));
        put_text_field(&line, "module", module);
        put_text_field(&line, "event", event);
        if (suppressed > 0)
            put_number_field(&line, "suppressed", suppressed);
        put_fields(&line, fields);
        write_line(&line, log->options.fd);
    }
    errno = errno_before;
}
