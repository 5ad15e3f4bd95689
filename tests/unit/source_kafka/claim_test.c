#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "claim.h"
#include "support/fake_clock.h"
#include "trouble.h"

enum { GROUP_HEARTBEAT = 68, RECORDS = 5, REFUSALS = 3 };

static struct mock_kafka kafka;
static struct driver driver;

static void begin(void)
{
    mock_kafka_start(&kafka, 1);
    mock_kafka_topic(&kafka, "spans", 1);
    mock_kafka_fill(&kafka, "spans", 0, RECORDS);
    driver_init(&driver, kafka.bootstrap);
    driver.options.property_count = 0; /* the new protocol refuses those of the old one */
    driver_property(&driver, "topic.metadata.refresh.interval.ms", "300");
    driver_property(&driver, "group.protocol", "consumer");
    driver.options.instance = "a";
}

static void end(void)
{
    driver_clear(&driver);
    mock_kafka_stop(&kafka);
}

static void refuse(size_t times)
{
    for (size_t i = 0; i < times; i++)
        rd_kafka_mock_push_request_errors(kafka.cluster, GROUP_HEARTBEAT, 1,
                                          RD_KAFKA_RESP_ERR_UNRELEASED_INSTANCE_ID);
}

static bool is_fenced(void)
{
    pthread_mutex_lock(&driver.lock);
    bool fenced = driver.fenced;
    pthread_mutex_unlock(&driver.lock);
    return fenced;
}

/* What was killed is still in the group: its next life waits, and then reads all there is. */
static void a_held_name_is_waited_for(void **state)
{
    (void)state;
    begin();
    driver_topic(&driver, "spans", SOURCE_SPANS);
    refuse(REFUSALS);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_troubled(&driver, "group g has an instance a already"));
    assert_string_equal(driver.trouble_what, "group");
    /* The mock does not tell its session timeout. */
    assert_true(driver_troubled(&driver, "for 62 s at most"));
    assert_int_equal(driver_number(&driver, &driver.opened), 0);
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == RECORDS);
    assert_int_equal(driver_number(&driver, &driver.cleared), 1);
    assert_false(is_fenced());
    assert_false(driver.fatal);
    DRIVER_UNTIL(&driver, mock_kafka_committed(&kafka, "g", "spans", 0) == RECORDS);
    end();
}

/* Topics that a pattern finds are looked for anew with each handle. */
static void patterns_are_found_again(void **state)
{
    (void)state;
    begin();
    driver_topic(&driver, "^spa.s$", SOURCE_SPANS);
    refuse(REFUSALS);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_troubled(&driver, "has an instance a already"));
    DRIVER_UNTIL(&driver, driver_count(&driver, "spans") == RECORDS);
    assert_false(is_fenced());
    end();
}

/* Whoever is still there when any session of the dead must have ended is another process. */
static void the_wait_has_an_end(void **state)
{
    (void)state;
    struct fake_clock clock;
    fake_clock_init(&clock);
    begin();
    driver.options.clock = &clock.source;
    driver_topic(&driver, "spans", SOURCE_SPANS);
    refuse(REFUSALS);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_troubled(&driver, "for 62 s at most"));
    assert_true(claim_holds_back(driver.source));
    fake_clock_advance_ms(&clock, 61 * MS_PER_S);
    DRIVER_UNTIL(&driver, driver.source->claim.state == CLAIM_TRYING);
    DRIVER_UNTIL(&driver, driver.source->claim.state == CLAIM_WAITING);
    assert_false(is_fenced());
    fake_clock_advance_ms(&clock, 1 * MS_PER_S);
    DRIVER_UNTIL(&driver, is_fenced());
    assert_true(driver_troubled(&driver, "another process is instance a of group g"));
    assert_int_equal(driver_number(&driver, &driver.opened), 0);
    end();
}

/* There may be nothing to assign: no event tells that the group has let us in. */
static void a_member_without_partitions_is_in(void **state)
{
    (void)state;
    struct fake_clock clock;
    fake_clock_init(&clock);
    begin();
    driver.options.clock = &clock.source;
    driver_topic(&driver, "absent", SOURCE_SPANS);
    refuse(1);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, trouble_is_active(driver.source, TROUBLE_GROUP));
    fake_clock_advance_ms(&clock, 2 * MS_PER_S);
    DRIVER_UNTIL(&driver, driver.source->claim.state == CLAIM_TRYING);
    assert_true(trouble_is_active(driver.source, TROUBLE_GROUP));
    fake_clock_advance_ms(&clock, 10 * MS_PER_S);
    DRIVER_UNTIL(&driver, !trouble_is_active(driver.source, TROUBLE_GROUP));
    assert_int_equal(driver_number(&driver, &driver.opened), 0);
    end();
}

/* Who was in the group was not killed before: another has its name. */
static void a_member_is_turned_out_at_once(void **state)
{
    (void)state;
    begin();
    driver_topic(&driver, "spans", SOURCE_SPANS);
    rd_kafka_mock_set_group_consumer_heartbeat_interval_ms(kafka.cluster, 200);
    driver_start(&driver);
    DRIVER_UNTIL(&driver, driver_number(&driver, &driver.opened) == 1);
    refuse(1);
    DRIVER_UNTIL(&driver, is_fenced());
    assert_true(driver_troubled(&driver, "another process is instance a of group g"));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_held_name_is_waited_for),
        cmocka_unit_test(patterns_are_found_again),
        cmocka_unit_test(the_wait_has_an_end),
        cmocka_unit_test(a_member_without_partitions_is_in),
        cmocka_unit_test(a_member_is_turned_out_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
