#include <jansson.h>

#include "look_fixture.h"

static json_int_t number(const json_t *object, const char *first, const char *second,
                         const char *third)
{
    const json_t *at = json_object_get(json_object_get(object, first), second);
    if (third != NULL)
        at = json_object_get(at, third);
    assert_true(json_is_integer(at));
    return json_integer_value(at);
}

static void test_what_is_in_it(void **state)
{
    (void)state;
    static struct look_fixture fixture;
    fixture_init(&fixture);
    add_row(&fixture, "orders", "billing", "lib");
    set(&fixture, WORKER_HOP_intact, 4);
    set(&fixture, WORKER_HOP_broken, 3);
    set(&fixture, WORKER_HOP_by_link, 2);
    set(&fixture, WORKER_HOP_repaired_parent, 2);
    set(&fixture, WORKER_HOP_ambiguous, 1);
    add_row(&fixture, "emails", "shop", "lib");
    set(&fixture, WORKER_HOP_sent_traces, 5);
    fixture.look.observed.others[WORKER_BY_SERVICE].counts[WORKER_HOP_broken] = 6;
    fixture.look.observed.counts.traces = 11;
    fixture.counters[BAD].dead_records[OTLP_FAULT_JSON] = 1;
    fixture.observed[ORDERS].with_context = 8;
    observe_find_steps(&fixture.look);
    char *line = observe_write_json(&fixture.look);
    json_t *all = json_loads(line, 0, NULL);
    const json_t *look = json_object_get(all, "observe");
    assert_int_equal(json_integer_value(json_object_get(all, "observed")), 1234);
    assert_int_equal(number(look, "hops", "broken", NULL), 3);
    assert_int_equal(number(look, "hops", "rules", "link"), 2);
    assert_int_equal(number(look, "hops", "would", "parent"), 2);
    assert_int_equal(number(look, "hops", "not_repaired", "ambiguous"), 1);
    assert_int_equal(number(look, "traces", "traces", NULL), 11);

    const json_t *rows = json_object_get(look, "rows");
    assert_int_equal(json_array_size(rows), 2);
    const json_t *row = json_array_get(rows, 0);
    assert_string_equal(json_string_value(json_object_get(row, "service")), "billing");
    assert_int_equal(json_integer_value(json_object_get(row, "broken")), 3);
    const json_t *services = json_object_get(look, "services");
    assert_int_equal(json_array_size(services), 3);
    assert_null(json_object_get(json_array_get(services, 0), "destination"));
    assert_null(json_object_get(json_array_get(services, 2), "service")); /* the others */

    const json_t *unconsumed = json_object_get(look, "unconsumed");
    assert_int_equal(json_array_size(unconsumed), 1);
    const json_t *emails = json_array_get(unconsumed, 0);
    assert_int_equal(json_integer_value(json_object_get(emails, "traces")), 5);
    const json_t *topics = json_object_get(look, "topics");
    assert_true(json_is_true(json_object_get(json_array_get(topics, BAD), "would_stop")));
    assert_true(json_is_false(json_object_get(json_array_get(topics, SPANS), "would_stop")));
    const json_t *orders = json_array_get(topics, ORDERS);
    assert_int_equal(json_integer_value(json_object_get(orders, "with_context")), 8);
    const json_t *steps = json_object_get(look, "next_steps");
    assert_int_equal(json_array_size(steps), fixture.look.step_count);
    json_decref(all);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
