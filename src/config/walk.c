#include "walk.h"

#include <inttypes.h>
#include <string.h>

#include "broker_url.h"
#include "core/units.h"
#include "json.h"

enum { URL_LEN_MAX = 512 << 10 }; /* of the text of any value, and more */

static const void *field_of(const struct shown_group *group, const struct schema_key *key)
{
    return (const char *)group->base + key->offset;
}

static int word_at(const void *field)
{
    int value;
    memcpy(&value, field, sizeof(value));
    return value;
}

static uint32_t count_of(const struct shown_group *group, const struct schema_key *key)
{
    uint32_t count;
    memcpy(&count, (const char *)group->base + key->count_offset, sizeof(count));
    return count;
}

static const char *text_at(const void *field)
{
    const char *text;
    memcpy(&text, field, sizeof(text));
    return text;
}

struct shown_group shown_group_of(const struct settings *settings, const struct schema *schema,
                                  const void *base)
{
    struct shown_group group = {.settings = settings, .schema = schema, .base = base};
    for (unsigned axis = 0; axis < SCHEMA_AXES && schema->kind_keys[axis] != NULL; axis++) {
        const struct schema_key *key = schema_find(schema, schema->kind_keys[axis]);
        group.kind |= SCHEMA_KIND(axis, word_at(field_of(&group, key)));
    }
    return group;
}

bool shown_key(const struct shown_group *group, const struct schema_key *key)
{
    return key->type != SCHEMA_LATER && (key->flags & SCHEMA_SINGLE) == 0 &&
           schema_fits(key, group->kind);
}

bool shown_is_unset(const struct shown_group *group, const struct schema_key *key)
{
    switch (key->type) {
    case SCHEMA_TEXT:
        return text_at(field_of(group, key)) == NULL;
    case SCHEMA_TEXTS:
    case SCHEMA_LIST:
        return count_of(group, key) == 0;
    case SCHEMA_WORD:
        return schema_word_of(key->words, word_at(field_of(group, key))) == NULL;
    default:
        return false;
    }
}

static void append_place(const struct origin *origin, struct text *out)
{
    text_append_text(out, origin->file);
    if (origin->line > 0)
        text_printf(out, ":%u", (unsigned)origin->line);
}

void shown_origin(const struct shown_group *group, const struct schema_key *key,
                  struct text *out)
{
    const struct settings_private *private = group->settings->private;
    const struct origin *origin = origin_find_sorted(private, field_of(group, key));
    if (origin == NULL && key->inherit != 0 && !shown_is_unset(group, key))
        origin = origin_find_sorted(private, (const char *)group->settings + key->inherit);
    if (origin != NULL)
        append_place(origin, out);
    else
        text_append_text(out,
                         key->preset == NULL && key->derived != NULL ? "derived" : "default");
}

void config_text(struct text *out, const char *in)
{
    text_append_char(out, '"');
    for (const char *c = in; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            text_append_char(out, '\\');
        if (*c == '\n')
            text_append_text(out, "\\n");
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            text_printf(out, "\\x%02x", (unsigned)(unsigned char)*c);
        else if (c[0] == '$' && c[1] == '{')
            text_append_text(out, "$$"); /* no variable */
        else
            text_append_char(out, *c);
    }
    text_append_char(out, '"');
}

static void append_text(struct text *out, const char *in, bool json)
{
    if (json)
        json_text(out, in);
    else
        config_text(out, in);
}

static void append_url(struct text *out, const char *in, bool json)
{
    struct text shown;
    text_init(&shown, URL_LEN_MAX);
    broker_url_show(in, &shown);
    append_text(out, text_string(&shown), json);
    if (shown.error != SB_OK)
        out->error = shown.error;
    text_clear(&shown);
}

