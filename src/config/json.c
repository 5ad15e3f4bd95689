#include "json.h"

#include "core/utf8.h"

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
