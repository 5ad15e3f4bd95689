#include "core/memory.h"
#include "hops.h"
#include "otlp/write.h"
#include "support/test.h"

static void start(struct rig *rig, uint32_t workers)
{
    rig_init(rig);
    rig->options.worker_count = workers;
    rig_start(rig);
}

static void finish(struct rig *rig)
{
    rig_drain(rig);
    rig_clear(rig);
}

static void push_one(struct rig *rig, uint32_t worker, struct trace_id trace, uint64_t id)
{
    const struct span_spec spec = {.trace = trace, .id = id};
    rig_push(rig, worker, &spec, 1);
}

static void test_a_record_is_finished_when_all_its_spans_are(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 1);
    rig.sinks[0].answers = false;
    const struct span_spec specs[] = {
        {.trace = rig_trace(&rig, 0, 1), .id = 10},
        {.trace = rig_trace(&rig, 0, 2), .id = 20},
    };
    rig_push(&rig, 0, specs, 2);
    rig_settle(&rig);
    assert_int_equal(ledger_held(rig_worker(&rig, 0)->ledger), 1);
    assert_int_equal(rig_counters(&rig).held_window, 2);
    assert_int_equal(rig_balance(&rig), 0);
    rig_wait(&rig);
    assert_int_equal(rig_counters(&rig).held_window, 0);
    assert_int_equal(rig_counters(&rig).held_egress, 2);
    assert_int_equal(rig_balance(&rig), 0);
    assert_int_equal(rig.source.published[0][0], -1);
    fake_sink_answer_all(&rig.sinks[0]);
    rig_settle(&rig);
    rig_advance_ms(&rig, 200);
    rig_settle(&rig);
    assert_int_equal(ledger_held(rig_worker(&rig, 0)->ledger), 0);
    assert_int_equal(rig.source.published[0][0], 1);
    finish(&rig);
}

static void test_an_empty_record_is_finished_at_once(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 1);
    rig_push_bytes(&rig, 0, bytes_of(NULL, 0));
    rig_settle(&rig);
    assert_int_equal(ledger_held(rig_worker(&rig, 0)->ledger), 0);
    assert_int_equal(rig_counters(&rig).records_read, 1);
    assert_int_equal(rig.source.letter_count, 0);
    finish(&rig);
}

/* Spans of one record whose traces are at home elsewhere come back as counts of it. */
static void test_a_record_may_be_spread_over_all_workers(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 4);
    struct span_spec specs[64] = {{.id = 0}};
    for (uint32_t i = 0; i < 64; i++)
        specs[i] = (struct span_spec){.trace = rig_trace(&rig, i % 4, i),
                                      .id = 100 + i,
                                      .service = i % 3 == 0 ? "one" : "two"};
    for (uint32_t reader = 0; reader < 4; reader++)
        rig_push(&rig, reader, specs + reader * 16, 16);
    rig_wait(&rig);
    for (uint32_t i = 0; i < 64; i++)
        assert_string_equal(rig_out(&rig, 100 + i)->service, i % 3 == 0 ? "one" : "two");
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(ledger_held(rig_worker(&rig, i)->ledger), 0);
    finish(&rig);
}

