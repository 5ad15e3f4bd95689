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
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.opened) == 2);
    rd_kafka_queue_t *queue = atomic_load(&driver.source->workers[0].queues[SOURCE_SPANS]);
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

static struct mock_kafka idle_kafka;
static struct driver idle_driver;

static void begin_idle(void)
{
    mock_kafka_start(&idle_kafka, 1);
    mock_kafka_topic(&idle_kafka, "spans", 1);
    driver_init(&idle_driver, idle_kafka.bootstrap);
    driver_topic(&idle_driver, "spans", SOURCE_SPANS);
    assert_int_equal(driver_new_source(&idle_driver), SB_OK);
    for (uint32_t i = 0; i < idle_driver.options.workers; i++)
        pthread_mutex_init(&idle_driver.workers[i].turn, NULL);
}

static void end_idle(void)
{
    source_kafka_free(idle_driver.source, false);
    idle_driver.source = NULL;
    driver_clear(&idle_driver);
    mock_kafka_stop(&idle_kafka);
}

/* From now on worker 0 has a queue. */
static void attach_lane(struct source_kafka *source)
{
    struct lane *lane = NULL;
    struct topic *topic = topics_find(source_reader(source, SOURCE_SPANS), "spans");
    assert_int_equal(lanes_get(topic, 0, &lane), SB_OK);
    assert_int_equal(lanes_attach(lane, false), SB_OK);
}

/* A wake before the wait is not lost, be it that the poll looks without waiting first. */
static void a_waiting_poll_is_woken(void **state)
{
    (void)state;
    begin_idle();
    struct source_kafka *source = idle_driver.source;
    struct record record;
    for (int with_queue = 0; with_queue <= 1; with_queue++) {
        for (size_t max = 0; max <= 1; max++) {
            uint64_t before_ms = bench_now_ms();
            source_kafka_wake(source, 0);
            assert_int_equal(source_kafka_poll(source, 0, BENCH_WAIT_MS, &record, max), 0);
            assert_true(bench_now_ms() - before_ms < BENCH_WAIT_MS / 2);
        }
        if (with_queue == 0)
            attach_lane(source);
    }
    end_idle();
}

static void *poll_idle(void *arg)
{
    struct record record;
    (void)source_kafka_poll(arg, 0, BENCH_WAIT_MS, &record, 1);
    return NULL;
}

/* Before its first lane a worker has no queue to wait on; the lane that comes wakes it, too. */
static void a_worker_without_a_queue_is_woken(void **state)
{
    (void)state;
    begin_idle();
    struct source_kafka *source = idle_driver.source;
    for (int by_lane = 0; by_lane <= 1; by_lane++) {
        pthread_t thread;
        uint64_t before_ms = bench_now_ms();
        pthread_create(&thread, NULL, poll_idle, source);
        while (!atomic_load(&source->workers[0].idling))
            ;
        if (by_lane == 0)
            source_kafka_wake(source, 0);
        else
            attach_lane(source);
        pthread_join(thread, NULL);
        assert_true(bench_now_ms() - before_ms < BENCH_WAIT_MS / 2);
        atomic_store(&source->workers[0].woken, false);
    }
    end_idle();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_comes_once_in_order),
        cmocka_unit_test(records_wait_while_nobody_polls),
        cmocka_unit_test(records_of_a_fenced_lane_do_not_surface),
        cmocka_unit_test(a_waiting_poll_is_woken),
        cmocka_unit_test(a_worker_without_a_queue_is_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
