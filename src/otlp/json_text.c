#include "json_text.h"

#include <stdbool.h>

/*
 * The length of the UTF-8 sequence at the start of `in`, or 0 when there is none: cut off,
 * overlong, a surrogate, or beyond U+10FFFF.  Source: RFC 3629, section 4.
 */
static size_t sequence_len(struct bytes in)
{
    uint8_t first = in.at[0];
    if (first < 0x80)
        return 1;
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || in.len < len)
        return 0;
    /* The second byte alone decides about overlong forms, surrogates and the top. */
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (in.at[1] < low || in.at[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((in.at[i] & 0xc0) != 0x80)
            return 0;
    }
    return len;
}

/* One character that can not stand as it is. */
static void append_escaped(struct text *out, uint8_t c)
{
    switch (c) {
    case '"':
        text_append_text(out, "\\\"");
        break;
    case '\\':
        text_append_text(out, "\\\\");
        break;
    case '\n':
        text_append_text(out, "\\n");
        break;
    case '\r':
        text_append_text(out, "\\r");
        break;
    case '\t':
        text_append_text(out, "\\t");
        break;
    default:
        text_printf(out, "\\u%04x", c);
        break;
    }
}

void json_text_append(struct text *out, struct bytes in)
{
    text_append_char(out, '"');
    size_t plain = 0; /* so many bytes before `at` can be copied as they are */
    size_t at = 0;
    while (at < in.len) {
        size_t len = sequence_len(bytes_of(in.at + at, in.len - at));
        bool special = in.at[at] < 0x20 || in.at[at] == '"' || in.at[at] == '\\';
        if (len > 0 && !special) {
            at += len;
            plain += len;
            continue;
        }
        text_append(out, bytes_of(in.at + at - plain, plain));
        if (len == 0)
            text_append_text(out, "\xef\xbf\xbd");
        else
            append_escaped(out, in.at[at]);
        at++;
        plain = 0;
    }
    if (plain > 0)
        text_append(out, bytes_of(in.at + at - plain, plain));
    text_append_char(out, '"');
}
