#include "group.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "expand.h"
#include "hints.h"
#include "misfit.h"
#include "policies.h"
#include "raw.h"
#include "syntax.h"
#include "value.h"

enum { KEYS_MAX = 96, PATH_LEN = 192 };

struct walk {
    struct loader *loader;
    struct source *source;
    const struct schema *schema;
    void *base;
    unsigned kind;        /* bits of the group's kind; none of an axis: not known */
    bool later_kind;      /* it is one of a later version, with keys of its own */
    char where[PATH_LEN]; /* in front of paths in messages: "" or "sinks[0]." */
    bool seen[KEYS_MAX];
};

static void walk_group(struct walk *walk, const config_setting_t *group, const char *path);
static void walk_element(struct walk *walk, const config_setting_t *element);

/* ---- places ---- */

static uint32_t line_of(const config_setting_t *setting)
{
    const struct syntax_mark *mark = config_setting_get_hook(setting);
    return mark != NULL ? mark->line : (uint32_t)config_setting_source_line(setting);
}

static struct place place_of(const struct walk *walk, const config_setting_t *setting)
{
    const struct syntax_mark *mark = config_setting_get_hook(setting);
    return source_place(walk->source, line_of(setting), mark != NULL ? mark->column : 0);
}

static bool is_faulty(const struct walk *walk, const config_setting_t *setting)
{
    return source_faulty(walk->source, line_of(setting));
}

/* ---- values ---- */

static struct target target_of(const struct walk *walk, const struct schema_key *key,
                               const config_setting_t *setting, const char *path)
{
    struct place at = place_of(walk, setting);
    return (struct target){.loader = walk->loader,
                           .key = key,
                           .path = path,
                           .base = walk->base,
                           .at = at,
                           .beside = at.file,
                           .secret = (key->flags & SCHEMA_SECRET) != 0};
}

static bool elements_are_faulty(const struct walk *walk, const config_setting_t *list)
{
    int count = config_setting_length(list);
    for (int i = 0; i < count; i++) {
        if (is_faulty(walk, config_setting_get_elem(list, (unsigned)i)))
            return true;
    }
    return false;
}

/* ( "a", "b" ) or [ "a", "b" ]. */
static void set_texts(struct walk *walk, struct target *target, const config_setting_t *list)
{
    struct loader *loader = walk->loader;
    int count = config_setting_length(list);
    if (elements_are_faulty(walk, list))
        return;
    struct raw *raws = loader_alloc(loader, (size_t)count * sizeof(*raws));
    struct place *places = loader_alloc(loader, (size_t)count * sizeof(*places));
    bool valid = raws != NULL && places != NULL;
    for (int i = 0; i < count && valid; i++) {
        const config_setting_t *element = config_setting_get_elem(list, (unsigned)i);
        places[i] = place_of(walk, element);
        raws[i] = raw_of(element);
        struct target piece = *target;
        piece.at = places[i];
        if (raws[i].type == RAW_TEXT)
            valid = raw_expand(&piece, &raws[i]);
        target->secret = piece.secret;
    }
    if (valid)
        value_set_list(target, raws, places, (uint32_t)count);
}

/* endpoint = "..." for endpoints = [ "..." ]. */
static void set_single(struct target *target, struct raw *raw)
{
    if (raw->type != RAW_TEXT) {
        report_error(target->loader->report, target->at, "%s takes one text", target->path);
        report_help(target->loader->report, "write %s = \"%s\"; several go into endpoints",
                    schema_leaf(target->key->path), target->key->sample);
        return;
    }
    value_set_list(target, raw, &target->at, 1);
}

static void set_plain(struct walk *walk, struct target *target, const config_setting_t *setting,
                      bool milliseconds)
{
    struct raw raw = raw_of(setting);
    bool texts = target->key->type == SCHEMA_TEXTS || target->key->type == SCHEMA_STATUSES;
    bool single = (target->key->flags & SCHEMA_SINGLE) != 0;
    if (is_faulty(walk, setting))
        return;
    if (raw.type == RAW_TEXT && !raw_expand(target, &raw))
        return;
    if (single)
        set_single(target, &raw);
    else if (texts && raw.type == RAW_LIST)
        set_texts(walk, target, setting);
    else if (raw.type == RAW_TEXT && (target->key->flags & SCHEMA_BARE) != 0)
        value_set_list(target, &raw, &target->at, 1);
    else if (texts)
        misfit_tell_type(target, &raw);
    else if (milliseconds)
        value_set_milliseconds(target, &raw);
    else
        value_set(target, &raw);
}

