#include "value.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/suggest.h"
#include "core/assert.h"
#include "core/units.h"
#include "expand.h"

enum { PATH_LEN_MAX = 4096 };

static void *field_of(const struct target *target)
{
    return (char *)target->base + target->key->offset;
}

/* Copies `value` into the field and notes where it came from. */
static bool store(const struct target *target, const void *value)
{
    size_t size = schema_field_size(target->key->type);
    memcpy(field_of(target), value, size);
    loader_set_origin(target->loader, field_of(target), target->at, target->secret);
    return true;
}

/* The value for a message. */
static struct quoted show(const struct target *target, const struct raw *raw)
{
    struct quoted shown = {{0}};
    bool hidden = target->secret || (target->key->flags & SCHEMA_SECRET) != 0;
    switch (raw->type) {
    case RAW_TEXT:
        if (hidden)
            snprintf(shown.text, sizeof(shown.text), "(redacted)");
        else
            snprintf(shown.text, sizeof(shown.text), "\"%.85s\"", quote(raw->text).text);
        break;
    case RAW_INTEGER:
        snprintf(shown.text, sizeof(shown.text), "%" PRId64, raw->integer);
        break;
    case RAW_REAL:
        snprintf(shown.text, sizeof(shown.text), "%g", raw->real);
        break;
    case RAW_SWITCH:
        snprintf(shown.text, sizeof(shown.text), "%s", raw->on ? "true" : "false");
        break;
    case RAW_GROUP:
        snprintf(shown.text, sizeof(shown.text), "a group");
        break;
    case RAW_LIST:
        snprintf(shown.text, sizeof(shown.text), "a list");
        break;
    }
    return shown;
}

static const char *example_of(const struct schema_key *key)
{
    if (key->sample != NULL)
        return key->sample;
    if (key->preset != NULL && strcmp(key->preset, "0s") != 0)
        return key->preset;
    switch (key->type) {
    case SCHEMA_DURATION:
        return "30s";
    case SCHEMA_SIZE:
    case SCHEMA_SIZE32:
        return "64MiB";
    default:
        return "...";
    }
}

static const char *type_text(enum schema_type type)
{
    switch (type) {
    case SCHEMA_TEXT:
        return "text";
    case SCHEMA_TEXTS:
    case SCHEMA_STATUSES:
        return "a list of texts";
    case SCHEMA_SWITCH:
        return "true or false";
    case SCHEMA_COUNT:
        return "a whole number";
    case SCHEMA_DURATION:
        return "a duration with a unit";
    case SCHEMA_SIZE:
    case SCHEMA_SIZE32:
        return "a size with a unit";
    case SCHEMA_PERCENT:
        return "a number";
    case SCHEMA_WORD:
        return "one of a few words";
    case SCHEMA_LIST:
        return "a list of groups";
    case SCHEMA_LATER:
        break;
    }
    return "nothing";
}

/* A number or a switch that may have been meant. */
static const char *plain_example(const struct target *target, const struct raw *raw)
{
    const struct schema_key *key = target->key;
    bool text = raw->type == RAW_TEXT && !target->secret && raw->text[0] != '\0';
    if (key->type == SCHEMA_SWITCH && raw->type == RAW_INTEGER)
        return raw->integer == 0 ? "false" : "true";
    if (key->type == SCHEMA_SWITCH && text)
        return strchr("yY1tT", raw->text[0]) != NULL || strcasecmp(raw->text, "on") == 0
                   ? "true"
                   : "false";
    if (text && strlen(raw->text) < 16 && strspn(raw->text, "0123456789") == strlen(raw->text))
        return raw->text;
    return key->preset != NULL ? key->preset : "5.0";
}

