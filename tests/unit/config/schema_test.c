#include "schema.h"

#include <string.h>

#include "config/settings.h"
#include "support/test.h"

static const struct schema *const schemas[] = {
    &schema_worker,   &schema_topic,  &schema_sink, &schema_policy,
    &schema_property, &schema_header, NULL};

static void check_type(const struct schema *schema, const struct schema_key *key)
{
    switch (key->type) {
    case SCHEMA_WORD:
    case SCHEMA_STATUSES:
        assert_non_null(key->words);
        break;
    case SCHEMA_LIST:
        assert_non_null(key->list);
        assert_true(key->max > 0);
        assert_true(key->count_offset + sizeof(uint32_t) <= schema->size);
        break;
    case SCHEMA_TEXTS:
        assert_true(key->max > 0);
        assert_true(key->count_offset + sizeof(uint32_t) <= schema->size);
        break;
    case SCHEMA_COUNT:
    case SCHEMA_SIZE32:
        assert_true(key->max <= UINT32_MAX);
        assert_true(key->max > key->min);
        break;
    case SCHEMA_DURATION:
    case SCHEMA_SIZE:
    case SCHEMA_PERCENT:
        assert_true(key->max > key->min);
        break;
    default:
        break;
    }
}

static void check_key(const struct schema *schema, const struct schema_key *key)
{
    size_t help = strlen(key->help);
    if (key->type == SCHEMA_LATER) {
        assert_true(help > 0);
        return;
    }
    if (help < 5 || key->help[help - 1] != '.')
        fail_msg("%s: its help is no sentence: %s", key->path, key->help);
    assert_true(key->offset + schema_field_size(key->type) <= schema->size);
    if ((key->flags & SCHEMA_REQUIRED) != 0)
        assert_null(key->preset);
    for (unsigned axis = 0; axis < SCHEMA_AXES; axis++) {
        if (schema_axis(key->kinds, axis) != 0)
            assert_non_null(schema->kind_keys[axis]);
    }
    if (key->inherit != 0)
        assert_true(key->inherit + schema_field_size(key->type) <= sizeof(struct settings));
    check_type(schema, key);
}

static void test_keys(void **state)
{
    (void)state;
    for (const struct schema *const *schema = schemas; *schema != NULL; schema++) {
        assert_true((*schema)->count > 0 && (*schema)->count <= 96); /* KEYS_MAX of group.c */
        for (uint32_t i = 0; i < (*schema)->count; i++)
            check_key(*schema, &(*schema)->keys[i]);
    }
}

static size_t stem_length(const char *path)
{
    return (size_t)(schema_leaf(path) - path);
}

/* Printing needs the keys of a group side by side, those of its inner groups among them. */
static void test_paths(void **state)
{
    (void)state;
    for (const struct schema *const *schema = schemas; *schema != NULL; schema++) {
        for (uint32_t i = 0; i < (*schema)->count; i++) {
            const char *path = (*schema)->keys[i].path;
            size_t stem = stem_length(path);
            assert_ptr_equal(schema_find(*schema, path), &(*schema)->keys[i]); /* unique */
            for (uint32_t j = i + 2; j < (*schema)->count && stem > 0; j++) {
                const char *other = (*schema)->keys[j].path;
                const char *before = (*schema)->keys[j - 1].path;
                if (stem_length(other) == stem && strncmp(other, path, stem) == 0)
                    assert_int_equal(strncmp(before, path, stem), 0);
            }
        }
    }
}

/* A topic inherits what the worker file calls the same. */
static void test_inheritance(void **state)
{
    (void)state;
    unsigned found = 0;
    for (uint32_t i = 0; i < schema_topic.count; i++) {
        const struct schema_key *key = &schema_topic.keys[i];
        if (key->inherit == 0)
            continue;
        const struct schema_key *worker = schema_find(&schema_worker, key->path);
        assert_non_null(worker);
        assert_int_equal(worker->offset, key->inherit);
        assert_int_equal(worker->type, key->type);
        found++;
    }
    assert_int_equal(found, 13); /* repair and errors */
}

static void test_aliases(void **state)
{
    (void)state;
    for (const struct schema_alias *alias = schema_aliases; alias->foreign != NULL; alias++) {
        bool known = false;
        for (const struct schema *const *schema = schemas; *schema != NULL; schema++) {
            const struct schema_key *key = schema_find(*schema, alias->path);
            const struct schema_key *foreign = schema_find(*schema, alias->foreign);
            known = known || schema_is_group(*schema, alias->path) ||
                    (key != NULL && key->type != SCHEMA_LATER);
            /* In the same group the word would be right, and the alias of no use. */
            if (key != NULL && foreign != NULL && foreign->type != SCHEMA_LATER)
                assert_int_equal(foreign->kinds & key->kinds, 0);
        }
        if (!known)
            fail_msg("%s leads nowhere", alias->path);
    }
}

static void test_lookups(void **state)
{
    (void)state;
    assert_null(schema_find(&schema_worker, "windo"));
    assert_null(schema_find(&schema_worker, "window"));
    assert_true(schema_is_group(&schema_worker, "window"));
    assert_false(schema_is_group(&schema_worker, "windo"));
    assert_false(schema_is_group(&schema_worker, "group"));
    assert_string_equal(schema_leaf("a.b"), "b");
    assert_string_equal(schema_leaf("a"), "a");
    const struct schema_key *mode = schema_find(&schema_worker, "repair.mode");
    assert_string_equal(schema_word_of(mode->words, SETTINGS_REPAIR_OFF), "off");
    assert_null(schema_word_of(mode->words, 99));
}

static void test_secret_properties(void **state)
{
    (void)state;
    static const char *const secret[] = {
        "sasl.password",         "ssl.key.password",        "ssl.key.pem",
        "ssl.keystore.password", "sasl.oauthbearer.config", "sasl.oauthbearer.client.secret"};
    static const char *const open[] = {"sasl.username", "ssl.ca.location", "fetch.wait.max.ms",
                                       "ssl.key.location", "ssl.certificate.pem"};
    for (size_t i = 0; i < sizeof(secret) / sizeof(*secret); i++)
        assert_true(schema_property_is_secret(secret[i]));
    for (size_t i = 0; i < sizeof(open) / sizeof(*open); i++)
        assert_false(schema_property_is_secret(open[i]));
}

/* Of another version, or without a bit, they are passed over. */
static void test_words_are_listed(void **state)
{
    (void)state;
    static const struct schema_word words[] = {{.word = "later", .later = true},
                                               {.word = "none", .value = 0},
                                               {.word = "one", .value = 1},
                                               {.word = "two", .value = 2},
                                               {.word = "late", .value = 3, .later = true},
                                               {.word = NULL}};
    char list[32];
    schema_list_words(words, 0, list, sizeof(list));
    assert_string_equal(list, "none, one, two");
    schema_list_words(words, 1U << 0 | 1U << 2 | 1U << 3, list, sizeof(list));
    assert_string_equal(list, "none, two");
    schema_list_words(words, 1U << 3, list, sizeof(list));
    assert_string_equal(list, "");
    schema_list_words(words, 0, list,
                      sizeof("none, on")); /* cut, and no longer than its room */
    assert_string_equal(list, "none, on");
    assert_ptr_equal(schema_next_word(words, 1U << 2), &words[3]);
    assert_null(schema_next_word(&words[4], 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_inheritance),
        cmocka_unit_test(test_lookups),
        cmocka_unit_test(test_secret_properties),
        cmocka_unit_test(test_words_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