static void test_json_is_read_where_the_topic_says_so(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.topics[TOPIC_SPANS].json = true;
    rig_start(&rig);
    const char *good = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{"
                       "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\","
                       "\"spanId\":\"000000000000000a\",\"name\":\"hello\"}]}]}]}";
    rig_push_bytes(&rig, 0, bytes_text(good));
    rig_push_bytes(&rig, 0, BYTES_LITERAL("{\"resourceSpans\":"));
    rig_push_bytes(&rig, 0, bytes_of(NULL, 0));
    rig_settle(&rig);
    assert_int_equal(rig.source.letter_count, 1);
    assert_string_equal(
        fake_letter_header(rig.source.letters, "__connect.errors.exception.message"),
        "invalid_json");
    assert_int_equal(rig_counters(&rig).spans_read, 1);
    assert_int_equal(rig_counters(&rig).dead_records[OTLP_FAULT_JSON], 1);
    rig_drain(&rig);
    assert_int_equal(rig.sinks[0].span_count, 1);
    assert_string_equal(rig.sinks[0].spans[0].span->name, "hello");
    rig.sinks[0].span_count = 0; /* not pushed as a spec: nothing to compare it with */
    out_clear(&rig.sinks[0].spans[0]);
    rig_clear(&rig);
}

/* The span of a consumer that tells its coordinate in numbers of any type. */
static void push_typed_consumer(struct rig *rig, struct trace_id trace)
{
    const struct span_spec plain = {.trace = trace,
                                    .id = 200,
                                    .kind = OTLP_KIND_CONSUMER,
                                    .start_ms = 40,
                                    .operation = "process",
                                    .topic = "orders"};
    struct text body;
    struct text scope;
    struct text group;
    struct text request;
    text_init(&body, 10000);
    text_init(&scope, 10000);
    text_init(&group, 10000);
    text_init(&request, 10000);
    spans_write_body(&body, &plain);
    otlp_write_int_attribute(&body, OTLP_SPAN_ATTRIBUTES,
                             BYTES_LITERAL("messaging.destination.partition.id"), 0);
    otlp_write_double_attribute(&body, OTLP_SPAN_ATTRIBUTES,
                                BYTES_LITERAL("messaging.kafka.offset"), 7.0);
    otlp_write_bool_attribute(&body, OTLP_SPAN_ATTRIBUTES,
                              BYTES_LITERAL("messaging.batch.message_count"), true);
    otlp_write_bytes_field(&scope, 2, text_bytes(&body));
    otlp_write_bytes_field(&group, 2, text_bytes(&scope));
    otlp_write_bytes_field(&request, 1, text_bytes(&group));
    rig_push_bytes(rig, 0, text_bytes(&request));
    rig_remember(rig, &plain);
    text_clear(&body);
    text_clear(&scope);
    text_clear(&group);
    text_clear(&request);
}

static void push_header(struct rig *rig, const struct hop *hop, const char *const *headers,
                        int count)
{
    const struct record record = {.topic = TOPIC_ORDERS,
                                  .lane = 0,
                                  .offset = hop->offset,
                                  .time_ms = -1,
                                  .time_type = RECORD_TIME_CREATE};
    struct fake_record *pushed = fake_source_push(&rig->source, 0, true, &record);
    for (int i = 0; i < count; i++)
        fake_source_add_header(pushed, "traceparent", headers[i]);
}

static void test_the_last_valid_header_counts(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 1);
    struct hop hop = hop_default(&rig, HOP_BY_HEADER);
    struct hop other = hop;
    other.producer = rig_trace(&rig, 0, 9);
    char wrong[64];
    char right[64];
    spans_traceparent(hop_sender(&other), wrong);
    spans_traceparent(hop_sender(&hop), right);
    const char *const headers[] = {wrong, "nonsense", right, "00-zz"};
    push_header(&rig, &hop, headers, 4);
    hop_push_producer(&rig, 0, &hop);
    push_typed_consumer(&rig, hop.consumer);
    rig_wait(&rig);
    const struct out_span *out = rig_out(&rig, 200);
    assert_true(out_has_trace(out, hop.producer));
    /* Without a time of its record, it is taken to wait since the producer's end. */
    assert_int_equal(out_number(out, "spanbridge.dwell_ms"), HOP_PROCESS_MS - HOP_SEND_END_MS);
    assert_int_equal(rig_counters(&rig).headers_malformed, 2);
    assert_int_equal(rig_counters(&rig).messages_read, 1);
    finish(&rig);
}

