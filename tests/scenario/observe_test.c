/*
 * observe: a look at topics with whole and broken hops of several kinds changes nothing in the
 * cluster, never asks a backend, and tells what a run then does.
 */
#include "scenario.h"

enum { EACH = 12, KINDS = 6, SERVER = 2, PRODUCER = 4, CONSUMER = 5 };
enum { OFFSET_COMMIT = 8, PRODUCE = 0, INIT_PRODUCER_ID = 22 };

/* What tells the two sides of a hop belong together. */
enum kind { WHOLE, LINK, COORDINATE, HEADER, BARE, UNREAD };

static const char *topic_of(enum kind kind)
{
    return kind == UNREAD ? "shipments" : "orders";
}

static struct span_context sender_of(enum kind kind, uint64_t number)
{
    return (struct span_context){scenario_trace(number * 100 + kind * 2), number * 100 + 2};
}

/* Both sides of one message, at offset `offset` of partition 0 of its topic. */
static void put_hop(struct scenario *scenario, enum kind kind, uint64_t number, int64_t offset)
{
    struct span_context sender = sender_of(kind, number);
    uint64_t base = number * 100 + 50;
    struct trace_id own = scenario_trace(number * 100 + kind * 2 + 1);
    const struct span_spec specs[] = {
        {.trace = sender.trace, .id = sender.span - 1, .service = "shop", .kind = SERVER},
        {.trace = sender.trace,
         .id = sender.span,
         .parent = sender.span - 1,
         .service = "shop",
         .kind = PRODUCER,
         .operation = "send",
         .topic = topic_of(kind),
         .placed = kind == COORDINATE,
         .offset = offset},
        {.trace = kind == WHOLE ? sender.trace : own,
         .id = base,
         .parent = kind == WHOLE ? sender.span : 0,
         .service = "billing",
         .start_ms = 5,
         .kind = CONSUMER,
         .operation = "process",
         .topic = topic_of(kind),
         .placed = kind != WHOLE && kind != LINK,
         .offset = offset,
         .links = {sender},
         .link_count = kind == LINK},
        {.trace = kind == WHOLE ? sender.trace : own,
         .id = base + 1,
         .parent = base,
         .service = "billing",
         .start_ms = 6},
    };
    scenario_put(scenario, "spans", (int)(number % 2), specs, 2);
    scenario_put(scenario, "spans", (int)((number + 1) % 2), specs + 2, 2);
    if (kind != UNREAD)
        scenario_put_message(scenario, "orders", 0, kind == HEADER ? &sender : NULL);
}

static void start(struct scenario *scenario, uint32_t workers)
{
    scenario_start(scenario);
    scenario->workers = workers;
    scenario_span_topic(scenario, "spans", 2, "errors = { deadletterqueue = \"spans.dlq\"; };");
    scenario_message_topic(scenario, "orders", 1, "");
    scenario_bare_topic(scenario, "spans.dlq", 1);
    for (uint64_t number = 0; number < EACH * KINDS; number++)
        put_hop(scenario, (enum kind)(number % KINDS), number + 1,
                (int64_t)(number - number / KINDS));
    scenario_put_bytes(scenario, "spans", 0, BYTES_LITERAL("\xff\xfegarbage"));
    scenario_flush(scenario);
}

static size_t requests(struct scenario *scenario, int16_t key)
{
    size_t count = 0;
    size_t found = 0;
    rd_kafka_mock_request_t **all = rd_kafka_mock_get_requests(scenario->cluster, &count);
    for (size_t i = 0; i < count; i++)
        found += rd_kafka_mock_request_api_key(all[i]) == key;
    rd_kafka_mock_request_destroy_array(all, count);
    return found;
}

/* A look; the cluster saw neither a commit nor a record of it. */
static void look(struct scenario *scenario)
{
    scenario->observes = true;
    scenario_flush(scenario);
    rd_kafka_mock_start_request_tracking(scenario->cluster);
    scenario_drain(scenario, 0);
    assert_int_equal(requests(scenario, OFFSET_COMMIT), 0);
    assert_int_equal(requests(scenario, PRODUCE), 0);
    assert_int_equal(requests(scenario, INIT_PRODUCER_ID), 0);
    rd_kafka_mock_stop_request_tracking(scenario->cluster);
    scenario->observes = false;
}

