#include "syntax.h"

#include <stdio.h>
#include <string.h>

#include "checker.h"
#include "core/memory.h"

/* ---- values ---- */

static void note_array_fault(struct checker *checker, const char *text, const char *help)
{
    struct checker_frame *frame = checker_innermost(checker);
    struct place at;
    if (frame->read_as == '[' && checker_fault(checker, checker->lexer.spot, &at)) {
        report_error(checker->report, at, "%s", text);
        report_help(checker->report, "%s", help);
    }
    frame->read_as = '(';
}

static void check_element(struct checker *checker, enum lexer_token token)
{
    struct checker_frame *frame = checker_innermost(checker);
    if (frame->read_as != '[')
        return;
    if (token == LEXER_BAD) {
        frame->read_as = '(';
        return;
    }
    if (token == LEXER_OPEN)
        note_array_fault(checker, "an array [ ] holds plain values only",
                         "a list of groups is written ( { ... }, { ... } )");
    else if (frame->kind != LEXER_END && frame->kind != token)
        note_array_fault(checker, "the values of an array [ ] are not of one type",
                         "put all of them in quotes, or none");
    frame->kind = token;
}

static void take_value(struct checker *checker, enum lexer_token token)
{
    if (!checker_in_group(checker)) {
        checker_add_mark(checker, checker->lexer.spot);
        check_element(checker, token);
    }
    checker->state = AFTER_VALUE;
    checker->after_string = token == LEXER_STRING;
    if (token == LEXER_OPEN)
        checker_push(checker);
}

/* A word that is followed by = inside a list: the list was not closed before it. */
static bool begins_setting(const struct checker *checker)
{
    return lexer_peek(&checker->lexer) == '=';
}

static void tell_no_value(struct checker *checker)
{
    struct place at;
    struct lexer_spot spot =
        checker_in_group(checker) ? checker->name_spot : checker->lexer.spot;
    if (!checker_breaks(checker, spot, &at))
        return;
    if (checker_in_group(checker))
        report_error(checker->report, at, "%s has no value",
                     quote_bytes(checker->lexer.name).text);
    else
        report_error(checker->report, at, "a value is missing here");
}

/* True where NAME = comes next, or the end of the group or of the text. */
static bool setting_comes_next(const struct checker *checker)
{
    static const char blanks[] = " \t\n";
    const char *at = checker->lexer.text + checker->lexer.pos;
    at += strspn(at, blanks);
    if (*at == '\0' || *at == '}')
        return true;
    size_t name = strcspn(at, " \t\n;,=:(){}[]\"");
    at += name;
    at += strspn(at, blanks);
    return name > 0 && (*at == '=' || *at == ':');
}

/* A ';' in a list.  Where the list ends there, its bracket was forgotten: put it there. */
static void list_semicolon(struct checker *checker)
{
    struct place at;
    struct checker_frame *frame = checker_innermost(checker);
    struct lexer_spot spot = checker->lexer.spot;
    if (setting_comes_next(checker)) {
        if (checker_fault(checker, spot, &at)) {
            report_error(
                checker->report, at,
                "the '%c'%s opened in line %u is not closed before this ';'", frame->open,
                checker_of_name(frame->name).text,
                (unsigned)source_place(checker->lexer.source, frame->spot.line, 0).line);
            report_help(checker->report, "close it with '%c'", checker_closer(frame->open));
        }
        checker->lexer.text[spot.at] = checker_closer(frame->open);
        checker_close(checker);
        return;
    }
    if (checker_fault(checker, spot, &at)) {
        report_error(checker->report, at, "';' does not stand between the values of a list");
        report_help(checker->report, "write ','");
    }
    checker->lexer.text[spot.at] = checker->state == AFTER_VALUE ? ',' : ' ';
    if (checker->state == AFTER_VALUE)
        checker->comma_at = spot.at;
    checker->state = EXPECT_VALUE;
}

/* ---- states ---- */

static void blank_with_error(struct checker *checker, const char *text)
{
    struct place at;
    if (checker_fault(checker, checker->lexer.spot, &at))
        report_error(checker->report, at, "%s", text);
    lexer_blank_token(&checker->lexer);
}

