#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "topics.h"

static struct source_kafka_options options_of(const struct source_topic *topics, uint32_t count)
{
    return (struct source_kafka_options){.topics = topics, .topic_count = count};
}

static int64_t find(const struct matchers *matchers, enum source_role role, const char *name)
{
    uint32_t index = 0;
    return matchers_find(matchers, role, name, &index) ? (int64_t)index : -1;
}

static void names_win_and_patterns_follow_in_order(void **state)
{
    (void)state;
    const char *const exclude[] = {"orders.private", "^orders\\.test\\..*"};
    const struct source_topic topics[] = {
        {.pattern = "^orders\\..*",
         .exclude = exclude,
         .exclude_count = 2,
         .role = SOURCE_MESSAGES},
        {.pattern = "^.*", .role = SOURCE_MESSAGES},
        {.pattern = "otlp_spans", .role = SOURCE_SPANS},
        {.pattern = "orders.vip", .role = SOURCE_MESSAGES},
        {.pattern = "^otlp_.*", .role = SOURCE_SPANS},
    };
    struct source_kafka_options options = options_of(topics, 5);
    struct matchers *matchers = NULL;
    assert_int_equal(matchers_new(&options, &matchers), SB_OK);
    assert_int_equal(find(matchers, SOURCE_MESSAGES, "orders.new"), 0);
    assert_int_equal(find(matchers, SOURCE_MESSAGES, "orders.private"), 1);
    assert_int_equal(find(matchers, SOURCE_MESSAGES, "orders.test.x"), 1);
    assert_int_equal(find(matchers, SOURCE_MESSAGES, "orders.vip"), 3);
    assert_int_equal(find(matchers, SOURCE_MESSAGES, "anything"), 1);
    assert_int_equal(find(matchers, SOURCE_MESSAGES, "__consumer_offsets"), -1);
    /* A name that spans are read from is not tapped because a pattern fits. */
    assert_int_equal(find(matchers, SOURCE_MESSAGES, "otlp_spans"), -1);
    assert_int_equal(find(matchers, SOURCE_SPANS, "otlp_spans"), 2);
    assert_int_equal(find(matchers, SOURCE_SPANS, "otlp_more"), 4);
    assert_int_equal(find(matchers, SOURCE_SPANS, "my_otlp_more"), -1);
    assert_int_equal(find(matchers, SOURCE_SPANS, "otlp_span"), 4);
    matchers_free(matchers);
}

static void malformed_patterns_are_refused(void **state)
{
    (void)state;
    const char *const exclude[] = {"^b[roken"};
    const struct source_topic broken[] = {{.pattern = "^a(b", .role = SOURCE_SPANS}};
    const struct source_topic broken_exclude[] = {
        {.pattern = "^a", .exclude = exclude, .exclude_count = 1, .role = SOURCE_SPANS}};
    struct matchers *matchers = NULL;
    struct source_kafka_options options = options_of(broken, 1);
    assert_int_equal(matchers_new(&options, &matchers), SB_ERR_CONFIG);
    options = options_of(broken_exclude, 1);
    assert_int_equal(matchers_new(&options, &matchers), SB_ERR_CONFIG);
    assert_null(matchers);
}

/* A pattern that explodes does not match, and does not hang. */
static void the_work_of_a_pattern_is_bounded(void **state)
{
    (void)state;
    const struct source_topic topics[] = {{.pattern = "^(a+)+$", .role = SOURCE_SPANS}};
    struct source_kafka_options options = options_of(topics, 1);
    struct matchers *matchers = NULL;
    assert_int_equal(matchers_new(&options, &matchers), SB_OK);
    assert_int_equal(find(matchers, SOURCE_SPANS,
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
                     -1);
    matchers_free(matchers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_win_and_patterns_follow_in_order),
        cmocka_unit_test(malformed_patterns_are_refused),
        cmocka_unit_test(the_work_of_a_pattern_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
