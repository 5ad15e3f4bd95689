#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

enum { PARTITIONS = 2, EACH = 40, LAGS_MAX = 8 };

static struct mock_kafka kafka;
static struct driver driver;

static void begin(int partitions)
{
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", partitions);
    driver_init(&driver, kafka.bootstrap);
}

static void end(void)
{
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

/* The lag of that partition, or -1 when none is told. */
static int64_t lag_of(const char *topic, int32_t partition)
{
    struct source_lag lags[LAGS_MAX];
    size_t count = source_kafka_lags(driver.source, lags, LAGS_MAX);
    assert_true(count <= LAGS_MAX);
    int64_t found = -1;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(lags[i].topic, topic) != 0 || lags[i].partition != partition)
            continue;
        assert_int_equal(found, -1); /* each is told once */
        found = (int64_t)lags[i].records;
    }
    return found;
}

/* What was read and is not finished is behind, too. */
static void records_are_behind_until_they_are_finished(void **state)
{
    (void)state;
    begin(PARTITIONS);
    mock_kafka_fill(&kafka, "spans", 0, EACH);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver.options.workers = 1;
    atomic_store(&driver.publishing, false);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == EACH);
    uint32_t lane = 0;
    for (uint32_t i = 0; i < PARTITIONS; i++)
        if (driver.workers[0].next[i] == EACH)
            lane = i;
    DRIVER_UNTIL(&driver, lag_of("spans", 0) == EACH);
    source_kafka_publish(driver.source, 0, lane, 15);
    assert_int_equal(lag_of("spans", 0), EACH - 15);
    source_kafka_publish(driver.source, 0, lane, EACH);
    assert_int_equal(lag_of("spans", 0), 0);
    mock_kafka_fill(&kafka, "spans", 0, 7);
    DRIVER_UNTIL(&driver, lag_of("spans", 0) == 7);
    end();
}

static void a_partition_that_is_empty_is_not_behind(void **state)
{
    (void)state;
    begin(1);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, lag_of("spans", 0) == 0);
    end();
}

/* Where the group had stopped before, and nothing has come since. */
static void a_restart_at_the_end_is_not_behind(void **state)
{
    (void)state;
    begin(1);
    mock_kafka_fill(&kafka, "spans", 0, EACH);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == EACH && lag_of("spans", 0) == 0);
    driver_stop(&driver, true);
    driver_clear(&driver);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_start(&driver);
    assert_false(source_kafka_is_assigned(driver.source));
    DRIVER_UNTIL(&driver, lag_of("spans", 0) == 0);
    assert_true(source_kafka_is_assigned(driver.source));
    end();
}

static void taps_are_behind_by_what_is_not_read(void **state)
{
    (void)state;
    begin(1);
    mock_kafka_topic(&kafka, "orders", 1);
    mock_kafka_fill(&kafka, "orders", 0, EACH);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_topic(&driver, "orders", SOURCE_MESSAGES)->start = SOURCE_START_EARLIEST;
    driver_start(&driver);
    DRIVER_UNTIL(&driver, lag_of("orders", 0) == 0 && lag_of("spans", 0) == 0);
    assert_int_equal(driver_count(&driver, "orders"), EACH);
    struct source_lag none;
    assert_int_equal(source_kafka_lags(driver.source, &none, 0), 2);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_behind_until_they_are_finished),
        cmocka_unit_test(a_partition_that_is_empty_is_not_behind),
        cmocka_unit_test(a_restart_at_the_end_is_not_behind),
        cmocka_unit_test(taps_are_behind_by_what_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
