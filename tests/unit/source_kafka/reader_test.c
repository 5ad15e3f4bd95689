#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench.h"
#include "reader.h"
#include "topics.h"

static struct mock_kafka kafka;
static struct driver driver;

static void begin(void)
{
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    driver_topic(&driver, "^more", SOURCE_SPANS);
    assert_int_equal(driver_new_source(&driver), SB_OK);
}

static void end(void)
{
    source_kafka_free(driver.source, false);
    driver.source = NULL;
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void a_role_without_topics_has_no_handle(void **state)
{
    (void)state;
    begin();
    assert_null(source_reader(driver.source, SOURCE_MESSAGES)->rk);
    reader_clear(source_reader(driver.source, SOURCE_MESSAGES));
    const struct reader *spans = source_reader(driver.source, SOURCE_SPANS);
    assert_non_null(spans->rk);
    /* What patterns find is not known yet. */
    assert_int_equal(spans->topic_count, 1);
    assert_non_null(topics_find(spans, "spans"));
    end();
}

static void a_reader_can_be_made_anew(void **state)
{
    (void)state;
    begin();
    struct reader *spans = source_reader(driver.source, SOURCE_SPANS);
    reader_clear(spans);
    assert_null(spans->rk);
    assert_int_equal(spans->topic_count, 0);
    assert_int_equal(reader_make(driver.source, SOURCE_SPANS), SB_OK);
    assert_non_null(spans->rk);
    assert_non_null(topics_find(spans, "spans"));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_without_topics_has_no_handle),
        cmocka_unit_test(a_reader_can_be_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