/* ---- lists of groups ---- */

static void set_groups(struct walk *walk, struct target *target, const config_setting_t *list)
{
    const struct schema *schema = target->key->list;
    struct loader *loader = walk->loader;
    uint32_t count = (uint32_t)config_setting_length(list);
    if (count > target->key->max || count < target->key->min) {
        report_error(loader->report, target->at,
                     count == 0 ? "%s is empty" : "%s has more than %" PRIu64 " elements",
                     target->path, target->key->max);
        return;
    }
    char *elements = loader_alloc(loader, count * schema->size);
    if (elements == NULL)
        return;
    memcpy((char *)walk->base + target->key->offset, &elements, sizeof(elements));
    memcpy((char *)walk->base + target->key->count_offset, &count, sizeof(count));
    loader_set_origin(loader, (char *)walk->base + target->key->offset, target->at, false);
    for (uint32_t i = 0; i < count; i++) {
        const config_setting_t *element = config_setting_get_elem(list, i);
        struct walk inner = {.loader = loader, .source = walk->source, .schema = schema};
        inner.base = elements + i * schema->size;
        snprintf(inner.where, sizeof(inner.where), "%.150s[%u].", target->path, (unsigned)i);
        walk_element(&inner, element);
    }
}

static void set_list(struct walk *walk, struct target *target, const config_setting_t *setting)
{
    struct raw raw = raw_of(setting);
    if (raw.type == RAW_LIST && config_setting_type(setting) == CONFIG_TYPE_ARRAY &&
        config_setting_length(setting) > 0)
        raw.type = RAW_TEXT, raw.text = "[ ... ]";
    if (raw.type == RAW_LIST) {
        set_groups(walk, target, setting);
        return;
    }
    if (is_faulty(walk, setting))
        return;
    report_error(walk->loader->report, target->at, "%s takes a list of groups%s", target->path,
                 raw.type == RAW_GROUP ? ", and this is one group" : "");
    report_help(walk->loader->report, "write %s = ( { ... }, { ... } );",
                schema_leaf(target->key->path));
}

/* ---- keys ---- */

/* The key that has set that field already, as threshold_ms does for threshold; NULL: none. */
static const struct schema_key *find_first(const struct walk *walk,
                                           const struct schema_key *key)
{
    for (uint32_t i = 0; i < walk->schema->count; i++) {
        const struct schema_key *other = &walk->schema->keys[i];
        if (walk->seen[i] && other->offset == key->offset && other->kinds == key->kinds &&
            other->type == key->type && key->type != SCHEMA_LATER)
            return other;
    }
    return NULL;
}

/* The words of an axis, `kinds` being bits of it. */
static void name_kinds(const struct schema *schema, unsigned axis, unsigned kinds, char *ret,
                       size_t room)
{
    const struct schema_key *key = schema_find(schema, schema->kind_keys[axis]);
    schema_list_words(key->words, kinds, ret, room);
}

/* False: whose the key is can not be told, since a kind is not known: that was reported. */
static bool kind_is_known(const struct walk *walk, const struct schema_key *key)
{
    for (unsigned axis = 0; axis < SCHEMA_AXES; axis++) {
        if (schema_axis(key->kinds, axis) != 0 && schema_axis(walk->kind, axis) == 0)
            return false;
    }
    return true;
}

/* A key that this kind of group does not have, for its kind of that axis. */
static bool tell_kind(struct walk *walk, const struct schema_key *key, unsigned axis,
                      const struct target *target)
{
    char have[128];
    char want[128];
    const struct schema *schema = walk->schema;
    const char *kind_key = schema->kind_keys[axis];
    bool goes = axis == 0 && schema->kind_mismatch_goes;
    name_kinds(schema, axis, schema_axis(walk->kind, axis), have, sizeof(have));
    name_kinds(schema, axis, schema_axis(key->kinds, axis), want, sizeof(want));
    struct config_report *report = walk->loader->report;
    if (goes)
        report_warning(report, target->at, "%s has no effect with %s = \"%s\"", target->path,
                       kind_key, have);
    else
        report_error(report, target->at, "%s is no parameter of %s", target->path, have);
    struct unknown_key unknown = {
        .schema = schema, .group = "", .name = key->path, .kind = walk->kind};
    if (!hint_foreign_key(report, &unknown) && want[0] != '\0')
        report_help(report, "it belongs to %s = \"%s\"", kind_key, want);
    return goes;
}

