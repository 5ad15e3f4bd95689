#include "aliases.h"

#include <stdbool.h>
#include <string.h>

#include "support/test.h"

/* Every key of every generation, and where its value is to be found. */
static const struct {
    const char *key;
    enum concept concept;
} rows[] = {
    {"messaging.system", CONCEPT_SYSTEM},
    {"messaging.destination", CONCEPT_DESTINATION},
    {"messaging.destination.name", CONCEPT_DESTINATION},
    {"messaging.source.name", CONCEPT_DESTINATION},
    {"kafka.topic", CONCEPT_DESTINATION},
    {"messaging.kafka.partition", CONCEPT_PARTITION},
    {"messaging.kafka.destination.partition", CONCEPT_PARTITION},
    {"messaging.kafka.source.partition", CONCEPT_PARTITION},
    {"messaging.destination.partition.id", CONCEPT_PARTITION},
    {"messaging.kafka.message.offset", CONCEPT_OFFSET},
    {"messaging.kafka.offset", CONCEPT_OFFSET},
    {"messaging.kafka.message_key", CONCEPT_KEY},
    {"messaging.kafka.message.key", CONCEPT_KEY},
    {"kafka.key", CONCEPT_KEY},
    {"messaging.message_id", CONCEPT_MESSAGE_ID},
    {"messaging.message.id", CONCEPT_MESSAGE_ID},
    {"messaging.masstransit.message_id", CONCEPT_MESSAGE_ID},
    {"messaging.conversation_id", CONCEPT_CONVERSATION_ID},
    {"messaging.message.conversation_id", CONCEPT_CONVERSATION_ID},
    {"messaging.kafka.consumer_group", CONCEPT_GROUP},
    {"messaging.kafka.consumer.group", CONCEPT_GROUP},
    {"messaging.consumer.group.name", CONCEPT_GROUP},
    {"messaging.kafka.cluster.id", CONCEPT_CLUSTER_ID},
    {"messaging.operation", CONCEPT_OPERATION},
    {"messaging.operation.type", CONCEPT_OPERATION},
    {"messaging.operation.name", CONCEPT_OPERATION},
    {"messaging.batch.message_count", CONCEPT_BATCH_COUNT},
    {"messaging.rabbitmq.routing_key", CONCEPT_OTHER},
    {"messaging.rabbitmq.destination.routing_key", CONCEPT_OTHER},
    {"messaging.rabbitmq.delivery_tag", CONCEPT_OTHER},
    {"messaging.rabbitmq.message.delivery_tag", CONCEPT_OTHER},
    {"messaging.destination_kind", CONCEPT_OTHER},
    {"messaging.destination.kind", CONCEPT_OTHER},
    {"messaging.source.kind", CONCEPT_OTHER},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static size_t find_alias(const char *key)
{
    for (size_t i = 0; i < repair_alias_count(); i++)
        if (strcmp(repair_alias_key(i), key) == 0)
            return i;
    fail_msg("no alias %s", key);
    return 0;
}

/* The field of the concept, as text or number. */
static void check_field(const struct repair_fact *fact, enum concept concept)
{
    static const struct repair_fact none = {.partition = -1, .offset = -1};
    assert_true(bytes_equal(fact->destination, concept == CONCEPT_DESTINATION
                                                   ? BYTES_LITERAL("7")
                                                   : none.destination));
    assert_true(bytes_equal(fact->key, concept == CONCEPT_KEY ? BYTES_LITERAL("7") : none.key));
    assert_true(bytes_equal(fact->message_id, concept == CONCEPT_MESSAGE_ID ? BYTES_LITERAL("7")
                                                                            : none.message_id));
    assert_true(bytes_equal(fact->conversation_id, concept == CONCEPT_CONVERSATION_ID
                                                       ? BYTES_LITERAL("7")
                                                       : none.conversation_id));
    assert_true(
        bytes_equal(fact->group, concept == CONCEPT_GROUP ? BYTES_LITERAL("7") : none.group));
    assert_true(bytes_equal(fact->cluster_id, concept == CONCEPT_CLUSTER_ID ? BYTES_LITERAL("7")
                                                                            : none.cluster_id));
    assert_true(bytes_equal(fact->operation, concept == CONCEPT_OPERATION ? BYTES_LITERAL("7")
                                                                          : none.operation));
    assert_int_equal(fact->partition, concept == CONCEPT_PARTITION ? 7 : -1);
    assert_int_equal(fact->offset, concept == CONCEPT_OFFSET ? 7 : -1);
    assert_int_equal(fact->batch_count, concept == CONCEPT_BATCH_COUNT ? 7 : 0);
}

static void test_every_row(void **state)
{
    (void)state;
    assert_int_equal(repair_alias_count(), ROW_COUNT);
    const struct repair_value seven = {.type = REPAIR_VALUE_TEXT, .text = BYTES_LITERAL("7")};
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct repair_fact fact;
        repair_fact_init(&fact);
        assert_false(fact.any);
        repair_fact_add(&fact, find_alias(rows[i].key), &seven);
        assert_true(fact.any);
        check_field(&fact, rows[i].concept);
    }
}

