#include "lexer.h"

#include <string.h>

#include "number.h"

/* What people paste by accident, and what it is called. */
struct oddity {
    const char *bytes;
    const char *name;
};
static const struct oddity spaces[] = {
    {"\xc2\xa0", "a no-break space (U+00A0)"},
    {"\xe2\x80\x8b", "a zero-width space (U+200B)"},
    {"\xe2\x80\xaf", "a narrow no-break space (U+202F)"},
    {"\xe2\x80\x83", "an em space (U+2003)"},
    {"\xe2\x80\x82", "an en space (U+2002)"},
    {"\xe2\x80\x8d", "a zero-width joiner (U+200D)"},
    {"\xe3\x80\x80", "an ideographic space (U+3000)"},
    {"\xef\xbb\xbf", "a byte order mark (U+FEFF)"},
};
static const struct oddity quotes[] = {
    {"\xe2\x80\x9c", "\xe2\x80\x9c"}, {"\xe2\x80\x9d", "\xe2\x80\x9d"},
    {"\xe2\x80\x9e", "\xe2\x80\x9e"}, {"\xe2\x80\x98", "\xe2\x80\x98"},
    {"\xe2\x80\x99", "\xe2\x80\x99"}, {"\xc2\xab", "\xc2\xab"},
    {"\xc2\xbb", "\xc2\xbb"},
};
enum { SPACES = sizeof(spaces) / sizeof(*spaces), QUOTES = sizeof(quotes) / sizeof(*quotes) };

void lexer_init(struct lexer *lexer, struct source *source)
{
    *lexer = (struct lexer){
        .source = source, .text = source->text.at, .len = source->text.len, .line = 1};
}

static const struct oddity *find_oddity(const struct lexer *lexer, size_t pos,
                                        const struct oddity *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(list[i].bytes);
        if (lexer->len - pos >= len && memcmp(lexer->text + pos, list[i].bytes, len) == 0)
            return &list[i];
    }
    return NULL;
}

/* Columns count characters, not bytes. */
static struct lexer_spot spot_here(const struct lexer *lexer)
{
    uint32_t column = 1;
    for (size_t i = lexer->line_start; i < lexer->pos; i++)
        column += ((unsigned char)lexer->text[i] & 0xc0) != 0x80;
    return (struct lexer_spot){.at = lexer->pos, .line = lexer->line, .column = column};
}

static size_t line_end(const struct lexer *lexer)
{
    const char *end = memchr(lexer->text + lexer->pos, '\n', lexer->len - lexer->pos);
    return end == NULL ? lexer->len : (size_t)(end - lexer->text);
}

/* Counts the quotes of the current line; *ret_open is the last that opens text. */
static unsigned count_quotes(const struct lexer *lexer, size_t *ret_open)
{
    unsigned count = 0;
    size_t end = line_end(lexer);
    for (size_t i = lexer->line_start; i < end; i++) {
        bool inside = count % 2 == 1;
        if (lexer->text[i] == '\\' && inside)
            i++;
        else if (lexer->text[i] == '"' && ++count % 2 == 1)
            *ret_open = i;
    }
    return count;
}

/* Where quotes do not pair, whatever else is wrong with the line follows from that. */
static bool tell_open_quote(struct lexer *lexer, uint32_t line)
{
    size_t open = 0;
    unsigned count = line == lexer->line ? count_quotes(lexer, &open) : 0;
    if (count % 2 == 0)
        return false;
    struct lexer here = *lexer;
    here.pos = open;
    struct place at = source_place(lexer->source, line, spot_here(&here).column);
    struct config_report *report = lexer->source->report;
    bool curly = false;
    for (size_t i = open; i < line_end(lexer); i++)
        curly = curly || find_oddity(lexer, i, quotes, QUOTES) != NULL;
    if (count > 1)
        report_error(report, at, "quotes do not pair on this line: there are %u", count);
    else
        report_error(report, at, "the quote opened at column %u is not closed on this line",
                     (unsigned)at.column);
    if (curly)
        report_help(report, "a typographic quote does not close text: use \"");
    else if (count > 1)
        report_help(report, "inside text a quote is written \\\"");
    else
        report_help(report, "close it; long text is written in pieces: \"one \" \"two\"");
    return true;
}

bool lexer_fault(struct lexer *lexer, struct lexer_spot spot, struct place *ret_at)
{
    if (source_faulty(lexer->source, spot.line))
        return false;
    source_mark_faulty(lexer->source, spot.line);
    if (tell_open_quote(lexer, spot.line))
        return false;
    *ret_at = source_place(lexer->source, spot.line, spot.column);
    return true;
}

