/* frames: names, brackets and marks of the syntax check. */
#include <stdio.h>
#include <string.h>

#include "checker.h"
#include "core/memory.h"

struct checker_frame *checker_innermost(struct checker *checker)
{
    return &checker->stack[checker->depth];
}

bool checker_in_group(struct checker *checker)
{
    char open = checker_innermost(checker)->read_as;
    return open == '\0' || open == '{';
}

bool checker_fault(struct checker *checker, struct lexer_spot spot, struct place *ret_at)
{
    return lexer_fault(&checker->lexer, spot, ret_at);
}

/* A fault that can not be mended: libconfig will not be asked. */
bool checker_breaks(struct checker *checker, struct lexer_spot spot, struct place *ret_at)
{
    checker->syntax->broken = true;
    return checker_fault(checker, spot, ret_at);
}

char checker_closer(char open)
{
    switch (open) {
    case '{':
        return '}';
    case '(':
        return ')';
    default:
        return ']';
    }
}

void checker_add_mark(struct checker *checker, struct lexer_spot spot)
{
    struct syntax *syntax = checker->syntax;
    if (syntax->count == syntax->room) {
        uint32_t room = syntax->room == 0 ? 256 : syntax->room * 2;
        struct syntax_mark *marks = memory_realloc(syntax->marks, room, sizeof(*marks));
        if (marks == NULL) {
            checker->error = SB_ERR_MEMORY;
            return;
        }
        syntax->marks = marks;
        syntax->room = room;
    }
    syntax->marks[syntax->count++] =
        (struct syntax_mark){.line = spot.line, .column = spot.column};
}

/* " of NAME" or nothing. */
struct quoted checker_of_name(struct bytes name)
{
    struct quoted text = {{0}};
    if (name.len > 0)
        snprintf(text.text, sizeof(text.text), " of %.60s", quote_bytes(name).text);
    return text;
}

/* ---- names ---- */

static bool name_is_valid(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*';
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-' || c == '_')))
            return false;
    }
    return true;
}

/* Gives the name just read one that nobody uses, so that libconfig goes on. */
static void rename_setting(struct checker *checker)
{
    char *at = checker->lexer.text + checker->lexer.spot.at;
    size_t len = checker->lexer.token_len;
    char number[16];
    int digits = snprintf(number, sizeof(number), "%u", (unsigned)++checker->renamed);
    memset(at, '*', len);
    if (len > (size_t)digits)
        memcpy(at + len - (size_t)digits, number, (size_t)digits);
    else
        checker->syntax->broken = true;
}

static void tell_bad_name(struct checker *checker, struct bytes name)
{
    struct place at;
    if (!checker_fault(checker, checker->lexer.spot, &at))
        return;
    struct quoted shown = quote_bytes(name);
    report_error(checker->report, at, "%s can not be the name of a setting", shown.text);
    const char *dot = memchr(name.at, '.', name.len);
    if (dot != NULL)
        report_help(checker->report,
                    "write groups as %.*s = { ... }; a librdkafka property goes into "
                    "kafka.properties as { name = \"%s\"; value = \"...\"; }",
                    (int)(dot - (const char *)name.at), (const char *)name.at, shown.text);
    else
        report_help(checker->report, "names are made of letters, digits, - and _");
}

static void remember_name(struct checker *checker, struct bytes text)
{
    if (checker->name_count == checker->name_room) {
        uint32_t room = checker->name_room == 0 ? 64 : checker->name_room * 2;
        struct checker_name *names = memory_realloc(checker->names, room, sizeof(*names));
        if (names == NULL) {
            checker->error = SB_ERR_MEMORY;
            return;
        }
        checker->names = names;
        checker->name_room = room;
    }
    checker->names[checker->name_count++] =
        (struct checker_name){.text = text, .line = checker->lexer.spot.line};
}

static void check_name(struct checker *checker)
{
    struct bytes text = lexer_token_bytes(&checker->lexer);
    struct place at;
    if (!name_is_valid(text)) {
        tell_bad_name(checker, text);
        rename_setting(checker);
        return;
    }
    uint32_t from = checker_innermost(checker)->names_before;
    for (uint32_t i = from; i < checker->name_count; i++) {
        const struct checker_name *other = &checker->names[i];
        if (!bytes_equal(other->text, text))
            continue;
        if (checker_fault(checker, checker->lexer.spot, &at)) {
            struct place first = source_place(checker->lexer.source, other->line, 0);
            report_error(checker->report, at, "%s is set twice", quote_bytes(text).text);
            report_help(checker->report, "the first one is in %s:%u", first.file,
                        (unsigned)first.line);
        }
        rename_setting(checker);
        return;
    }
    if (checker->name_count - from < SYNTAX_NAMES_MAX)
        remember_name(checker, text);
    else if (checker_breaks(checker, checker->lexer.spot, &at))
        report_error(checker->report, at, "more than %d settings in one group",
                     SYNTAX_NAMES_MAX);
}

