#include "memory_files.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "support/test.h"

static enum sb_err read_file(void *arg, const char *path, struct text *out)
{
    for (const struct memory_file *file = arg; file->content != NULL; file++) {
        if (strcmp(file->path, path) != 0)
            continue;
        text_append_text(out, file->content);
        return out->error;
    }
    errno = ENOENT;
    return SB_ERR_IO;
}

static enum sb_err list_files(void *arg, const char *pattern,
                              void (*found)(void *, const char *), void *found_arg)
{
    for (const struct memory_file *file = arg; file->content != NULL; file++) {
        if (fnmatch(pattern, file->path, FNM_PATHNAME) == 0)
            found(found_arg, file->path);
    }
    return SB_OK;
}

struct config_files memory_files(const struct memory_file *files)
{
    return (struct config_files){.read = read_file, .list = list_files, .arg = (void *)files};
}

enum sb_err memory_load(const char *worker, const char *topic, struct config_report *report,
                        struct settings **ret)
{
    const struct memory_file list[] = {
        {"worker.conf", worker}, {"topic.conf", topic}, {NULL, NULL}};
    struct config_files files = memory_files(list);
    const char *topics[] = {"topic.conf"};
    struct config_sources sources = {
        .files = &files, .worker = "worker.conf", .topics = topics, .topic_count = 1};
    return config_load(&sources, report, ret);
}

static void join_lines(struct text *out, const char *lines)
{
    text_init(out, 1 << 24);
    text_append_text(out, lines);
    text_append_text(out, "\n" WORKER_REST);
    assert_int_equal(out->error, SB_OK);
}

struct settings *memory_load_lines(const char *lines)
{
    struct text worker;
    struct text shown;
    struct config_report report;
    struct settings *settings = NULL;
    join_lines(&worker, lines);
    text_init(&shown, 1 << 20);
    config_report_init(&report);
    enum sb_err err = memory_load(text_string(&worker), TOPIC, &report, &settings);
    config_report_text(&report, false, &shown);
    assert_string_equal(text_string(&shown), "");
    assert_int_equal(err, SB_OK);
    config_report_clear(&report);
    text_clear(&shown);
    text_clear(&worker);
    return settings;
}

void memory_expect_report(const char *worker, const char *topic, const char *expected)
{
    struct text shown;
    struct config_report report;
    struct settings *settings = NULL;
    text_init(&shown, 1 << 20);
    config_report_init(&report);
    enum sb_err err = memory_load(worker, topic, &report, &settings);
    config_report_text(&report, false, &shown);
    assert_string_equal(text_string(&shown), expected);
    assert_int_equal(err, report.errors > 0 ? SB_ERR_CONFIG : SB_OK);
    assert_true((settings != NULL) == (err == SB_OK));
    settings_free(settings);
    config_report_clear(&report);
    text_clear(&shown);
}

void memory_expect_errors(const char *lines, const char *expected)
{
    struct text worker;
    join_lines(&worker, lines);
    memory_expect_report(text_string(&worker), TOPIC, expected);
    text_clear(&worker);
}
