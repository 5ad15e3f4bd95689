#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "topics.h"

static struct mock_kafka kafka;
static struct driver driver;

static void patterns_follow_what_is_there(void **state)
{
    (void)state;
    const char *const exclude[] = {"^spans\\.test"};
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans.a", 2);
    mock_kafka_topic(&kafka, "spans.test.x", 1);
    mock_kafka_topic(&kafka, "named", 1);
    mock_kafka_fill(&kafka, "spans.a", 1, 5);
    mock_kafka_fill(&kafka, "spans.test.x", 0, 5);
    mock_kafka_fill(&kafka, "named", 0, 5);
    driver_init(&driver, kafka.bootstrap);
    struct source_topic *topic = driver_topic(&driver, "^spans\\..*", SOURCE_SPANS);
    topic->exclude = exclude;
    topic->exclude_count = 1;
    driver_topic(&driver, "named", SOURCE_SPANS);
    driver_start(&driver);
    DRIVER_UNTIL(&driver,
                 driver_count(&driver, "spans.a") == 5 && driver_count(&driver, "named") == 5);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(driver.seen[i].topic,
                         strcmp(driver.seen[i].topic_name, "named") == 0 ? 1 : 0);

    /* One that comes later is read from its beginning, beside what is read already. */
    mock_kafka_topic(&kafka, "spans.b", 1);
    mock_kafka_fill(&kafka, "spans.b", 0, 5);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans.b") == 5);
    mock_kafka_fill(&kafka, "spans.a", 0, 5);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans.a") == 10);
    assert_int_equal(driver_count(&driver, "spans.test.x"), 0);

    /* One that goes away is dropped from the subscription, and what is left is read on. */
    uint32_t opened = driver_number(&driver, &driver.opened);
    const struct topic *gone =
        topics_find(source_reader(driver.source, SOURCE_SPANS), "spans.b");
    assert_true(gone->subscribed);
    rd_kafka_mock_topic_delete(kafka.cluster, "spans.b");
    DRIVER_UNTIL(&driver, !gone->subscribed);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.opened) == opened + 3);
    mock_kafka_fill(&kafka, "spans.a", 0, 5);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans.a") == 15);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_follow_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