void checker_begin_name(struct checker *checker)
{
    checker->name_spot = checker->lexer.spot;
    checker->lexer.name = lexer_token_bytes(&checker->lexer);
    checker_add_mark(checker, checker->lexer.spot);
    check_name(checker);
    checker->state = EXPECT_EQUALS;
}

/* ---- frames ---- */

void checker_push(struct checker *checker)
{
    struct place at;
    if (checker->depth == SYNTAX_DEPTH_MAX) {
        if (checker_breaks(checker, checker->lexer.spot, &at))
            report_error(checker->report, at, "nested more than %d deep", SYNTAX_DEPTH_MAX);
        checker->lexer.pos = checker->lexer.len;
        return;
    }
    char open = checker->lexer.text[checker->lexer.spot.at];
    struct checker_frame *outer = checker_innermost(checker);
    bool named = outer->read_as == '\0' || outer->read_as == '{';
    checker->depth++;
    *checker_innermost(checker) = (struct checker_frame){
        .open = open,
        .read_as = open,
        .spot = checker->lexer.spot,
        .name = named ? checker->lexer.name : outer->name,
        .names_before = checker->name_count,
        .kind = LEXER_END,
    };
    checker->state = open == '{' ? EXPECT_NAME : EXPECT_VALUE;
}

/* Leaves the innermost frame, whose closing character is at `close_at`. */
void checker_pop(struct checker *checker, size_t close_at)
{
    struct checker_frame *frame = checker_innermost(checker);
    checker->lexer.text[frame->spot.at] = frame->read_as;
    checker->lexer.text[close_at] = checker_closer(frame->read_as);
    checker->name_count = frame->names_before;
    checker->depth--;
    checker->state = AFTER_VALUE;
    checker->after_string = false;
}

void checker_tell_unclosed(struct checker *checker, const struct checker_frame *frame,
                           const char *until)
{
    struct place at;
    struct lexer_spot spot = frame->spot;
    if (!checker_breaks(checker, spot, &at))
        return;
    report_error(checker->report, at, "the '%c'%s opened here is not closed%s", frame->open,
                 checker_of_name(frame->name).text, until);
    report_help(checker->report, "close it with '%c'", checker_closer(frame->open));
}

static unsigned line_of(struct checker *checker, struct lexer_spot spot)
{
    return (unsigned)source_place(checker->lexer.source, spot.line, 0).line;
}

/* Wrong, but nothing else can be meant. */
static void close_mistyped(struct checker *checker, char close)
{
    struct place at;
    struct checker_frame *frame = checker_innermost(checker);
    if (checker_fault(checker, checker->lexer.spot, &at)) {
        report_error(checker->report, at, "the '%c'%s opened in line %u is closed with '%c'",
                     frame->open, checker_of_name(frame->name).text,
                     line_of(checker, frame->spot), close);
        report_help(checker->report, "close it with '%c'", checker_closer(frame->open));
    }
    checker_pop(checker, checker->lexer.spot.at);
}

/* A closing character that is not the innermost frame's. */
static void close_wrongly(struct checker *checker, char close)
{
    struct place at;
    struct lexer_spot here = checker->lexer.spot;
    uint32_t match = checker->depth;
    while (match > 0 && checker_closer(checker->stack[match].open) != close)
        match--;
    if (checker->depth == 0) {
        if (checker_breaks(checker, here, &at))
            report_error(checker->report, at, "this '%c' closes nothing", close);
        return;
    }
    bool near = checker_innermost(checker)->spot.line == here.line;
    if (match == 0 || (near && checker->stack[match].spot.line != here.line)) {
        close_mistyped(checker, close);
        return;
    }
    char until[48];
    snprintf(until, sizeof(until), " before the '%c' of line %u", close,
             line_of(checker, here));
    while (checker->depth > match) {
        checker_tell_unclosed(checker, checker_innermost(checker), until);
        checker_pop(checker, here.at);
    }
    checker_pop(checker, here.at);
}

void checker_close(struct checker *checker)
{
    char close = checker->lexer.text[checker->lexer.spot.at];
    struct checker_frame *frame = checker_innermost(checker);
    /* libconfig before 1.7 takes no comma before the end of a list; people do write it. */
    if (checker->comma_at != SIZE_MAX)
        checker->lexer.text[checker->comma_at] = ' ';
    if (frame->open != '\0' && checker_closer(frame->open) == close)
        checker_pop(checker, checker->lexer.spot.at);
    else
        close_wrongly(checker, close);
}

/* Leaves all lists up to the group around them. */
void checker_leave_lists(struct checker *checker, const char *until)
{
    while (!checker_in_group(checker)) {
        checker_tell_unclosed(checker, checker_innermost(checker), until);
        checker_pop(checker, checker_innermost(checker)->spot.at);
    }
}
