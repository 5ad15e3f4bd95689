#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "lanes.h"
#include "topics.h"

static struct mock_kafka kafka;
static struct driver driver;

static struct source_kafka *new_source(void)
{
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 8);
    mock_kafka_topic(&kafka, "orders", 8);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_topic(&driver, "orders", SOURCE_MESSAGES);
    assert_int_equal(driver_new_source(&driver), SB_OK);
    for (uint32_t i = 0; i < driver.options.workers; i++)
        pthread_mutex_init(&driver.workers[i].turn, NULL);
    return driver.source;
}

static void free_source(void)
{
    source_kafka_free(driver.source, false);
    driver.source = NULL;
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void numbers_are_dense_and_stay(void **state)
{
    (void)state;
    struct source_kafka *source = new_source();
    struct topic *spans = topics_find(source_reader(source, SOURCE_SPANS), "spans");
    struct topic *orders = topics_find(source_reader(source, SOURCE_MESSAGES), "orders");
    struct lane *lanes[8];
    for (int32_t i = 0; i < 8; i++) {
        assert_int_equal(lanes_get(i % 2 == 0 ? spans : orders, i, &lanes[i]), SB_OK);
        /* Each reader deals its partitions in turn; numbers are shared. */
        assert_int_equal(lanes[i]->worker, i / 2 % 2);
        assert_int_equal(lanes[i]->number, i % 2 + i / 4 * 2);
    }
    for (int32_t i = 0; i < 8; i++) {
        struct lane *again = NULL;
        assert_int_equal(lanes_get(i % 2 == 0 ? spans : orders, i, &again), SB_OK);
        assert_ptr_equal(again, lanes[i]);
    }
    free_source();
}

static void a_lane_lives_through_its_states(void **state)
{
    (void)state;
    struct source_kafka *source = new_source();
    struct lane *lane = NULL;
    struct topic *spans = topics_find(source_reader(source, SOURCE_SPANS), "spans");
    assert_int_equal(lanes_get(spans, 0, &lane), SB_OK);
    assert_int_equal(lanes_state(lane), LANE_CLOSED);
    source_kafka_publish(source, 0, 0, 5);
    assert_int_equal(lane->published, OFFSET_UNKNOWN); /* not ours: passed over */
    assert_null(atomic_load(&source->workers[0].queues[SOURCE_SPANS]));
    assert_int_equal(lanes_attach(lane, false), SB_OK);
    assert_non_null(atomic_load(&source->workers[0].queues[SOURCE_SPANS]));
    lanes_open(lane);
    assert_int_equal(driver.opened, 1);
    source_kafka_publish(source, 0, 0, 5);
    lanes_fence(lane);
    source_kafka_publish(source, 0, 0, 6);
    assert_int_equal(lane->published, 6);
    lanes_close(lane);
    source_kafka_publish(source, 0, 0, 7);
    assert_int_equal(lane->published, 6);
    assert_null(lane->queue);
    driver.workers[0].open[0] = false;
    assert_int_equal(lanes_attach(lane, false), SB_OK);
    lanes_open(lane);
    assert_int_equal(lane->published, OFFSET_UNKNOWN);
    free_source();
}

static void *leave_poll(void *arg)
{
    struct worker *worker = arg;
    struct record record;
    /* Waits until lanes_settle wakes it. */
    source_kafka_poll(driver.source, 0, BENCH_WAIT_MS, &record, 1);
    atomic_store(&worker->woken, false);
    return NULL;
}

static void opening_again_waits_for_a_poll_under_way(void **state)
{
    (void)state;
    struct source_kafka *source = new_source();
    struct lane *lane = NULL;
    struct topic *spans = topics_find(source_reader(source, SOURCE_SPANS), "spans");
    assert_int_equal(lanes_get(spans, 0, &lane), SB_OK);
    assert_int_equal(lanes_attach(lane, false),
                     SB_OK); /* from now on there is a queue to poll */
    struct worker *worker = &source->workers[0];
    atomic_store(&worker->woken, false);
    pthread_t thread;
    uint64_t before_ms = bench_now_ms();
    pthread_create(&thread, NULL, leave_poll, worker);
    while (atomic_load(&worker->turns) % 2 == 0)
        ;
    uint64_t turn = atomic_load(&worker->turns);
    lane->opened_before = true;
    lanes_open(lane);
    assert_true(atomic_load(&worker->turns) > turn);
    pthread_join(thread, NULL);
    assert_true(bench_now_ms() - before_ms < BENCH_WAIT_MS / 2);
    free_source();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_dense_and_stay),
        cmocka_unit_test(a_lane_lives_through_its_states),
        cmocka_unit_test(opening_again_waits_for_a_poll_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
