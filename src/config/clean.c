#include "clean.h"

#include "core/utf8.h"

struct cleaner {
    char *text;
    size_t len;
    size_t pos;
    struct place at; /* of pos */
    struct config_report *report;
    uint32_t line_told; /* one report about bytes per line is enough */
};

static void step_over(struct cleaner *cleaner, size_t len)
{
    if (cleaner->text[cleaner->pos] == '\n') {
        cleaner->at.line++;
        cleaner->at.column = 1;
    } else {
        cleaner->at.column++;
    }
    cleaner->pos += len;
}

/* Overwrites one character, unless it is a line's end. */
static void blank(struct cleaner *cleaner)
{
    char *c = &cleaner->text[cleaner->pos];
    if (*c != '\n')
        *c = ' ';
    step_over(cleaner, 1);
}

static bool looking_at(const struct cleaner *cleaner, const char *word)
{
    size_t len = strlen(word);
    return cleaner->len - cleaner->pos >= len &&
           memcmp(cleaner->text + cleaner->pos, word, len) == 0;
}

static void blank_line_comment(struct cleaner *cleaner)
{
    while (cleaner->pos < cleaner->len && cleaner->text[cleaner->pos] != '\n')
        blank(cleaner);
}

static void blank_block_comment(struct cleaner *cleaner)
{
    struct place opened = cleaner->at;
    blank(cleaner);
    blank(cleaner);
    while (cleaner->pos < cleaner->len) {
        if (looking_at(cleaner, "*/")) {
            blank(cleaner);
            blank(cleaner);
            return;
        }
        blank(cleaner);
    }
    report_error(cleaner->report, opened, "this comment has no end");
    report_help(cleaner->report, "close it with */");
}

/* Over a string to its closing quote, or to the end of the line where that is missing. */
static void skip_string(struct cleaner *cleaner)
{
    step_over(cleaner, 1);
    while (cleaner->pos < cleaner->len && cleaner->text[cleaner->pos] != '\n') {
        char c = cleaner->text[cleaner->pos];
        step_over(cleaner, 1);
        if (c == '"')
            return;
        if (c == '\\' && cleaner->pos < cleaner->len && cleaner->text[cleaner->pos] != '\n')
            step_over(cleaner, 1);
    }
}

static void blank_comments(struct cleaner *cleaner)
{
    while (cleaner->pos < cleaner->len) {
        char c = cleaner->text[cleaner->pos];
        if (c == '#' || looking_at(cleaner, "//"))
            blank_line_comment(cleaner);
        else if (looking_at(cleaner, "/*"))
            blank_block_comment(cleaner);
        else if (c == '"')
            skip_string(cleaner);
        else
            step_over(cleaner, 1);
    }
}

static void tell_bytes(struct cleaner *cleaner, bool nul)
{
    if (cleaner->line_told == cleaner->at.line)
        return;
    cleaner->line_told = cleaner->at.line;
    unsigned byte = (unsigned char)cleaner->text[cleaner->pos];
    if (nul)
        report_error(cleaner->report, cleaner->at, "a NUL byte stands here");
    else
        report_error(cleaner->report, cleaner->at, "byte 0x%02x is not valid UTF-8", byte);
    report_help(cleaner->report, "save the file as UTF-8");
}

static void check_bytes(struct cleaner *cleaner)
{
    if (looking_at(cleaner, "\xef\xbb\xbf"))
        memset(cleaner->text, ' ', 3);
    while (cleaner->pos < cleaner->len) {
        const char *here = cleaner->text + cleaner->pos;
        size_t len = utf8_sequence(bytes_of(here, cleaner->len - cleaner->pos));
        char c = *here;
        if (len == 0 || c == '\0') {
            tell_bytes(cleaner, c == '\0');
            cleaner->text[cleaner->pos] = '?';
            len = 1;
        } else if (c == '\r' || c == '\f') {
            cleaner->text[cleaner->pos] = ' ';
        }
        step_over(cleaner, len);
    }
}

void clean_text(char *text, size_t len, struct place at, struct config_report *report)
{
    struct cleaner cleaner = {.text = text, .len = len, .at = at, .report = report};
    cleaner.at.line = 1;
    cleaner.at.column = 1;
    check_bytes(&cleaner);
    cleaner.pos = 0;
    cleaner.at.line = 1;
    cleaner.at.column = 1;
    blank_comments(&cleaner);
}
