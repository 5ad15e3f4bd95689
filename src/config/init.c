/* init: annotated samples, from the schema. */
#include <string.h>

#include "config/print.h"
#include "schema.h"
#include "walk.h"

enum { LINE_LEN = 96, DEPTH_SPACES = 4 };

/* Where a key's lines begin, and whether they are comments. */
struct margin {
    unsigned depth;
    bool comment;
};

static void begin_line(struct text *out, struct margin margin)
{
    for (unsigned i = 0; i < margin.depth * DEPTH_SPACES; i++)
        text_append_char(out, ' ');
    if (margin.comment)
        text_append_char(out, '#');
}

/* Text as comment lines, broken at blanks. */
static void append_comment(struct text *out, struct margin margin, const char *in)
{
    size_t indent = margin.depth * DEPTH_SPACES + 2;
    margin.comment = true;
    size_t column = 0;
    while (*in != '\0') {
        size_t len = strcspn(in, " ");
        if (column == 0 || column + len + 1 > LINE_LEN) {
            text_append_text(out, column == 0 ? "" : "\n");
            begin_line(out, margin);
            column = indent - 1;
        }
        text_append_char(out, ' ');
        text_append(out, bytes_of(in, len));
        column += len + 1;
        in += len;
        in += strspn(in, " ");
    }
    text_append_char(out, '\n');
}

static void append_words(struct text *out, struct margin margin, const struct schema_key *key)
{
    struct text words;
    text_init(&words, 4096);
    text_append_text(&words, "One of:");
    for (const struct schema_word *word = key->words; word->word != NULL; word++) {
        if (!word->later)
            text_printf(&words, " %s", word->word);
    }
    append_comment(out, margin, text_string(&words));
    if (words.error != SB_OK)
        out->error = words.error;
    text_clear(&words);
}

static void append_value(struct text *out, const struct schema_key *key)
{
    const char *value = key->sample != NULL ? key->sample : key->preset;
    bool single = (key->flags & SCHEMA_SINGLE) != 0;
    bool raw = key->type == SCHEMA_SWITCH || key->type == SCHEMA_COUNT ||
               key->type == SCHEMA_PERCENT || key->type == SCHEMA_LIST ||
               (key->type == SCHEMA_TEXTS && !single);
    if (value == NULL)
        value = key->type == SCHEMA_DURATION ? "90s"
                : key->words != NULL         ? key->words->word
                                             : "";
    if (raw)
        text_append_text(out, value);
    else
        text_printf(out, "\"%s\"", value);
}

static void append_schema(struct text *out, const struct schema *schema, struct margin margin);

/* Which groups have the key, where not all do. */
static void append_kinds(struct text *out, const struct schema *schema, struct margin margin,
                         const struct schema_key *key)
{
    for (unsigned axis = 0; axis < SCHEMA_AXES; axis++) {
        unsigned kinds = schema_axis(key->kinds, axis);
        if (kinds == 0)
            continue;
        const struct schema_key *kind = schema_find(schema, schema->kind_keys[axis]);
        for (const struct schema_word *word = schema_next_word(kind->words, kinds);
             word != NULL; word = schema_next_word(word + 1, kinds)) {
            begin_line(out, margin);
            text_printf(out, "%s Only with %s = \"%s\".\n", margin.comment ? "" : "#",
                        schema->kind_keys[axis], word->word);
        }
    }
}

static void append_key(struct text *out, const struct schema *schema,
                       const struct schema_key *key, struct margin margin)
{
    append_kinds(out, schema, margin, key);
    append_comment(out, margin, key->help);
    if (key->type == SCHEMA_WORD)
        append_words(out, margin, key);
    margin.comment = margin.comment || (key->flags & SCHEMA_SAMPLE) == 0;
    begin_line(out, margin);
    text_printf(out, "%s = ", schema_leaf(key->path));
    if (key->type == SCHEMA_LIST && key->sample == NULL) {
        text_append_text(out, "(\n");
        margin.depth++;
        begin_line(out, margin);
        text_append_text(out, "{\n");
        append_schema(out, key->list, (struct margin){margin.depth + 1, margin.comment});
        begin_line(out, margin);
        text_append_text(out, "}\n");
        margin.depth--;
        begin_line(out, margin);
        text_append_text(out, ");\n");
    } else {
        append_value(out, key);
        text_append_text(out, ";\n");
    }
}

/* How many keys from `first` on share the first `stem` bytes of its path; is one shown? */
static uint32_t group_length(const struct schema *schema, uint32_t first, size_t stem,
                             bool *ret_sample)
{
    const char *path = schema->keys[first].path;
    uint32_t count = 0;
    *ret_sample = false;
    while (first + count < schema->count) {
        const struct schema_key *key = &schema->keys[first + count];
        if (strncmp(key->path, path, stem) != 0)
            break;
        *ret_sample = *ret_sample || (key->flags & SCHEMA_SAMPLE) != 0;
        count++;
    }
    return count;
}

static bool group_is_later(const struct schema *schema, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (schema->keys[first + i].type != SCHEMA_LATER)
            return false;
    }
    return true;
}

/* `count` keys and groups from `first` on, whose paths share their first `prefix` bytes. */
static void append_range(struct text *out, const struct schema *schema, uint32_t first,
                         uint32_t count, size_t prefix, struct margin margin)
{
    bool any = false;
    uint32_t length;
    for (uint32_t i = first; i < first + count; i += length) {
        const char *path = schema->keys[i].path;
        size_t name_len = strcspn(path + prefix, ".");
        bool is_group = path[prefix + name_len] == '.';
        size_t stem = prefix + name_len + is_group;
        bool sample = true;
        length = is_group ? group_length(schema, i, stem, &sample) : 1;
        if (group_is_later(schema, i, length))
            continue;
        text_append_text(out, any && margin.depth == 0 ? "\n" : "");
        any = true;
        if (!is_group) {
            append_key(out, schema, &schema->keys[i], margin);
            continue;
        }
        struct margin inner = {margin.depth + 1, margin.comment || !sample};
        struct margin outer = {margin.depth, inner.comment};
        begin_line(out, outer);
        text_printf(out, "%.*s = {\n", (int)name_len, path + prefix);
        append_range(out, schema, i, length, stem, inner);
        begin_line(out, outer);
        text_append_text(out, "};\n");
    }
}

static void append_schema(struct text *out, const struct schema *schema, struct margin margin)
{
    append_range(out, schema, 0, schema->count, 0, margin);
}

void config_init_worker(struct text *out)
{
    text_append_text(out,
                     "# Worker file of spanbridge; what is commented out is the default or "
                     "an example.\n# The reference is `spanbridge config docs`.\n\n");
    append_schema(out, &schema_worker, (struct margin){0, false});
}

void config_init_topic(struct text *out)
{
    text_append_text(
        out,
        "# Topic file of spanbridge: one for each Kafka topic or RabbitMQ queue. This is\n"
        "# one of a Kafka topic; for RabbitMQ, source and queue take the place of topic.\n\n");
    append_schema(out, &schema_topic, (struct margin){0, false});
}
