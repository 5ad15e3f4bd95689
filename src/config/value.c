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
#include "misfit.h"

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

static bool wrong_type(const struct target *target, const struct raw *raw)
{
    misfit_tell_type(target, raw);
    return false;
}

static bool out_of_range(const struct target *target, const struct raw *raw)
{
    misfit_tell_range(target, raw);
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
                     target->path, misfit_show(target, raw).text);
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
    schema_list_words(target->key->words, 0, words, sizeof(words));
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
        schema_list_words(target->key->words, 0, words, sizeof(words));
        report_error(target->loader->report, target->at, "%s takes a word, not %s",
                     target->path, misfit_show(target, raw).text);
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
                     misfit_show(target, raw).text);
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