/* As in JSON. */
static bool is_quoted_name(const struct checker *checker)
{
    char next = lexer_peek(&checker->lexer);
    return checker->lexer.token_len > 2 && (next == '=' || next == ':');
}

static void at_name(struct checker *checker, enum lexer_token token)
{
    struct place at;
    switch (token) {
    case LEXER_WORD:
        checker_begin_name(checker);
        return;
    case LEXER_CLOSE:
        checker_close(checker);
        return;
    case LEXER_SEMICOLON:
        blank_with_error(checker, "this ';' ends nothing");
        return;
    case LEXER_COMMA:
        blank_with_error(checker, "this ',' separates nothing");
        return;
    case LEXER_STRING:
        if (is_quoted_name(checker)) {
            if (checker_fault(checker, checker->lexer.spot, &at))
                report_error(checker->report, at, "the name of a setting takes no quotes");
            char *text = checker->lexer.text + checker->lexer.spot.at;
            text[0] = text[checker->lexer.token_len - 1] = ' ';
            checker->lexer.spot.at++;
            checker->lexer.token_len -= 2;
            checker_begin_name(checker);
            return;
        }
        break;
    default:
        break;
    }
    if (checker_breaks(checker, checker->lexer.spot, &at)) {
        report_error(checker->report, at, "a setting begins with its name");
        report_help(checker->report, "write name = value;");
    }
    if (token == LEXER_OPEN) {
        checker->lexer.name = bytes_of(NULL, 0);
        checker_push(checker);
    }
}

static void at_value(struct checker *checker, enum lexer_token token)
{
    switch (token) {
    case LEXER_EQUALS:
        blank_with_error(checker, "one '=' is enough");
        return;
    case LEXER_SEMICOLON:
        if (!checker_in_group(checker)) {
            list_semicolon(checker);
            return;
        }
        tell_no_value(checker);
        checker->state = EXPECT_NAME;
        return;
    case LEXER_COMMA:
        if (checker_in_group(checker)) {
            tell_no_value(checker);
            checker->state = EXPECT_NAME;
        } else {
            blank_with_error(checker, "a value is missing before this ','");
        }
        return;
    case LEXER_CLOSE:
        if (checker_in_group(checker))
            tell_no_value(checker);
        checker_close(checker);
        return;
    default:
        take_value(checker, token);
    }
}

/* A value follows a value without a comma: puts one between them if there is room. */
static void missing_comma(struct checker *checker, enum lexer_token token)
{
    struct place at;
    struct lexer_spot spot = checker->lexer.spot;
    if (checker_fault(checker, spot, &at))
        report_error(checker->report, at, "a ',' is missing before this value");
    char *before = checker->lexer.text + spot.at - 1;
    if (*before == ' ' || *before == '\t')
        *before = ',';
    else
        checker->syntax->broken = true;
    take_value(checker, token);
}

static void after_list_value(struct checker *checker, enum lexer_token token)
{
    switch (token) {
    case LEXER_COMMA:
        checker->comma_at = checker->lexer.spot.at;
        checker->state = EXPECT_VALUE;
        return;
    case LEXER_CLOSE:
        checker_close(checker);
        return;
    case LEXER_SEMICOLON:
        list_semicolon(checker);
        return;
    case LEXER_EQUALS:
        blank_with_error(checker, "'=' does not stand in a list");
        return;
    default:
        missing_comma(checker, token);
    }
}

static void after_group_value(struct checker *checker, enum lexer_token token)
{
    struct place at;
    switch (token) {
    case LEXER_SEMICOLON:
    case LEXER_COMMA:
        checker->state = EXPECT_NAME;
        return;
    case LEXER_STRING:
        if (checker->after_string && !is_quoted_name(checker))
            return; /* pieces of one text */
        at_name(checker, token);
        return;
    case LEXER_EQUALS:
        if (checker_breaks(checker, checker->lexer.spot, &at))
            report_error(checker->report, at, "'=' follows a value");
        return;
    default:
        at_name(checker, token);
    }
}