/* A key that only one broker's conventions have tells the system, where nothing else does. */
static void test_keys_that_name_their_system(void **state)
{
    (void)state;
    const struct repair_value seven = {.type = REPAIR_VALUE_TEXT, .text = BYTES_LITERAL("7")};
    const struct repair_value pulsar = {.type = REPAIR_VALUE_TEXT,
                                        .text = BYTES_LITERAL("pulsar")};
    size_t system = find_alias("messaging.system");
    for (size_t i = 0; i < ROW_COUNT; i++) {
        enum repair_system expected = REPAIR_SYSTEM_UNKNOWN;
        if (strstr(rows[i].key, "kafka") != NULL)
            expected = REPAIR_SYSTEM_KAFKA;
        if (strstr(rows[i].key, "rabbitmq") != NULL)
            expected = REPAIR_SYSTEM_RABBITMQ;
        struct repair_fact fact;
        repair_fact_init(&fact);
        repair_fact_add(&fact, find_alias(rows[i].key), &seven);
        assert_int_equal(fact.system, expected);
        repair_fact_add(&fact, system, &pulsar);
        assert_int_equal(fact.system, REPAIR_SYSTEM_UNKNOWN);
        repair_fact_add(&fact, find_alias(rows[i].key), &seven);
        assert_int_equal(fact.system, REPAIR_SYSTEM_UNKNOWN);
    }
}

/* Two keys of one concept never tie, so their order on the span does not matter. */
static void test_ranks_are_distinct(void **state)
{
    (void)state;
    for (size_t i = 0; i < repair_alias_count(); i++) {
        assert_true(alias_at(i)->rank > 0);
        for (size_t n = 0; n < i; n++) {
            bool same = alias_at(i)->concept == alias_at(n)->concept &&
                        alias_at(i)->rank == alias_at(n)->rank;
            if (same && alias_at(i)->concept != CONCEPT_OTHER)
                fail_msg("%s and %s", alias_at(i)->key, alias_at(n)->key);
            assert_string_not_equal(alias_at(i)->key, alias_at(n)->key);
        }
    }
}

/* Of two generations on one span the newer one counts, whichever comes first. */
static void test_newer_generations_win(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"messaging.destination", "messaging.destination.name"},
        {"messaging.destination.name", "messaging.source.name"},
        {"messaging.kafka.partition", "messaging.kafka.destination.partition"},
        {"messaging.kafka.destination.partition", "messaging.destination.partition.id"},
        {"messaging.destination.partition.id", "messaging.kafka.source.partition"},
        {"messaging.kafka.message.offset", "messaging.kafka.offset"},
        {"messaging.kafka.message_key", "messaging.kafka.message.key"},
        {"messaging.message_id", "messaging.message.id"},
        {"messaging.conversation_id", "messaging.message.conversation_id"},
        {"messaging.kafka.consumer_group", "messaging.kafka.consumer.group"},
        {"messaging.kafka.consumer.group", "messaging.consumer.group.name"},
    };
    const struct repair_value older = {.type = REPAIR_VALUE_TEXT, .text = BYTES_LITERAL("6")};
    const struct repair_value newer = {.type = REPAIR_VALUE_TEXT, .text = BYTES_LITERAL("7")};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        for (int turned = 0; turned < 2; turned++) {
            struct repair_fact fact;
            repair_fact_init(&fact);
            if (turned == 0)
                repair_fact_add(&fact, find_alias(pairs[i][0]), &older);
            repair_fact_add(&fact, find_alias(pairs[i][1]), &newer);
            if (turned == 1)
                repair_fact_add(&fact, find_alias(pairs[i][0]), &older);
            check_field(&fact, alias_at(find_alias(pairs[i][0]))->concept);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_keys_that_name_their_system),
        cmocka_unit_test(test_ranks_are_distinct),
        cmocka_unit_test(test_newer_generations_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
