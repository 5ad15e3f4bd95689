/*
 * load: configuration files in, settings or a report of everything wrong with them out.
 *
 * One thread; not in a hurry.  Files are read once.  A report belongs to its caller.
 */
#ifndef SB_CONFIG_LOAD_H
#define SB_CONFIG_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "config/settings.h"
#include "core/arena.h"
#include "core/err.h"
#include "core/text.h"

/* A worker setting given on the command line: it wins over the files. */
struct config_override {
    const char *path;   /* as in docs/config.md: "log.level" */
    const char *value;  /* as it would stand in the file, without quotes */
    const char *origin; /* as messages show it: "--log-level" */
};

/* Where files come from; tests and the fuzz target bring their own. */
struct config_files {
    /* Appends the content of `path`.  SB_ERR_IO (errno tells), SB_ERR_LIMIT (too large). */
    enum sb_err (*read)(void *arg, const char *path, struct text *out);
    /* Calls `found` for every file that matches the glob `pattern`, in sorted order. */
    enum sb_err (*list)(void *arg, const char *pattern, void (*found)(void *, const char *),
                        void *found_arg);
    void *arg;
};

enum { CONFIG_WHY_LEN = 256 };

/* True if librdkafka takes the property; else `why` tells.  config does not link it itself. */
typedef bool (*config_property_fn)(const char *name, const char *value,
                                   char why[CONFIG_WHY_LEN]);

/* All borrowed for the time of the call. */
struct config_sources {
    const struct config_files *files; /* NULL: the file system */
    const char *worker;
    const char *const *topics; /* files; those of topics_dir come after them */
    uint32_t topic_count;
    const struct config_override *overrides;
    uint32_t override_count;
    config_property_fn check_property; /* NULL: properties are not looked at */
    bool looks_only; /* sampling.policies and sinks may be missing: nothing is sent anywhere */
};

enum config_severity { CONFIG_ERROR, CONFIG_WARNING, CONFIG_NOTE };

struct config_diagnostic {
    enum config_severity severity;
    uint32_t order;   /* of its file among the sources */
    const char *file; /* or the origin of an override */
    uint32_t line;    /* from 1; 0: the file as a whole */
    uint32_t column;  /* from 1; 0: not known */
    const char *text;
    const char *help; /* NULL: none */
};

enum { CONFIG_ERRORS_MAX = 50 }; /* further ones are counted, and so for warnings */

/* Sorted by file, in the order of the sources, then by line and column. */
struct config_report {
    struct config_diagnostic *items;
    uint32_t count;
    uint32_t room;
    uint32_t errors; /* all, those beyond CONFIG_ERRORS_MAX among them */
    uint32_t warnings;
    uint32_t notes;
    uint32_t orders; /* files so far */
    bool last_kept;  /* the newest diagnostic is in items */
    bool out_of_memory;
    struct arena strings; /* what the items point to */
};

void config_report_init(struct config_report *report);
void config_report_clear(struct config_report *report);

/*
 * On success *ret is the caller's to settings_free; the report may still hold warnings.
 * SB_ERR_CONFIG: the report says why; SB_ERR_MEMORY.  Values of secrets and of ${file:...}
 * never stand in a report.
 */
enum sb_err config_load(const struct config_sources *sources, struct config_report *report,
                        struct settings **ret) SB_MUST_USE;

/*
 * Adds what is no fault but worth knowing before a start: the records per second that each
 * RabbitMQ queue of spans can pass.  The report is that of the load, or a new one.
 */
void config_notes(const struct settings *settings, struct config_report *report);

/* The report as people read it: "file:line: error: text" lines, with "  help: ..." below. */
void config_report_text(const struct config_report *report, bool colour, struct text *out);

/* {"errors":n,"warnings":n,"notes":n,"diagnostics":[
 *  {"severity","file","line","column","text","help"}]} */
void config_report_json(const struct config_report *report, struct text *out);

#endif