static void at_equals(struct checker *checker, enum lexer_token token)
{
    struct place at;
    if (token == LEXER_EQUALS) {
        checker->state = EXPECT_VALUE;
        return;
    }
    if (checker_breaks(checker, checker->name_spot, &at))
        report_error(checker->report, at, "'=' is missing after %s",
                     quote_bytes(checker->lexer.name).text);
    checker->state = EXPECT_VALUE;
    at_value(checker, token);
}

/* True if nothing stands between the open bracket and the last token. */
static bool is_empty_so_far(struct checker *checker)
{
    size_t at = checker_innermost(checker)->spot.at + 1;
    at += strspn(checker->lexer.text + at, " \t\n");
    return at == checker->lexer.spot.at;
}

/* ( name = value; ... ): the wrong brackets around a group. */
static void read_as_group(struct checker *checker)
{
    struct place at;
    struct checker_frame *frame = checker_innermost(checker);
    if (checker_fault(checker, checker->lexer.spot, &at)) {
        report_error(checker->report, at, "a list holds values, not settings");
        report_help(checker->report,
                    "settings stand in a group: { %s = ...; }, a list of groups is ( { ... } )",
                    quote_bytes(lexer_token_bytes(&checker->lexer)).text);
    }
    source_mark_faulty(checker->lexer.source, frame->spot.line);
    frame->read_as = '{';
}

/* Reads a token as the state wants it; a name where a list should go on ends the list. */
static enum lexer_token next_token(struct checker *checker)
{
    struct lexer before = checker->lexer;
    bool group = checker_in_group(checker);
    bool value = !(group && (checker->state == EXPECT_NAME || checker->state == AFTER_VALUE));
    if (group || checker->lexer.pos == checker->lexer.len)
        return lexer_next(&checker->lexer, value);
    char c = lexer_peek(&checker->lexer);
    if (strchr("{}()[]\"=:,;", c) == NULL && c != '\0') {
        enum lexer_token token = lexer_next(&checker->lexer, false);
        if (token == LEXER_WORD && begins_setting(checker)) {
            char until[48];
            snprintf(until, sizeof(until), " before line %u",
                     (unsigned)source_place(checker->lexer.source, checker->lexer.spot.line, 0)
                         .line);
            if (is_empty_so_far(checker))
                read_as_group(checker);
            else
                checker_leave_lists(checker, until);
            checker->state = EXPECT_NAME;
            return token;
        }
        checker->lexer = before;
    }
    return lexer_next(&checker->lexer, value);
}

static void take_token(struct checker *checker, enum lexer_token token)
{
    switch (checker->state) {
    case EXPECT_NAME:
        at_name(checker, token);
        break;
    case EXPECT_EQUALS:
        at_equals(checker, token);
        break;
    case EXPECT_VALUE:
        at_value(checker, token);
        break;
    case AFTER_VALUE:
        if (checker_in_group(checker))
            after_group_value(checker, token);
        else
            after_list_value(checker, token);
        break;
    }
    if (token != LEXER_COMMA && token != LEXER_SEMICOLON)
        checker->comma_at = SIZE_MAX;
}

enum sb_err syntax_check(struct source *source, struct syntax *ret)
{
    struct checker checker = {.report = source->report, .syntax = ret, .comma_at = SIZE_MAX};
    *ret = (struct syntax){0};
    lexer_init(&checker.lexer, source);
    checker.stack[0].kind = LEXER_END;
    for (;;) {
        enum lexer_token token = next_token(&checker);
        if (token == LEXER_END || checker.error != SB_OK)
            break;
        take_token(&checker, token);
    }
    if (checker_in_group(&checker) &&
        (checker.state == EXPECT_EQUALS || checker.state == EXPECT_VALUE))
        tell_no_value(&checker);
    while (checker.depth > 0) {
        checker_tell_unclosed(&checker, checker_innermost(&checker), "");
        checker_pop(&checker, checker_innermost(&checker)->spot.at);
    }
    memory_free(checker.names);
    return checker.error;
}

void syntax_clear(struct syntax *syntax)
{
    memory_free(syntax->marks);
    *syntax = (struct syntax){0};
}
