#include "json_text.h"

#include <stdbool.h>

#include "core/utf8.h"

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
        size_t len = utf8_sequence(bytes_of(in.at + at, in.len - at));
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
