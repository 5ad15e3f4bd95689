#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "state.h"

enum { PARTITIONS = 2, EACH = 200, OFFSET_COMMIT = 8 };

static void start_spans(struct driver *driver, struct mock_kafka *kafka)
{
    driver_init(driver, kafka->bootstrap);
    driver_topic(driver, "spans", SOURCE_SPANS);
    driver_start(driver);
}

static void a_restart_resumes_at_the_watermark(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++)
        mock_kafka_fill(&kafka, "spans", i, EACH);
    start_spans(&driver, &kafka);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == (size_t)PARTITIONS * EACH);
    driver_stop(&driver, true);
    for (int32_t i = 0; i < PARTITIONS; i++)
        assert_int_equal(mock_kafka_committed(&kafka, "g", "spans", i), EACH);
    driver_clear(&driver);

    for (int32_t i = 0; i < PARTITIONS; i++)
        mock_kafka_fill(&kafka, "spans", i, 3);
    start_spans(&driver, &kafka);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == (size_t)PARTITIONS * 3);
    assert_true(driver.seen[0].offset >= EACH);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void watermarks_are_committed_in_time(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "spans", 0, 10);
    start_spans(&driver, &kafka);
    atomic_store(&driver.publishing, true);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 10 &&
                              mock_kafka_committed(&kafka, "g", "spans", 0) == 10);

    /* Only what is published is committed, and a watermark does not go back. */
    atomic_store(&driver.publishing, false);
    mock_kafka_fill(&kafka, "spans", 0, 10);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 20);
    source_kafka_publish(driver.source, driver.seen[0].worker, 0, 14);
    source_kafka_publish(driver.source, driver.seen[0].worker, 0, 12);
    DRIVER_UNTIL(&driver, mock_kafka_committed(&kafka, "g", "spans", 0) == 14);
    driver_stop(&driver, true);
    assert_int_equal(mock_kafka_committed(&kafka, "g", "spans", 0), 14);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void nothing_is_committed_when_told_so(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "spans", 0, 10);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver.options.commit_interval_ns = 3600 * NS_PER_S;
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 10);
    driver_stop(&driver, false);
    assert_int_equal(mock_kafka_committed(&kafka, "g", "spans", 0), RD_KAFKA_OFFSET_INVALID);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static size_t commits_seen(struct mock_kafka *kafka)
{
    size_t count = 0;
    size_t commits = 0;
    rd_kafka_mock_request_t **requests = rd_kafka_mock_get_requests(kafka->cluster, &count);
    for (size_t i = 0; i < count; i++)
        commits += rd_kafka_mock_request_api_key(requests[i]) == OFFSET_COMMIT;
    rd_kafka_mock_request_destroy_array(requests, count);
    return commits;
}

/* Be it published, and time for it, and the end: not one request for a commit is sent. */
static void who_only_looks_never_commits(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "spans", 0, 10);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver.topics[0].dead_letter_topic = "dead";
    driver.options.commit_interval_ns = NS_PER_MS;
    driver.options.looks_only = true;
    driver_start(&driver);
    rd_kafka_mock_start_request_tracking(kafka.cluster);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 10);
    source_kafka_publish(driver.source, driver.seen[0].worker, 0, 10);
    mock_kafka_fill(&kafka, "spans", 0, 10);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 20);
    assert_null(driver.source->producer);
    driver_stop(&driver, true);
    assert_int_equal(commits_seen(&kafka), 0);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void a_refused_commit_is_tried_again(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    start_spans(&driver, &kafka);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.opened) == 1);
    rd_kafka_mock_push_request_errors(kafka.cluster, OFFSET_COMMIT, 2,
                                      RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE,
                                      RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE);
    mock_kafka_fill(&kafka, "spans", 0, 10);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 10 &&
                              mock_kafka_committed(&kafka, "g", "spans", 0) == 10);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

/* The last one, too, for which there is no next time. */
static void a_last_commit_is_tried_again_while_the_group_is_made_anew(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "spans", 0, 10);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver.options.commit_interval_ns = 3600 * NS_PER_S;
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 10);
    rd_kafka_mock_push_request_errors(kafka.cluster, OFFSET_COMMIT, 2,
                                      RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
                                      RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS);
    driver_stop(&driver, true);
    assert_int_equal(mock_kafka_committed(&kafka, "g", "spans", 0), 10);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void what_has_not_changed_is_not_committed(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "spans", 0, 10);
    start_spans(&driver, &kafka);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == 10 &&
                              mock_kafka_committed(&kafka, "g", "spans", 0) == 10);
    rd_kafka_mock_start_request_tracking(kafka.cluster);
    for (int i = 0; i < 20; i++) /* several intervals */
        driver_turn(&driver);
    driver_stop(&driver, true);
    assert_int_equal(commits_seen(&kafka), 0);
    rd_kafka_mock_stop_request_tracking(kafka.cluster);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_resumes_at_the_watermark),
        cmocka_unit_test(watermarks_are_committed_in_time),
        cmocka_unit_test(nothing_is_committed_when_told_so),
        cmocka_unit_test(who_only_looks_never_commits),
        cmocka_unit_test(what_has_not_changed_is_not_committed),
        cmocka_unit_test(a_refused_commit_is_tried_again),
        cmocka_unit_test(a_last_commit_is_tried_again_while_the_group_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
