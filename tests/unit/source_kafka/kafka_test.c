#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "core/memory.h"

static struct mock_kafka kafka;
static struct driver driver;

static void make_options(void)
{
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS)->dead_letter_topic = "letters";
    driver_topic(&driver, "orders", SOURCE_MESSAGES);
}

static void failed_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    make_options();
    enum sb_err err = SB_ERR_MEMORY;
    uint64_t nth = 0;
    while (err == SB_ERR_MEMORY) {
        memory_fail_at(++nth);
        err = driver_new_source(&driver);
    }
    memory_fail_at(0);
    assert_int_equal(err, SB_OK);
    assert_true(nth > 10);
    source_kafka_free(driver.source, false);
    driver.source = NULL;
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void wrong_settings_are_refused(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    make_options();
    driver_property(&driver, "fetch.wait.max.ms", "soon");
    assert_int_equal(driver_new_source(&driver), SB_ERR_CONFIG);
    make_options();
    /* Each is right, but not both together: only making the handle tells. */
    driver_property(&driver, "security.protocol", "ssl");
    driver_property(&driver, "ssl.ca.location", "/nowhere/ca.crt");
    assert_int_equal(driver_new_source(&driver), SB_ERR_CONFIG);
    make_options();
    driver_topic(&driver, "^a(b", SOURCE_SPANS);
    assert_int_equal(driver_new_source(&driver), SB_ERR_CONFIG);
    assert_null(driver.source);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void the_event_fd_tells_of_work(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_start(&driver);
    /* Served only when the fd says so: the group is joined all the same. */
    struct pollfd fd = {.fd = source_kafka_event_fd(driver.source), .events = POLLIN};
    uint64_t until_ms = bench_now_ms() + BENCH_WAIT_MS;
    while (driver_number(&driver, &driver.opened) == 0) {
        assert_true(bench_now_ms() < until_ms);
        if (poll(&fd, 1, BENCH_WAIT_MS) == 1)
            source_kafka_service(driver.source);
    }
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void no_record_comes_after_intake_has_stopped(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_start(&driver);
    mock_kafka_fill(&kafka, "spans", 0, 10);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 10);
    source_kafka_stop_intake(driver.source);
    mock_kafka_fill(&kafka, "spans", 0, 10);
    for (int i = 0; i < 10; i++)
        driver_turn(&driver);
    assert_int_equal(driver_count(&driver, "spans"), 10);
    driver_stop(&driver, true);
    assert_int_equal(mock_kafka_committed(&kafka, "g", "spans", 0), 10);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

/* Closing with messages in the queues and without a broker must not hang. */
static void the_end_does_not_hang(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 2);
    mock_kafka_topic(&kafka, "orders", 2);
    mock_kafka_fill(&kafka, "spans", 0, 1000);
    mock_kafka_fill(&kafka, "orders", 0, 1000);
    make_options();
    driver.topics[1].start = SOURCE_START_EARLIEST;
    atomic_store(&driver.paused, true);
    atomic_store(&driver.taps_paused, true);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.opened) == 2);
    for (int i = 0; i < 10; i++)
        driver_turn(&driver);
    rd_kafka_mock_broker_set_down(kafka.cluster, 1);
    uint64_t before_ms = bench_now_ms();
    driver_stop(&driver, true);
    assert_true(bench_now_ms() - before_ms < 30000);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_allocations_leave_nothing_behind),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(the_event_fd_tells_of_work),
        cmocka_unit_test(no_record_comes_after_intake_has_stopped),
        cmocka_unit_test(the_end_does_not_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
