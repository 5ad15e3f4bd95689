#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench.h"

enum { PARTITIONS = 3 };

static struct mock_kafka kafka;
static struct driver first;
static struct driver second;

static void init_member(struct driver *driver, const char *pattern)
{
    driver_init(driver, kafka.bootstrap);
    driver_topic(driver, pattern, SOURCE_SPANS);
    driver_property(driver, "partition.assignment.strategy", "cooperative-sticky");
}

static enum source_share share_of(struct driver *driver)
{
    return source_kafka_share(driver->source);
}

#define BOTH_UNTIL(condition)                                                                  \
    for (uint64_t until_ms_ = bench_deadline_ms(); !(condition);                               \
         driver_turn(&second), bench_check_deadline(until_ms_, #condition))                    \
    driver_turn(&first)

/* By names and by patterns: all, then a part for each, then all again. */
static void a_member_knows_whether_it_has_all(void **state)
{
    (void)state;
    const char *const patterns[] = {"spans", "^spa.s$"};
    for (int i = 0; i < 2; i++) {
        mock_kafka_start(&kafka, 1);
        mock_kafka_topic(&kafka, "spans", PARTITIONS);
        init_member(&first, patterns[i]);
        driver_start(&first);
        assert_int_equal(share_of(&first), SOURCE_SHARE_UNKNOWN);
        DRIVER_UNTIL(&first, share_of(&first) == SOURCE_SHARE_ALL);
        init_member(&second, patterns[i]);
        driver_start(&second);
        BOTH_UNTIL(share_of(&first) == SOURCE_SHARE_PART &&
                   share_of(&second) == SOURCE_SHARE_PART &&
                   driver_number(&second, &second.opened) > 0);
        driver_stop(&first, true);
        DRIVER_UNTIL(&second, share_of(&second) == SOURCE_SHARE_ALL);
        driver_clear(&second);
        driver_clear(&first);
        mock_kafka_stop(&kafka);
    }
}

/* A topic that is not there has nothing that others could read. */
static void a_missing_topic_is_nobodys(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", PARTITIONS);
    init_member(&first, "spans");
    driver_topic(&first, "missing", SOURCE_SPANS);
    driver_start(&first);
    DRIVER_UNTIL(&first, driver_troubled(&first, "topic missing does not exist") &&
                             share_of(&first) == SOURCE_SHARE_ALL);
    driver_clear(&first);
    mock_kafka_stop(&kafka);
}

static void without_span_topics_there_is_nothing_to_share(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "orders", 1);
    driver_init(&first, kafka.bootstrap);
    driver_topic(&first, "orders", SOURCE_MESSAGES);
    driver_start(&first);
    assert_int_equal(share_of(&first), SOURCE_SHARE_ALL);
    driver_clear(&first);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_knows_whether_it_has_all),
        cmocka_unit_test(a_missing_topic_is_nobodys),
        cmocka_unit_test(without_span_topics_there_is_nothing_to_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
