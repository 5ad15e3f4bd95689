/*
 * source: one configuration file and what it includes, as one text.
 *
 * Comments, byte order marks and carriage returns become spaces, @include lines are replaced
 * by the files they name (sorted, wildcards allowed, relative to the including file), and
 * every line knows the file and line it came from.  libconfig never opens a file, so all of
 * its versions see the same.
 */
#ifndef SB_CONFIG_SOURCE_H
#define SB_CONFIG_SOURCE_H

#include "config/load.h"
#include "report.h"

enum {
    SOURCE_FILE_BYTES_MAX = 1 << 20,
    SOURCE_BYTES_MAX = 4 << 20, /* all files of one source together */
    SOURCE_DEPTH_MAX = 10,      /* files including each other */
    SOURCE_FILES_MAX = 1000
};

struct source_line {
    struct place at; /* column 0 */
    bool faulty;     /* an error stands here already: what follows from it is not told */
};

struct source {
    struct text text; /* ends with a newline */
    struct source_line *lines;
    uint32_t line_count;
    uint32_t line_room;
    uint32_t file_count;
    const struct config_files *files;
    struct config_report *report;
    bool broken; /* a file is missing or unreadable: what is absent proves nothing */
};

/*
 * Reads `path`.  Trouble with files is reported and sets `broken`; SB_ERR_MEMORY is the only
 * error.  source_clear in any case.
 */
enum sb_err source_load(struct source *source, const char *path,
                        const struct config_files *files,
                        struct config_report *report) SB_MUST_USE;
void source_clear(struct source *source);

/* line from 1; beyond the end: the last one. */
struct place source_place(const struct source *source, uint32_t line, uint32_t column);
bool source_faulty(const struct source *source, uint32_t line);
void source_mark_faulty(struct source *source, uint32_t line);

/* The file system: `read` and `list` of struct config_files. */
extern const struct config_files source_file_system;

#endif