struct bytes lexer_token_bytes(const struct lexer *lexer)
{
    return bytes_of(lexer->text + lexer->spot.at, lexer->token_len);
}

void lexer_blank_token(struct lexer *lexer)
{
    memset(lexer->text + lexer->spot.at, ' ', lexer->token_len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

char lexer_peek(const struct lexer *lexer)
{
    size_t pos = lexer->pos;
    while (pos < lexer->len && is_blank(lexer->text[pos]))
        pos++;
    return lexer->text[pos]; /* NUL at the end */
}

static void blank_odd_space(struct lexer *lexer, const struct oddity *space)
{
    struct place at;
    if (lexer_fault(lexer, spot_here(lexer), &at)) {
        report_error(lexer->source->report, at, "%s stands here", space->name);
        report_help(lexer->source->report, "replace it with an ordinary space");
    }
    size_t len = strlen(space->bytes);
    memset(lexer->text + lexer->pos, ' ', len);
    lexer->pos += len;
}

static void skip_blanks(struct lexer *lexer)
{
    while (lexer->pos < lexer->len) {
        const struct oddity *space;
        if (lexer->text[lexer->pos] == '\n') {
            lexer->line++;
            lexer->line_start = ++lexer->pos;
        } else if (is_blank(lexer->text[lexer->pos])) {
            lexer->pos++;
        } else if ((space = find_oddity(lexer, lexer->pos, spaces, SPACES)) != NULL) {
            blank_odd_space(lexer, space);
        } else {
            return;
        }
    }
}

/* Makes the token an empty string, or 0 where it is too short for that. */
static void overwrite_value(struct lexer *lexer)
{
    char *at = lexer->text + lexer->spot.at;
    memset(at, ' ', lexer->token_len);
    if (lexer->token_len >= 2)
        at[0] = at[1] = '"';
    else
        at[0] = '0';
}

static void tell_escape(struct lexer *lexer, char c, bool nul)
{
    struct place at;
    if (!lexer_fault(lexer, spot_here(lexer), &at))
        return;
    struct config_report *report = lexer->source->report;
    if (nul) {
        report_error(report, at, "text can not hold a NUL byte");
    } else if (c == 'x' || c == 'X') {
        report_error(report, at, "\\x needs two hexadecimal digits");
    } else if ((unsigned char)c > 0x20 && (unsigned char)c < 0x7f) {
        report_error(report, at, "\\%c is no escape in text", c);
        report_help(report,
                    "write \\\\%c for a backslash and %c; escapes are \\\\ \\\" \\n "
                    "\\r \\t \\f and \\x41",
                    c, c);
    } else {
        report_error(report, at, "a backslash stands alone in text");
        report_help(report, "write \\\\ for a backslash");
    }
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* At a backslash; returns the length of the escape. */
static size_t check_escape(struct lexer *lexer, size_t end)
{
    const char *at = lexer->text + lexer->pos;
    size_t left = end - lexer->pos;
    char c = at[1]; /* the line's end at the latest */
    if (strchr("nrtf\\\"", c) != NULL)
        return 2;
    bool hex = (c == 'x' || c == 'X') && left > 3 && is_hex(at[2]) && is_hex(at[3]);
    bool nul = hex && at[2] == '0' && at[3] == '0';
    if (!hex || nul)
        tell_escape(lexer, c, nul);
    return hex ? 4 : 1;
}

static void tell_control(struct lexer *lexer, char c)
{
    struct place at = source_place(lexer->source, lexer->line, spot_here(lexer).column);
    struct config_report *report = lexer->source->report;
    if (c == '\t') {
        report_warning(report, at, "a tab stands inside text");
        report_help(report, "write \\t if it is meant");
    } else if (lexer_fault(lexer, spot_here(lexer), &at)) {
        report_error(report, at, "control character 0x%02x stands inside text", (unsigned)c);
        report_help(report, "write \\x%02x if it is meant", (unsigned)c);
    }
}

static enum lexer_token read_string(struct lexer *lexer)
{
    size_t end = line_end(lexer);
    lexer->pos++;
    while (lexer->pos < end && lexer->text[lexer->pos] != '"') {
        char c = lexer->text[lexer->pos];
        if (c == '\\') {
            lexer->pos += check_escape(lexer, end);
            continue;
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            tell_control(lexer, c);
        lexer->pos++;
    }
    if (lexer->pos < end) {
        lexer->pos++;
        lexer->token_len = lexer->pos - lexer->spot.at;
        return LEXER_STRING;
    }
    struct place at;
    if (lexer_fault(lexer, lexer->spot, &at))
        report_error(lexer->source->report, at, "the quote opened here is not closed");
    lexer->pos = end;
    lexer->token_len = end - lexer->spot.at;
    overwrite_value(lexer);
    return LEXER_BAD;
}

/* From a typographic or single quote to its partner on the same line. */
static enum lexer_token read_odd_quotes(struct lexer *lexer, size_t open_len)
{
    size_t end = line_end(lexer);
    size_t pos = lexer->pos + open_len;
    size_t close_len = 0;
    while (pos < end && close_len == 0) {
        const struct oddity *quote = find_oddity(lexer, pos, quotes, QUOTES);
        char c = lexer->text[pos];
        if (open_len > 1 && quote != NULL)
            close_len = strlen(quote->bytes);
        else if (c == '"' || (open_len == 1 && c == '\''))
            close_len = 1;
        else
            pos++;
    }
    if (close_len == 0)
        pos = lexer->pos + strcspn(lexer->text + lexer->pos, ";,\n");
    lexer->pos = pos + close_len;
    lexer->token_len = lexer->pos - lexer->spot.at;
    struct place at;
    if (lexer_fault(lexer, lexer->spot, &at)) {
        report_error(lexer->source->report, at, "%s quotes do not make text",
                     open_len == 1 ? "single" : "typographic");
        report_help(lexer->source->report, "use \"");
    }
    overwrite_value(lexer);
    return LEXER_BAD;
}

static size_t word_length(const struct lexer *lexer, bool value)
{
    size_t pos = lexer->pos;
    const char *stop = value ? " \t\n;,=(){}[]\"" : " \t\n;,=:(){}[]\"";
    while (pos < lexer->len && strchr(stop, lexer->text[pos]) == NULL &&
           find_oddity(lexer, pos, spaces, SPACES) == NULL)
        pos++;
    /* A variable outside quotes: ${NAME}. */
    if (value && pos > lexer->pos && pos < lexer->len && lexer->text[pos] == '{' &&
        lexer->text[pos - 1] == '$') {
        size_t end = line_end(lexer);
        const char *close = memchr(lexer->text + pos, '}', end - pos);
        if (close != NULL)
            pos = (size_t)(close - lexer->text) + 1;
    }
    return pos - lexer->pos;
}

static enum lexer_token read_value_word(struct lexer *lexer)
{
    struct bytes word = lexer_token_bytes(lexer);
    struct number_fault fault;
    switch (number_classify(word, &fault)) {
    case NUMBER_INTEGER:
        return LEXER_INTEGER;
    case NUMBER_LONG:
        return LEXER_LONG;
    case NUMBER_FLOAT:
        return LEXER_FLOAT;
    case NUMBER_BOOLEAN:
        return LEXER_BOOLEAN;
    case NUMBER_BAD:
        break;
    }
    struct place at;
    if (lexer_fault(lexer, lexer->spot, &at)) {
        bool hidden = !fault.numeric && name_is_secret(lexer->name);
        report_error(lexer->source->report, at, "%s",
                     hidden ? "text needs double quotes" : fault.text);
        report_help(lexer->source->report, "%s", hidden ? "put it in \"\"" : fault.help);
    }
    overwrite_value(lexer);
    return LEXER_BAD;
}

static enum lexer_token read_word(struct lexer *lexer, bool value)
{
    const struct oddity *quote = find_oddity(lexer, lexer->pos, quotes, QUOTES);
    if (quote != NULL)
        return read_odd_quotes(lexer, strlen(quote->bytes));
    if (lexer->text[lexer->pos] == '\'')
        return read_odd_quotes(lexer, 1);
    lexer->token_len = word_length(lexer, value);
    lexer->pos += lexer->token_len;
    return value ? read_value_word(lexer) : LEXER_WORD;
}

enum lexer_token lexer_next(struct lexer *lexer, bool value)
{
    skip_blanks(lexer);
    lexer->spot = spot_here(lexer);
    lexer->token_len = 1;
    if (lexer->pos == lexer->len)
        return LEXER_END;
    enum lexer_token token;
    switch (lexer->text[lexer->pos]) {
    case '"':
        return read_string(lexer);
    case '=':
    case ':':
        token = LEXER_EQUALS;
        break;
    case ',':
        token = LEXER_COMMA;
        break;
    case ';':
        token = LEXER_SEMICOLON;
        break;
    case '{':
    case '(':
    case '[':
        token = LEXER_OPEN;
        break;
    case '}':
    case ')':
    case ']':
        token = LEXER_CLOSE;
        break;
    default:
        return read_word(lexer, value);
    }
    lexer->pos++;
    return token;
}
