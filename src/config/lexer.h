/*
 * lexer: a source's text as tokens, with everything reported that is no token.
 *
 * What is reported is also overwritten by something harmless of the same length, so that
 * libconfig can read the rest and more errors are found in one go.  Lines with an error are
 * marked faulty; only the first error of a line is told.
 */
#ifndef SB_CONFIG_LEXER_H
#define SB_CONFIG_LEXER_H

#include "source.h"

enum lexer_token {
    LEXER_END,
    LEXER_WORD, /* only where a name may stand */
    LEXER_STRING,
    LEXER_INTEGER,
    LEXER_LONG,
    LEXER_FLOAT,
    LEXER_BOOLEAN,
    LEXER_BAD, /* stands where a value should, was reported, reads as a string or number now */
    LEXER_EQUALS,
    LEXER_COMMA,
    LEXER_SEMICOLON,
    LEXER_OPEN, /* which one: the character at `at` */
    LEXER_CLOSE
};

/* A place in the text. */
struct lexer_spot {
    size_t at;
    uint32_t line; /* of the source, from 1 */
    uint32_t column;
};

struct lexer {
    struct source *source;
    char *text;
    size_t len;
    size_t pos;
    uint32_t line;
    size_t line_start;
    struct lexer_spot spot; /* of the token that was read last */
    size_t token_len;
    struct bytes name; /* of the setting whose value is read: decides what may be shown */
};

void lexer_init(struct lexer *lexer, struct source *source);

/* The next token where a name (`value` false) or a value may stand. */
enum lexer_token lexer_next(struct lexer *lexer, bool value);

/* The text of the last token. */
struct bytes lexer_token_bytes(const struct lexer *lexer);

/* The first character after the last token and blanks; NUL at the end.  Reads nothing. */
char lexer_peek(const struct lexer *lexer);

/* Begins the report of an error at `spot`; false: its line has one already.  Follow it with
 * report_error and report_help. */
bool lexer_fault(struct lexer *lexer, struct lexer_spot spot, struct place *ret_at);

/* Overwrites the last token with spaces. */
void lexer_blank_token(struct lexer *lexer);

#endif