static void help_type(const struct target *target, const struct raw *raw)
{
    struct config_report *report = target->loader->report;
    const struct schema_key *key = target->key;
    const char *leaf = schema_leaf(key->path);
    struct quoted shown = show(target, raw);
    bool number = raw->type == RAW_INTEGER || raw->type == RAW_REAL;
    switch (key->type) {
    case SCHEMA_SWITCH:
    case SCHEMA_COUNT:
    case SCHEMA_PERCENT:
        report_help(report, "write %s = %s;", leaf, plain_example(target, raw));
        break;
    case SCHEMA_DURATION:
        if (raw->type == RAW_INTEGER)
            report_help(report, "write %s = \"%ss\"; or %s_ms = %s;", leaf, shown.text, leaf,
                        shown.text);
        else
            report_help(report, "write %s = \"%s\"; units: ns us ms s m h d", leaf,
                        example_of(key));
        break;
    case SCHEMA_SIZE:
    case SCHEMA_SIZE32:
        report_help(report, "write %s = \"%s\"; units: B KiB MiB GiB TiB kB MB GB TB", leaf,
                    example_of(key));
        break;
    case SCHEMA_TEXTS:
    case SCHEMA_STATUSES:
        if (raw->type == RAW_TEXT && !target->secret)
            report_help(report, "write %s = [ %s ];", leaf, shown.text);
        else
            report_help(report, "write %s = [ \"...\", \"...\" ];", leaf);
        break;
    case SCHEMA_LIST:
        report_help(report, "write %s = ( { ... }, { ... } );", leaf);
        break;
    default:
        if (number || raw->type == RAW_SWITCH)
            report_help(report, "write %s = \"%s\";", leaf, shown.text);
        else
            report_help(report, "write %s = \"%s\";", leaf, example_of(key));
    }
}

void value_tell_type(const struct target *target, const struct raw *raw)
{
    report_error(target->loader->report, target->at, "%s takes %s, not %s", target->path,
                 type_text(target->key->type), show(target, raw).text);
    help_type(target, raw);
}

static bool wrong_type(const struct target *target, const struct raw *raw)
{
    value_tell_type(target, raw);
    return false;
}

static void format_bound(enum schema_type type, uint64_t value, char ret[UNITS_TEXT_LEN])
{
    if (type == SCHEMA_DURATION)
        units_format_duration(value, ret);
    else if (type == SCHEMA_SIZE || type == SCHEMA_SIZE32)
        units_format_size(value, ret);
    else
        snprintf(ret, UNITS_TEXT_LEN, "%" PRIu64, value);
}

static bool out_of_range(const struct target *target, const struct raw *raw)
{
    char least[UNITS_TEXT_LEN];
    char most[UNITS_TEXT_LEN];
    const struct schema_key *key = target->key;
    format_bound(key->type, key->min, least);
    format_bound(key->type, key->max, most);
    report_error(target->loader->report, target->at, "%s is out of range: %s", target->path,
                 show(target, raw).text);
    report_help(target->loader->report, "from %s to %s", least, most);
    return false;
}

static bool in_range(const struct schema_key *key, uint64_t value)
{
    return value >= key->min && value <= key->max;
}

static bool set_text(const struct target *target, const struct raw *raw)
{
    if (raw->type != RAW_TEXT)
        return wrong_type(target, raw);
    if (raw->text[0] == '\0' && (target->key->flags & SCHEMA_EMPTY) == 0) {
        report_error(target->loader->report, target->at, "%s is empty", target->path);
        return false;
    }
    const char *copy;
    if ((target->key->flags & SCHEMA_PATH) != 0) {
        struct text path;
        text_init(&path, PATH_LEN_MAX);
        expand_path(raw->text, target->beside, &path);
        if (path.error == SB_ERR_MEMORY)
            target->loader->out_of_memory = true;
        copy = loader_text(target->loader, text_string(&path));
        text_clear(&path);
    } else {
        copy = loader_text(target->loader, raw->text);
    }
    return store(target, &copy);
}

static bool set_switch(const struct target *target, const struct raw *raw)
{
    bool on = raw->on;
    if (raw->type == RAW_TEXT && raw->lenient && strcasecmp(raw->text, "true") == 0)
        on = true;
    else if (raw->type == RAW_TEXT && raw->lenient && strcasecmp(raw->text, "false") == 0)
        on = false;
    else if (raw->type != RAW_SWITCH)
        return wrong_type(target, raw);
    return store(target, &on);
}

/* A whole number, also from a variable's text. */
static bool integer_of(const struct raw *raw, int64_t *ret)
{
    if (raw->type == RAW_INTEGER) {
        *ret = raw->integer;
        return true;
    }
    if (raw->type != RAW_TEXT || !raw->lenient || raw->text[0] == '\0')
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(raw->text, &end, 10);
    *ret = value;
    return *end == '\0' && errno == 0;
}

static bool set_count(const struct target *target, const struct raw *raw)
{
    int64_t value;
    if (!integer_of(raw, &value))
        return wrong_type(target, raw);
    if (value < 0 || !in_range(target->key, (uint64_t)value))
        return out_of_range(target, raw);
    uint32_t count = (uint32_t)value;
    return store(target, &count);
}

