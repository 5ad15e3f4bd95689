#include <string.h>

#include "config/settings.h"
#include "schema.h"
#include "support/test.h"

/* Each word of this version has a value of its own, counted from `first` as the enum does. */
static void expect_words(const char *path, int first, const char *expected)
{
    const struct schema_key *key = schema_find(&schema_topic, path);
    char words[256] = "";
    int next = first;
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
    expect_words("source", 0, "kafka rabbitmq ");
    expect_words("role", 0, "spans messages ");
    expect_words("encoding", 0, "otlp_proto otlp_json ");
    expect_words("start", 0, "committed earliest latest ");
    expect_words("tap", 0, "index ");
    expect_words("isolation", 0, "read_committed read_uncommitted ");
    expect_words("errors.tolerance", 0, "none all ");
    expect_words("repair.mode", 0, "off report link parent auto ");
    expect_words("repair.adopt", 0, "none root ");
    expect_words("repair.unseen", 0, "auto merge link ");
    expect_words("format", 0, "plain firehose ");
    /* 0 is what no word says: it is used as it is. */
    expect_words("queue_type", 1, "classic quorum stream ");
    expect_words("exchange_type", 1, "direct fanout topic headers x-consistent-hash ");
    assert_int_equal(SETTINGS_REPAIR_AUTO, 4);
    assert_int_equal(SETTINGS_START_LATEST, 2);
    assert_int_equal(SETTINGS_QUEUE_STREAM, 3);
    assert_int_equal(SETTINGS_EXCHANGE_CONSISTENT_HASH, 5);
}

static unsigned kinds_of(const char *path)
{
    const struct schema_key *key = schema_find(&schema_topic, path);
    assert_non_null(key);
    return key->kinds;
}

static void test_roles(void **state)
{
    (void)state;
    unsigned spans = SCHEMA_KIND(0, SETTINGS_ROLE_SPANS);
    unsigned messages = SCHEMA_KIND(0, SETTINGS_ROLE_MESSAGES);
    assert_int_equal(kinds_of("encoding"), spans);
    assert_int_equal(kinds_of("errors.deadletterqueue"), spans);
    assert_int_equal(kinds_of("errors.deadletterexchange"), spans);
    assert_int_equal(kinds_of("tap"), messages);
    assert_int_equal(kinds_of("repair.mode"), 0);
    assert_true(schema_topic.kind_mismatch_goes);
}

static void test_sources(void **state)
{
    (void)state;
    static const char *const kafka[] = {"topic", "exclude", "isolation", "kafka.properties"};
    static const char *const rabbitmq[] = {
        "queue",     "exchange", "binding", "declare",   "exchange_type", "queue_type",
        "consumers", "prefetch", "url",     "heartbeat", "tls.ca",        "tls.certificate",
        "tls.key",   "offsets",  "format",  "dedicated", "tls.insecure"};
    for (size_t i = 0; i < sizeof(kafka) / sizeof(*kafka); i++)
        assert_int_equal(kinds_of(kafka[i]), SCHEMA_KIND(1, SETTINGS_SOURCE_KAFKA));
    for (size_t i = 0; i < sizeof(rabbitmq) / sizeof(*rabbitmq); i++)
        assert_int_equal(kinds_of(rabbitmq[i]), SCHEMA_KIND(1, SETTINGS_SOURCE_RABBITMQ));
}

/* Of the design, but not of this version. */
static void test_later(void **state)
{
    (void)state;
    static const char *const later[] = {"timestamps", "relay", "head", "filter"};
    for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++)
        assert_int_equal(schema_find(&schema_topic, later[i])->type, SCHEMA_LATER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
