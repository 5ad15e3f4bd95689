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

/* Length of the part of the path before the leaf, its dot included. */
static size_t stem_length(const struct schema_key *key)
{
    return key == NULL ? 0 : (size_t)(schema_leaf(key->path) - key->path);
}

static bool same_stem(const struct schema_key *a, const struct schema_key *b)
{
    size_t len = stem_length(a);
    return len == stem_length(b) && (len == 0 || strncmp(a->path, b->path, len) == 0);
}

static void show_group(const struct shown_group *group, unsigned depth, struct text *out)
{
    const struct schema_key *last = NULL;
    for (uint32_t i = 0; i < group->schema->count; i++) {
        const struct schema_key *key = &group->schema->keys[i];
        if (!shown_key(group, key))
            continue;
        size_t stem = stem_length(key);
        if (!same_stem(last, key)) {
            if (stem_length(last) > 0) {
                indent(out, depth);
                text_append_text(out, "};\n");
            }
            if (stem > 0) {
                indent(out, depth);
                text_printf(out, "%.*s = {\n", (int)stem - 1, key->path);
            }
        }
        show_key(group, key, stem > 0 ? depth + 1 : depth, out);
        last = key;
    }
    if (stem_length(last) > 0) {
        indent(out, depth);
        text_append_text(out, "};\n");
    }
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

static void show_json(const struct shown_group *group, struct text *out)
{
    const struct schema_key *last = NULL;
    text_append_char(out, '{');
    for (uint32_t i = 0; i < group->schema->count; i++) {
        const struct schema_key *key = &group->schema->keys[i];
        if (!shown_key(group, key))
            continue;
        size_t stem = stem_length(key);
        bool opens = !same_stem(last, key) && stem > 0;
        if (!same_stem(last, key) && stem_length(last) > 0)
            text_append_char(out, '}');
        if (last != NULL)
            text_append_char(out, ',');
        if (opens)
            /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): an element of an array */
            text_printf(out, "\"%.*s\":{", (int)stem - 1, key->path);
        show_key_json(group, key, out);
        last = key;
    }
    text_append_text(out, stem_length(last) > 0 ? "}}" : "}");
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
