#include "fixture.h"

#include "broker.h"
#include "pipeline.h"
#include "totals.h"
#include "workspace.h"

enum { PATIENCE_MS = 60000 };

static struct broker *broker;
static struct workspace workspace;
static struct settings *settings;
static struct text message;

static void ignore(void *arg, const rd_kafka_message_t *delivered)
{
    (void)arg, (void)delivered;
}

static int setup(void **state)
{
    (void)state;
    struct broker_options broker_options = {.on_delivered = ignore};
    text_init(&message, 4096);
    assert_int_equal(broker_new(&broker_options, &broker, &message), SB_OK);
    struct workspace_options options = {
        .bootstrap = broker_bootstrap(broker),
        .group = broker_group(broker),
        .backend_url = "http://127.0.0.1:1",
        .spans_topic = broker_topic_name(broker, BROKER_SPANS),
        .message_topics = {broker_topic_name(broker, BROKER_ORDERS),
                           broker_topic_name(broker, BROKER_SHIPMENTS)},
    };
    assert_int_equal(workspace_make(&options, &workspace, &message), SB_OK);
    assert_int_equal(workspace_load(&workspace, &settings, &message), SB_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    settings_free(settings);
    workspace_remove(&workspace);
    broker_free(broker, &message);
    text_clear(&message);
    return 0;
}

static void test_drain_of_nothing_ends_with_totals(void **state)
{
    (void)state;
    struct pipeline *pipeline;
    struct totals totals;
    assert_int_equal(pipeline_start(settings, true, &pipeline), SB_OK);
    assert_true(pipeline_ended(pipeline, PATIENCE_MS));
    assert_int_equal(pipeline_exit_code(pipeline), 0);
    assert_non_null(pipeline_summary(pipeline));
    assert_true(totals_read(pipeline_summary(pipeline), &totals));
    assert_int_equal(totals.read_spans, 0);
    assert_int_equal(totals.balance, 0);
    pipeline_free(pipeline);
}

static void test_runs_until_it_is_stopped(void **state)
{
    (void)state;
    struct pipeline *pipeline;
    assert_int_equal(pipeline_start(settings, false, &pipeline), SB_OK);
    assert_false(pipeline_ended(pipeline, 50));
    pipeline_stop(pipeline);
    pipeline_stop(pipeline); /* no second signal: that would end this process */
    assert_true(pipeline_ended(pipeline, PATIENCE_MS));
    assert_int_equal(pipeline_exit_code(pipeline), 0);
    pipeline_free(pipeline);
}

static void test_free_stops_it(void **state)
{
    (void)state;
    struct pipeline *pipeline;
    assert_int_equal(pipeline_start(settings, false, &pipeline), SB_OK);
    pipeline_free(pipeline);
    pipeline_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_drain_of_nothing_ends_with_totals, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_runs_until_it_is_stopped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_stops_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
