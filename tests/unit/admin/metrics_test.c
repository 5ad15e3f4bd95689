#include "admin/metrics.h"

#include "support/scrape.h"
#include "support/test.h"

enum { TOPICS = 3 };

static struct scrape scrape;

static void read_page(const struct admin_snapshot *snapshot)
{
    struct text out;
    text_init(&out, 1 << 20);
    admin_write_metrics(snapshot, &out);
    assert_int_equal(out.error, SB_OK);
    scrape_read(&scrape, out.at, out.len);
    text_clear(&out);
}

static int64_t value(const char *name, const char *labels)
{
    return scrape_value(&scrape, name, labels);
}

/* Every figure is another one, so that two which are mixed up are seen. */
static void test_figures(void **state)
{
    (void)state;
    struct worker_account account = {.under_way = -3, .balance = -1};
    account.counters = (struct worker_counters){.exported = 101,
                                                .rejected = 102,
                                                .lost = 103,
                                                .synthetic = 104,
                                                .traces_kept = 105,
                                                .traces_dropped = 106,
                                                .dropped_no_policy = 107,
                                                .held_window = 108,
                                                .held_egress = 109,
                                                .held_letters = 110,
                                                .window_traces = 111,
                                                .window_bytes = 112};
    account.counters.dropped[1] = 113;
    account.counters.repairs[REPAIR_RULE_COORDINATE][WORKER_REPAIRED_LINK] = 114;
    account.counters.returned = 115;
    struct worker_topic_counters counters[TOPICS] = {
        {.spans_read = 201, .records_read = 202, .discarded = 203},
        {.messages_read = 204},
        {.spans_read = 205}};
    counters[0].dead_records[OTLP_FAULT_MALFORMED] = 206;
    counters[2].dead_spans[WORKER_REASON_REFUSED] = 207;
    const struct admin_topic topics[TOPICS] = {{"spans", true, false, 208},
                                               {"orders", false, false, 0},
                                               {"a \"b\"\\\n", true, true, 0}};
    const char *const policies[] = {"errors", "health"};
    const struct admin_sink sinks[] = {
        {.name = "tempo",
         .counters = {.spans_exported = 301, .requests = 302, .bytes_sent = 303},
         .state = SINK_READY,
         .queued_bytes = 304,
         .queue_bytes_max = 305},
        {.name = "kept", .state = SINK_BACKING_OFF}};
    const struct source_lag lags[] = {{"spans", 0, 401}, {"spans", 11, 402}};
    const struct admin_snapshot snapshot = {.version = "1.2.3",
                                            .librdkafka = "2.15.0",
                                            .account = &account,
                                            .topic_counters = counters,
                                            .topics = topics,
                                            .topic_count = TOPICS,
                                            .policies = policies,
                                            .policy_count = 2,
                                            .sinks = sinks,
                                            .sink_count = 2,
                                            .lags = lags,
                                            .lag_count = 2};
    read_page(&snapshot);
    assert_int_equal(value("spanbridge_build_info", "version=\"1.2.3\",librdkafka=\"2.15.0\""),
                     1);
    assert_int_equal(value("spanbridge_spans_received_total", "topic=\"spans\""), 201);
    assert_int_equal(value("spanbridge_records_received_total", "topic=\"spans\""), 202);
    assert_int_equal(value("spanbridge_discarded_total", "topic=\"spans\""), 203);
    assert_int_equal(value("spanbridge_messages_received_total", "topic=\"orders\""), 204);
    assert_int_equal(value("spanbridge_spans_received_total", "topic=\"a \\\"b\\\"\\\\\\n\""),
                     205);
    assert_false(scrape_has(&scrape, "spanbridge_spans_received_total", "topic=\"orders\""));
    assert_int_equal(
        value("spanbridge_records_dead_lettered_total", "topic=\"spans\",reason=\"malformed\""),
        206);
    assert_int_equal(value("spanbridge_spans_dead_lettered_total",
                           "topic=\"a \\\"b\\\"\\\\\\n\",reason=\"refused_by_backend\""),
                     207);
    assert_int_equal(
        value("spanbridge_records_rejected_total", "topic=\"spans\",reason=\"headers\""), 208);
    assert_int_equal(value("spanbridge_topic_stopped", "topic=\"spans\""), 0);
    assert_int_equal(value("spanbridge_topic_stopped", "topic=\"a \\\"b\\\"\\\\\\n\""), 1);
    assert_int_equal(value("spanbridge_spans_delivered_total", ""), 101);
    assert_int_equal(value("spanbridge_spans_rejected_total", ""), 102);
    assert_int_equal(value("spanbridge_spans_lost_total", ""), 103);
    assert_int_equal(value("spanbridge_spans_returned_total", ""), 115);
    assert_int_equal(value("spanbridge_spans_synthetic_total", ""), 104);
    assert_int_equal(value("spanbridge_traces_decided_total", "verdict=\"kept\""), 105);
    assert_int_equal(value("spanbridge_traces_decided_total", "verdict=\"dropped\""), 106);
    assert_int_equal(value("spanbridge_spans_dropped_total", "policy=\"no_policy\""), 107);
    assert_int_equal(value("spanbridge_spans_dropped_total", "policy=\"health\""), 113);
    assert_false(scrape_has(&scrape, "spanbridge_spans_dropped_total", "policy=\"errors\""));
    assert_int_equal(value("spanbridge_spans_held", "where=\"window\""), 108);
    assert_int_equal(value("spanbridge_spans_held", "where=\"sinks\""), 109);
    assert_int_equal(value("spanbridge_spans_held", "where=\"dead_letters\""), 110);
    assert_int_equal(value("spanbridge_spans_held", "where=\"workers\""), -3);
    assert_int_equal(value("spanbridge_balance_spans", ""), -1);
    assert_int_equal(value("spanbridge_window_traces", ""), 111);
    assert_int_equal(value("spanbridge_window_bytes", ""), 112);
    assert_int_equal(value("spanbridge_repairs_total", "rule=\"coordinate\",action=\"link\""),
                     114);
    assert_int_equal(value("spanbridge_spans_exported_total", "sink=\"tempo\""), 301);
    assert_int_equal(value("spanbridge_sink_requests_total", "sink=\"tempo\""), 302);
    assert_int_equal(value("spanbridge_sink_sent_bytes_total", "sink=\"tempo\""), 303);
    assert_int_equal(value("spanbridge_sink_queue_bytes", "sink=\"tempo\""), 304);
    assert_int_equal(value("spanbridge_sink_queue_limit_bytes", "sink=\"tempo\""), 305);
    assert_int_equal(value("spanbridge_sink_up", "sink=\"tempo\""), 1);
    assert_int_equal(value("spanbridge_sink_up", "sink=\"kept\""), 0);
    assert_int_equal(value("spanbridge_lag_records", "topic=\"spans\",partition=\"0\""), 401);
    assert_int_equal(value("spanbridge_lag_records", "topic=\"spans\",partition=\"11\""), 402);
}

/* Nothing has happened yet: the page is whole, and rates have a beginning. */
static void test_an_idle_service(void **state)
{
    (void)state;
    const struct worker_account account = {.balance = 0};
    const struct worker_topic_counters counters[1] = {{.spans_read = 0}};
    const struct admin_topic topics[1] = {{"spans", true, false, 0}};
    const struct admin_snapshot snapshot = {.version = "1",
                                            .librdkafka = "2",
                                            .account = &account,
                                            .topic_counters = counters,
                                            .topics = topics,
                                            .topic_count = 1};
    read_page(&snapshot);
    assert_int_equal(value("spanbridge_records_dead_lettered_total",
                           "topic=\"spans\",reason=\"refused_by_backend\""),
                     0);
    assert_int_equal(value("spanbridge_spans_dropped_total", "policy=\"no_policy\""), 0);
    assert_int_equal(scrape_left_over(&scrape), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_an_idle_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
