/*
 * Kafka sink: kept spans read back from the topic that they went to.
 */
#include <stdio.h>

#include "scenario.h"

enum { TRACES = 60, SPANS = 4, PARTITIONS = 3, KEPT_PARTITIONS = 4, RECORDS_MAX = 2000 };

static struct kept_record records[RECORDS_MAX];

static uint64_t id_of(uint64_t trace, uint64_t span)
{
    return 1 + trace * SPANS + span;
}

/* The spans of a trace come from different partitions and services. */
static void put_traces(struct scenario *scenario, size_t padding)
{
    for (uint64_t span = 0; span < SPANS; span++)
        for (uint64_t trace = 0; trace < TRACES; trace++) {
            const struct span_spec spec = {
                .trace = scenario_trace(trace),
                .id = id_of(trace, span),
                .parent = span == 0 ? 0 : id_of(trace, 0),
                .service = span % 2 == 0 ? "shop" : "warehouse",
                .padding = padding,
            };
            scenario_put(scenario, "spans", (int)((trace + span) % PARTITIONS), &spec, 1);
        }
}

static void start(struct scenario *scenario, const char *sink)
{
    scenario_start(scenario);
    scenario->workers = 2;
    scenario->kafka_sink = sink;
    scenario->kafka_alone = true;
    scenario_span_topic(scenario, "spans", PARTITIONS, "");
    scenario_bare_topic(scenario, "kept", KEPT_PARTITIONS);
}

/* Everything that was put is exported and committed. */
static void check_totals(struct scenario *scenario)
{
    assert_int_equal(scenario_total(scenario, "read.spans"), TRACES * SPANS);
    assert_int_equal(scenario_total(scenario, "exported"), TRACES * SPANS);
    assert_int_equal(scenario_total(scenario, "sinks.kept"), TRACES * SPANS);
    assert_int_equal(scenario_total(scenario, "held"), 0);
    for (int i = 0; i < PARTITIONS; i++)
        assert_int_equal(scenario_committed(scenario, "spans", i), TRACES * SPANS / PARTITIONS);
}

static void check_spans(struct scenario *scenario)
{
    assert_int_equal(scenario_span_count(scenario, 0), TRACES * SPANS);
    for (uint64_t trace = 0; trace < TRACES; trace++)
        for (uint64_t span = 0; span < SPANS; span++) {
            const struct seen *seen = scenario_find(scenario, 0, id_of(trace, span));
            assert_non_null(seen);
            assert_true(trace_id_equal(seen->trace, scenario_trace(trace)));
            assert_true(seen->parent == (span == 0 ? 0 : id_of(trace, 0)));
            if (span == 0)
                assert_string_equal(seen->policy, "all");
        }
}

/* As Apache Kafka's Java clients place a key of 32 bytes. */
static int32_t partition_of(const char *key)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28c ^ TRACE_ID_HEX_LEN;
    for (int i = 0; i < TRACE_ID_HEX_LEN; i += 4) {
        uint32_t k = 0;
        for (int byte = 3; byte >= 0; byte--)
            k = k << 8 | (uint8_t)key[i + byte];
        k *= m;
        h = h * m ^ (k ^ k >> 24) * m;
    }
    h = (h ^ h >> 13) * m;
    return (int32_t)((h ^ h >> 15) & INT32_MAX) % KEPT_PARTITIONS;
}

static void check_keys(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char hex[TRACE_ID_HEX_LEN + 1];
        trace_id_format(records[i].trace, hex);
        assert_int_equal(records[i].key_len, TRACE_ID_HEX_LEN);
        assert_string_equal(records[i].key, hex);
        assert_int_equal(records[i].partition, partition_of(hex));
    }
}

static void one_record_for_each_trace(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario, "");
    put_traces(&scenario, 0);
    scenario_drain(&scenario, 0);
    check_totals(&scenario);
    size_t count = scenario_read_kept(&scenario, NULL, KEPT_PARTITIONS, records, RECORDS_MAX);
    assert_int_equal(count, TRACES);
    check_keys(count);
    check_spans(&scenario);
    scenario_end(&scenario);
}

static void large_traces_are_split(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario, "kafka = { properties = ( { name = \"message.max.bytes\";"
                     " value = \"8000\"; } ); };");
    put_traces(&scenario, 3000); /* two fit */
    scenario_drain(&scenario, 0);
    check_totals(&scenario);
    size_t count = scenario_read_kept(&scenario, NULL, KEPT_PARTITIONS, records, RECORDS_MAX);
    assert_int_equal(count, TRACES * 2);
    for (size_t i = 0; i < count; i++)
        assert_true(records[i].value_len < 8000);
    check_keys(count);
    check_spans(&scenario);
    scenario_end(&scenario);
}

