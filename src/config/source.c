#include "source.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "clean.h"
#include "core/assert.h"
#include "core/memory.h"

struct includer {
    const struct includer *outer; /* whose file includes this one's; NULL: none */
    struct source *source;
    const char *path; /* of the file that includes */
    struct place at;
    bool found;
    enum sb_err error;
};

static enum sb_err add_file(struct source *source, const char *path,
                            const struct includer *outer);

static enum sb_err add_line(struct source *source, struct place at, struct bytes line)
{
    if (source->line_count == source->line_room) {
        uint32_t room = source->line_room == 0 ? 256 : source->line_room * 2;
        struct source_line *lines = memory_realloc(source->lines, room, sizeof(*source->lines));
        if (lines == NULL)
            return SB_ERR_MEMORY;
        source->lines = lines;
        source->line_room = room;
    }
    source->lines[source->line_count++] = (struct source_line){.at = at};
    text_append(&source->text, line);
    text_append_char(&source->text, '\n');
    return source->text.error == SB_ERR_MEMORY ? SB_ERR_MEMORY : SB_OK;
}

/* Also for a line that stays without its content because it was an @include. */
static enum sb_err add_empty_line(struct source *source, struct place at)
{
    return add_line(source, at, bytes_of(NULL, 0));
}

/* False: reported. */
static bool may_include(struct includer *includer, const char *path)
{
    uint32_t depth = 0;
    bool loop = false;
    for (const struct includer *file = includer; file != NULL; file = file->outer) {
        depth++;
        loop = loop || strcmp(file->path, path) == 0;
    }
    if (!loop && depth < SOURCE_DEPTH_MAX)
        return true;
    struct config_report *report = includer->source->report;
    includer->source->broken = true;
    if (loop)
        report_error(report, includer->at, "%s includes itself", quote(path).text);
    else
        report_error(report, includer->at, "files include each other more than %d deep",
                     SOURCE_DEPTH_MAX);
    return false;
}

static void include_found(void *arg, const char *path)
{
    struct includer *includer = arg;
    includer->found = true;
    if (includer->error == SB_OK && may_include(includer, path))
        includer->error = add_file(includer->source, path, includer);
}

static bool has_wildcard(const char *pattern)
{
    return strpbrk(pattern, "*?[") != NULL;
}

/* The pattern between the quotes of an @include, relative to the including file. */
static enum sb_err include_pattern(struct includer *includer, struct bytes name)
{
    struct text pattern;
    text_init(&pattern, 4096);
    const char *slash = strrchr(includer->path, '/');
    if (name.at[0] != '/' && slash != NULL)
        text_append(&pattern, bytes_of(includer->path, (size_t)(slash - includer->path) + 1));
    text_append(&pattern, name);
    enum sb_err err = pattern.error == SB_ERR_MEMORY ? SB_ERR_MEMORY : SB_OK;
    struct source *source = includer->source;
    if (pattern.error == SB_ERR_LIMIT) {
        report_error(source->report, includer->at, "the path of this @include is too long");
        source->broken = true;
    } else if (err == SB_OK && has_wildcard(text_string(&pattern))) {
        err = source->files->list(source->files->arg, text_string(&pattern), include_found,
                                  includer);
        if (err == SB_OK && !includer->found)
            report_warning(source->report, includer->at, "no file matches %s",
                           quote(text_string(&pattern)).text);
    } else if (err == SB_OK) {
        include_found(includer, text_string(&pattern));
    }
    text_clear(&pattern);
    return err == SB_OK ? includer->error : err;
}

static struct bytes skip_blanks(struct bytes line)
{
    while (line.len > 0 && (line.at[0] == ' ' || line.at[0] == '\t'))
        line = bytes_of(line.at + 1, line.len - 1);
    return line;
}

static bool is_include(struct bytes line)
{
    static const char word[] = "@include";
    line = skip_blanks(line);
    return line.len >= sizeof(word) - 1 && memcmp(line.at, word, sizeof(word) - 1) == 0;
}

static enum sb_err add_include(struct includer *includer, struct bytes line)
{
    struct source *source = includer->source;
    struct bytes rest = skip_blanks(line);
    rest = skip_blanks(bytes_of(rest.at + 8, rest.len - 8));
    const uint8_t *close = NULL;
    if (rest.len > 2 && rest.at[0] == '"')
        close = memchr(rest.at + 1, '"', rest.len - 1);
    if (close == NULL || close == rest.at + 1) {
        report_error(source->report, includer->at, "@include needs a path in double quotes");
        report_help(source->report, "write @include \"more.conf\" on a line of its own");
        source->broken = true;
        return add_empty_line(source, includer->at);
    }
    struct bytes name = bytes_of(rest.at + 1, (size_t)(close - rest.at) - 1);
    struct bytes after = skip_blanks(bytes_of(close + 1, rest.len - name.len - 2));
    if (after.len > 0 && after.at[0] != ';') {
        report_error(source->report, includer->at, "nothing may follow @include on its line");
        source->broken = true;
    }
    return include_pattern(includer, name);
}

