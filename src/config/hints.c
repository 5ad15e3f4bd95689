#include "hints.h"

#include <stdio.h>
#include <string.h>

#include "config/suggest.h"

enum { PATH_LEN = 128, LIST_LEN = 512 };

static bool fits_kind(const struct unknown_key *unknown, const struct schema_key *key)
{
    unsigned open = 0; /* of axes whose kind is not known, all */
    for (unsigned axis = 0; axis < SCHEMA_AXES; axis++) {
        if (schema_axis(unknown->kind, axis) == 0)
            open |= schema_axis(~0U, axis) << (axis * SCHEMA_AXIS_BITS);
    }
    return schema_fits(key, unknown->kind | open);
}

/* The part of `path` right below `group`, or false if it is elsewhere. */
static bool next_part(const char *group, const char *path, char ret[PATH_LEN])
{
    size_t len = strlen(group);
    if (len > 0 && (strncmp(path, group, len) != 0 || path[len] != '.'))
        return false;
    const char *part = len > 0 ? path + len + 1 : path;
    snprintf(ret, PATH_LEN, "%.*s", (int)strcspn(part, "."), part);
    return true;
}

static bool hint_sibling(struct config_report *report, const struct unknown_key *unknown)
{
    /* The candidates must outlive the search: the key's path does, its part does not. */
    struct suggest suggest;
    char best[PATH_LEN] = "";
    suggest_init(&suggest, unknown->name);
    for (uint32_t i = 0; i < unknown->schema->count; i++) {
        const struct schema_key *key = &unknown->schema->keys[i];
        char part[PATH_LEN];
        if (key->type == SCHEMA_LATER || !fits_kind(unknown, key) ||
            !next_part(unknown->group, key->path, part))
            continue;
        unsigned before = suggest.best_cost;
        suggest_offer(&suggest, part);
        if (suggest.best_cost < before && suggest.best_cost < SUGGEST_FAR)
            memcpy(best, part, PATH_LEN);
    }
    if (best[0] == '\0')
        return false;
    report_help(report, "did you mean %s%s%s?", unknown->group,
                unknown->group[0] == '\0' ? "" : ".", best);
    return true;
}

/* Says how to write `path`, whose leaf stands in the wrong group of the right file. */
static void hint_move(struct config_report *report, const char *path)
{
    const char *leaf = schema_leaf(path);
    if (leaf == path)
        report_help(report, "it stands at the top: %s = ...;", path);
    else
        report_help(report, "move it under %.*s: %.*s = { %s = ...; };", (int)(leaf - path - 1),
                    path, (int)(leaf - path - 1), path, leaf);
}

static bool hint_elsewhere(struct config_report *report, const struct unknown_key *unknown)
{
    for (uint32_t i = 0; i < unknown->schema->count; i++) {
        const struct schema_key *key = &unknown->schema->keys[i];
        /* A name of a group in a group, such as a module's level, is nothing but a coincidence. */
        bool deep = strchr(key->path, '.') != strrchr(key->path, '.');
        if (!deep && key->type != SCHEMA_LATER && fits_kind(unknown, key) &&
            strcmp(schema_leaf(key->path), unknown->name) == 0) {
            hint_move(report, key->path);
            return true;
        }
    }
    return false;
}

static bool hint_other_schema(struct config_report *report, const struct unknown_key *unknown)
{
    static const struct schema *const all[] = {&schema_worker, &schema_topic, &schema_sink,
                                               &schema_policy, NULL};
    char places[PATH_LEN] = "";
    size_t len = 0;
    for (const struct schema *const *other = all; *other != NULL; other++) {
        const struct schema_key *key = schema_find(*other, unknown->name);
        bool group = schema_is_group(*other, unknown->name);
        bool plain = key != NULL && key->type != SCHEMA_LATER;
        if (*other == unknown->schema || (!group && !plain) || len >= sizeof(places))
            continue;
        len += (size_t)snprintf(places + len, sizeof(places) - len, "%s%s",
                                len == 0 ? "" : " or ", (*other)->name);
    }
    if (len > 0)
        report_help(report, "%s belongs in %s", unknown->name, places);
    return len > 0;
}

