#include <stdio.h>
#include <string.h>

#include "config/print.h"
#include "schema.h"
#include "support/test.h"

static void read_file(const char *path, struct text *out)
{
    char step[4096];
    size_t got;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s is missing: spanbridge config docs > docs/config.md", path);
    while ((got = fread(step, 1, sizeof(step), file)) > 0)
        text_append(out, bytes_of(step, got));
    fclose(file);
}

/* docs/config.md is what the command prints. */
static void test_committed(void **state)
{
    (void)state;
    struct text docs;
    struct text committed;
    text_init(&docs, 1 << 20);
    text_init(&committed, 1 << 20);
    config_docs(&docs);
    read_file(CONFIG_DOCS, &committed);
    if (strcmp(text_string(&docs), text_string(&committed)) != 0)
        fail_msg("stale: spanbridge config docs > docs/config.md");
    text_clear(&docs);
    text_clear(&committed);
}

static void expect_key(const struct text *docs, const struct schema_key *key)
{
    char row[128];
    char later[128];
    snprintf(row, sizeof(row), "| `%s`", key->path);
    snprintf(later, sizeof(later), "`%s`", key->path);
    if (strstr(text_string(docs), key->type == SCHEMA_LATER ? later : row) == NULL)
        fail_msg("%s is not in the reference", key->path);
}

/* Every key is there, and every row has its four cells. */
static void test_complete(void **state)
{
    (void)state;
    struct text docs;
    text_init(&docs, 1 << 20);
    config_docs(&docs);
    for (uint32_t i = 0; i < schema_worker.count; i++)
        expect_key(&docs, &schema_worker.keys[i]);
    for (uint32_t i = 0; i < schema_topic.count; i++)
        expect_key(&docs, &schema_topic.keys[i]);
    for (uint32_t i = 0; i < schema_sink.count; i++)
        expect_key(&docs, &schema_sink.keys[i]);
    for (char *line = docs.at; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (*line != '|')
            continue;
        unsigned bars = 0;
        for (const char *c = line; *c != '\n'; c++)
            bars += *c == '|';
        assert_int_equal(bars, 5);
    }
    text_clear(&docs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_committed),
        cmocka_unit_test(test_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
