/* load: from files to settings. */
#include "config/load.h"

#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "core/memory.h"
#include "derive.h"
#include "expand.h"
#include "loader.h"
#include "parse.h"
#include "source.h"
#include "value.h"

enum { TREE_BYTES_MAX = 64 << 20, TOPICS_MAX = 10000, PATH_LEN_MAX = 4096 };

struct topic_files {
    struct loader *loader;
    const char **paths; /* in the tree's arena */
    uint32_t count;
    uint32_t room;
    bool too_many;
};

static enum sb_err new_settings(struct loader *loader)
{
    struct settings *settings = memory_zalloc(1, sizeof(*settings));
    struct settings_private *private = memory_zalloc(1, sizeof(*private));
    if (settings == NULL || private == NULL) {
        memory_free(settings);
        memory_free(private);
        return SB_ERR_MEMORY;
    }
    arena_init(&private->arena, TREE_BYTES_MAX);
    settings->private = private;
    loader->settings = settings;
    loader->private = private;
    return SB_OK;
}

void settings_free(struct settings *settings)
{
    if (settings == NULL)
        return;
    arena_clear(&settings->private->arena);
    memory_free(settings->private->origins);
    memory_free(settings->private);
    memory_free(settings);
}

static void apply_overrides(struct loader *loader)
{
    for (uint32_t i = 0; i < loader->sources->override_count; i++) {
        const struct config_override *override = &loader->sources->overrides[i];
        parse_override(loader, override, report_file(loader->report, override->origin));
    }
}

/* ---- which topic files ---- */

static void add_topic_file(void *arg, const char *path)
{
    struct topic_files *files = arg;
    for (uint32_t i = 0; i < files->count; i++) {
        if (strcmp(files->paths[i], path) == 0)
            return;
    }
    if (files->count == files->room) {
        uint32_t room = files->room == 0 ? 16 : files->room * 2;
        const char **paths = loader_alloc(files->loader, room * sizeof(*paths));
        if (paths == NULL)
            return;
        if (files->count > 0)
            memcpy(paths, files->paths, files->count * sizeof(*paths));
        files->paths = paths;
        files->room = room;
    }
    if (files->count == TOPICS_MAX)
        files->too_many = true;
    else
        files->paths[files->count++] = loader_text(files->loader, path);
}

static enum sb_err list_topics_dir(struct topic_files *files)
{
    struct loader *loader = files->loader;
    const char *const *field = &loader->settings->topics_dir;
    if (*field == NULL)
        return SB_OK;
    struct text pattern;
    text_init(&pattern, PATH_LEN_MAX);
    text_append_text(&pattern, *field);
    text_append_text(&pattern, "/*.conf");
    uint32_t before = files->count;
    enum sb_err err = pattern.error;
    if (err == SB_OK)
        err = loader->files->list(loader->files->arg, text_string(&pattern), add_topic_file,
                                  files);
    struct place at = origin_place(loader, field, (struct place){.file = "?"});
    if (err == SB_ERR_LIMIT) {
        report_error(loader->report, at, "topics_dir is too long");
        err = SB_OK;
    } else if (err == SB_OK && files->count == before && loader->sources->topic_count == 0) {
        report_error(loader->report, at, "topics_dir has no topic files");
        report_help(loader->report, "no file matches %s", quote(text_string(&pattern)).text);
    }
    if (files->too_many)
        report_error(loader->report, at, "more than %d topic files", TOPICS_MAX);
    text_clear(&pattern);
    return err;
}

/* ---- topics ---- */

static enum sb_err load_topic(struct loader *loader, const char *path,
                              struct settings_topic *topic, struct parsed *parsed)
{
    topic->file = path;
    topic->role = SETTINGS_ROLE_MESSAGES; /* what an unreadable file is least likely to break */
    derive_inherited(topic, loader->settings);
    enum sb_err err = parse_file(loader, path, &schema_topic, topic, parsed);
    if (err != SB_OK)
        return err;
    derive_topic(loader, topic);
    checks_topic(loader, topic, parsed->at);
    derive_topic_broker(loader, topic);
    return SB_OK;
}

static enum sb_err load_topics(struct loader *loader, const struct topic_files *files,
                               struct place worker_at)
{
    struct settings *settings = loader->settings;
    struct place *places = loader_alloc(loader, files->count * sizeof(*places));
    settings->topics = loader_alloc(loader, files->count * sizeof(*settings->topics));
    if (places == NULL || settings->topics == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < files->count; i++) {
        struct parsed parsed;
        enum sb_err err = load_topic(loader, files->paths[i], &settings->topics[i], &parsed);
        if (err != SB_OK)
            return err;
        settings->topic_count++;
        places[i] = parsed.at;
    }
    checks_topics(loader, places, loader->report->errors == 0, worker_at);
    return SB_OK;
}

static enum sb_err load_all(struct loader *loader)
{
    const struct config_sources *sources = loader->sources;
    struct parsed parsed;
    enum sb_err err =
        parse_file(loader, sources->worker, &schema_worker, loader->settings, &parsed);
    if (err != SB_OK)
        return err;
    loader->private->worker_file = loader_text(loader, sources->worker);
    apply_overrides(loader);
    derive_worker(loader);
    if (!parsed.broken)
        checks_worker(loader, parsed.at);
    derive_sink_brokers(loader);
    struct topic_files files = {.loader = loader};
    for (uint32_t i = 0; i < sources->topic_count; i++)
        add_topic_file(&files, sources->topics[i]);
    err = list_topics_dir(&files);
    if (err == SB_OK)
        err = load_topics(loader, &files, parsed.at);
    if (err == SB_OK && !parsed.broken)
        checks_cluster(loader, parsed.at);
    return err;
}

enum sb_err config_load(const struct config_sources *sources, struct config_report *report,
                        struct settings **ret)
{
    struct loader loader = {.sources = sources, .report = report};
    loader.files = sources->files != NULL ? sources->files : &source_file_system;
    enum sb_err err = new_settings(&loader);
    if (err != SB_OK)
        return err;
    err = load_all(&loader);
    report_sort(report);
    if (err == SB_OK && (loader.out_of_memory || report->out_of_memory))
        err = SB_ERR_MEMORY;
    if (err == SB_OK && report->errors > 0)
        err = SB_ERR_CONFIG;
    if (err != SB_OK) {
        settings_free(loader.settings);
        return err;
    }
    origins_sort(loader.private);
    *ret = loader.settings;
    return SB_OK;
}