static bool set_percent(const struct target *target, const struct raw *raw)
{
    double value = raw->real;
    if (raw->type == RAW_INTEGER) {
        value = (double)raw->integer;
    } else if (raw->type == RAW_TEXT && raw->lenient && raw->text[0] != '\0') {
        char *end;
        value = strtod(raw->text, &end);
        if (*end != '\0')
            return wrong_type(target, raw);
    } else if (raw->type != RAW_REAL) {
        return wrong_type(target, raw);
    }
    if (!isfinite(value) || value < (double)target->key->min ||
        value > (double)target->key->max)
        return out_of_range(target, raw);
    return store(target, &value);
}

static bool set_duration(const struct target *target, const struct raw *raw)
{
    uint64_t value;
    if (raw->type != RAW_TEXT)
        return wrong_type(target, raw);
    enum sb_err err = units_parse_duration(raw->text, &value);
    if (err == SB_ERR_LIMIT || (err == SB_OK && !in_range(target->key, value)))
        return out_of_range(target, raw);
    return err == SB_OK ? store(target, &value) : wrong_type(target, raw);
}

bool value_set_milliseconds(const struct target *target, const struct raw *raw)
{
    int64_t value;
    if (!integer_of(raw, &value)) {
        report_error(target->loader->report, target->at, "%s takes whole milliseconds, not %s",
                     target->path, show(target, raw).text);
        return false;
    }
    uint64_t ns;
    if (value < 0 || __builtin_mul_overflow((uint64_t)value, UINT64_C(1000000), &ns) ||
        !in_range(target->key, ns))
        return out_of_range(target, raw);
    return store(target, &ns);
}

static bool set_size(const struct target *target, const struct raw *raw)
{
    uint64_t value;
    if (raw->type != RAW_TEXT)
        return wrong_type(target, raw);
    enum sb_err err = units_parse_size(raw->text, &value);
    if (err == SB_ERR_LIMIT || (err == SB_OK && !in_range(target->key, value)))
        return out_of_range(target, raw);
    if (err != SB_OK)
        return wrong_type(target, raw);
    uint32_t narrow = (uint32_t)value;
    return target->key->type == SCHEMA_SIZE ? store(target, &value) : store(target, &narrow);
}

/* "a, b or c": the words of this version. */
static void list_words(const struct schema_word *words, char *ret, size_t room)
{
    size_t len = 0;
    ret[0] = '\0';
    for (; words->word != NULL; words++) {
        if (words->later)
            continue;
        int added = snprintf(ret + len, room - len, "%s%s", len == 0 ? "" : ", ", words->word);
        if (added < 0 || (size_t)added >= room - len)
            return;
        len += (size_t)added;
    }
}

/* Another program's word for one of these, or NULL. */
static const char *find_foreign(const struct schema_word *words, const char *text)
{
    for (const struct schema_alias *alias = schema_aliases; alias->foreign != NULL; alias++) {
        for (const struct schema_word *word = words; word->word != NULL; word++) {
            if (!word->later && strcmp(alias->path, word->word) == 0 &&
                strcasecmp(alias->foreign, text) == 0)
                return word->word;
        }
    }
    return NULL;
}

static const struct schema_word *find_word(const struct target *target, const char *text,
                                           struct place at)
{
    struct config_report *report = target->loader->report;
    struct suggest suggest;
    suggest_init(&suggest, text);
    for (const struct schema_word *word = target->key->words; word->word != NULL; word++) {
        if (strcmp(word->word, text) == 0 && !word->later)
            return word;
        if (strcmp(word->word, text) == 0) {
            report_error(report, at, "%s = \"%s\" is not available in this version",
                         target->path, text);
            suggest.best = NULL;
            suggest.best_cost = 0;
            break;
        }
        suggest_offer(&suggest, word->word);
    }
    char words[256];
    list_words(target->key->words, words, sizeof(words));
    if (suggest.best_cost != 0 || suggest.best != NULL)
        report_error(report, at, "%s: unknown value \"%s\"", target->path,
                     target->secret ? "(redacted)" : quote(text).text);
    const char *foreign = find_foreign(target->key->words, text);
    if (foreign != NULL)
        suggest.best = foreign;
    if (suggest.best != NULL)
        report_help(report, "did you mean \"%s\"? known: %s", suggest.best, words);
    else
        report_help(report, "known: %s", words);
    return NULL;
}

