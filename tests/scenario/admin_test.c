/*
 * admin: what those who watch the service see: figures that close at any moment, health that
 * follows the weather, and a service that hostile requests do not disturb.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "scenario.h"
#include "support/http_client.h"
#include "support/scrape.h"

enum { TRACES = 90, SPANS = 4, PARTITIONS = 3, REFUSED = 4 * 3 + 1, CROWD = 100 };

static struct http_client client;
static struct scrape page;
static struct http_answer health;

static void start(struct scenario *scenario)
{
    scenario_start(scenario);
    scenario->stays = true;
    scenario->watched = true;
    scenario->window = "wait = \"300ms\";";
    scenario->more = "shutdown = { drain = \"decide\"; };";
    health = (struct http_answer){.status = 0};
}

static void run(struct scenario *scenario)
{
    scenario_run(scenario);
    client = (struct http_client){.address = scenario_admin(scenario)};
}

static void stop(struct scenario *scenario, int exit_code)
{
    scenario_stop_run(scenario);
    scenario_join(scenario, exit_code);
    http_answer_clear(&health);
    scenario_end(scenario);
}

/* Whatever is going on, a page is well-formed and closes by itself. */
static void scrape(void)
{
    struct http_answer answer;
    http_get(&client, "/metrics", &answer);
    assert_int_equal(answer.status, 200);
    assert_true(http_has_header(&answer, "Content-Type: text/plain; version=0.0.4"));
    scrape_read(&page, answer.body, answer.body_len);
    http_answer_clear(&answer);
    assert_int_equal(scrape_left_over(&page), 0);
    assert_int_equal(scrape_value(&page, "spanbridge_balance_spans", ""), 0);
}

static int ask_health(void)
{
    http_answer_clear(&health);
    http_get(&client, "/health", &health);
    json_t *json = json_loads(health.body, 0, NULL);
    assert_non_null(json);
    json_decref(json);
    return health.status;
}