/* An offset that is a delivery tag names nothing: nobody is joined by it. */
static void test_offsets_that_are_no_coordinates_join_nobody(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 1);
    rig_worker(&rig, 0)->taps.at[0].coordinates = false;
    struct hop hop = hop_default(&rig, HOP_BY_HEADER);
    hop_push(&rig, &hop);
    rig_wait(&rig);
    rig_wait(&rig);
    hop_expect_apart(&rig, &hop);
    assert_int_equal(rig_counters(&rig).messages_read, 1);
    finish(&rig);
}

static void test_headers_beyond_the_limits_are_not_looked_at(void **state)
{
    (void)state;
    for (int by_bytes = 0; by_bytes < 2; by_bytes++) {
        struct rig rig;
        rig_init(&rig);
        rig.options.headers_max = by_bytes ? 64 : 1;
        rig.options.header_bytes_max = by_bytes ? 100 : 10000;
        rig_start(&rig);
        struct hop hop = hop_default(&rig, HOP_BY_HEADER);
        struct hop other = hop;
        other.producer = rig_trace(&rig, 0, 9);
        char first[64];
        char second[64];
        spans_traceparent(hop_sender(&hop), first);
        spans_traceparent(hop_sender(&other), second);
        const char *const headers[] = {first, second};
        push_header(&rig, &hop, headers, 2);
        hop_push_producer(&rig, 0, &hop);
        hop_push_consumer(&rig, 0, &hop);
        rig_wait(&rig);
        hop_expect_merged(&rig, &hop);
        finish(&rig);
    }
}

static void test_records_of_a_lane_that_was_taken_away_are_passed_over(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 1);
    push_one(&rig, 0, rig_trace(&rig, 0, 1), 10);
    rig_settle(&rig);
    rig_close_lane(&rig, 0, 0, 0);
    push_one(&rig, 0, rig_trace(&rig, 0, 2), 20); /* was on its way when the lane was closed */
    rig_settle(&rig);
    assert_int_equal(rig_counters(&rig).records_read, 1);
    assert_int_equal(rig.source.polled, 0);
    rig_wait(&rig);
    assert_int_equal(rig_count_out(&rig, 20), 0);
    assert_int_equal(rig.source.published[0][0], -1);
    finish(&rig);
}

/* Records polled and not yet taken must not be taken for those of the lane's next partition. */
static void test_polled_records_do_not_outlive_their_lane(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 1);
    rig.sinks[0].is_full = true; /* blocks intake */
    for (uint64_t i = 0; i < 10; i++)
        push_one(&rig, 0, rig_trace(&rig, 0, 1), 10 + i);
    rig_turn(&rig, 0);
    /* As if they had been polled before the sink was full. */
    struct worker *worker = rig_worker(&rig, 0);
    worker->polled.at = 0;
    worker->polled.count = (uint32_t)sources_poll(rig.source.sources, 0, 0,
                                                  worker->polled.records, RECORDS_POLLED);
    assert_int_equal(rig.source.polled, 10);
    rig_turn(&rig, 0);
    assert_int_equal(rig.source.polled, 10);
    rig_close_lane(&rig, 0, 0, 0);
    assert_int_equal(rig.source.polled, 0);
    rig_open_lane(&rig, 0, 0, false, TOPIC_SPANS);
    rig.sinks[0].is_full = false;
    rig_settle(&rig);
    assert_int_equal(rig_counters(&rig).records_read, 0);
    finish(&rig);
}

/* A lane the worker could not note for lack of memory: its records are passed over. */
static void test_a_lane_that_found_no_memory_is_not_read(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 1);
    memory_fail_at(1);
    rig_open_lane(&rig, 0, 6, false, TOPIC_SPANS);
    memory_fail_at(1);
    rig_open_lane(&rig, 0, 30, true, TOPIC_ORDERS);
    memory_fail_at(0);
    assert_true(rig_worker(&rig, 0)->taps.count <= 30);
    const struct record unknown = {.topic = TOPIC_SPANS, .lane = 300};
    intake_record(rig_worker(&rig, 0), &unknown);
    const struct record message = {.topic = TOPIC_ORDERS, .lane = 300};
    intake_message(rig_worker(&rig, 0), &message);
    assert_int_equal(rig_counters(&rig).records_read, 0);
    finish(&rig);
}

