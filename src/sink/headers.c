#include "headers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "compress.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/memory.h"
#include "grpc.h"

/* Lines that belong to the protocol. */
static const char *const own_names[] = {
    "content-type", "content-length",       "content-encoding", "transfer-encoding",
    "te",           "grpc-encoding",        "grpc-timeout",     "host",
    "connection",   "grpc-accept-encoding",
};

/* A token of RFC 9110, and none of ours. */
static bool is_name(const char *name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (const char *at = name; *at != '\0'; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        if (!letter && !(*at >= '0' && *at <= '9') && strchr(marks, *at) == NULL)
            return false;
    }
    for (size_t i = 0; i < sizeof(own_names) / sizeof(own_names[0]); i++) {
        if (strcasecmp(name, own_names[i]) == 0)
            return false;
    }
    return name[0] != '\0';
}

/* No line ends: they would begin another header. */
static bool is_value(const char *value)
{
    for (; *value != '\0'; value++) {
        if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
            return false;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Files end in a newline more often than not. */
static void trim_end(struct text *text)
{
    while (text->len > 0 && is_blank(text->at[text->len - 1]))
        text->at[--text->len] = '\0';
}

static enum sb_err read_all(int fd, struct text *out)
{
    uint8_t part[1024];
    for (;;) {
        ssize_t len = read(fd, part, sizeof(part));
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return SB_ERR_IO;
        if (len == 0)
            return SB_OK;
        text_append(out, bytes_of(part, (size_t)len));
        if (out->error != SB_OK)
            return out->error == SB_ERR_LIMIT ? SB_ERR_CONFIG : out->error;
    }
}

/* The value in the header's file. */
static enum sb_err read_secret(const struct sink_otlp_header *header, struct text *out)
{
    if (header->prefix != NULL)
        text_append_text(out, header->prefix);
    size_t prefix_len = out->len;
    int fd = open(header->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SB_ERR_IO;
    enum sb_err err = read_all(fd, out);
    (void)close(fd);
    if (err != SB_OK)
        return err;
    trim_end(out);
    if (out->error != SB_OK)
        return out->error;
    /* An empty file is one that is just being written; a NUL would cut the value. */
    if (out->len <= prefix_len || memchr(out->at, '\0', out->len) != NULL ||
        !is_value(text_string(out)))
        return SB_ERR_CONFIG;
    return SB_OK;
}

static enum sb_err read_first(const struct sink_otlp_header *header, struct text *secret)
{
    bool one_source = (header->value == NULL) != (header->file == NULL);
    if (header->name == NULL || !is_name(header->name) || !one_source)
        return SB_ERR_CONFIG;
    if (header->value != NULL)
        return is_value(header->value) ? SB_OK : SB_ERR_CONFIG;
    return read_secret(header, secret);
}

enum sb_err headers_init(struct headers *headers, const struct sink_otlp_options *options,
                         uint32_t *ret_at)
{
    *headers = (struct headers){.options = options, .generation = 1};
    if (options->header_count == 0)
        return SB_OK;
    headers->secrets = memory_zalloc(options->header_count, sizeof(*headers->secrets));
    if (headers->secrets == NULL)
        return SB_ERR_MEMORY;
    for (uint32_t i = 0; i < options->header_count; i++)
        text_init(&headers->secrets[i], HEADERS_SECRET_MAX);
    for (uint32_t i = 0; i < options->header_count; i++) {
        enum sb_err err = read_first(&options->headers[i], &headers->secrets[i]);
        if (err != SB_OK) {
            *ret_at = i;
            return err;
        }
    }
    return SB_OK;
}

void headers_clear(struct headers *headers)
{
    for (uint32_t i = 0; headers->secrets != NULL && i < headers->options->header_count; i++)
        text_clear(&headers->secrets[i]);
    memory_free(headers->secrets);
    headers->secrets = NULL;
}

bool headers_read_again(struct headers *headers)
{
    bool changed = false;
    for (uint32_t i = 0; i < headers->options->header_count; i++) {
        if (headers->options->headers[i].file == NULL)
            continue;
        struct text *secret = &headers->secrets[i];
        struct text fresh;
        text_init(&fresh, HEADERS_SECRET_MAX);
        if (read_secret(&headers->options->headers[i], &fresh) != SB_OK ||
            bytes_equal(text_bytes(&fresh), text_bytes(secret))) {
            text_clear(&fresh);
            continue;
        }
        text_clear(secret);
        *secret = fresh;
        changed = true;
    }
    headers->generation += changed;
    return changed;
}

/* libcurl drops "Name:" and sends an empty value for "Name;". */
static void print_line(struct text *line, const char *name, const char *value)
{
    text_reset(line);
    if (value[0] == '\0')
        text_printf(line, "%s;", name);
    else
        text_printf(line, "%s: %s", name, value);
}

static enum sb_err add_line(struct curl_slist **list, const struct text *line)
{
    if (line->error != SB_OK)
        return line->error;
    struct curl_slist *longer = curl_slist_append(*list, text_string(line));
    if (longer == NULL)
        return SB_ERR_MEMORY;
    *list = longer;
    return SB_OK;
}

static enum sb_err add_protocol_lines(const struct sink_otlp_options *options,
                                      struct curl_slist **list, struct text *line)
{
    bool grpc = options->protocol == SINK_OTLP_GRPC;
    const char *encoding = compressor_name(options->compression);
    const char *const lines[][2] = {
        {"Content-Type", grpc ? "application/grpc" : "application/x-protobuf"},
        {grpc ? "grpc-encoding" : "Content-Encoding", encoding},
        {"te", grpc ? "trailers" : NULL},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (lines[i][1] == NULL)
            continue;
        print_line(line, lines[i][0], lines[i][1]);
        enum sb_err err = add_line(list, line);
        if (err != SB_OK)
            return err;
    }
    /* "Expect:" takes libcurl's own line away: no body of ours waits for a 100 Continue. */
    text_reset(line);
    text_append_text(line, "Expect:");
    enum sb_err err = add_line(list, line);
    if (err != SB_OK || !grpc)
        return err;
    char timeout[GRPC_TIMEOUT_LEN];
    grpc_format_timeout(options->timeout_ns, timeout);
    print_line(line, "grpc-timeout", timeout);
    return add_line(list, line);
}

enum sb_err headers_new_list(const struct headers *headers, struct curl_slist **ret)
{
    const struct sink_otlp_options *options = headers->options;
    struct curl_slist *list = NULL;
    struct text line;
    text_init(&line, (size_t)HEADERS_SECRET_MAX * 2);
    enum sb_err err = add_protocol_lines(options, &list, &line);
    for (uint32_t i = 0; err == SB_OK && i < options->header_count; i++) {
        const struct sink_otlp_header *header = &options->headers[i];
        const char *value =
            header->value != NULL ? header->value : text_string(&headers->secrets[i]);
        print_line(&line, header->name, value);
        err = add_line(&list, &line);
    }
    text_clear(&line);
    if (err != SB_OK) {
        curl_slist_free_all(list);
        return err;
    }
    *ret = list;
    return SB_OK;
}
