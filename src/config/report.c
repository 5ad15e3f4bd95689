#include "report.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "json.h"

/* Far more than CONFIG_ERRORS_MAX errors, as many warnings and as many notes need. */
enum { STRINGS_MAX = 4 << 20, MESSAGE_MAX = 1024 };

void config_report_init(struct config_report *report)
{
    *report = (struct config_report){0};
    arena_init(&report->strings, STRINGS_MAX);
}

void config_report_clear(struct config_report *report)
{
    memory_free(report->items);
    arena_clear(&report->strings);
    config_report_init(report);
}

static const char *keep(struct config_report *report, const char *text)
{
    struct bytes copy = arena_copy(&report->strings, bytes_of(text, strlen(text) + 1));
    if (copy.at == NULL) {
        report->out_of_memory = true;
        return "?";
    }
    return (const char *)copy.at;
}

struct place report_file(struct config_report *report, const char *name)
{
    return (struct place){.file = keep(report, name), .order = report->orders++};
}

static void remove_controls(char *text)
{
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    }
}

static bool grow(struct config_report *report)
{
    if (report->count < report->room)
        return true;
    uint32_t room = report->room == 0 ? 16 : report->room * 2;
    struct config_diagnostic *items =
        memory_realloc(report->items, room, sizeof(*report->items));
    if (items == NULL) {
        report->out_of_memory = true;
        return false;
    }
    report->items = items;
    report->room = room;
    return true;
}

/* The place may name its file by memory that goes before the report does. */
static const char *keep_file(struct config_report *report, const char *file)
{
    if (report->count > 0 && strcmp(report->items[report->count - 1].file, file) == 0)
        return report->items[report->count - 1].file;
    return keep(report, file);
}

static uint32_t *counter_of(struct config_report *report, enum config_severity severity)
{
    switch (severity) {
    case CONFIG_ERROR:
        return &report->errors;
    case CONFIG_WARNING:
        return &report->warnings;
    default:
        return &report->notes;
    }
}

static const char *severity_text(enum config_severity severity)
{
    static const char *const texts[] = {"error", "warning", "note"};
    return texts[severity];
}

static void add(struct config_report *report, enum config_severity severity, struct place at,
                const char *text)
{
    uint32_t seen = (*counter_of(report, severity))++;
    report->last_kept = seen < CONFIG_ERRORS_MAX && grow(report);
    if (!report->last_kept)
        return;
    struct config_diagnostic item = {
        .severity = severity,
        .order = at.order,
        .file = keep_file(report, at.file),
        .line = at.line,
        .column = at.column,
        .text = keep(report, text),
    };
    report->items[report->count++] = item;
}

SB_PRINTF(4, 0)
static void add_formatted(struct config_report *report, enum config_severity severity,
                          struct place at, const char *format, va_list args)
{
    char message[MESSAGE_MAX];
    vsnprintf(message, sizeof(message), format, args);
    remove_controls(message);
    add(report, severity, at, message);
}

void report_error(struct config_report *report, struct place at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(report, CONFIG_ERROR, at, format, args);
    va_end(args);
}

void report_warning(struct config_report *report, struct place at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(report, CONFIG_WARNING, at, format, args);
    va_end(args);
}

void report_note(struct config_report *report, struct place at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(report, CONFIG_NOTE, at, format, args);
    va_end(args);
}

void report_help(struct config_report *report, const char *format, ...)
{
    if (!report->last_kept)
        return;
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    remove_controls(message);
    report->items[report->count - 1].help = keep(report, message);
}

static int compare_numbers(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_diagnostics(const void *left, const void *right)
{
    const struct config_diagnostic *a = left;
    const struct config_diagnostic *b = right;
    if (a->order != b->order)
        return compare_numbers(a->order, b->order);
    if (a->line != b->line)
        return compare_numbers(a->line, b->line);
    if (a->column != b->column)
        return compare_numbers(a->column, b->column);
    return strcmp(a->text, b->text);
}

static bool same_diagnostic(const struct config_diagnostic *a,
                            const struct config_diagnostic *b)
{
    return a->severity == b->severity && a->line == b->line && a->column == b->column &&
           strcmp(a->file, b->file) == 0 && strcmp(a->text, b->text) == 0;
}

void report_sort(struct config_report *report)
{
    if (report->count == 0)
        return;
    qsort(report->items, report->count, sizeof(*report->items), compare_diagnostics);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < report->count; i++) {
        bool twice = false;
        for (uint32_t j = 0; j < kept && !twice; j++)
            twice = same_diagnostic(&report->items[j], &report->items[i]);
        if (!twice)
            report->items[kept++] = report->items[i];
        else
            (*counter_of(report, report->items[i].severity))--;
    }
    report->count = kept;
}

struct quoted quote_bytes(struct bytes value)
{
    struct quoted quoted = {{0}};
    size_t room = QUOTED_LEN - sizeof("...");
    size_t len = 0;
    while (value.len > 0) {
        size_t step = utf8_sequence(value);
        bool plain = step > 1 || (step == 1 && value.at[0] >= 0x20 && value.at[0] != 0x7f);
        step = step == 0 ? 1 : step;
        if (len + step > room) {
            memcpy(quoted.text + len, "...", 3);
            break;
        }
        if (plain)
            memcpy(quoted.text + len, value.at, step);
        else
            quoted.text[len] = '?';
        len += step;
        value = bytes_of(value.at + step, value.len - step);
    }
    return quoted;
}

struct quoted quote(const char *value)
{
    return quote_bytes(bytes_text(value));
}

static void append_item(const struct config_diagnostic *item, bool colour, struct text *out)
{
    static const char *const colours[] = {"\033[1;31m", "\033[1;33m", "\033[1;36m"};
    const char *mark = colour ? colours[item->severity] : "";
    const char *end = colour ? "\033[0m" : "";
    text_append_text(out, item->file);
    if (item->line > 0)
        text_printf(out, ":%u", (unsigned)item->line);
    text_printf(out, ": %s%s:%s %s\n", mark, severity_text(item->severity), end, item->text);
    if (item->help != NULL)
        text_printf(out, "  help: %s\n", item->help);
}

void config_report_text(const struct config_report *report, bool colour, struct text *out)
{
    for (uint32_t i = 0; i < report->count; i++) {
        append_item(&report->items[i], colour, out);
    }
    uint32_t hidden = report->errors + report->warnings + report->notes - report->count;
    if (hidden > 0)
        text_printf(out, "... and %u more\n", (unsigned)hidden);
}

static void append_item_json(const struct config_diagnostic *item, struct text *out)
{
    text_printf(out, "{\"severity\":\"%s\",\"file\":", severity_text(item->severity));
    json_text(out, item->file);
    if (item->line > 0)
        text_printf(out, ",\"line\":%u", (unsigned)item->line);
    if (item->column > 0)
        text_printf(out, ",\"column\":%u", (unsigned)item->column);
    text_append_text(out, ",\"text\":");
    json_text(out, item->text);
    if (item->help != NULL) {
        text_append_text(out, ",\"help\":");
        json_text(out, item->help);
    }
    text_append_char(out, '}');
}

void config_report_json(const struct config_report *report, struct text *out)
{
    text_printf(out, "{\"errors\":%u,\"warnings\":%u,\"notes\":%u,\"diagnostics\":[",
                (unsigned)report->errors, (unsigned)report->warnings, (unsigned)report->notes);
    for (uint32_t i = 0; i < report->count; i++) {
        if (i > 0)
            text_append_char(out, ',');
        append_item_json(&report->items[i], out);
    }
    text_append_text(out, "]}\n");
}