static void push_many(struct rig *rig, uint32_t traces, size_t padding)
{
    for (uint32_t i = 0; i < traces; i++) {
        const struct span_spec spec = {.trace =
                                           rig_trace(rig, i % rig->options.worker_count, i),
                                       .id = 1000 + i,
                                       .padding = padding};
        rig_push(rig, 0, &spec, 1);
    }
}

/*
 * Sinks that take nothing, and a window that is full: the worker reads no more, and still
 * listens.  All goes on when the sinks do.
 */
static void test_a_full_sink_and_a_full_window_block_intake_not_the_worker(void **state)
{
    (void)state;
    enum { TRACES = 300 };
    for (uint32_t workers = 1; workers <= 2; workers++) {
        struct rig rig;
        rig_init(&rig);
        rig.options.worker_count = workers;
        rig.options.window_bytes_max = 5 << 20;
        rig_start(&rig);
        push_many(&rig, TRACES, 60000);
        for (uint32_t i = 0; i < workers; i++)
            rig_turn(&rig, i);
        rig.sinks[0].is_full = true;
        for (int turn = 0; turn < 30; turn++)
            for (uint32_t i = 0; i < workers; i++)
                rig_turn(&rig, i);
        uint64_t read = rig_counters(&rig).records_read;
        assert_true(read < TRACES);
        for (uint32_t i = 0; i < workers; i++)
            assert_true(window_totals(rig_worker(&rig, i)->window).bytes < 9 << 20);
        /* It obeys: a lane can be taken away and given back. */
        rig_open_lane(&rig, 0, 3, false, TOPIC_SPANS);
        rig_close_lane(&rig, 0, 3, 0);
        assert_int_equal(rig_counters(&rig).records_read, read);
        rig.sinks[0].is_full = false;
        rig_wait(&rig);
        rig_wait(&rig);
        for (uint32_t i = 0; i < TRACES; i++)
            assert_int_equal(rig_count_out(&rig, 1000 + i), 1);
        finish(&rig);
    }
}

/* What another worker had sent before still comes in when the budget is used up. */
static void test_spans_under_way_are_taken_beyond_the_budget(void **state)
{
    (void)state;
    enum { SPANS = 12 };
    struct rig rig;
    rig_init(&rig);
    rig.options.worker_count = 2;
    rig.options.window_bytes_max = 1;
    rig_start(&rig);
    for (uint32_t i = 0; i < SPANS; i++)
        push_one(&rig, 0, rig_trace(&rig, 1, i), 100 + i);
    rig_turn(&rig, 0);
    rig.sinks[0].is_full = true;
    rig_turn(&rig, 1);
    assert_int_equal(window_totals(rig_worker(&rig, 1)->window).spans, SPANS);
    assert_int_equal(rig_counters(&rig).pressure_decisions, 0);
    struct window *window = rig_worker(&rig, 1)->window;
    struct trace_id other = rig_trace(&rig, 1, 100);
    window_trace none;
    assert_int_equal(window_open(window, other, window_hash(window, other), 0, &none),
                     SB_ERR_FULL);
    /* Beyond the budget only as long as that lasts. */
    rig.sinks[0].is_full = false;
    rig_settle(&rig);
    assert_true(rig_counters(&rig).pressure_decisions > 0);
    rig_wait(&rig);
    finish(&rig);
}