static void check_look(struct scenario *scenario)
{
    const int64_t spans = EACH * KINDS * 4;
    assert_int_equal(scenario_total(scenario, "read.spans"), spans);
    assert_int_equal(scenario_total(scenario, "observed"), spans);
    assert_int_equal(scenario_total(scenario, "held"), 0);
    assert_int_equal(scenario_total(scenario, "dead_lettered.records.malformed"), 1);
    assert_int_equal(scenario_total(scenario, "observe.hops.intact"), EACH);
    assert_int_equal(scenario_total(scenario, "observe.hops.broken"), EACH * 5);
    assert_int_equal(scenario_total(scenario, "observe.hops.rules.link"), EACH);
    assert_int_equal(scenario_total(scenario, "observe.hops.rules.coordinate"), EACH);
    assert_int_equal(scenario_total(scenario, "observe.hops.rules.header_at_coordinate"), EACH);
    assert_int_equal(scenario_total(scenario, "observe.hops.would.parent"), EACH * 3);
    assert_int_equal(scenario_total(scenario, "observe.hops.not_repaired.record_bare"), EACH);
    assert_int_equal(scenario_total(scenario, "observe.hops.not_repaired.topic_not_read"),
                     EACH);
    assert_int_equal(scenario_total(scenario, "observe.traces.traces"), EACH * 11);
    assert_int_equal(scenario_total(scenario, "observe.traces.broken"), EACH * 5);
    assert_int_equal(scenario_total(scenario, "observe.traces.complete"), EACH * 6);
    assert_int_equal(scenario_total(scenario, "observe.traces.joined"), EACH * 3);
    assert_int_equal(scenario_total(scenario, "observe.traces.window_reasons.drain"),
                     EACH * 11);
}

static void tells_what_a_run_does_and_touches_nothing(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 3; workers++) {
        struct scenario scenario;
        start(&scenario, workers);
        look(&scenario);
        check_look(&scenario);
        assert_int_equal(scenario.backends[0].requests, 0);
        assert_int_equal(scenario_committed(&scenario, "spans", 0), -1);
        look(&scenario); /* the second one finds the same */
        check_look(&scenario);
        scenario_drain(&scenario, 0);
        assert_int_equal(scenario_total(&scenario, "repairs.link.parent"), EACH);
        assert_int_equal(scenario_total(&scenario, "repairs.coordinate.parent"), EACH);
        assert_int_equal(scenario_total(&scenario, "repairs.header_at_coordinate.parent"),
                         EACH);
        /* Nor is it kept from looking by what the service has committed. */
        int64_t committed = scenario_committed(&scenario, "spans", 1);
        assert_true(committed > 0);
        size_t seen = scenario_span_count(&scenario, 0);
        look(&scenario);
        check_look(&scenario);
        assert_int_equal(scenario_committed(&scenario, "spans", 1), committed);
        assert_int_equal(scenario_span_count(&scenario, 0), seen);
        scenario_end(&scenario);
    }
}

/* What `mode` says is told as it would be done; what is off is looked at all the same. */
static void tells_what_modes_leave_undone(void **state)
{
    (void)state;
    static const char *const modes[] = {"off", "report", "link"};
    for (int i = 0; i < 3; i++) {
        struct scenario scenario;
        char repair[64];
        scenario_start(&scenario);
        snprintf(repair, sizeof(repair), "repair = { mode = \"%s\"; };", modes[i]);
        scenario_span_topic(&scenario, "spans", 2, "");
        scenario_message_topic(&scenario, "orders", 1, "");
        scenario.more = repair;
        for (uint64_t number = 0; number < EACH; number++)
            put_hop(&scenario, HEADER, number + 1, (int64_t)number);
        look(&scenario);
        bool links = i == 2;
        assert_int_equal(scenario_total(&scenario, "observe.hops.would.parent"), 0);
        assert_int_equal(scenario_total(&scenario, "observe.hops.would.link"),
                         links ? EACH : 0);
        assert_int_equal(scenario_total(&scenario, "observe.hops.would.report"),
                         links ? 0 : EACH);
        const json_t *steps =
            json_object_get(json_object_get(scenario.summary, "observe"), "next_steps");
        const char *kind = json_string_value(json_object_get(json_array_get(steps, 0), "kind"));
        assert_string_equal(kind, links ? "run" : "set_repair_mode");
        scenario_end(&scenario);
    }
}

/* Without --drain nothing of what was there before is read. */
static void reports_when_it_is_stopped_at_once(void **state)
{
    (void)state;
    struct scenario scenario;
    scenario_start(&scenario);
    scenario_span_topic(&scenario, "spans", 2, "");
    scenario.observes = true;
    scenario.stays = true;
    scenario_message_topic(&scenario, "orders", 1, "");
    put_hop(&scenario, LINK, 1, 0);
    scenario_run(&scenario);
    scenario_stop_run(&scenario);
    scenario_join(&scenario, 0);
    assert_int_equal(scenario_total(&scenario, "read.spans"), 0);
    assert_int_equal(scenario_total(&scenario, "observe.traces.traces"), 0);
    scenario_end(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_a_run_does_and_touches_nothing),
        cmocka_unit_test(tells_what_modes_leave_undone),
        cmocka_unit_test(reports_when_it_is_stopped_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
