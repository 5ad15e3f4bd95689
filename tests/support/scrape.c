#include "support/scrape.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

enum { LINE_LEN = 2048 };

enum scrape_type { TYPE_NONE, TYPE_COUNTER, TYPE_GAUGE };

/* What stands before the samples of a family. */
struct family {
    char name[SCRAPE_NAME_LEN]; /* "": none yet */
    bool has_help;
    enum scrape_type type;
    bool has_samples;
};

struct reader {
    struct scrape *out;
    struct family family;
    char families[SCRAPE_SERIES_MAX][SCRAPE_NAME_LEN];
    char line[LINE_LEN];
};

static void refuse(const struct reader *reader, const char *why)
{
    fail_msg("%s: %s", why, reader->line);
}

static bool is_name_start(char c, bool is_metric)
{
    return isalpha((unsigned char)c) || c == '_' || (is_metric && c == ':');
}

/* Takes a name from *at on. */
static size_t take_name(const struct reader *reader, const char *at, bool is_metric)
{
    if (!is_name_start(*at, is_metric))
        refuse(reader, "no name where one belongs");
    size_t len = 1;
    while (is_name_start(at[len], is_metric) || isdigit((unsigned char)at[len]))
        len++;
    if (!is_metric && len >= 2 && at[0] == '_' && at[1] == '_')
        refuse(reader, "a label name that is reserved");
    return len;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

static void begin_family(struct reader *reader, const char *name, size_t len)
{
    struct family *family = &reader->family;
    if (len >= SCRAPE_NAME_LEN)
        refuse(reader, "a long name");
    if (strlen(family->name) == len && strncmp(family->name, name, len) == 0)
        return;
    *family = (struct family){.type = TYPE_NONE};
    memcpy(family->name, name, len);
    for (size_t i = 0; i < reader->out->families; i++)
        if (strcmp(reader->families[i], family->name) == 0)
            refuse(reader, "a family in two places");
    memcpy(reader->families[reader->out->families++], family->name, SCRAPE_NAME_LEN);
}

static void read_help(struct reader *reader, const char *at)
{
    size_t len = take_name(reader, at, true);
    begin_family(reader, at, len);
    if (reader->family.has_help || reader->family.type != TYPE_NONE)
        refuse(reader, "HELP twice, or behind TYPE");
    if (at[len] != ' ' || at[len + 1] == '\0')
        refuse(reader, "HELP without a text");
    for (const char *c = at + len; *c != '\0'; c++) {
        if (*c != '\\')
            continue;
        if (c[1] != '\\' && c[1] != 'n')
            refuse(reader, "an escape that is none");
        c++;
    }
    reader->family.has_help = true;
}

static void read_type(struct reader *reader, const char *at)
{
    size_t len = take_name(reader, at, true);
    begin_family(reader, at, len);
    struct family *family = &reader->family;
    if (!family->has_help || family->type != TYPE_NONE || family->has_samples)
        refuse(reader, "TYPE twice, without HELP, or behind samples");
    if (strcmp(at + len, " counter") == 0)
        family->type = TYPE_COUNTER;
    else if (strcmp(at + len, " gauge") == 0)
        family->type = TYPE_GAUGE;
    else
        refuse(reader, "a type that we do not have");
    if ((family->type == TYPE_COUNTER) != ends_with(family->name, "_total"))
        refuse(reader, "_total belongs to counters, and to them alone");
}

/* From behind the opening quote to the closing one. */
static const char *take_value(const struct reader *reader, const char *at)
{
    while (*at != '"') {
        if (*at == '\0')
            refuse(reader, "a label value without an end");
        if (*at == '\\' && strchr("\\\"n", at[1]) == NULL)
            refuse(reader, "an escape that is none");
        at += *at == '\\' ? 2 : 1;
    }
    return at;
}

/* From the opening brace to behind the closing one. */
static const char *take_labels(struct reader *reader, const char *at,
                               struct scrape_series *series)
{
    const char *begin = ++at;
    char seen[8][SCRAPE_NAME_LEN] = {{0}};
    size_t count = 0;
    while (*at != '}') {
        size_t len = take_name(reader, at, false);
        if (count == 8 || len >= SCRAPE_NAME_LEN)
            refuse(reader, "too many labels, or a long one");
        memcpy(seen[count], at, len);
        for (size_t i = 0; i < count; i++)
            if (strcmp(seen[i], seen[count]) == 0)
                refuse(reader, "a label given twice");
        count++;
        if (strncmp(at + len, "=\"", 2) != 0)
            refuse(reader, "no =\" behind a label's name");
        at = take_value(reader, at + len + 2) + 1;
        if (*at != ',' && *at != '}')
            refuse(reader, "neither , nor } behind a label");
        at += *at == ',';
    }
    if (count == 0 || (size_t)(at - begin) >= SCRAPE_LABELS_LEN)
        refuse(reader, "no labels, or long ones");
    memcpy(series->labels, begin, (size_t)(at - begin));
    return at + 1;
}

static void read_sample(struct reader *reader)
{
    const char *at = reader->line;
    size_t len = take_name(reader, at, true);
    struct family *family = &reader->family;
    if (family->type == TYPE_NONE || strlen(family->name) != len ||
        strncmp(family->name, at, len) != 0)
        refuse(reader, "a sample that is not of the family before it");
    if (reader->out->count == SCRAPE_SERIES_MAX)
        refuse(reader, "more series than the test takes");
    struct scrape_series *series = &reader->out->series[reader->out->count];
    *series = (struct scrape_series){.value = 0};
    memcpy(series->name, at, len);
    at += len;
    if (*at == '{')
        at = take_labels(reader, at, series);
    if (*at++ != ' ' || !(isdigit((unsigned char)*at) || *at == '-'))
        refuse(reader, "no value, one blank behind the name");
    char *end;
    errno = 0;
    series->value = strtoll(at, &end, 10);
    if (*end != '\0' || errno != 0)
        refuse(reader, "something is behind the value");
    if (family->type == TYPE_COUNTER && series->value < 0)
        refuse(reader, "a counter below zero");
    for (size_t i = 0; i < reader->out->count; i++)
        if (strcmp(reader->out->series[i].name, series->name) == 0 &&
            strcmp(reader->out->series[i].labels, series->labels) == 0)
            refuse(reader, "a series given twice");
    reader->out->count++;
    family->has_samples = true;
}

/* Printable, and UTF-8: only lengths and continuations, which is enough to find cut ones. */
static void check_bytes(const struct reader *reader)
{
    const unsigned char *at = (const unsigned char *)reader->line;
    while (*at != '\0') {
        unsigned len = *at < 0x80   ? 1
                       : *at < 0xc2 ? 0
                       : *at < 0xe0 ? 2
                       : *at < 0xf0 ? 3
                       : *at < 0xf5 ? 4
                                    : 0;
        if (len == 0 || *at < ' ')
            refuse(reader, "not UTF-8, or a control character");
        for (unsigned i = 1; i < len; i++)
            if ((at[i] & 0xc0) != 0x80)
                refuse(reader, "not UTF-8");
        at += len;
    }
}

void scrape_read(struct scrape *ret, const char *page, size_t len)
{
    static struct reader reader; /* large; tests read one page at a time */
    memset(&reader, 0, sizeof(reader));
    memset(ret, 0, sizeof(*ret));
    reader.out = ret;
    assert_true(len > 0 && page[len - 1] == '\n');
    assert_null(memchr(page, '\0', len));
    for (const char *at = page; at < page + len;) {
        const char *end = memchr(at, '\n', (size_t)(page + len - at));
        size_t line_len = (size_t)(end - at);
        assert_true(line_len > 0 && line_len < LINE_LEN);
        memcpy(reader.line, at, line_len);
        reader.line[line_len] = '\0';
        check_bytes(&reader);
        if (strncmp(reader.line, "# HELP ", 7) == 0)
            read_help(&reader, reader.line + 7);
        else if (strncmp(reader.line, "# TYPE ", 7) == 0)
            read_type(&reader, reader.line + 7);
        else
            read_sample(&reader);
        at = end + 1;
    }
}

static const struct scrape_series *find(const struct scrape *scrape, const char *name,
                                        const char *labels)
{
    for (size_t i = 0; i < scrape->count; i++)
        if (strcmp(scrape->series[i].name, name) == 0 &&
            strcmp(scrape->series[i].labels, labels) == 0)
            return &scrape->series[i];
    return NULL;
}

bool scrape_has(const struct scrape *scrape, const char *name, const char *labels)
{
    return find(scrape, name, labels) != NULL;
}

int64_t scrape_value(const struct scrape *scrape, const char *name, const char *labels)
{
    const struct scrape_series *series = find(scrape, name, labels);
    if (series == NULL)
        fail_msg("there is no %s{%s}", name, labels);
    return series->value;
}

int64_t scrape_sum(const struct scrape *scrape, const char *name)
{
    int64_t sum = 0;
    for (size_t i = 0; i < scrape->count; i++)
        if (strcmp(scrape->series[i].name, name) == 0)
            sum += scrape->series[i].value;
    return sum;
}

int64_t scrape_left_over(const struct scrape *scrape)
{
    static const char *const classes[] = {
        "spanbridge_spans_delivered_total", "spanbridge_spans_dropped_total",
        "spanbridge_spans_head_total",      "spanbridge_spans_filtered_total",
        "spanbridge_spans_elided_total",    "spanbridge_spans_dead_lettered_total",
        "spanbridge_spans_rejected_total",  "spanbridge_spans_lost_total",
        "spanbridge_spans_returned_total",  "spanbridge_spans_replayed_total",
        "spanbridge_spans_observed_total",  "spanbridge_spans_held"};
    int64_t left = scrape_sum(scrape, "spanbridge_spans_received_total");
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        left -= scrape_sum(scrape, classes[i]);
    return left;
}
