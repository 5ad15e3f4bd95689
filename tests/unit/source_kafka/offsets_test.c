#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "lanes.h"
#include "offsets.h"
#include "topics.h"

static struct mock_kafka kafka;
static struct driver driver;

static struct lane *lane_of(const char *topic, int32_t partition)
{
    struct reader *reader = source_reader(driver.source, SOURCE_SPANS);
    return slots_get(&topics_find(reader, topic)->lanes, (uint32_t)partition);
}

static void ends_become_known_without_waiting(void **state)
{
    (void)state;
    enum { LIST_OFFSETS = 2 };
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 2);
    mock_kafka_fill(&kafka, "spans", 1, 7);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "spans", SOURCE_SPANS);
    atomic_store(&driver.paused, true);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.opened) == 2);
    DRIVER_UNTIL(&driver, atomic_load(&lane_of("spans", 1)->end_offset) == 7 &&
                              atomic_load(&lane_of("spans", 0)->end_offset) == 0);
    struct reader *reader = source_reader(driver.source, SOURCE_SPANS);
    assert_int_equal(reader->question, OFFSETS_NO_QUESTION);

    /* An answer that is of no use is asked for again. */
    rd_kafka_mock_push_request_errors(kafka.cluster, LIST_OFFSETS, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    atomic_store(&lane_of("spans", 1)->end_offset, OFFSET_UNKNOWN);
    DRIVER_UNTIL(&driver, !offsets_may_ask(reader) && reader->question == OFFSETS_NO_QUESTION);
    DRIVER_UNTIL(&driver, atomic_load(&lane_of("spans", 1)->end_offset) == 7);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_become_known_without_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
