#include "exposition.h"

#include <inttypes.h>
#include <string.h>

#include "utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Quotes are escaped in label values only. */
static void append_escaped(struct text *out, const char *in, bool is_label)
{
    const uint8_t *at = (const uint8_t *)in;
    while (*at != '\0') {
        unsigned len = utf8_length(at);
        if (len == 0)
            text_append_text(out, REPLACEMENT);
        else if (*at == '\\')
            text_append_text(out, "\\\\");
        else if (*at == '\n')
            text_append_text(out, "\\n");
        else if (*at == '"' && is_label)
            text_append_text(out, "\\\"");
        else
            text_append(out, bytes_of(at, len));
        at += len == 0 ? 1 : len;
    }
}

void exposition_family(struct text *out, const char *name, enum exposition_type type,
                       const char *help)
{
    text_printf(out, "# HELP %s ", name);
    append_escaped(out, help, false);
    text_printf(out, "\n# TYPE %s %s\n", name,
                type == EXPOSITION_COUNTER ? "counter" : "gauge");
}

static void append_head(struct text *out, const char *name,
                        const struct exposition_label *labels, size_t label_count)
{
    text_append_text(out, name);
    for (size_t i = 0; i < label_count; i++) {
        text_printf(out, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
        append_escaped(out, labels[i].value, true);
        text_append_char(out, '"');
    }
    text_append_text(out, label_count == 0 ? " " : "} ");
}

void exposition_sample(struct text *out, const char *name,
                       const struct exposition_label *labels, size_t label_count,
                       uint64_t value)
{
    append_head(out, name, labels, label_count);
    text_printf(out, "%" PRIu64 "\n", value);
}

void exposition_signed(struct text *out, const char *name,
                       const struct exposition_label *labels, size_t label_count, int64_t value)
{
    append_head(out, name, labels, label_count);
    text_printf(out, "%" PRId64 "\n", value);
}

void exposition_single(struct text *out, const char *name, enum exposition_type type,
                       const char *help, int64_t value)
{
    exposition_family(out, name, type, help);
    exposition_signed(out, name, NULL, 0, value);
}
