/*
 * config: configuration files from bytes.  The input is the worker file, a topic file and a
 * file that both may include, parted by the byte 0x1e.  Whatever it is, it must end in
 * settings that can be shown, or in a report with an error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/print.h"

enum { PARTS = 3, TEXT_MAX = 16 << 20, SEPARATOR = 0x1e };

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

struct parts {
    struct bytes items[PARTS];
};

static enum sb_err read_part(void *arg, const char *path, struct text *out)
{
    static const char *const names[PARTS] = {"worker", "topic", "include"};
    const struct parts *parts = arg;
    for (size_t i = 0; i < PARTS; i++) {
        if (strcmp(path, names[i]) == 0) {
            text_append(out, parts->items[i]);
            return out->error;
        }
    }
    errno = ENOENT;
    return SB_ERR_IO;
}

static enum sb_err list_parts(void *arg, const char *pattern,
                              void (*found)(void *, const char *), void *found_arg)
{
    (void)arg;
    if (strchr(pattern, '*') != NULL)
        found(found_arg, "include");
    return SB_OK;
}

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void show(const struct settings *settings, const struct config_report *report)
{
    struct text text;
    text_init(&text, TEXT_MAX);
    if (settings != NULL) {
        config_show(settings, &text);
        config_show_json(settings, &text);
    }
    config_report_text(report, true, &text);
    config_report_json(report, &text);
    check(text.error == SB_OK);
    text_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct parts parts = {.items = {{NULL, 0}}};
    for (size_t i = 0; i < PARTS; i++) {
        const uint8_t *end = len == 0 ? NULL : memchr(at, SEPARATOR, len);
        size_t part = end == NULL ? len : (size_t)(end - at);
        parts.items[i] = bytes_of(at, part);
        size_t step = end == NULL ? part : part + 1;
        at += step;
        len -= step;
    }
    const char *topics[] = {"topic"};
    struct config_files files = {.read = read_part, .list = list_parts, .arg = &parts};
    struct config_sources sources = {
        .files = &files, .worker = "worker", .topics = topics, .topic_count = 1};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    enum sb_err err = config_load(&sources, &report, &settings);
    check(err == SB_OK || err == SB_ERR_CONFIG);
    check((err == SB_OK) == (settings != NULL));
    check((err == SB_OK) == (report.errors == 0));
    show(settings, &report);
    settings_free(settings);
    config_report_clear(&report);
    return 0;
}