/* Asks until the condition holds; each question is a request, so this does not spin. */
#define UNTIL(question, condition)                                                             \
    for (uint64_t until_ns_ = clock_monotonic_ns(clock_system()) + WAIT_S * NS_PER_S;;) {      \
        question;                                                                              \
        if (condition)                                                                         \
            break;                                                                             \
        if (clock_monotonic_ns(clock_system()) > until_ns_)                                    \
            fail_msg("never: %s", #condition);                                                 \
    }

/* Every third trace has an error, and is kept. */
static void put_traces(struct scenario *scenario, uint64_t from, uint64_t to)
{
    for (uint64_t trace = from; trace < to; trace++) {
        for (uint64_t span = 0; span < SPANS; span++) {
            const struct span_spec spec = {
                .trace = scenario_trace(trace),
                .id = 1 + trace * SPANS + span,
                .parent = span == 0 ? 0 : trace * SPANS + span,
                .error = trace % 3 == 0 && span == 0,
            };
            scenario_put(scenario, "spans", (int32_t)((trace + span) % PARTITIONS), &spec, 1);
        }
    }
}

static void the_accounting_closes_from_the_page_alone(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario.workers = 3;
    /* Decided by their last span, however long partitions take to come: no trace is torn. */
    scenario.window = "wait = \"1h\"; spans_per_trace = 4;";
    scenario.policies =
        "{ name = \"errors\"; type = \"status_code\"; status_codes = [ \"ERROR\" ]; }";
    scenario.backends[0].weather = SINK_REFUSES;
    scenario.backends[0].refused = REFUSED;
    scenario_bare_topic(&scenario, "dead", 1);
    scenario_span_topic(&scenario, "spans", PARTITIONS,
                        "errors = { deadletterqueue = \"dead\"; };");
    put_traces(&scenario, 0, TRACES / 2);
    run(&scenario);
    UNTIL(scrape(), scrape_sum(&page, "spanbridge_spans_received_total") > 0);
    put_traces(&scenario, TRACES / 2, TRACES);
    scenario_put_bytes(&scenario, "spans", 0, bytes_text("\xff\xff"));
    UNTIL(scrape(), scrape_sum(&page, "spanbridge_spans_received_total") == TRACES * SPANS &&
                        scrape_sum(&page, "spanbridge_records_dead_lettered_total") == 1 &&
                        scrape_sum(&page, "spanbridge_spans_held") == 0 &&
                        scrape_sum(&page, "spanbridge_lag_records") == 0);
    const int64_t kept = TRACES / 3 * SPANS;
    assert_int_equal(scrape_value(&page, "spanbridge_spans_received_total", "topic=\"spans\""),
                     TRACES * SPANS);
    assert_int_equal(scrape_value(&page, "spanbridge_spans_delivered_total", ""), kept - 1);
    assert_int_equal(scrape_value(&page, "spanbridge_spans_exported_total", "sink=\"sink0\""),
                     kept - 1);
    assert_int_equal(
        scrape_value(&page, "spanbridge_spans_dropped_total", "policy=\"no_policy\""),
        TRACES * SPANS - kept);
    assert_int_equal(scrape_value(&page, "spanbridge_spans_dead_lettered_total",
                                  "topic=\"spans\",reason=\"refused_by_backend\""),
                     1);
    assert_int_equal(scrape_value(&page, "spanbridge_records_dead_lettered_total",
                                  "topic=\"spans\",reason=\"malformed\""),
                     1);
    assert_int_equal(scrape_value(&page, "spanbridge_window_traces", ""), 0);
    for (int i = 0; i < PARTITIONS; i++) {
        char labels[64];
        snprintf(labels, sizeof(labels), "topic=\"spans\",partition=\"%d\"", i);
        assert_true(scrape_has(&page, "spanbridge_lag_records", labels));
    }
    stop(&scenario, 0);
}

/* Spans that wait are behind, and in the window. */
static void what_waits_is_shown(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario.window = "wait = \"10m\"; hold = \"10m\";";
    scenario_span_topic(&scenario, "spans", PARTITIONS, "");
    put_traces(&scenario, 0, 6);
    run(&scenario);
    UNTIL(scrape(), scrape_sum(&page, "spanbridge_lag_records") == 6 * SPANS &&
                        scrape_sum(&page, "spanbridge_spans_received_total") == 6 * SPANS);
    UNTIL(scrape(), scrape_value(&page, "spanbridge_window_traces", "") == 6);
    assert_int_equal(scrape_value(&page, "spanbridge_spans_held", "where=\"window\""),
                     6 * SPANS);
    assert_true(scrape_value(&page, "spanbridge_window_bytes", "") > 0);
    stop(&scenario, 0);
}

static void health_follows_a_sink(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario_span_topic(&scenario, "spans", PARTITIONS, "");
    run(&scenario);
    UNTIL(ask_health(), health.status == 200);
    assert_non_null(strstr(health.body, "\"status\":\"healthy\""));
    scenario_weather(&scenario, 0, SINK_BUSY);
    put_traces(&scenario, 0, 3);
    UNTIL(ask_health(), health.status == 503);
    assert_non_null(strstr(health.body, "\"part\":\"sink\",\"name\":\"sink0\""));
    UNTIL(scrape(), scrape_value(&page, "spanbridge_sink_up", "sink=\"sink0\"") == 0);
    struct http_answer alive;
    http_get(&client, "/health/live", &alive);
    assert_int_equal(alive.status, 200);
    http_answer_clear(&alive);
    scenario_weather(&scenario, 0, SINK_UP);
    UNTIL(ask_health(), health.status == 200);
    stop(&scenario, 0);
}

static void health_follows_the_cluster(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario_span_topic(&scenario, "spans", PARTITIONS, "");
    run(&scenario);
    UNTIL(ask_health(), health.status == 200);
    rd_kafka_mock_broker_set_down(scenario.cluster, -1);
    UNTIL(ask_health(), health.status == 503);
    assert_non_null(strstr(health.body, "\"part\":\"cluster\""));
    rd_kafka_mock_broker_set_up(scenario.cluster, -1);
    put_traces(&scenario, 0, 3);
    UNTIL(ask_health(), health.status == 200);
    stop(&scenario, 0);
}

/* For good: nothing but a restart brings it back. */
static void a_topic_that_stopped_is_named(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario);
    scenario_span_topic(&scenario, "spans", PARTITIONS, "errors = { tolerance = \"none\"; };");
    run(&scenario);
    UNTIL(ask_health(), health.status == 200);
    scenario_put_bytes(&scenario, "spans", 0, bytes_text("\xff\xff"));
    UNTIL(ask_health(), health.status == 503);
    assert_non_null(strstr(health.body, "\"part\":\"topic\",\"name\":\"spans\""));
    scrape();
    assert_int_equal(scrape_value(&page, "spanbridge_topic_stopped", "topic=\"spans\""), 1);
    stop(&scenario, 0);
}

static void hostile_requests_disturb_nothing(void **state)
{
    (void)state;
    static char head[16 << 10];
    int crowd[CROWD];
    struct scenario scenario;
    struct http_answer answer;
    start(&scenario);
    scenario_span_topic(&scenario, "spans", PARTITIONS, "");
    run(&scenario);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = http_connect(&client);
        http_send(&client, crowd[i], "GET /met", 8);
    }
    put_traces(&scenario, 0, 3);
    memset(head, 'a', sizeof(head) - 1);
    memcpy(head, "GET /metrics HTTP/1.1\r\nX: ", 26);
    http_request(&client, head, &answer);
    assert_int_not_equal(answer.status, 200);
    http_answer_clear(&answer);
    http_request(&client, "\x16\x03\x01\x02 this is no HTTP\r\n\r\n", &answer);
    assert_int_not_equal(answer.status, 200);
    http_answer_clear(&answer);
    UNTIL(scrape(), scrape_value(&page, "spanbridge_spans_delivered_total", "") == 3 * SPANS);
    for (int i = 0; i < CROWD; i++)
        close(crowd[i]);
    stop(&scenario, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_accounting_closes_from_the_page_alone),
        cmocka_unit_test(what_waits_is_shown),
        cmocka_unit_test(health_follows_a_sink),
        cmocka_unit_test(health_follows_the_cluster),
        cmocka_unit_test(a_topic_that_stopped_is_named),
        cmocka_unit_test(hostile_requests_disturb_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
