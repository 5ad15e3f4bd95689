#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "lanes.h"
#include "topics.h"

enum { PARTITIONS = 4, EACH = 1500 };

static void every_record_comes_once_in_order(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++)
        mock_kafka_fill(&kafka, "spans", i, EACH);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == (size_t)PARTITIONS * EACH);
    assert_int_equal(driver_count_different(&driver, "spans"), PARTITIONS * EACH);
    driver_check_order(&driver);
    assert_int_equal(driver.opened, PARTITIONS);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void records_wait_while_nobody_polls(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", PARTITIONS);
    driver_init(&driver, kafka.bootstrap);
    driver.options.prefetch_bytes = 2048; /* far less than there is */
    driver_topic(&driver, "spans", SOURCE_SPANS);
    atomic_store(&driver.paused, true);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.opened) == PARTITIONS);
    for (int round = 0; round < 3; round++) {
        for (int32_t i = 0; i < PARTITIONS; i++)
            mock_kafka_fill(&kafka, "spans", i, EACH / 3);
        for (int turn = 0; turn < 5; turn++)
            driver_turn(&driver);
        assert_int_equal(driver_count(&driver, "spans"), (size_t)round * PARTITIONS * EACH / 3);
        atomic_store(&driver.paused, false);
        DRIVER_UNTIL(&driver, driver_count(&driver, "spans") ==
                                  (size_t)(round + 1) * PARTITIONS * EACH / 3);
        driver_pause(&driver);
    }
    driver_check_order(&driver);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

/* What a worker's queue still holds of a lane that was taken away is not handed out. */
static void records_of_a_fenced_lane_do_not_surface(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 2);
    mock_kafka_fill(&kafka, "spans", 0, EACH);
    mock_kafka_fill(&kafka, "spans", 1, EACH);
    driver_init(&driver, kafka.bootstrap);
    driver.options.workers = 1;
    driver_topic(&driver, "spans", SOURCE_SPANS);
    atomic_store(&driver.paused, true);
    driver_start(&driver);
    rd_kafka_queue_t *queue = driver.source->workers[0].queues[SOURCE_SPANS];
    DRIVER_UNTIL(&driver, rd_kafka_queue_length(queue) >= (size_t)2 * EACH);
    struct topic *topic = topics_find(source_reader(driver.source, SOURCE_SPANS), "spans");
    lanes_fence(slots_get(&topic->lanes, 1));
    atomic_store(&driver.paused, false);
    DRIVER_UNTIL(&driver,
                 rd_kafka_queue_length(queue) == 0 && driver_count(&driver, "spans") >= EACH);
    assert_int_equal(driver_count(&driver, "spans"), EACH);
    for (size_t i = 0; i < EACH; i++)
        assert_int_equal(driver.seen[i].partition, 0);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void a_waiting_poll_is_woken(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    assert_int_equal(driver_new_source(&driver), SB_OK);
    struct record record;
    /* A wake before the wait is not lost, be it that the poll looks without waiting first. */
    for (size_t max = 0; max <= 1; max++) {
        uint64_t before_ms = bench_now_ms();
        source_kafka_wake(driver.source, 0);
        assert_int_equal(source_kafka_poll(driver.source, 0, BENCH_WAIT_MS, &record, max), 0);
        assert_true(bench_now_ms() - before_ms < BENCH_WAIT_MS / 2);
    }
    source_kafka_free(driver.source, false);
    driver.source = NULL;
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_comes_once_in_order),
        cmocka_unit_test(records_wait_while_nobody_polls),
        cmocka_unit_test(records_of_a_fenced_lane_do_not_surface),
        cmocka_unit_test(a_waiting_poll_is_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