static bool set_word(const struct target *target, const struct raw *raw)
{
    if (raw->type != RAW_TEXT) {
        char words[256];
        list_words(target->key->words, words, sizeof(words));
        report_error(target->loader->report, target->at, "%s takes a word, not %s",
                     target->path, show(target, raw).text);
        report_help(target->loader->report, "in double quotes, one of: %s", words);
        return false;
    }
    const struct schema_word *word = find_word(target, raw->text, target->at);
    return word != NULL && store(target, &word->value);
}

bool value_set(const struct target *target, const struct raw *raw)
{
    switch (target->key->type) {
    case SCHEMA_TEXT:
        return set_text(target, raw);
    case SCHEMA_SWITCH:
        return set_switch(target, raw);
    case SCHEMA_COUNT:
        return set_count(target, raw);
    case SCHEMA_DURATION:
        return set_duration(target, raw);
    case SCHEMA_SIZE:
    case SCHEMA_SIZE32:
        return set_size(target, raw);
    case SCHEMA_PERCENT:
        return set_percent(target, raw);
    case SCHEMA_WORD:
        return set_word(target, raw);
    case SCHEMA_TEXTS:
    case SCHEMA_STATUSES:
    case SCHEMA_LIST:
    case SCHEMA_LATER:
        break;
    }
    return wrong_type(target, raw);
}

static bool tell_element(const struct target *target, const struct raw *raw, struct place at)
{
    struct loader *loader = target->loader;
    if (raw->type != RAW_TEXT) {
        report_error(loader->report, at, "%s holds texts, not %s", target->path,
                     show(target, raw).text);
        report_help(loader->report, "put it in double quotes");
        return true;
    }
    if (raw->text[0] == '\0' && (target->key->flags & SCHEMA_EMPTY) == 0) {
        report_error(loader->report, at, "%s holds an empty text", target->path);
        return true;
    }
    return false;
}

static bool store_texts(const struct target *target, const struct raw *raws, uint32_t count)
{
    struct loader *loader = target->loader;
    const char **texts = loader_alloc(loader, count * sizeof(*texts));
    if (texts == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        texts[i] = loader_text(loader, raws[i].text);
    memcpy((char *)target->base + target->key->count_offset, &count, sizeof(count));
    return store(target, &texts);
}

static bool store_statuses(const struct target *target, const struct raw *raws,
                           const struct place *places, uint32_t count)
{
    uint32_t bits = 0;
    bool valid = true;
    for (uint32_t i = 0; i < count; i++) {
        const struct schema_word *word = find_word(target, raws[i].text, places[i]);
        if (word == NULL)
            valid = false;
        else
            bits |= UINT32_C(1) << word->value;
    }
    return valid && store(target, &bits);
}

bool value_set_list(const struct target *target, const struct raw *raws,
                    const struct place *places, uint32_t count)
{
    bool valid = true;
    for (uint32_t i = 0; i < count; i++)
        valid = !tell_element(target, &raws[i], places[i]) && valid;
    if (!valid)
        return false;
    bool statuses = target->key->type == SCHEMA_STATUSES;
    if (count == 0 && (statuses || target->key->min > 0)) {
        report_error(target->loader->report, target->at, "%s is empty", target->path);
        return false;
    }
    if (!statuses && count > target->key->max) {
        report_error(target->loader->report, target->at,
                     "%s holds %u values, more than %" PRIu64, target->path, (unsigned)count,
                     target->key->max);
        return false;
    }
    return statuses ? store_statuses(target, raws, places, count)
                    : store_texts(target, raws, count);
}

void value_set_presets(struct loader *loader, const struct schema *schema, void *base,
                       unsigned kind)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct schema_key *key = &schema->keys[i];
        if (key->preset == NULL || key->inherit != 0 || !schema_fits(key, kind))
            continue;
        struct target target = {
            .loader = loader, .key = key, .path = key->path, .base = base, .beside = ""};
        struct raw raw = {.type = RAW_TEXT, .text = key->preset, .lenient = true};
        uint32_t before = loader->private->origin_count;
        bool valid = value_set(&target, &raw);
        SB_ASSERT(valid || loader->out_of_memory);
        loader->private->origin_count = before; /* a default has no origin */
    }
}
