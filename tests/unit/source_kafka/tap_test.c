#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "drain.h"
#include "tap.h"
#include "topics.h"

enum { PARTITIONS = 3 };

static struct mock_kafka kafka;
static struct driver driver;

static void taps_see_headers_and_are_not_committed(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "orders", PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++)
        mock_kafka_put(&kafka, &(struct mock_record){.topic = "orders",
                                                     .partition = i,
                                                     .key = "k",
                                                     .value = "v",
                                                     .header_name = "traceparent",
                                                     .header_value = "00-aa-bb-01"});
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "orders", SOURCE_MESSAGES)->start = SOURCE_START_EARLIEST;
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_count(&driver, "orders") == PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++) {
        assert_true(driver.seen[i].tap);
        assert_int_equal(driver.seen[i].header_count, 1);
        assert_string_equal(driver.seen[i].header_name, "traceparent");
        assert_string_equal(driver.seen[i].header_value, "00-aa-bb-01");
    }
    assert_true(source_kafka_spans_drained(driver.source)); /* there are none */
    driver_stop(&driver, true);
    assert_int_equal(mock_kafka_committed(&kafka, "g", "orders", 0), RD_KAFKA_OFFSET_INVALID);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void the_clock_follows_records_and_then_the_wall(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "orders", 1);
    int64_t then_ms = (int64_t)(clock_wall_ns(clock_system()) / NS_PER_MS) - 3600000;
    for (int i = 0; i < 4; i++)
        mock_kafka_put(&kafka, &(struct mock_record){
                                   .topic = "orders", .value = "v", .time_ms = then_ms + i});
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "orders", SOURCE_MESSAGES)->start = SOURCE_START_EARLIEST;
    driver_topic(&driver, "spans", SOURCE_SPANS);
    mock_kafka_topic(&kafka, "spans", 1);
    atomic_store(&driver.taps_paused, true);
    driver_start(&driver);
    assert_int_equal(source_kafka_tap_time_ns(driver.source, 0), 0); /* nothing is known yet */
    assert_true(source_kafka_tap_time_ns(driver.source, 1) == UINT64_MAX); /* no tap at all */
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.opened) == 1);

    /* By hand, one record at a time: the clock is the newest record's time less the lateness. */
    struct record record;
    uint64_t seen_ns = 0;
    for (int i = 0; i < 4; i++) {
        size_t got = 0;
        DRIVER_UNTIL(&driver,
                     (got = source_kafka_poll_taps(driver.source, 0, &record, 1)) == 1);
        assert_int_equal(record.time_ms, then_ms + i);
        source_record_release(&record);
        source_kafka_service(driver.source);
        uint64_t now_ns = source_kafka_tap_time_ns(driver.source, 0);
        assert_true(now_ns >= seen_ns);
        seen_ns = now_ns;
        if (i < 3) /* then the end may be known at once */
            assert_int_equal(now_ns, (uint64_t)(then_ms + i) * NS_PER_MS - NS_PER_S);
    }
    assert_false(source_kafka_taps_drained(driver.source) && seen_ns == 0);
    atomic_store(&driver.taps_paused, false);
    uint64_t wall_ns = clock_wall_ns(clock_system());
    DRIVER_UNTIL(&driver, source_kafka_tap_time_ns(driver.source, 0) >= wall_ns - NS_PER_S);
    assert_true(source_kafka_tap_time_ns(driver.source, 0) <= clock_wall_ns(clock_system()));
    assert_true(source_kafka_taps_drained(driver.source));
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static _Atomic int64_t wall_shift_ns;

static uint64_t shifted_wall_ns(void *arg)
{
    (void)arg;
    return clock_wall_ns(clock_system()) + (uint64_t)atomic_load(&wall_shift_ns);
}

static uint64_t monotonic_ns(void *arg)
{
    (void)arg;
    return clock_monotonic_ns(clock_system());
}

/* A tap may begin later than its partition; the wall clock may be set back behind its records. */
static void the_clock_goes_back_with_the_wall(void **state)
{
    (void)state;
    const struct clock_source clock = {.monotonic_ns = monotonic_ns,
                                       .wall_ns = shifted_wall_ns};
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "orders", 1);
    int64_t now_ms = (int64_t)(clock_wall_ns(clock_system()) / NS_PER_MS);
    for (int i = 0; i < 4; i++)
        mock_kafka_put(&kafka, &(struct mock_record){
                                   .topic = "orders", .value = "v", .time_ms = now_ms - 9 + i});
    assert_int_equal(rd_kafka_mock_partition_delete_records(kafka.cluster, "orders", 0, 2), 0);
    atomic_store(&wall_shift_ns, 0);
    driver_init(&driver, kafka.bootstrap);
    driver.options.clock = &clock;
    driver_topic(&driver, "orders", SOURCE_MESSAGES)->start = SOURCE_START_EARLIEST;
    atomic_store(&driver.taps_paused, true);
    driver_start(&driver);
    struct record record;
    DRIVER_UNTIL(&driver, source_kafka_poll_taps(driver.source, 0, &record, 1) == 1);
    assert_int_equal(record.offset, 2);
    source_record_release(&record);
    source_kafka_service(driver.source);
    atomic_store(&wall_shift_ns, -(int64_t)(60 * NS_PER_S));
    source_kafka_service(driver.source);
    assert_true(source_kafka_tap_time_ns(driver.source, 0) <= shifted_wall_ns(NULL) - NS_PER_S);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

