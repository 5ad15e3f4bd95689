#include "number.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "core/units.h"
#include "report.h"

/* Longer words are no numbers. */
enum { WORD_MAX = 63 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool name_is_secret(struct bytes name)
{
    static const char *const words[] = {
        "password",      "passwd",  "passphrase", "secret", "token",  "credential", "jaas",
        "authorization", "api-key", "api_key",    "apikey", "cookie", "private",    "pwd"};
    char copy[WORD_MAX + 1] = {0};
    if (name.len > WORD_MAX)
        name.len = WORD_MAX;
    if (name.len > 0)
        memcpy(copy, name.at, name.len);
    if (strcasecmp(copy, "value") == 0) /* of a header or a property */
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcasestr(copy, words[i]) != NULL)
            return true;
    }
    return false;
}

static enum number_kind bad(struct number_fault *fault, const char *text, const char *help)
{
    snprintf(fault->text, sizeof(fault->text), "%s", text);
    snprintf(fault->help, sizeof(fault->help), "%s", help);
    return NUMBER_BAD;
}

static enum number_kind too_long(struct number_fault *fault, const char *word)
{
    char text[sizeof(fault->text)];
    char help[sizeof(fault->help)];
    snprintf(text, sizeof(text), "%s needs an L: without one, more than 31 bits are garbled",
             word);
    snprintf(help, sizeof(help),
             "write %sL; sizes and durations are text with a unit, such as \"5GB\"", word);
    return bad(fault, text, help);
}

/* Digits, decimal or hexadecimal, with the suffix L or LL if `is_long`. */
static enum number_kind classify_integer(const char *word, bool hex, bool is_long,
                                         struct number_fault *fault)
{
    const char *digits = word + (word[0] == '-' || word[0] == '+');
    fault->numeric = true;
    if (!hex && digits[0] == '0' && is_digit(digits[1]))
        return bad(fault, "a number does not begin with 0",
                   "010 is read as 10: write 10, or 0x8 if octal was meant");
    errno = 0;
    long long value = strtoll(word, NULL, hex ? 16 : 10);
    if (errno == ERANGE)
        return bad(fault, "this number is beyond 63 bits",
                   "the largest is "
                   "9223372036854775807L");
    if (is_long)
        return NUMBER_LONG;
    if (value > INT32_MAX || value < INT32_MIN)
        return too_long(fault, word);
    return NUMBER_INTEGER;
}

static bool all_of(const char *word, size_t len, const char *set)
{
    return len > 0 && strspn(word, set) >= len;
}

/* [0-9]*.[0-9]* with an exponent or not; one digit at least. */
static bool is_float(const char *word)
{
    const char *at = word + (word[0] == '-' || word[0] == '+');
    size_t whole = strspn(at, "0123456789");
    at += whole;
    size_t part = 0;
    bool point = *at == '.';
    if (point) {
        part = strspn(at + 1, "0123456789");
        at += part + 1;
    }
    if (whole + part == 0)
        return false;
    if (*at == '\0')
        return point;
    if (*at != 'e' && *at != 'E')
        return false;
    at++;
    at += *at == '-' || *at == '+';
    return all_of(at, strlen(at), "0123456789") && *at != '\0';
}

/* Something that begins with a digit but is no number. */
static enum number_kind explain_number(const char *word, struct number_fault *fault)
{
    char help[sizeof(fault->help)];
    char text[sizeof(fault->text)];
    uint64_t value;
    fault->numeric = true;
    snprintf(text, sizeof(text), "%s is no number", word);
    if (units_parse_duration(word, &value) == SB_OK ||
        units_parse_size(word, &value) == SB_OK) {
        snprintf(text, sizeof(text), "%s needs quotes", word);
        snprintf(help, sizeof(help), "write \"%s\"", word);
    } else if (strspn(word, "0123456789_'.,") == strlen(word)) {
        snprintf(help, sizeof(help), "write its digits without separators");
    } else if (strspn(word, "+-.0123456789") == strlen(word) - 1 &&
               word[strlen(word) - 1] == '%') {
        snprintf(help, sizeof(help), "percentages are plain numbers: %.*s",
                 (int)strlen(word) - 1, word);
    } else if (strspn(word, "+-0123456789") == strlen(word) - 1 &&
               word[strlen(word) - 1] == 'l') {
        snprintf(help, sizeof(help), "the suffix is a large L");
    } else if (word[0] == '0' && strchr("bBoO", word[1]) != NULL && word[1] != '\0') {
        snprintf(help, sizeof(help), "numbers are decimal, or hexadecimal with 0x");
    } else {
        snprintf(help, sizeof(help), "if it is text, write \"%s\"", word);
    }
    return bad(fault, text, help);
}

static enum number_kind explain_word(struct bytes word, struct number_fault *fault)
{
    struct quoted shown = quote_bytes(word);
    char text[sizeof(fault->text)];
    char help[sizeof(fault->help)];
    snprintf(text, sizeof(text), "%s needs double quotes", shown.text);
    snprintf(help, sizeof(help), "write \"%s\"", shown.text);
    if (strcasecmp(shown.text, "yes") == 0 || strcasecmp(shown.text, "on") == 0)
        snprintf(help, sizeof(help), "if it is a switch, write true; if it is text, \"%s\"",
                 shown.text);
    else if (strcasecmp(shown.text, "no") == 0 || strcasecmp(shown.text, "off") == 0)
        snprintf(help, sizeof(help), "if it is a switch, write false; if it is text, \"%s\"",
                 shown.text);
    else if (strcasecmp(shown.text, "null") == 0 || strcasecmp(shown.text, "nil") == 0)
        snprintf(help, sizeof(help), "leave the setting out to have its default");
    else if (word.len > 0 && word.at[word.len - 1] == ':')
        snprintf(help, sizeof(help), "write \"%s//...\": outside quotes // begins a comment",
                 shown.text);
    return bad(fault, text, help);
}

enum number_kind number_classify(struct bytes word, struct number_fault *ret_fault)
{
    *ret_fault = (struct number_fault){0};
    char text[WORD_MAX + 1] = {0};
    if (word.len > WORD_MAX || word.len == 0)
        return explain_word(word, ret_fault);
    memcpy(text, word.at, word.len);
    if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0)
        return NUMBER_BOOLEAN;
    size_t len = word.len;
    bool is_long = len > 1 && text[len - 1] == 'L';
    len -= is_long;
    if (is_long && len > 1 && text[len - 1] == 'L')
        len--;
    size_t sign = text[0] == '-' || text[0] == '+';
    if (len > sign && all_of(text + sign, len - sign, "0123456789"))
        return classify_integer(text, false, is_long, ret_fault);
    if (len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') &&
        all_of(text + 2, len - 2, "0123456789abcdefABCDEF"))
        return classify_integer(text, true, is_long, ret_fault);
    if (is_float(text)) {
        ret_fault->numeric = true;
        if (isfinite(strtod(text, NULL)))
            return NUMBER_FLOAT;
        return bad(ret_fault, "this number is too large", "it does not fit in 64 bits");
    }
    if (is_digit(text[0]) || (sign == 1 && is_digit(text[1])))
        return explain_number(text, ret_fault);
    return explain_word(word, ret_fault);
}
