/*
 * bad input: what can not be read, and what a backend does not take, goes to the dead-letter
 * topic with its bytes and a reason, or is passed over, or stops its topic, as configured.
 */
#include <sysexits.h>

#include "scenario.h"

enum { GOOD = 6 };

static const char dead_letters[] =
    "errors = { tolerance = \"all\"; deadletterqueue = \"spans.dlq\"; };";

static struct span_spec good_span(uint64_t number)
{
    return (struct span_spec){.trace = scenario_trace(number), .id = number, .name = "good"};
}

/* Offset 0 and 3: good; 1: no protobuf, with a header; 2: a span without an id between two. */
static void put_all(struct scenario *scenario)
{
    struct span_spec specs[GOOD + 1];
    for (uint64_t i = 0; i < GOOD; i++)
        specs[i] = good_span(1 + i);
    scenario_put(scenario, "spans", 0, specs, 2);
    const struct span_context context = {scenario_trace(99), 99};
    scenario_put_message(scenario, "spans", 0, &context);
    struct span_spec mixed[] = {
        specs[2], {.trace = scenario_trace(98), .name = "bad"}, specs[3]};
    scenario_put(scenario, "spans", 0, mixed, 3);
    scenario_put(scenario, "spans", 0, specs + 4, 2);
}

static void start(struct scenario *scenario, const char *errors)
{
    scenario_start(scenario);
    scenario->workers = 2;
    scenario_span_topic(scenario, "spans", 1, errors);
    scenario_bare_topic(scenario, "spans.dlq", 1);
}

static void check_good_arrived(struct scenario *scenario)
{
    for (uint64_t i = 1; i <= GOOD; i++)
        assert_int_equal(scenario_copies(scenario, 0, i), 1);
    assert_int_equal(scenario_span_count(scenario, 0), GOOD);
    assert_int_equal(scenario_total(scenario, "exported"), GOOD);
}

static void check_origin(const struct record_copy *letter, const char *offset,
                         const char *stage, const char *reason)
{
    assert_true(record_has_header(letter, "__connect.errors.topic", "spans"));
    assert_true(record_has_header(letter, "__connect.errors.partition", "0"));
    assert_true(record_has_header(letter, "__connect.errors.offset", offset));
    assert_true(record_has_header(letter, "__connect.errors.stage", stage));
    assert_true(record_has_header(letter, "__connect.errors.exception.message", reason));
}

/* The name of the one span that the letter holds as a request. */
static void check_one_span(const struct record_copy *letter, const char *name)
{
    Spanbridge__Oracle__ExportTraceServiceRequest *request =
        spanbridge__oracle__export_trace_service_request__unpack(NULL, letter->len,
                                                                 letter->value);
    assert_non_null(request);
    assert_int_equal(request->n_resource_spans, 1);
    assert_int_equal(request->resource_spans[0]->n_scope_spans, 1);
    const Spanbridge__Oracle__ScopeSpans *scope = request->resource_spans[0]->scope_spans[0];
    assert_int_equal(scope->n_spans, 1);
    assert_string_equal(scope->spans[0]->name, name);
    assert_non_null(request->resource_spans[0]->resource);
    spanbridge__oracle__export_trace_service_request__free_unpacked(request, NULL);
}

static void sends_dead_letters(void **state)
{
    (void)state;
    struct scenario scenario;
    struct record_copy letters[2];
    start(&scenario, dead_letters);
    put_all(&scenario);
    scenario_drain(&scenario, 0);
    check_good_arrived(&scenario);
    assert_int_equal(scenario_total(&scenario, "dead_lettered.records.malformed"), 1);
    assert_int_equal(scenario_total(&scenario, "dead_lettered.spans.invalid_span_id"), 1);
    assert_int_equal(scenario_committed(&scenario, "spans", 0), 4);

    scenario_read(&scenario, "spans.dlq", letters, 2);
    check_origin(&letters[0], "1", "VALUE_CONVERTER", "malformed");
    assert_int_equal(letters[0].len, 2);
    assert_memory_equal(letters[0].value, "{}", 2);
    char traceparent[64];
    spans_traceparent((struct span_context){scenario_trace(99), 99}, traceparent);
    assert_true(record_has_header(&letters[0], "traceparent", traceparent));
    check_origin(&letters[1], "2", "VALUE_CONVERTER", "invalid_span_id");
    check_one_span(&letters[1], "bad");
    record_copy_clear(&letters[0]);
    record_copy_clear(&letters[1]);
    scenario_end(&scenario);
}

