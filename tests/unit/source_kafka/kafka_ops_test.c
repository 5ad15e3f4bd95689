/* The calls of source/source.h reach the Kafka source, which takes what is of its kind alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench.h"
#include "source/sources.h"
#include "state.h"

static struct driver driver;

/* Two topics of Kafka, and a queue of RabbitMQ whose dead letters go to a topic. */
static struct source *new_source(void)
{
    driver_init(&driver, "127.0.0.1:1");
    driver_topic(&driver, "spans", SOURCE_SPANS)->dead_letter_exchange = "dead";
    driver_topic(&driver, "^orders\\..*", SOURCE_MESSAGES);
    struct source_topic *queue = driver_topic(&driver, "^(queue", SOURCE_SPANS);
    queue->kind = SOURCE_RABBITMQ;
    queue->dead_letter_topic = "letters";
    assert_int_equal(driver_new_source(&driver), SB_OK);
    return &driver.source->base;
}

static void test_it_takes_what_is_of_its_kind(void **state)
{
    (void)state;
    struct source *source = new_source();
    assert_true(source->ops->reads(source, 0));
    assert_true(source->ops->reads(source, 1));
    assert_false(source->ops->reads(source, 2));
    assert_false(source->ops->takes_letters(source, 0));
    assert_false(source->ops->takes_letters(source, 1));
    assert_true(source->ops->takes_letters(source, 2));
    uint32_t topic;
    assert_true(source->ops->find_topic(source, SOURCE_MESSAGES, "orders.new", &topic));
    assert_int_equal(topic, 1);
    assert_false(source->ops->find_topic(source, SOURCE_SPANS, "^(queue", &topic));
    source->ops->free(source, false);
    driver.source = NULL;
    driver_clear(&driver);
}

static void test_calls_reach_it_through_all_sources(void **state)
{
    (void)state;
    struct source *source = new_source();
    struct sources *sources;
    assert_int_equal(sources_new(driver.options.workers, driver.options.topic_count, &sources),
                     SB_OK);
    assert_int_equal(sources_add(sources, source), SB_OK);
    sources_service(sources);
    struct record record;
    sources_wake(sources, 1);
    assert_int_equal(sources_poll(sources, 1, 60000, &record, 1),
                     0); /* woken before it slept */
    assert_int_equal(sources_poll_taps(sources, 0, &record, 1), 0);
    assert_false(sources_is_assigned(sources));
    assert_false(sources_spans_drained(sources));
    assert_false(sources_taps_drained(sources));
    assert_int_equal(sources_tap_time_ns(sources, 1), 0);
    assert_true(sources_tap_time_ns(sources, 2) == UINT64_MAX); /* nobody reads it */
    assert_null(sources_cluster_id(sources));
    assert_int_equal(sources_lags(sources, NULL, 0), 0);
    sources_stop_intake(sources);
    sources_free(sources, false);
    driver.source = NULL;
    driver_clear(&driver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_takes_what_is_of_its_kind),
        cmocka_unit_test(test_calls_reach_it_through_all_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