static bool is_secret(const struct shown_group *group, const struct schema_key *key)
{
    const struct origin *origin =
        origin_find_sorted(group->settings->private, field_of(group, key));
    if (origin == NULL && key->inherit != 0)
        origin = origin_find_sorted(group->settings->private,
                                    (const char *)group->settings + key->inherit);
    if ((key->flags & SCHEMA_SECRET) != 0 || (origin != NULL && origin->secret))
        return true;
    const struct settings_property *property = group->base;
    return group->schema == &schema_property && strcmp(key->path, "value") == 0 &&
           schema_property_is_secret(property->name);
}

static void append_texts(const struct shown_group *group, const struct schema_key *key,
                         bool json, struct text *out)
{
    const char *const *texts;
    memcpy(&texts, field_of(group, key), sizeof(texts));
    uint32_t count = count_of(group, key);
    text_append_text(out, json ? "[" : "[ ");
    for (uint32_t i = 0; i < count; i++) {
        text_append_text(out, i == 0 ? "" : json ? "," : ", ");
        append_text(out, texts[i], json);
    }
    text_append_text(out, json ? "]" : " ]");
}

static void append_statuses(const struct schema_key *key, uint32_t bits, bool json,
                            struct text *out)
{
    bool first = true;
    text_append_text(out, json ? "[" : "[ ");
    for (const struct schema_word *word = key->words; word->word != NULL; word++) {
        if ((bits & (UINT32_C(1) << word->value)) == 0)
            continue;
        text_append_text(out, first ? "" : json ? "," : ", ");
        append_text(out, word->word, json);
        first = false;
    }
    text_append_text(out, json ? "]" : " ]");
}

static void append_number(const struct schema_key *key, const void *field, bool json,
                          struct text *out)
{
    char unit[UNITS_TEXT_LEN];
    uint64_t wide = 0;
    uint32_t narrow = 0;
    if (schema_field_size(key->type) == sizeof(wide))
        memcpy(&wide, field, sizeof(wide));
    else
        memcpy(&narrow, field, sizeof(narrow));
    switch (key->type) {
    case SCHEMA_DURATION:
        units_format_duration(wide, unit);
        append_text(out, unit, json);
        break;
    case SCHEMA_SIZE:
    case SCHEMA_SIZE32:
        units_format_size(key->type == SCHEMA_SIZE ? wide : narrow, unit);
        append_text(out, unit, json);
        break;
    default:
        text_printf(out, "%" PRIu32, narrow);
    }
}

static void append_real(const void *field, struct text *out)
{
    double value;
    memcpy(&value, field, sizeof(value));
    size_t before = out->len;
    text_printf(out, "%.15g", value);
    if (out->error == SB_OK && strpbrk(out->at + before, ".e") == NULL)
        text_append_text(out, ".0"); /* libconfig tells the types apart by it */
}

void shown_value(const struct shown_group *group, const struct schema_key *key, bool json,
                 struct text *out)
{
    const void *field = field_of(group, key);
    bool on;
    uint32_t bits;
    if (is_secret(group, key) && key->type != SCHEMA_LIST) {
        append_text(out, "(redacted)", json);
        return;
    }
    switch (key->type) {
    case SCHEMA_TEXT:
        if ((key->flags & SCHEMA_URL) != 0)
            append_url(out, text_at(field), json);
        else
            append_text(out, text_at(field), json);
        break;
    case SCHEMA_TEXTS:
        append_texts(group, key, json, out);
        break;
    case SCHEMA_SWITCH:
        memcpy(&on, field, sizeof(on));
        text_append_text(out, on ? "true" : "false");
        break;
    case SCHEMA_PERCENT:
        append_real(field, out);
        break;
    case SCHEMA_WORD:
        append_text(out, schema_word_of(key->words, word_at(field)), json);
        break;
    case SCHEMA_STATUSES:
        memcpy(&bits, field, sizeof(bits));
        append_statuses(key, bits, json, out);
        break;
    case SCHEMA_LIST:
    case SCHEMA_LATER:
        break;
    default:
        append_number(key, field, json, out);
    }
}

uint32_t shown_elements(const struct shown_group *group, const struct schema_key *key,
                        const char **ret_base)
{
    memcpy(ret_base, field_of(group, key), sizeof(*ret_base));
    return count_of(group, key);
}