/* A record from the future does not carry the clock beyond now. */
static void the_clock_never_passes_now(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "orders", 1);
    int64_t now_ms = (int64_t)(clock_wall_ns(clock_system()) / NS_PER_MS);
    mock_kafka_put(&kafka, &(struct mock_record){
                               .topic = "orders", .value = "v", .time_ms = now_ms + 86400000});
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "orders", SOURCE_MESSAGES)->start = SOURCE_START_EARLIEST;
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_count(&driver, "orders") == 1);
    driver_turn(&driver);
    assert_true(source_kafka_tap_time_ns(driver.source, 0) <=
                clock_wall_ns(clock_system()) - NS_PER_S);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void partitions_and_topics_that_come_later_are_found(void **state)
{
    (void)state;
    const char *const exclude[] = {"orders.private"};
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "orders.a", 1);
    mock_kafka_topic(&kafka, "orders.private", 1);
    mock_kafka_topic(&kafka, "other", 1);
    driver_init(&driver, kafka.bootstrap);
    struct source_topic *topic = driver_topic(&driver, "^orders\\..*", SOURCE_MESSAGES);
    topic->start = SOURCE_START_LATEST;
    topic->exclude = exclude;
    topic->exclude_count = 1;
    driver_start(&driver);
    DRIVER_UNTIL(&driver, source_kafka_taps_drained(driver.source));
    mock_kafka_fill(&kafka, "orders.a", 0, 5);
    mock_kafka_topic(&kafka, "orders.b", 2);
    mock_kafka_fill(&kafka, "orders.b", 1, 5); /* before it is found: read all the same */
    mock_kafka_fill(&kafka, "orders.private", 0, 5);
    DRIVER_UNTIL(&driver, driver_count(&driver, "orders.a") == 5 &&
                              driver_count(&driver, "orders.b") == 5);
    assert_int_equal(driver.seen_count, 10);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void a_pattern_that_nothing_matches_holds_nobody_up(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "^orders\\..*", SOURCE_MESSAGES);
    driver_topic(&driver, "^spans\\..*", SOURCE_SPANS);
    driver_start(&driver);
    assert_false(source_kafka_taps_drained(driver.source));
    assert_false(source_kafka_spans_drained(driver.source));
    DRIVER_UNTIL(&driver, source_kafka_taps_drained(driver.source) &&
                              source_kafka_spans_drained(driver.source));
    assert_true(source_kafka_tap_time_ns(driver.source, 0) == UINT64_MAX);
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static uint64_t tap_time(void)
{
    return source_kafka_tap_time_ns(driver.source, 0);
}

/* A later assignment brings spans that are older than what was read of the messages. */
static void older_spans_make_taps_go_back(void **state)
{
    (void)state;
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "orders", 1);
    mock_kafka_fill(&kafka, "orders", 0, 7);
    driver_init(&driver, kafka.bootstrap);
    driver_topic(&driver, "orders", SOURCE_MESSAGES);
    driver_start(&driver);
    uint64_t wall_ns = clock_wall_ns(clock_system());
    DRIVER_UNTIL(&driver, tap_time() >= wall_ns - NS_PER_S);
    assert_int_equal(driver_count(&driver, "orders"), 0); /* the mock says "the end" to times */

    tap_take_oldest(driver.source, 1000);
    assert_int_equal(tap_time(), 0);
    drain_refresh(driver.source);
    assert_false(source_kafka_taps_drained(driver.source));
    DRIVER_UNTIL(&driver, tap_time() >= wall_ns - NS_PER_S);
    assert_int_equal(driver_count(&driver, "orders"), 0); /* no need to go back: the same end */

    /* With an answer that lies before where it began, it is read again from there. */
    struct reader *reader = source_reader(driver.source, SOURCE_MESSAGES);
    struct lane *lane = slots_get(&topics_find(reader, "orders")->lanes, 0);
    lane->start_offset = 2;
    DRIVER_UNTIL(&driver, driver_count(&driver, "orders") == 5);
    assert_int_equal(driver.seen[0].offset, 2);
    DRIVER_UNTIL(&driver, tap_time() >= wall_ns - NS_PER_S);
    assert_true(source_kafka_taps_drained(driver.source));
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taps_see_headers_and_are_not_committed),
        cmocka_unit_test(the_clock_follows_records_and_then_the_wall),
        cmocka_unit_test(the_clock_goes_back_with_the_wall),
        cmocka_unit_test(the_clock_never_passes_now),
        cmocka_unit_test(partitions_and_topics_that_come_later_are_found),
        cmocka_unit_test(older_spans_make_taps_go_back),
        cmocka_unit_test(a_pattern_that_nothing_matches_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