/* Larger than any record may be: a dead letter, and the others of its trace go on. */
static void what_no_record_can_hold_is_dead_lettered(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario, "kafka = { properties = ( { name = \"message.max.bytes\";"
                     " value = \"8000\"; } ); };");
    scenario_span_topic(&scenario, "large", 1, "errors = { deadletterqueue = \"dead\"; };");
    scenario_bare_topic(&scenario, "dead", 1);
    const struct span_spec specs[] = {
        {.trace = scenario_trace(1), .id = 1},
        {.trace = scenario_trace(1), .id = 2, .parent = 1, .padding = 20000},
    };
    scenario_put(&scenario, "large", 0, specs, 2);
    scenario_drain(&scenario, 0);
    assert_int_equal(scenario_total(&scenario, "exported"), 1);
    assert_int_equal(scenario_committed(&scenario, "large", 0), 1);
    struct record_copy letter;
    scenario_read(&scenario, "dead", &letter, 1);
    assert_true(letter.len > 20000);
    record_copy_clear(&letter);
    assert_int_equal(scenario_read_kept(&scenario, NULL, KEPT_PARTITIONS, records, RECORDS_MAX),
                     1);
    assert_int_equal(scenario_copies(&scenario, 0, 1), 1);
    assert_int_equal(scenario_copies(&scenario, 0, 2), 0);
    scenario_end(&scenario);
}

/* A cluster of its own that is away for a while: nothing is committed before it has all. */
static void the_cluster_is_away(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario, NULL);
    rd_kafka_mock_cluster_t *other = rd_kafka_mock_cluster_new(scenario.kafka, 1);
    assert_non_null(other);
    const char *brokers = rd_kafka_mock_cluster_bootstraps(other);
    char sink[TEMP_DIR_PATH_LEN];
    snprintf(sink, sizeof(sink), "kafka = { bootstrap = \"%s\"; };", brokers);
    assert_int_equal(rd_kafka_mock_topic_create(other, "kept", KEPT_PARTITIONS, 1), 0);
    rd_kafka_mock_broker_set_down(other, 1);
    scenario.kafka_sink = sink;
    scenario.kafka_alone = false; /* the other sink tells how far the service is */
    put_traces(&scenario, 0);
    scenario_run(&scenario);
    scenario_wait_spans(&scenario, 0, (size_t)TRACES * SPANS);
    for (int i = 0; i < PARTITIONS; i++)
        assert_true(scenario_committed(&scenario, "spans", i) <= 0);
    rd_kafka_mock_broker_set_up(other, 1);
    scenario_join(&scenario, 0);
    check_totals(&scenario);
    scenario_forget(&scenario, 0);
    size_t count =
        scenario_read_kept(&scenario, brokers, KEPT_PARTITIONS, records, RECORDS_MAX);
    assert_int_equal(count, TRACES);
    check_keys(count);
    check_spans(&scenario);
    rd_kafka_mock_cluster_destroy(other);
    scenario_end(&scenario);
}

/* SIGTERM while it is away: the records stay with the broker, and the next run has them all. */
static void stopped_while_it_is_away(void **state)
{
    (void)state;
    enum { TEMPFAIL = 75 };
    struct scenario scenario;
    start(&scenario, "");
    rd_kafka_mock_topic_set_error(scenario.cluster, "kept",
                                  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    scenario.window = "wait = \"10ms\";";
    scenario.more = "shutdown = { timeout = \"200ms\"; };";
    scenario.kafka_alone = false;
    scenario.stays = true;
    put_traces(&scenario, 0);
    scenario_run(&scenario);
    scenario_wait_spans(&scenario, 0, (size_t)TRACES * SPANS);
    scenario_stop_run(&scenario);
    scenario_join(&scenario, TEMPFAIL);
    assert_int_equal(scenario_total(&scenario, "exported"), 0);
    rd_kafka_mock_topic_set_error(scenario.cluster, "kept", RD_KAFKA_RESP_ERR_NO_ERROR);
    scenario.stays = false;
    scenario.kafka_alone = true;
    scenario.window = "wait = \"10m\"; hold = \"10m\";";
    scenario_drain(&scenario, 0);
    check_totals(&scenario);
    scenario_forget(&scenario, 0);
    (void)scenario_read_kept(&scenario, NULL, KEPT_PARTITIONS, records, RECORDS_MAX);
    check_spans(&scenario);
    scenario_end(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_record_for_each_trace),
        cmocka_unit_test(large_traces_are_split),
        cmocka_unit_test(what_no_record_can_hold_is_dead_lettered),
        cmocka_unit_test(the_cluster_is_away),
        cmocka_unit_test(stopped_while_it_is_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
