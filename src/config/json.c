#include "json.h"

size_t utf8_sequence(struct bytes in)
{
    if (in.len == 0)
        return 0;
    uint8_t first = in.at[0];
    if (first < 0x80)
        return 1;
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || in.len < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((in.at[i] & 0xc0) != 0x80)
            return 0;
    }
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF (RFC 3629, section 4). */
    uint8_t second = in.at[1];
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
        return 0;
    return len;
}

static void append_escaped(struct text *out, char c)
{
    switch (c) {
    case '"':
    case '\\':
        text_append_char(out, '\\');
        text_append_char(out, c);
        break;
    case '\n':
        text_append_text(out, "\\n");
        break;
    case '\t':
        text_append_text(out, "\\t");
        break;
    default:
        text_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
    }
}

void json_text(struct text *out, const char *in)
{
    if (in == NULL) {
        text_append_text(out, "null");
        return;
    }
    text_append_char(out, '"');
    struct bytes rest = bytes_text(in);
    while (rest.len > 0) {
        size_t len = utf8_sequence(rest);
        char c = (char)rest.at[0];
        if (len == 0) {
            text_append_text(out, "\xef\xbf\xbd");
            len = 1;
        } else if (len == 1 &&
                   (c == '"' || c == '\\' || (unsigned char)c < 0x20 || c == 0x7f)) {
            append_escaped(out, c);
        } else {
            text_append(out, bytes_of(rest.at, len));
        }
        rest = bytes_of(rest.at + len, rest.len - len);
    }
    text_append_char(out, '"');
}
