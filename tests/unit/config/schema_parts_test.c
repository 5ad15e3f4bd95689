#include <string.h>

#include "config/settings.h"
#include "schema.h"
#include "support/test.h"

/* Each word of this version has a value of its own, 0, 1, 2, ... as the enum counts. */
static void expect_words(const struct schema *schema, const char *path, const char *expected)
{
    const struct schema_key *key = schema_find(schema, path);
    char words[256] = "";
    int next = 0;
    assert_non_null(key);
    for (const struct schema_word *word = key->words; word->word != NULL; word++) {
        if (word->later)
            continue;
        assert_int_equal(word->value, next);
        next++;
        strncat(words, word->word, 32);
        strncat(words, " ", 2);
    }
    assert_string_equal(words, expected);
}

static void test_words(void **state)
{
    (void)state;
    expect_words(&schema_sink, "type", "otlp_http otlp_grpc kafka rabbitmq ");
    expect_words(&schema_sink, "key", "hex bytes ");
    expect_words(&schema_sink, "partitioner", "murmur2 crc32 fnv1a ");
    expect_words(&schema_sink, "compression", "none gzip zstd ");
    expect_words(&schema_sink, "on_full", "block ");
    expect_words(&schema_worker, "log.level", "debug info warn error off ");
    expect_words(&schema_worker, "shutdown.drain", "leave decide ");
    assert_int_equal(SETTINGS_LOG_OFF, 4);
}

static void test_secrets(void **state)
{
    (void)state;
    assert_true((schema_find(&schema_header, "value")->flags & SCHEMA_SECRET) != 0);
    assert_false((schema_find(&schema_header, "file")->flags & SCHEMA_SECRET) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
