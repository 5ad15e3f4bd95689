#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

static void letters_arrive_with_headers_and_bytes(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_topic(&kafka, "letters", 1);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS)->dead_letter_topic = "letters";
    driver_topic(&driver, "letters", SOURCE_MESSAGES)->start = SOURCE_START_EARLIEST;
    driver_start(&driver);
    struct record_header headers[] = {
        {BYTES_LITERAL("__connect.errors.topic"), BYTES_LITERAL("spans")},
        {BYTES_LITERAL("empty"), {NULL, 0}},
    };
    struct source_dead_letter letter = {
        .topic = 0,
        .key = BYTES_LITERAL("key"),
        .value = BYTES_LITERAL("not\xff a span"),
        .headers = headers,
        .header_count = 2,
        .ticket = &driver,
    };
    for (int i = 0; i < 10; i++)
        assert_int_equal(source_kafka_dead_letter(driver.source, &letter), SB_OK);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.letters_done) == 10);
    DRIVER_UNTIL(&driver, driver_count(&driver, "letters") == 10);
    assert_string_equal(driver.seen[0].value, "not\xff a span");
    assert_int_equal(driver.seen[0].header_count, 2);
    assert_string_equal(driver.seen[0].header_name, "__connect.errors.topic");
    assert_string_equal(driver.seen[0].header_value, "spans");
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void a_letter_that_is_refused_is_told(void **state)
{
    (void)state;
    enum { PRODUCE = 0 };
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_topic(&kafka, "letters", 1);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS)->dead_letter_topic = "letters";
    driver_start(&driver);
    rd_kafka_mock_push_request_errors(kafka.cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    struct source_dead_letter letter = {.topic = 0, .value = BYTES_LITERAL("v")};
    assert_int_equal(source_kafka_dead_letter(driver.source, &letter), SB_OK);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.letters_failed) == 1);
    assert_int_equal(driver.letter_result, SB_ERR_LIMIT);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

/* Every ticket comes back, and a full queue says so. */
static void letters_end_with_the_source(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    static struct driver driver;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS)->dead_letter_topic = "letters";
    driver_property(&driver, "queue.buffering.max.messages", "20");
    assert_int_equal(driver_new_source(&driver), SB_OK);
    rd_kafka_mock_broker_set_down(kafka.cluster, 1);
    struct source_dead_letter letter = {.topic = 0, .value = BYTES_LITERAL("v")};
    uint32_t taken = 0;
    enum sb_err err;
    while ((err = source_kafka_dead_letter(driver.source, &letter)) == SB_OK)
        taken++;
    assert_int_equal(err, SB_ERR_FULL);
    assert_true(taken > 0);
    source_kafka_free(driver.source, false);
    driver.source = NULL;
    assert_int_equal(driver.letters_failed, taken);
    assert_int_equal(driver.letter_result, SB_ERR_UNAVAILABLE);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_arrive_with_headers_and_bytes),
        cmocka_unit_test(a_letter_that_is_refused_is_told),
        cmocka_unit_test(letters_end_with_the_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
