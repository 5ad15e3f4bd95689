#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

static struct mock_kafka kafka;
static struct driver driver;

static void a_missing_broker_is_told_and_taken_back(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "spans", 0, 5);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    rd_kafka_mock_broker_set_down(kafka.cluster, 1);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_troubled(&driver, "no broker of "));
    assert_true(driver_troubled(&driver, kafka.bootstrap));
    assert_true(driver_troubled(&driver, "answers: "));
    assert_false(driver_troubled(&driver, "(after ")); /* or each would be another trouble */
    assert_string_equal(driver.trouble_what, "kafka");
    assert_false(driver.fatal);
    rd_kafka_mock_broker_set_up(kafka.cluster, 1);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.cleared) > 0);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 5);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

/*
 * As with a broker that is being shut down, and then another one.  Without a topic: the mock does
 * not survive a fetch from a partition that no broker leads.
 */
static void a_cluster_that_named_no_brokers_is_found_again(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_troubled(&driver, "topic spans does not exist"));
    assert_int_equal(rd_kafka_mock_broker_remove_from_metadata(kafka.cluster, 1), 0);
    DRIVER_UNTIL(&driver, driver_troubled(&driver, "no broker of "));
    uint32_t cleared = driver_number(&driver, &driver.cleared);
    assert_int_equal(rd_kafka_mock_broker_add(kafka.cluster, 2), 0);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.cleared) > cleared);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void a_missing_topic_is_told_and_read_when_it_comes(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_topic(&driver, "orders", SOURCE_MESSAGES)->start = SOURCE_START_EARLIEST;
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_troubled(&driver, "topic orders does not exist"));
    mock_kafka_topic(&kafka, "orders", 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "orders", 0, 5);
    mock_kafka_fill(&kafka, "spans", 0, 5);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.cleared) >= 2);
    DRIVER_UNTIL(&driver,
                 driver_count(&driver, "spans") == 5 && driver_count(&driver, "orders") == 5);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void a_topic_that_may_not_be_read_is_told(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    rd_kafka_mock_topic_set_error(kafka.cluster, "spans",
                                  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_troubled(&driver, "not authorised to read topic spans"));
    rd_kafka_mock_topic_set_error(kafka.cluster, "spans", RD_KAFKA_RESP_ERR_NO_ERROR);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.cleared) > 0 &&
                              driver_number(&driver, &driver.opened) == 1);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static bool is_fenced(void)
{
    pthread_mutex_lock(&driver.lock);
    bool fenced = driver.fenced;
    pthread_mutex_unlock(&driver.lock);
    return fenced;
}

/* Another process with this one's name: no trouble that passes, and no fault of ours. */
static void a_second_process_of_that_name_fences(void **state)
{
    (void)state;
    enum { HEARTBEAT = 12 };
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_property(&driver, "heartbeat.interval.ms", "100");
    driver.options.instance = "a";
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.opened) == 1);
    rd_kafka_mock_push_request_errors(kafka.cluster, HEARTBEAT, 1,
                                      RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
    DRIVER_UNTIL(&driver, is_fenced());
    assert_true(driver_troubled(&driver, "another process has joined group g as instance a"));
    assert_false(driver.fatal);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void offsets_that_are_gone_are_told(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "spans", 0, 10);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 10);
    driver_stop(&driver, true);
    driver_clear(&driver);
    mock_kafka_fill(&kafka, "spans", 0, 20);
    assert_int_equal(rd_kafka_mock_partition_delete_records(kafka.cluster, "spans", 0, 25), 0);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 5);
    assert_int_equal(driver.seen[0].offset, 25);
    assert_int_equal(strncmp(driver.gap, "spans [0]: offset reset (at offset 10", 37), 0);
    assert_string_equal(driver.trouble, "");
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_broker_is_told_and_taken_back),
        cmocka_unit_test(a_cluster_that_named_no_brokers_is_found_again),
        cmocka_unit_test(a_missing_topic_is_told_and_read_when_it_comes),
        cmocka_unit_test(a_topic_that_may_not_be_read_is_told),
        cmocka_unit_test(a_second_process_of_that_name_fences),
        cmocka_unit_test(offsets_that_are_gone_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
