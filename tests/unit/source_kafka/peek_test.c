#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

enum { PARTITIONS = 3, EACH = 40 };

static struct mock_kafka kafka;
static struct driver driver;

/*
 * The taps start although nobody polls spans, and no span record is lost or doubled by having
 * been looked at.
 */
static void looking_ahead_loses_nothing(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", PARTITIONS);
    mock_kafka_topic(&kafka, "orders", 1);
    mock_kafka_fill(&kafka, "spans", 0, EACH);
    mock_kafka_fill(&kafka, "spans", 1, 1);
    mock_kafka_fill(&kafka, "orders", 0, 7);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_topic(&driver, "orders", SOURCE_MESSAGES);
    atomic_store(&driver.paused, true);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, source_kafka_taps_drained(driver.source));
    assert_int_equal(driver_number(&driver, &driver.opened), PARTITIONS);
    atomic_store(&driver.paused, false);
    DRIVER_UNTIL(&driver, source_kafka_spans_drained(driver.source));
    assert_int_equal(driver_count(&driver, "spans"), EACH + 1);
    assert_int_equal(driver_count_different(&driver, "spans"), EACH + 1);
    driver_check_order(&driver);
    /* An end that only the look saw still counts; records that follow come as always. */
    mock_kafka_fill(&kafka, "spans", 2, 5);
    mock_kafka_fill(&kafka, "spans", 1, 5);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == EACH + 11);
    driver_check_order(&driver);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking_ahead_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
