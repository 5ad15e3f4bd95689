#include "core/memory.h"
#include "look_fixture.h"

/* A group that nobody else has: not the service's, nor that of another look. */
static void test_the_group_is_of_its_own(void **state)
{
    (void)state;
    static struct look_fixture fixture;
    fixture_init(&fixture);
    char *first = observe_group_name(&fixture.app);
    char *second = observe_group_name(&fixture.app);
    assert_memory_equal(first, "g.observe.", strlen("g.observe."));
    assert_int_equal(strlen(first), strlen("g.observe.") + 16);
    assert_string_not_equal(first, second);
    memory_free(first);
    memory_free(second);
    memory_fail_at(1);
    assert_null(observe_group_name(&fixture.app));
    memory_fail_at(0);
}

static void test_what_is_off_is_reported(void **state)
{
    (void)state;
    assert_int_equal(observe_mode(REPAIR_OFF), REPAIR_REPORT);
    assert_int_equal(observe_mode(REPAIR_LINK), REPAIR_LINK);
    assert_int_equal(observe_mode(REPAIR_AUTO), REPAIR_AUTO);
}

static void test_where_reading_starts(void **state)
{
    (void)state;
    struct app app = {.run = {.observe = true}};
    assert_int_equal(observe_start(&app, SOURCE_SPANS, SOURCE_START_EARLIEST),
                     SOURCE_START_LATEST);
    assert_int_equal(observe_start(&app, SOURCE_MESSAGES, SOURCE_START_EARLIEST),
                     SOURCE_START_DEFAULT);
    app.run.drain = true;
    assert_int_equal(observe_start(&app, SOURCE_SPANS, SOURCE_START_EARLIEST),
                     SOURCE_START_EARLIEST);
    app.run = (struct app_run_options){.observe = false};
    assert_int_equal(observe_start(&app, SOURCE_SPANS, SOURCE_START_EARLIEST),
                     SOURCE_START_EARLIEST);
}

static void test_queues_are_left_out(void **state)
{
    (void)state;
    const struct settings_topic queue = {.source = SETTINGS_SOURCE_RABBITMQ};
    const struct settings_topic stream = {.source = SETTINGS_SOURCE_RABBITMQ,
                                          .rabbitmq = {.queue_type = SETTINGS_QUEUE_STREAM}};
    const struct settings_topic topic = {.source = SETTINGS_SOURCE_KAFKA};
    assert_false(observe_leaves_out(&stream));
    assert_true(observe_leaves_out(&queue));
    assert_false(observe_leaves_out(&topic));
    static struct look_fixture fixture;
    fixture_init(&fixture);
    fixture.topics[SPANS].source = SETTINGS_SOURCE_RABBITMQ;
    assert_int_equal(observe_check_topics(&fixture.app), SB_OK);
    fixture.settings.topic_count = 1;
    assert_int_equal(observe_check_topics(&fixture.app), SB_ERR_CONFIG);
}

static void test_numbers(void **state)
{
    (void)state;
    char text[OBSERVE_NUMBER_LEN];
    assert_string_equal(observe_number(0, text), "0");
    assert_string_equal(observe_number(999, text), "999");
    assert_string_equal(observe_number(1000, text), "1,000");
    assert_string_equal(observe_number(123456, text), "123,456");
    assert_string_equal(observe_number(UINT64_MAX, text), "18,446,744,073,709,551,615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_group_is_of_its_own),
        cmocka_unit_test(test_what_is_off_is_reported),
        cmocka_unit_test(test_where_reading_starts),
        cmocka_unit_test(test_queues_are_left_out),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
