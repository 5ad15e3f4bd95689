#include <string.h>

#include "config/settings.h"
#include "schema.h"
#include "support/test.h"

/* Every type of sampling.md is known, if not yet there. */
static void test_types(void **state)
{
    (void)state;
    static const char *const here[] = {"always_sample", "status_code", "latency",
                                       "string_attribute", "probabilistic"};
    static const char *const later[] = {"numeric_attribute",
                                        "boolean_attribute",
                                        "span_count",
                                        "trace_state",
                                        "trace_flags",
                                        "rate_limiting",
                                        "bytes_limiting",
                                        "condition",
                                        "ottl_condition",
                                        "and",
                                        "or",
                                        "not",
                                        "drop",
                                        "composite",
                                        "ema_throughput",
                                        "ema_rate",
                                        "deterministic",
                                        "messaging"};
    const struct schema_word *word = schema_find(&schema_policy, "type")->words;
    for (int i = 0; i < 5; i++, word++) {
        assert_string_equal(word->word, here[i]);
        assert_int_equal(word->value, i);
        assert_false(word->later);
    }
    for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++, word++) {
        assert_string_equal(word->word, later[i]);
        assert_true(word->later);
    }
    assert_null(word->word);
    assert_int_equal(SETTINGS_POLICY_PROBABILISTIC, 4);
}

/* A field of the union belongs to one type only, so that defaults do not overwrite others. */
static void test_union(void **state)
{
    (void)state;
    size_t begin = offsetof(struct settings_policy, status_code);
    size_t end = offsetof(struct settings_policy, policies);
    unsigned found = 0;
    for (uint32_t i = 0; i < schema_policy.count; i++) {
        const struct schema_key *key = &schema_policy.keys[i];
        if (key->offset < begin || key->offset >= end)
            continue;
        assert_true(key->kinds != 0);
        assert_int_equal(key->kinds & (key->kinds - 1), 0);
        found++;
    }
    assert_int_equal(found, 11);
}

/* OTLP numbers them so. */
static void test_statuses(void **state)
{
    (void)state;
    const struct schema_word *words = schema_find(&schema_policy, "status_codes")->words;
    assert_string_equal(schema_word_of(words, 0), "UNSET");
    assert_string_equal(schema_word_of(words, 1), "OK");
    assert_string_equal(schema_word_of(words, 2), "ERROR");
    assert_int_equal(SETTINGS_STATUS_ERROR, 1 << 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_union),
        cmocka_unit_test(test_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
