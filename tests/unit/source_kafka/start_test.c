#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench.h"

static struct mock_kafka kafka;
static struct driver driver;

static void start_latest_reads_what_comes(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_topic(&kafka, "others", 1);
    mock_kafka_fill(&kafka, "spans", 0, 50);
    mock_kafka_fill(&kafka, "others", 0, 50);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS)->start = SOURCE_START_LATEST;
    driver_topic(&driver, "others", SOURCE_SPANS);
    driver_start(&driver);
    /* The other topic, with the default, is read from its beginning all the same. */
    DRIVER_UNTIL(&driver, driver_count(&driver, "others") == 50 &&
                              source_kafka_spans_drained(driver.source));
    assert_int_equal(driver_count(&driver, "spans"), 0);
    mock_kafka_fill(&kafka, "spans", 0, 5);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 5);
    driver_stop(&driver, true);
    driver_clear(&driver);

    /* Once something is committed, that is where it goes on. */
    mock_kafka_fill(&kafka, "spans", 0, 5);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS)->start = SOURCE_START_LATEST;
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 5);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void start_at_the_end(void)
{
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS)->start = SOURCE_START_LATEST;
    driver.options.commit_interval_ns = 3600 * NS_PER_S; /* at once, or too late for a kill */
    driver_start(&driver);
}

/* Nothing has come, or nothing of it is finished: the next owner starts there all the same. */
static void the_end_is_where_it_was_first_seen(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 2);
    mock_kafka_fill(&kafka, "spans", 0, 50);
    start_at_the_end();
    DRIVER_UNTIL(&driver, mock_kafka_committed(&kafka, "g", "spans", 0) == 50 &&
                              mock_kafka_committed(&kafka, "g", "spans", 1) == 0);
    driver_stop(&driver, true);
    driver_clear(&driver);
    mock_kafka_fill(&kafka, "spans", 0, 5);
    mock_kafka_fill(&kafka, "spans", 1, 3);
    start_at_the_end();
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 8);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_latest_reads_what_comes),
        cmocka_unit_test(the_end_is_where_it_was_first_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
