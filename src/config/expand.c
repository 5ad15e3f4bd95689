#include "expand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/utf8.h"
#include "number.h"
#include "report.h"

enum { HOST_LEN = 256 };

struct expander {
    const char *beside;
    const struct config_files *files;
    struct text *out;
    struct expansion *outcome;
};

bool expand_needed(const char *raw)
{
    return strstr(raw, "${") != NULL;
}

void expand_path(const char *path, const char *beside, struct text *out)
{
    const char *slash = strrchr(beside, '/');
    if (path[0] != '/' && slash != NULL)
        text_append(out, bytes_of(beside, (size_t)(slash - beside) + 1));
    text_append_text(out, path);
}

static enum sb_err refuse(struct expander *expander, const char *help, const char *format, ...)
    SB_PRINTF(3, 4);

static enum sb_err refuse(struct expander *expander, const char *help, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(expander->outcome->text, sizeof(expander->outcome->text), format, args);
    va_end(args);
    snprintf(expander->outcome->help, sizeof(expander->outcome->help), "%s", help);
    return SB_ERR_INPUT;
}

static bool is_plain_text(struct bytes text)
{
    while (text.len > 0) {
        size_t len = utf8_sequence(text);
        if (len == 0 || text.at[0] == '\0')
            return false;
        text = bytes_of(text.at + len, text.len - len);
    }
    return true;
}

static enum sb_err append_content(struct expander *expander, const char *name,
                                  struct text *content)
{
    while (content->len > 0 &&
           (content->at[content->len - 1] == '\n' || content->at[content->len - 1] == '\r'))
        content->len--;
    if (!is_plain_text(text_bytes(content)))
        return refuse(expander, "text is UTF-8 without NUL bytes", "%s holds no text", name);
    text_append(expander->out, text_bytes(content));
    return expander->out->error;
}

static enum sb_err expand_file(struct expander *expander, struct bytes path)
{
    struct text name;
    struct text content;
    text_init(&name, 4096);
    text_init(&content, EXPAND_FILE_BYTES_MAX);
    struct text plain;
    text_init(&plain, 4096);
    text_append(&plain, path);
    expand_path(text_string(&plain), expander->beside, &name);
    expander->outcome->secret = true;
    enum sb_err err = plain.error != SB_OK ? plain.error : name.error;
    bool path_fits = err == SB_OK;
    if (path_fits)
        err = expander->files->read(expander->files->arg, text_string(&name), &content);
    int number = errno;
    struct quoted shown = quote(text_string(&name));
    if (err == SB_OK)
        err = append_content(expander, shown.text, &content);
    else if (err == SB_ERR_LIMIT)
        err = refuse(expander, "", "%s is larger than 64 KiB",
                     path_fits ? shown.text : "the path of a file");
    else if (err != SB_ERR_MEMORY)
        err = refuse(expander, "paths are relative to the configuration file",
                     "%s can not be read: %s", shown.text, strerrordesc_np(number));
    text_clear(&plain);
    text_clear(&name);
    text_clear(&content);
    return err;
}

static bool is_variable_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0;
}

static enum sb_err expand_variable(struct expander *expander, struct bytes inner)
{
    const uint8_t *mark = memmem(inner.at, inner.len, ":-", 2);
    struct bytes name = inner;
    struct bytes fallback = bytes_of(NULL, 0);
    if (mark != NULL) {
        name = bytes_of(inner.at, (size_t)(mark - inner.at));
        fallback = bytes_of(mark + 2, inner.len - name.len - 2);
    }
    char copy[128];
    struct quoted shown = quote_bytes(name);
    if (!is_variable_name(name) || name.len >= sizeof(copy))
        return refuse(expander,
                      "forms: ${NAME}, ${NAME:-default}, ${file:PATH}; $${ is a plain ${",
                      "${%s} names no variable", shown.text);
    memcpy(copy, name.at, name.len);
    copy[name.len] = '\0';
    if (name_is_secret(name))
        expander->outcome->secret = true;
    char host[HOST_LEN];
    /* Nothing changes the environment. */
    const char *value = getenv(copy); /* NOLINT(concurrency-mt-unsafe) */
    /* Shells know it without exporting it, and it names instances. */
    if (value == NULL && strcmp(copy, "HOSTNAME") == 0 && gethostname(host, sizeof(host)) == 0)
        value = host;
    if ((value == NULL || value[0] == '\0') && mark != NULL) {
        text_append(expander->out, fallback);
    } else if (value == NULL) {
        char help[192];
        snprintf(help, sizeof(help), "set it, or give a default: ${%s:-...}", shown.text);
        return refuse(expander, help, "the environment variable %s is not set", shown.text);
    } else if (!is_plain_text(bytes_text(value))) {
        return refuse(expander, "", "the environment variable %s is not UTF-8", shown.text);
    } else {
        text_append_text(expander->out, value);
    }
    return expander->out->error;
}

/* The text between ${ and }. */
static enum sb_err expand_inner(struct expander *expander, struct bytes inner)
{
    static const char file[] = "file:";
    static const char cred[] = "cred:";
    if (inner.len > 5 && memcmp(inner.at, file, 5) == 0)
        return expand_file(expander, bytes_of(inner.at + 5, inner.len - 5));
    if (inner.len >= 5 && memcmp(inner.at, cred, 5) == 0)
        return refuse(expander, "use ${file:PATH}",
                      "${cred:...} is not available in this version");
    if (memmem(inner.at, inner.len, "${", 2) != NULL)
        return refuse(expander, "", "variables do not nest");
    return expand_variable(expander, inner);
}

enum sb_err expand(const char *raw, const char *beside, const struct config_files *files,
                   struct text *out, struct expansion *ret)
{
    struct expander expander = {beside, files, out, ret};
    *ret = (struct expansion){0};
    const char *at = raw;
    for (;;) {
        const char *open = strstr(at, "${");
        if (open == NULL)
            break;
        if (open > at && open[-1] == '$') {
            text_append(out, bytes_of(at, (size_t)(open - at) - 1));
            text_append_text(out, "${");
            at = open + 2;
            continue;
        }
        text_append(out, bytes_of(at, (size_t)(open - at)));
        const char *close = strchr(open, '}');
        if (close == NULL)
            return refuse(&expander, "close it with }; $${ is a plain ${",
                          "a ${ in this text is not closed");
        size_t from = out->len;
        bool before = ret->secret;
        ret->secret = false;
        enum sb_err err =
            expand_inner(&expander, bytes_of(open + 2, (size_t)(close - open) - 2));
        if (ret->secret) {
            ret->secret_from = before ? ret->secret_from : from;
            ret->secret_to = out->len;
        }
        ret->secret = ret->secret || before;
        if (err != SB_OK)
            return err == SB_ERR_LIMIT ? refuse(&expander, "", "the expanded text is too long")
                                       : err;
        at = close + 1;
    }
    text_append_text(out, at);
    return out->error == SB_ERR_LIMIT ? refuse(&expander, "", "the expanded text is too long")
                                      : out->error;
}