static enum sb_err add_content(struct source *source, struct bytes content,
                               struct includer *includer)
{
    uint32_t number = 0;
    while (content.len > 0) {
        const uint8_t *end = memchr(content.at, '\n', content.len);
        size_t len = end == NULL ? content.len : (size_t)(end - content.at);
        struct bytes line = bytes_of(content.at, len);
        includer->at.line = ++number;
        includer->found = false;
        enum sb_err err = is_include(line) ? add_include(includer, line)
                                           : add_line(source, includer->at, line);
        if (err != SB_OK)
            return err;
        if (source->broken && source->text.error == SB_ERR_LIMIT)
            return SB_OK;
        size_t step = end == NULL ? len : len + 1;
        content = bytes_of(content.at + step, content.len - step);
    }
    return number == 0 ? add_empty_line(source, includer->at) : SB_OK;
}

static void report_unreadable(struct source *source, enum sb_err err, const char *path,
                              const struct place *from)
{
    int number = errno;
    struct place at = from != NULL ? *from : report_file(source->report, path);
    struct quoted name = quote(from == NULL ? "" : path);
    const char *blank = from == NULL ? "" : " ";
    source->broken = true;
    if (err == SB_ERR_LIMIT) {
        report_error(source->report, at, "%s%sis larger than 1 MiB", name.text, blank);
        return;
    }
    report_error(source->report, at, "%s%scan not be read: %s", name.text, blank,
                 strerrordesc_np(number));
    if (number == EISDIR)
        report_help(source->report, "name the file; topics_dir = \"...\" names a folder of "
                                    "topic files");
    else if (number == ENOENT && from != NULL)
        report_help(source->report, "paths are relative to the file that includes");
}

/* outer: where the @include stands; NULL for the source itself. */
static enum sb_err add_file(struct source *source, const char *path,
                            const struct includer *outer)
{
    const struct place *from = outer == NULL ? NULL : &outer->at;
    struct text content;
    text_init(&content, SOURCE_FILE_BYTES_MAX);
    if (source->file_count++ >= SOURCE_FILES_MAX) {
        SB_ASSERT(from != NULL); /* the first file is within the limit */
        report_error(source->report, *from, "more than %d included files", SOURCE_FILES_MAX);
        source->broken = true;
        return SB_OK;
    }
    enum sb_err err = source->files->read(source->files->arg, path, &content);
    if (err == SB_OK) {
        struct includer includer = {.outer = outer, .source = source, .path = path};
        includer.at = report_file(source->report, path);
        clean_text(content.at, content.len, includer.at, source->report);
        err = add_content(source, text_bytes(&content), &includer);
        if (err == SB_OK && source->text.error == SB_ERR_LIMIT && !source->broken) {
            report_error(source->report, includer.at, "with its includes larger than 4 MiB");
            source->broken = true;
        }
    } else if (err != SB_ERR_MEMORY) {
        report_unreadable(source, err, path, from);
        err = from == NULL ? SB_OK : add_empty_line(source, *from);
    }
    text_clear(&content);
    return err;
}

enum sb_err source_load(struct source *source, const char *path,
                        const struct config_files *files, struct config_report *report)
{
    *source = (struct source){.files = files, .report = report};
    text_init(&source->text, SOURCE_BYTES_MAX);
    return add_file(source, path, NULL);
}

void source_clear(struct source *source)
{
    text_clear(&source->text);
    memory_free(source->lines);
    *source = (struct source){0};
}

static uint32_t line_index(const struct source *source, uint32_t line)
{
    if (line == 0)
        return 0;
    return line > source->line_count ? source->line_count - 1 : line - 1;
}

struct place source_place(const struct source *source, uint32_t line, uint32_t column)
{
    if (source->line_count == 0)
        return (struct place){.file = "?"};
    struct place at = source->lines[line_index(source, line)].at;
    at.column = column;
    return at;
}

bool source_faulty(const struct source *source, uint32_t line)
{
    return source->line_count > 0 && source->lines[line_index(source, line)].faulty;
}

void source_mark_faulty(struct source *source, uint32_t line)
{
    if (source->line_count > 0)
        source->lines[line_index(source, line)].faulty = true;
}