static void sends_letters_without_our_headers(void **state)
{
    (void)state;
    struct scenario scenario;
    struct record_copy letter;
    start(&scenario, "errors = { deadletterqueue = \"spans.dlq\"; context_headers = false; };");
    put_all(&scenario);
    scenario_drain(&scenario, 0);
    check_good_arrived(&scenario);
    scenario_read(&scenario, "spans.dlq", &letter, 1);
    assert_false(record_has_header(&letter, "__connect.errors.topic", "spans"));
    assert_memory_equal(letter.value, "{}", 2);
    record_copy_clear(&letter);
    scenario_end(&scenario);
}

static void passes_over_what_is_tolerated(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario, "errors = { tolerance = \"all\"; };");
    put_all(&scenario);
    scenario_drain(&scenario, 0);
    check_good_arrived(&scenario);
    assert_int_equal(scenario_total(&scenario, "dead_lettered.records.malformed"), 1);
    assert_int_equal(scenario_total(&scenario, "dead_lettered.spans.invalid_span_id"), 1);
    assert_int_equal(scenario_committed(&scenario, "spans", 0), 4);
    scenario_end(&scenario);
}

/* Nothing from the bad record on is committed, so a next run meets it again. */
static void stops_at_what_is_not_tolerated(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario, "errors = { tolerance = \"none\"; };");
    put_all(&scenario);
    scenario_drain(&scenario, EX_TEMPFAIL);
    assert_int_equal(scenario_copies(&scenario, 0, 1), 1);
    assert_int_equal(scenario_committed(&scenario, "spans", 0), 1);
    scenario_drain(&scenario, EX_TEMPFAIL);
    assert_int_equal(scenario_committed(&scenario, "spans", 0), 1);
    assert_int_equal(scenario_copies(&scenario, 0, 1), 1);
    scenario_end(&scenario);
}

static void stops_at_a_bad_span_that_is_not_tolerated(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario, "errors = { tolerance = \"none\"; };");
    struct span_spec specs[] = {good_span(1), {.trace = scenario_trace(98), .name = "bad"}};
    scenario_put(&scenario, "spans", 0, specs, 1);
    scenario_put(&scenario, "spans", 0, specs, 2);
    scenario_drain(&scenario, EX_TEMPFAIL);
    assert_int_equal(scenario_committed(&scenario, "spans", 0), 1);
    assert_true(scenario_copies(&scenario, 0, 1) >= 1);
    assert_int_equal(scenario_total(&scenario, "held"), 1);
    scenario_end(&scenario);
}

static void put_good(struct scenario *scenario)
{
    struct span_spec specs[GOOD];
    for (uint64_t i = 0; i < GOOD; i++)
        specs[i] = good_span(1 + i);
    scenario_put(scenario, "spans", 0, specs, 2);
    scenario_put(scenario, "spans", 0, specs + 2, GOOD - 2);
    scenario->backends[0].refused = 4;
    scenario_weather(scenario, 0, SINK_REFUSES);
}

static void check_all_but_the_refused(struct scenario *scenario)
{
    for (uint64_t i = 1; i <= GOOD; i++)
        assert_int_equal(scenario_copies(scenario, 0, i), i == 4 ? 0 : 1);
    assert_int_equal(scenario_total(scenario, "exported"), GOOD - 1);
    assert_int_equal(scenario_committed(scenario, "spans", 0), 2);
}

static void sends_what_the_backend_refuses(void **state)
{
    (void)state;
    struct scenario scenario;
    struct record_copy letter;
    start(&scenario, dead_letters);
    put_good(&scenario);
    scenario_drain(&scenario, 0);
    check_all_but_the_refused(&scenario);
    assert_int_equal(scenario_total(&scenario, "dead_lettered.spans.refused_by_backend"), 1);
    assert_int_equal(scenario_total(&scenario, "rejected"), 0);
    scenario_read(&scenario, "spans.dlq", &letter, 1);
    check_origin(&letter, "1", "TASK_PUT", "refused_by_backend");
    check_one_span(&letter, "good");
    record_copy_clear(&letter);
    scenario_end(&scenario);
}

static void counts_what_the_backend_refuses(void **state)
{
    (void)state;
    struct scenario scenario;
    start(&scenario, "");
    put_good(&scenario);
    scenario_drain(&scenario, 0);
    check_all_but_the_refused(&scenario);
    assert_int_equal(scenario_total(&scenario, "rejected"), 1);
    scenario_end(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_dead_letters),
        cmocka_unit_test(sends_letters_without_our_headers),
        cmocka_unit_test(passes_over_what_is_tolerated),
        cmocka_unit_test(stops_at_what_is_not_tolerated),
        cmocka_unit_test(stops_at_a_bad_span_that_is_not_tolerated),
        cmocka_unit_test(sends_what_the_backend_refuses),
        cmocka_unit_test(counts_what_the_backend_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
