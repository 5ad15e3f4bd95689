#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

enum { PARTITIONS = 3, EACH = 100 };

static struct mock_kafka kafka;
static struct driver driver;

static void drain_ends_when_all_was_polled(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", PARTITIONS);
    mock_kafka_topic(&kafka, "empty", 1);
    for (int32_t i = 0; i < PARTITIONS - 1; i++)
        mock_kafka_fill(&kafka, "spans", i, EACH);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_topic(&driver, "empty", SOURCE_SPANS);
    driver_topic(&driver, "empty", SOURCE_MESSAGES)->start = SOURCE_START_EARLIEST;
    atomic_store(&driver.paused, true);
    driver_start(&driver);
    assert_false(source_kafka_spans_drained(driver.source));
    DRIVER_UNTIL(&driver, source_kafka_taps_drained(driver.source) &&
                              driver_number(&driver, &driver.opened) == PARTITIONS + 1);
    assert_false(source_kafka_spans_drained(driver.source));
    atomic_store(&driver.paused, false);
    DRIVER_UNTIL(&driver, source_kafka_spans_drained(driver.source));
    assert_int_equal(driver_count(&driver, "spans"), (PARTITIONS - 1) * EACH);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

/* What comes while it runs does not keep it from ending. */
static void drain_ends_where_it_was_at_start(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "spans", 0, EACH);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver.options.workers = 1;
    atomic_store(&driver.paused, true);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.opened) == 1);
    for (int i = 0; i < 20; i++) /* time for the answer where it ends */
        driver_turn(&driver);
    mock_kafka_fill(&kafka, "spans", 0, EACH);

    struct record record;
    for (int i = 0; i < EACH; i++) {
        assert_false(source_kafka_spans_drained(driver.source));
        DRIVER_UNTIL(&driver, source_kafka_poll(driver.source, 0, 0, &record, 1) == 1);
        assert_int_equal(record.offset, i);
        source_record_release(&record);
    }
    source_kafka_service(driver.source);
    assert_true(source_kafka_spans_drained(driver.source));
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drain_ends_when_all_was_polled),
        cmocka_unit_test(drain_ends_where_it_was_at_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