/* True: the key is read; else it was reported, or can not be. */
static bool fits_kind(struct walk *walk, const struct schema_key *key,
                      const struct target *target)
{
    if (schema_fits(key, walk->kind))
        return true;
    for (unsigned axis = SCHEMA_AXES; axis-- > 0;) {
        unsigned wanted = schema_axis(key->kinds, axis);
        unsigned have = schema_axis(walk->kind, axis);
        if (wanted == 0 || (wanted & have) != 0)
            continue;
        bool goes = axis == 0 && walk->schema->kind_mismatch_goes;
        if (have != 0)
            goes = tell_kind(walk, key, axis, target);
        if (!goes && (have != 0 || key->type != SCHEMA_LIST))
            return false;
    }
    return true;
}

static void walk_key(struct walk *walk, const struct schema_key *key,
                     const config_setting_t *setting, bool milliseconds)
{
    char path[PATH_LEN * 2];
    snprintf(path, sizeof(path), "%s%s%s", walk->where, key->path, milliseconds ? "_ms" : "");
    struct target target = target_of(walk, key, setting, path);
    struct config_report *report = walk->loader->report;
    if (key->type == SCHEMA_LATER) {
        report_error(report, target.at, "%s is not available in this version", path);
        report_help(report, "it belongs to %s", key->help);
        return;
    }
    if (!fits_kind(walk, key, &target)) {
        /* Without a kind nobody can say whose it is; it is there all the same. */
        if (!kind_is_known(walk, key))
            loader_set_failed(walk->loader, (char *)walk->base + key->offset, target.at,
                              target.secret);
        return;
    }
    const struct schema_key *first = find_first(walk, key);
    walk->seen[key - walk->schema->keys] = true;
    if (first != NULL) {
        report_error(report, target.at, "%s is set a second time", path);
        report_help(report, first == key ? "once with _ms and once without" : "%s sets it, too",
                    first->path);
    } else if (key->type == SCHEMA_LIST) {
        set_list(walk, &target, setting);
    } else {
        uint32_t origins = walk->loader->private->origin_count;
        set_plain(walk, &target, setting, milliseconds);
        if (walk->loader->private->origin_count == origins)
            loader_set_failed(walk->loader, (char *)walk->base + key->offset, target.at,
                              target.secret);
    }
}

/* The key NAME of a setting NAME_ms, or NULL. */
static const struct schema_key *find_milliseconds(const struct walk *walk, const char *path)
{
    char stem[PATH_LEN];
    size_t len = strlen(path);
    if (len < 4 || len >= sizeof(stem) || strcmp(path + len - 3, "_ms") != 0)
        return NULL;
    memcpy(stem, path, len - 3);
    stem[len - 3] = '\0';
    const struct schema_key *key = schema_find(walk->schema, stem);
    return key != NULL && key->type == SCHEMA_DURATION ? key : NULL;
}

static void tell_unknown(struct walk *walk, const config_setting_t *setting, const char *group,
                         const char *path)
{
    if (is_faulty(walk, setting) || walk->later_kind)
        return;
    struct unknown_key unknown = {.schema = walk->schema,
                                  .group = group,
                                  .name = config_setting_name(setting),
                                  .kind = walk->kind};
    report_error(walk->loader->report, place_of(walk, setting), "unknown key %s%s", walk->where,
                 quote(path).text);
    hint_unknown_key(walk->loader->report, &unknown);
}

static void walk_inner_group(struct walk *walk, const config_setting_t *setting,
                             const char *path)
{
    if (config_setting_type(setting) == CONFIG_TYPE_GROUP) {
        walk_group(walk, setting, path);
        return;
    }
    if (is_faulty(walk, setting))
        return;
    report_error(walk->loader->report, place_of(walk, setting), "%s%s must be a group",
                 walk->where, path);
    report_help(walk->loader->report, "write %s = { name = value; ... };", schema_leaf(path));
}

