/* show: the effective settings and where each came from. */
#include <string.h>

#include "config/print.h"
#include "json.h"
#include "walk.h"

enum { COMMENT_COLUMN = 56, INDENT = 4 };

static void indent(struct text *out, unsigned depth)
{
    for (unsigned i = 0; i < depth * INDENT; i++)
        text_append_char(out, ' ');
}

static void end_with_origin(const struct shown_group *group, const struct schema_key *key,
                            size_t line, struct text *out)
{
    do {
        text_append_char(out, ' ');
    } while (out->error == SB_OK && out->len - line < COMMENT_COLUMN);
    text_append_text(out, "# ");
    shown_origin(group, key, out);
    text_append_char(out, '\n');
}

static void show_group(const struct shown_group *group, unsigned depth, struct text *out);

static void show_list(const struct shown_group *group, const struct schema_key *key,
                      unsigned depth, struct text *out)
{
    size_t line = out->len;
    const char *base;
    uint32_t count = shown_elements(group, key, &base);
    indent(out, depth);
    text_printf(out, "%s = (", schema_leaf(key->path));
    end_with_origin(group, key, line, out);
    for (uint32_t i = 0; i < count; i++) {
        struct shown_group element =
            shown_group_of(group->settings, key->list, base + i * key->list->size);
        indent(out, depth + 1);
        text_append_text(out, "{\n");
        show_group(&element, depth + 2, out);
        indent(out, depth + 1);
        text_append_text(out, i + 1 < count ? "},\n" : "}\n");
    }
    indent(out, depth);
    text_append_text(out, ");\n");
}

static void show_key(const struct shown_group *group, const struct schema_key *key,
                     unsigned depth, struct text *out)
{
    size_t line = out->len;
    if (shown_is_unset(group, key)) {
        indent(out, depth);
        text_printf(out, "# %s: %s\n", schema_leaf(key->path),
                    key->derived != NULL ? key->derived : "not set");
        return;
    }
    if (key->type == SCHEMA_LIST) {
        show_list(group, key, depth, out);
        return;
    }
    indent(out, depth);
    text_printf(out, "%s = ", schema_leaf(key->path));
    shown_value(group, key, false, out);
    text_append_char(out, ';');
    end_with_origin(group, key, line, out);
}

/* The groups that a key stands in, outermost first: names with a dot behind each. */
static struct bytes groups_of(const struct schema_key *key)
{
    return key == NULL ? (struct bytes){0}
                       : bytes_of(key->path, (size_t)(schema_leaf(key->path) - key->path));
}

/* How much of it both stand in. */
static size_t common_groups(struct bytes a, struct bytes b)
{
    size_t common = 0;
    for (size_t i = 0; i < a.len && i < b.len && a.at[i] == b.at[i]; i++)
        if (a.at[i] == '.')
            common = i + 1;
    return common;
}

static unsigned count_groups(struct bytes groups)
{
    unsigned count = 0;
    for (size_t i = 0; i < groups.len; i++)
        count += groups.at[i] == '.';
    return count;
}

/* Ends those of the groups that go beyond `common`, innermost first. */
static void close_groups(struct bytes groups, size_t common, unsigned depth, struct text *out)
{
    unsigned least = count_groups(bytes_of(groups.at, common));
    for (unsigned i = count_groups(groups); i > least; i--) {
        indent(out, depth + i - 1);
        text_append_text(out, "};\n");
    }
}

static void open_groups(struct bytes groups, size_t common, unsigned depth, struct text *out)
{
    depth += count_groups(bytes_of(groups.at, common));
    for (size_t at = common; at < groups.len; depth++) {
        const char *name = (const char *)groups.at + at;
        size_t len = strcspn(name, ".");
        indent(out, depth);
        text_printf(out, "%.*s = {\n", (int)len, name);
        at += len + 1;
    }
}

