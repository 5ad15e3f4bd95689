#include "quirks.h"

#include <string.h>

#include "support/test.h"

static const struct {
    const char *scope;
    const char *pattern; /* of the row that must fit; NULL: none does */
    enum quirk_offset offset;
    enum quirk_header header;
    enum quirk_relation relation;
    bool zero_offset_is_unknown;
    bool comma_destination;
} rows[] = {
    {"opentelemetry.instrumentation.confluent_kafka",
     "opentelemetry.instrumentation.confluent_kafka", QUIRK_OFFSET_DOTTED, QUIRK_HEADER_FIRST,
     QUIRK_RELATION_LINK, false, false},
    {"opentelemetry.instrumentation.aiokafka", "opentelemetry.instrumentation.aiokafka",
     QUIRK_OFFSET_DOTTED, QUIRK_HEADER_FIRST, QUIRK_RELATION_PARENT, false, false},
    {"opentelemetry.instrumentation.kafka", "opentelemetry.instrumentation.kafka",
     QUIRK_OFFSET_PLAIN, QUIRK_HEADER_FIRST, QUIRK_RELATION_PARENT, false, false},
    {"opentelemetry.instrumentation.aio_pika", "opentelemetry.instrumentation.aio_pika",
     QUIRK_OFFSET_PLAIN, QUIRK_HEADER_FIRST, QUIRK_RELATION_PARENT, false, true},
    {"opentelemetry.instrumentation.pika", "opentelemetry.instrumentation.pika",
     QUIRK_OFFSET_PLAIN, QUIRK_HEADER_FIRST, QUIRK_RELATION_PARENT, false, false},
    {"github.com/dnwe/otelsarama", "*/otelsarama", QUIRK_OFFSET_BARE, QUIRK_HEADER_FIRST,
     QUIRK_RELATION_PARENT, true, false},
    {"go.opentelemetry.io/contrib/instrumentation/github.com/Shopify/sarama/otelsarama",
     "*/otelsarama", QUIRK_OFFSET_BARE, QUIRK_HEADER_FIRST, QUIRK_RELATION_PARENT, true, false},
    {"github.com/twmb/franz-go/plugin/kotel", "github.com/twmb/franz-go/plugin/kotel",
     QUIRK_OFFSET_PLAIN, QUIRK_HEADER_FIRST, QUIRK_RELATION_PARENT, false, false},
    {"OpenTelemetry.AutoInstrumentation.Kafka", "OpenTelemetry.AutoInstrumentation.Kafka",
     QUIRK_OFFSET_PLAIN, QUIRK_HEADER_LAST, QUIRK_RELATION_LINK, false, false},
    {"OpenTelemetry.Instrumentation.ConfluentKafka",
     "OpenTelemetry.Instrumentation.ConfluentKafka", QUIRK_OFFSET_PLAIN, QUIRK_HEADER_LAST,
     QUIRK_RELATION_LINK, false, false},
    {"io.opentelemetry.kafka-clients-0.11", "io.opentelemetry.kafka-clients-*",
     QUIRK_OFFSET_PLAIN, QUIRK_HEADER_LAST, QUIRK_RELATION_PARENT, false, false},
    {"io.opentelemetry.spring-kafka-2.7", "io.opentelemetry.spring-kafka-*", QUIRK_OFFSET_PLAIN,
     QUIRK_HEADER_LAST, QUIRK_RELATION_PARENT, false, false},
    {"checkout", "checkout", QUIRK_OFFSET_PLAIN, QUIRK_HEADER_LAST, QUIRK_RELATION_PARENT, true,
     false},
    /* What fits no row. */
    {"", NULL, QUIRK_OFFSET_PLAIN, QUIRK_HEADER_LAST, QUIRK_RELATION_PARENT, false, false},
    {"checkout2", NULL, QUIRK_OFFSET_PLAIN, QUIRK_HEADER_LAST, QUIRK_RELATION_PARENT, false,
     false},
    {"otelsarama", NULL, QUIRK_OFFSET_PLAIN, QUIRK_HEADER_LAST, QUIRK_RELATION_PARENT, false,
     false},
    {"io.opentelemetry.kafka", NULL, QUIRK_OFFSET_PLAIN, QUIRK_HEADER_LAST,
     QUIRK_RELATION_PARENT, false, false},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static void test_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct quirk *quirk = quirk_find(bytes_text(rows[i].scope));
        if (rows[i].pattern == NULL)
            assert_null(quirk->scope);
        else
            assert_string_equal(quirk->scope, rows[i].pattern);
        assert_int_equal(quirk->offset, rows[i].offset);
        assert_int_equal(quirk->header, rows[i].header);
        assert_int_equal(quirk->relation, rows[i].relation);
        assert_int_equal(quirk->zero_offset_is_unknown, rows[i].zero_offset_is_unknown);
        assert_int_equal(quirk->comma_destination, rows[i].comma_destination);
    }
}

/* What stands before or behind a name in memory is not part of it. */
static void test_names_end_where_they_end(void **state)
{
    (void)state;
    struct bytes name = BYTES_LITERAL("x/otelsarama");
    assert_non_null(quirk_find(name)->scope);
    assert_null(quirk_find(bytes_of(name.at + 2, name.len - 2))->scope);
    name = BYTES_LITERAL("checkout");
    assert_null(quirk_find(bytes_of(name.at, name.len - 1))->scope);
    name = BYTES_LITERAL("io.opentelemetry.kafka-clients-0.11");
    assert_null(quirk_find(bytes_of(name.at, strlen("io.opentelemetry.kafka-clients")))->scope);
}

static void test_every_row_is_tested(void **state)
{
    (void)state;
    for (size_t i = 0; i < quirk_count(); i++) {
        bool tested = false;
        for (size_t n = 0; n < ROW_COUNT; n++)
            tested = tested || (rows[n].pattern != NULL &&
                                strcmp(rows[n].pattern, quirk_at(i)->scope) == 0);
        if (!tested)
            fail_msg("%s", quirk_at(i)->scope);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_names_end_where_they_end),
        cmocka_unit_test(test_every_row_is_tested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