static void walk_setting(struct walk *walk, const config_setting_t *setting, const char *group)
{
    char path[PATH_LEN];
    const char *name = config_setting_name(setting);
    int len = snprintf(path, sizeof(path), "%s%s%s", group, group[0] == '\0' ? "" : ".",
                       name == NULL ? "" : name);
    bool fits = len > 0 && (size_t)len < sizeof(path);
    const struct schema_key *key = fits ? schema_find(walk->schema, path) : NULL;
    if (key != NULL)
        walk_key(walk, key, setting, false);
    else if (fits && schema_is_group(walk->schema, path))
        walk_inner_group(walk, setting, path);
    else if (fits && (key = find_milliseconds(walk, path)) != NULL)
        walk_key(walk, key, setting, true);
    else
        tell_unknown(walk, setting, group, path);
}

static void walk_group(struct walk *walk, const config_setting_t *group, const char *path)
{
    int count = config_setting_length(group);
    for (int i = 0; i < count; i++)
        walk_setting(walk, config_setting_get_elem(group, (unsigned)i), path);
}

static void tell_missing(struct walk *walk, struct place at)
{
    for (uint32_t i = 0; i < walk->schema->count; i++) {
        const struct schema_key *key = &walk->schema->keys[i];
        bool wanted = (key->flags & SCHEMA_REQUIRED) != 0 && schema_fits(key, walk->kind);
        bool needless = (key->flags & SCHEMA_OUTPUT) != 0 && walk->loader->sources->looks_only;
        if (!wanted || needless || walk->seen[i])
            continue;
        report_error(walk->loader->report, at, "%s%s is missing", walk->where, key->path);
        if (key->type == SCHEMA_WORD && key->sample != NULL)
            report_help(walk->loader->report, "for example %s = \"%s\";",
                        schema_leaf(key->path), key->sample);
        else if (key->help != NULL)
            report_help(walk->loader->report, "%s", key->help);
    }
}

/* Variables are replaced; what is wrong with them is reported when the key is read. */
static const char *kind_text(struct walk *walk, const config_setting_t *setting)
{
    struct loader *loader = walk->loader;
    const char *raw = config_setting_get_string(setting); /* NULL: no text */
    if (raw == NULL || !expand_needed(raw))
        return raw;
    struct text out;
    struct expansion expansion;
    text_init(&out, RAW_TEXT_MAX);
    const char *text = NULL;
    if (expand(raw, place_of(walk, setting).file, loader->files, &out, &expansion) == SB_OK)
        text = loader_text(loader, text_string(&out));
    text_clear(&out);
    return text;
}

/* The kind of a group stands in keys of it, which may come after others. */
static void find_kind(struct walk *walk, const config_setting_t *group, unsigned axis)
{
    const char *name = walk->schema->kind_keys[axis];
    const config_setting_t *setting = config_setting_get_member(group, name);
    const struct schema_key *key = schema_find(walk->schema, name);
    const char *text = key->preset;
    if (setting != NULL)
        text = kind_text(walk, setting);
    for (const struct schema_word *word = key->words; word->word != NULL; word++) {
        if (text == NULL || strcmp(word->word, text) != 0)
            continue;
        walk->later_kind = walk->later_kind || word->later;
        if (!word->later)
            walk->kind |= SCHEMA_KIND(axis, word->value);
    }
}

/* One group of a schema of its own: a file, or an element of a list. */
static void walk_whole(struct walk *walk, const config_setting_t *group, struct place at)
{
    SB_ASSERT(walk->schema->count <= KEYS_MAX);
    for (unsigned axis = 0; axis < SCHEMA_AXES && walk->schema->kind_keys[axis] != NULL; axis++)
        find_kind(walk, group, axis);
    value_set_presets(walk->loader, walk->schema, walk->base, walk->kind);
    walk_group(walk, group, "");
    tell_missing(walk, at);
}

static void walk_element(struct walk *walk, const config_setting_t *element)
{
    struct place at = place_of(walk, element);
    if (config_setting_type(element) == CONFIG_TYPE_GROUP) {
        walk_whole(walk, element, at);
        if (walk->schema == &schema_policy)
            policies_check_one(walk->loader, walk->base, walk->where, at);
    } else if (!is_faulty(walk, element)) {
        report_error(walk->loader->report, at, "%.*s is no group", (int)strlen(walk->where) - 1,
                     walk->where);
        report_help(walk->loader->report, "write { name = value; ... }");
    }
}

void group_parse(struct loader *loader, struct source *source, const struct schema *schema,
                 void *base, const config_setting_t *root)
{
    struct walk walk = {.loader = loader, .source = source, .schema = schema, .base = base};
    struct place at = source_place(source, 1, 0);
    at.line = 0;
    walk_whole(&walk, root, at);
}
