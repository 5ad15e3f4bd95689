#include "misfit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/units.h"

struct quoted misfit_show(const struct target *target, const struct raw *raw)
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
    struct quoted shown = misfit_show(target, raw);
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

void misfit_tell_type(const struct target *target, const struct raw *raw)
{
    report_error(target->loader->report, target->at, "%s takes %s, not %s", target->path,
                 type_text(target->key->type), misfit_show(target, raw).text);
    help_type(target, raw);
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

void misfit_tell_range(const struct target *target, const struct raw *raw)
{
    char least[UNITS_TEXT_LEN];
    char most[UNITS_TEXT_LEN];
    const struct schema_key *key = target->key;
    format_bound(key->type, key->min, least);
    format_bound(key->type, key->max, most);
    report_error(target->loader->report, target->at, "%s is out of range: %s", target->path,
                 misfit_show(target, raw).text);
    report_help(target->loader->report, "from %s to %s", least, most);
}