/* A key of the group around the unknown one whose path ends in `path`, or NULL. */
static const struct schema_key *find_near(const struct unknown_key *unknown, const char *path)
{
    size_t group = strlen(unknown->group);
    for (uint32_t i = 0; i < unknown->schema->count; i++) {
        const struct schema_key *key = &unknown->schema->keys[i];
        size_t len = strlen(key->path);
        size_t end = strlen(path);
        if (group > 0 && len > end && key->path[len - end - 1] == '.' &&
            strcmp(key->path + len - end, path) == 0 &&
            strncmp(key->path, unknown->group, group) == 0 && key->path[group] == '.')
            return key;
    }
    return NULL;
}

/* `fitting`: only keys that this kind of group has. */
static bool hint_alias(struct config_report *report, const struct unknown_key *unknown,
                       bool fitting)
{
    for (const struct schema_alias *alias = schema_aliases; alias->foreign != NULL; alias++) {
        const struct schema_key *key = schema_find(unknown->schema, alias->path);
        bool here = key != NULL ? !fitting || fits_kind(unknown, key)
                                : schema_is_group(unknown->schema, alias->path);
        const struct schema_key *near = here ? NULL : find_near(unknown, alias->path);
        if ((here || near != NULL) && suggest_distance(alias->foreign, unknown->name) == 0) {
            report_help(report, "it is called %s here",
                        near != NULL ? near->path : alias->path);
            return true;
        }
    }
    return false;
}

bool hint_foreign_key(struct config_report *report, const struct unknown_key *unknown)
{
    return hint_alias(report, unknown, true);
}

/* Collectors put a policy's parameters into a group named like its type. */
static bool hint_policy_type(struct config_report *report, const struct unknown_key *unknown)
{
    const struct schema_key *type = schema_find(unknown->schema, "type");
    if (unknown->schema != &schema_policy || type == NULL)
        return false;
    for (const struct schema_word *word = type->words; word->word != NULL; word++) {
        if (strcmp(word->word, unknown->name) == 0) {
            report_help(report, "parameters stand in the policy itself, beside its type");
            return true;
        }
    }
    return false;
}

static bool hint_far(struct config_report *report, const struct unknown_key *unknown)
{
    struct suggest suggest;
    const struct schema_key *best = NULL;
    suggest_init(&suggest, unknown->name);
    for (uint32_t i = 0; i < unknown->schema->count; i++) {
        const struct schema_key *key = &unknown->schema->keys[i];
        unsigned before = suggest.best_cost;
        if (key->type == SCHEMA_LATER || !fits_kind(unknown, key))
            continue;
        suggest_offer(&suggest, schema_leaf(key->path));
        suggest_offer(&suggest, key->path);
        if (suggest.best_cost < before)
            best = key;
    }
    if (best == NULL)
        return false;
    report_help(report, "did you mean %s?", best->path);
    return true;
}

static void list_siblings(struct config_report *report, const struct unknown_key *unknown)
{
    char list[LIST_LEN] = "";
    char last[PATH_LEN] = "";
    size_t len = 0;
    for (uint32_t i = 0; i < unknown->schema->count; i++) {
        const struct schema_key *key = &unknown->schema->keys[i];
        char part[PATH_LEN];
        if (key->type == SCHEMA_LATER || !fits_kind(unknown, key) ||
            !next_part(unknown->group, key->path, part) || strcmp(part, last) == 0)
            continue;
        memcpy(last, part, PATH_LEN);
        int added =
            snprintf(list + len, sizeof(list) - len, "%s%s", len == 0 ? "" : ", ", part);
        if (added < 0 || (size_t)added >= sizeof(list) - len)
            break;
        len += (size_t)added;
    }
    report_help(report, "known here: %s", list);
}

void hint_unknown_key(struct config_report *report, const struct unknown_key *unknown)
{
    bool found = hint_alias(report, unknown, false) || hint_sibling(report, unknown) ||
                 hint_policy_type(report, unknown) || hint_elsewhere(report, unknown) ||
                 hint_other_schema(report, unknown) || hint_far(report, unknown);
    if (!found)
        list_siblings(report, unknown);
}