static void show_group(const struct shown_group *group, unsigned depth, struct text *out)
{
    struct bytes last = {0};
    for (uint32_t i = 0; i < group->schema->count; i++) {
        const struct schema_key *key = &group->schema->keys[i];
        if (!shown_key(group, key))
            continue;
        struct bytes groups = groups_of(key);
        size_t common = common_groups(last, groups);
        close_groups(last, common, depth, out);
        open_groups(groups, common, depth, out);
        show_key(group, key, depth + count_groups(groups), out);
        last = groups;
    }
    close_groups(last, 0, depth, out);
}

void config_show(const struct settings *settings, struct text *out)
{
    struct shown_group worker = shown_group_of(settings, &schema_worker, settings);
    text_printf(out, "# worker file %s\n\n", settings->private->worker_file);
    show_group(&worker, 0, out);
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        struct shown_group topic =
            shown_group_of(settings, &schema_topic, &settings->topics[i]);
        text_printf(out, "\n# topic file %s\n\n", settings->topics[i].file);
        show_group(&topic, 0, out);
    }
}

/* ---- JSON ---- */

static void show_json(const struct shown_group *group, struct text *out);

static void show_list_json(const struct shown_group *group, const struct schema_key *key,
                           struct text *out)
{
    const char *base;
    uint32_t count = shown_elements(group, key, &base);
    text_append_char(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        struct shown_group element =
            shown_group_of(group->settings, key->list, base + i * key->list->size);
        text_append_text(out, i == 0 ? "" : ",");
        show_json(&element, out);
    }
    text_append_char(out, ']');
}

static void show_key_json(const struct shown_group *group, const struct schema_key *key,
                          struct text *out)
{
    struct text origin;
    text_init(&origin, 8192);
    json_text(out, schema_leaf(key->path));
    text_append_text(out, ":{\"value\":");
    if (key->type == SCHEMA_LIST)
        show_list_json(group, key, out);
    else if (shown_is_unset(group, key))
        text_append_text(out, "null");
    else
        shown_value(group, key, true, out);
    shown_origin(group, key, &origin);
    text_append_text(out, ",\"origin\":");
    json_text(out, text_string(&origin));
    text_append_char(out, '}');
    if (origin.error == SB_ERR_MEMORY)
        out->error = SB_ERR_MEMORY;
    text_clear(&origin);
}

static void close_groups_json(struct bytes groups, size_t common, struct text *out)
{
    unsigned least = count_groups(bytes_of(groups.at, common));
    for (unsigned i = count_groups(groups); i > least; i--)
        text_append_char(out, '}');
}

static void show_json(const struct shown_group *group, struct text *out)
{
    struct bytes last = {0};
    bool any = false;
    text_append_char(out, '{');
    for (uint32_t i = 0; i < group->schema->count; i++) {
        const struct schema_key *key = &group->schema->keys[i];
        if (!shown_key(group, key))
            continue;
        struct bytes groups = groups_of(key);
        size_t common = common_groups(last, groups);
        close_groups_json(last, common, out);
        text_append_text(out, any ? "," : "");
        any = true;
        for (size_t at = common; at < groups.len;) {
            const char *name = (const char *)groups.at + at;
            size_t len = strcspn(name, ".");
            text_printf(out, "\"%.*s\":{", (int)len, name);
            at += len + 1;
        }
        show_key_json(group, key, out);
        last = groups;
    }
    close_groups_json(last, 0, out);
    text_append_char(out, '}');
}

void config_show_json(const struct settings *settings, struct text *out)
{
    struct shown_group worker = shown_group_of(settings, &schema_worker, settings);
    text_append_text(out, "{\"worker_file\":");
    json_text(out, settings->private->worker_file);
    text_append_text(out, ",\"worker\":");
    show_json(&worker, out);
    text_append_text(out, ",\"topics\":[");
    for (uint32_t i = 0; i < settings->topic_count; i++) {
        struct shown_group topic =
            shown_group_of(settings, &schema_topic, &settings->topics[i]);
        text_append_text(out, i == 0 ? "{\"file\":" : ",{\"file\":");
        json_text(out, settings->topics[i].file);
        text_append_text(out, ",\"settings\":");
        show_json(&topic, out);
        text_append_char(out, '}');
    }
    text_append_text(out, "]}\n");
}