/* A span that finds no memory on its way to another worker does not take others with it. */
static void test_one_shortage_strands_one_span(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, 2);
    struct worker *worker = rig_worker(&rig, 0);
    uint8_t body[100] = {0};
    const struct arrival arrival = {.trace_id = rig_trace(&rig, 1, 1),
                                    .raw = bytes_of(body, sizeof(body)),
                                    .envelope = worker->queue_envelopes[0]};
    memory_fail_at(1);
    arrival_send(worker, 1, &arrival);
    memory_fail_at(0);
    assert_int_equal(worker->outgoing[1].count, 0);
    assert_int_equal(worker->stranded_spans, 1);
    arrival_send(worker, 1, &arrival);
    assert_int_equal(worker->outgoing[1].count, 1);
    assert_int_equal(worker->stranded_spans, 1);
    rig_clear(&rig);
}

/* Every allocation fails once: what was read leaves, or its record stays unfinished. */
static void check_shortage(uint64_t nth, uint32_t workers)
{
    struct rig rig;
    start(&rig, workers);
    struct span_spec specs[12] = {{.id = 0}};
    for (uint32_t i = 0; i < 12; i++)
        specs[i] = (struct span_spec){.trace = rig_trace(&rig, i % workers, i),
                                      .id = 100 + i,
                                      .padding = i == 5 ? 60000 : 100,
                                      .service = i < 6 ? "a" : "b"};
    specs[3].trace = (struct trace_id){{0}}; /* a fault of its own: dead-lettered */
    rig_push(&rig, 0, specs, 12);
    rig_push_bytes(&rig, 0, BYTES_LITERAL("\xff\xff"));
    push_one(&rig, 0, rig_trace(&rig, 0, 20), 200);
    memory_fail_at(nth);
    for (uint32_t i = 0; i < 2 * workers; i++)
        rig_turn(&rig, i % workers);
    memory_fail_at(0);
    rig_wait(&rig);
    assert_int_equal(rig_balance(&rig), 0);
    struct worker_counters counters = rig_counters(&rig);
    uint32_t held = ledger_held(rig_worker(&rig, 0)->ledger);
    if (held == 0) {
        assert_int_equal(counters.exported, counters.records_read < 3 ? 0 : 12);
        assert_int_equal(rig.source.letter_count, counters.records_read < 3 ? 0 : 2);
    }
    /* The watermark stays before whatever is not finished. */
    rig_advance_ms(&rig, 200);
    rig_settle(&rig);
    int64_t published = rig.source.published[0][0];
    assert_true(held > 0 ? published < 3 : published == 3 || counters.records_read < 3);
    assert_true(published < 1 || rig_count_out(&rig, 100) == 1);
    assert_true(published < 3 || rig_count_out(&rig, 200) == 1);
    if (held == 0)
        rig_drain(&rig);
    rig_clear(&rig);
}

static void test_memory_shortage_loses_nothing(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 60; nth++) {
        check_shortage(nth, 1);
        check_shortage(nth, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_is_finished_when_all_its_spans_are),
        cmocka_unit_test(test_an_empty_record_is_finished_at_once),
        cmocka_unit_test(test_a_record_may_be_spread_over_all_workers),
        cmocka_unit_test(test_json_is_read_where_the_topic_says_so),
        cmocka_unit_test(test_the_last_valid_header_counts),
        cmocka_unit_test(test_offsets_that_are_no_coordinates_join_nobody),
        cmocka_unit_test(test_headers_beyond_the_limits_are_not_looked_at),
        cmocka_unit_test(test_records_of_a_lane_that_was_taken_away_are_passed_over),
        cmocka_unit_test(test_polled_records_do_not_outlive_their_lane),
        cmocka_unit_test(test_a_lane_that_found_no_memory_is_not_read),
        cmocka_unit_test(test_a_full_sink_and_a_full_window_block_intake_not_the_worker),
        cmocka_unit_test(test_spans_under_way_are_taken_beyond_the_budget),
        cmocka_unit_test(test_one_shortage_strands_one_span),
        cmocka_unit_test(test_memory_shortage_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
