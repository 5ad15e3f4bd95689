#include "look_fixture.h"

static const struct look_step *step_at(const struct look_fixture *fixture, uint32_t number,
                                       const char *kind, uint64_t worth)
{
    assert_true(number < fixture->look.step_count);
    const struct look_step *step = &fixture->look.steps[number];
    assert_string_equal(step->kind, kind);
    assert_int_equal(step->worth, worth);
    return step;
}

static void test_the_most_valuable_comes_first(void **state)
{
    (void)state;
    static struct look_fixture fixture;
    fixture_init(&fixture);
    add_row(&fixture, "orders", "billing", "lib");
    set(&fixture, WORKER_HOP_broken, 60);
    set(&fixture, WORKER_HOP_repaired_parent, 9);
    set(&fixture, WORKER_HOP_repaired_link, 1);
    set(&fixture, WORKER_HOP_record_bare, 20);
    set(&fixture, WORKER_HOP_names_nothing, 7);
    add_row(&fixture, "parcels", "shipping", "lib");
    set(&fixture, WORKER_HOP_broken, 30);
    set(&fixture, WORKER_HOP_topic_not_read, 30);
    add_row(&fixture, "emails", "shop", "lib");
    set(&fixture, WORKER_HOP_sent, 80);
    set(&fixture, WORKER_HOP_sent_traces, 40);
    fixture.counters[BAD].dead_records[OTLP_FAULT_MALFORMED] = 2;
    fixture.counters[SPANS].dead_spans[OTLP_FAULT_TRACE_ID] = 5;
    fixture.topics[SPANS].errors.tolerance = SETTINGS_TOLERANCE_ALL;
    observe_find_steps(&fixture.look);

    const struct look_step *step = step_at(&fixture, 0, "set_dead_letter_queue", 2);
    assert_non_null(strstr(step->text, "for bad: 2 records"));
    step = step_at(&fixture, 1, "find_consumers", 40);
    assert_non_null(strstr(step->text, "consumers of emails: 40 traces send there"));
    step = step_at(&fixture, 2, "add_message_topic", 30);
    assert_string_equal(step->file, "name = \"parcels\"; source = \"kafka\"; "
                                    "topic = \"parcels\"; role = \"messages\";");
    step = step_at(&fixture, 3, "propagate_context", 20);
    assert_non_null(strstr(step->text, "Let its producers propagate the context to orders"));
    step = step_at(&fixture, 4, "run", 10);
    assert_string_equal(step->text,
                        "Run it without --observe: 10 of 90 broken hops would be mended.");
    step = step_at(&fixture, 5, "improve_instrumentation", 7);
    assert_non_null(strstr(step->text, "of billing"));
    assert_int_equal(fixture.look.step_count, 6);
}

static void test_who_sends_is_named(void **state)
{
    (void)state;
    static const char *const services[] = {"shop", "web", "batch"};
    static const char *const texts[] = {"Let shop propagate", "Let shop and web propagate",
                                        "Let shop, web and others propagate"};
    for (int count = 1; count <= 3; count++) {
        static struct look_fixture fixture;
        fixture_init(&fixture);
        add_row(&fixture, "orders", "billing", "lib");
        set(&fixture, WORKER_HOP_record_bare, 1);
        for (int i = 0; i < count; i++) {
            struct worker_observed *observed = &fixture.look.observed;
            struct worker_observed_row *row =
                &fixture.rows[WORKER_BY_HOP][observed->row_count[WORKER_BY_HOP]++];
            snprintf(row->destination, WORKER_NAME_LEN, "orders");
            snprintf(row->service, WORKER_NAME_LEN, "%s", services[i]);
            row->counts[WORKER_HOP_sent] = 1;
        }
        observe_find_steps(&fixture.look);
        assert_int_equal(
            strncmp(fixture.look.steps[0].text, texts[count - 1], strlen(texts[count - 1])), 0);
    }
}

static void test_other_steps(void **state)
{
    (void)state;
    static struct look_fixture fixture;
    fixture_init(&fixture);
    add_row(&fixture, "orders", "billing", "lib");
    set(&fixture, WORKER_HOP_broken, 1);
    set(&fixture, WORKER_HOP_only_reported, 6);
    set(&fixture, WORKER_HOP_evidence_late, 5);
    set(&fixture, WORKER_HOP_producer_unseen, 4);
    set(&fixture, WORKER_HOP_record_not_seen, 3);
    fixture.topics[ORDERS].repair.mode = SETTINGS_REPAIR_OFF;
    fixture.topics[BAD].source = SETTINGS_SOURCE_RABBITMQ;
    fixture.look.observed.counts.missing_parent = 2;
    observe_find_steps(&fixture.look);
    const struct look_step *step = step_at(&fixture, 0, "set_repair_mode", 6);
    assert_non_null(strstr(step->text, "it is off"));
    step = step_at(&fixture, 1, "raise_window_wait", 5);
    assert_non_null(strstr(step->text, "wait is 30s"));
    step_at(&fixture, 2, "read_producer_spans", 4);
    step_at(&fixture, 3, "read_messages_earlier", 3);
    step_at(&fixture, 4, "find_missing_parents", 2);
    step = step_at(&fixture, 5, "left_out", 1);
    assert_int_equal(strncmp(step->text, "bad was left out", 16), 0);
    assert_int_equal(fixture.look.step_count, 6);
}

/* A name that was made plain is nobody's topic: there is nothing to be copied. */
static void test_no_file_is_made_of_what_is_no_name(void **state)
{
    (void)state;
    static const char *const names[] = {"", "a?b", "or\"ders", "a\\b"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        static struct look_fixture fixture;
        fixture_init(&fixture);
        add_row(&fixture, names[i], "billing", "lib");
        set(&fixture, WORKER_HOP_topic_not_read, 1);
        observe_find_steps(&fixture.look);
        assert_string_equal(step_at(&fixture, 0, "add_message_topic", 1)->file, "");
    }
}

static void test_nothing_was_read(void **state)
{
    (void)state;
    static struct look_fixture fixture;
    fixture_init(&fixture);
    fixture.account.counters.spans_read = 0;
    observe_find_steps(&fixture.look);
    const struct look_step *step = step_at(&fixture, 0, "read_spans", 1);
    assert_non_null(strstr(step->text, "add --drain"));
    fixture_init(&fixture);
    fixture.account.counters.spans_read = 0;
    health_set(&fixture.app.troubles, "cluster", "kafka", "no broker");
    observe_find_steps(&fixture.look);
    step = step_at(&fixture, 0, "read_spans", 1);
    assert_non_null(strstr(step->text, "trouble"));
    fixture_init(&fixture);
    fixture.account.counters.spans_read = 0;
    fixture.look.topic_counters[BAD].dead_records[0] = 1;
    observe_find_steps(&fixture.look);
    step = step_at(&fixture, 0, "read_spans", 1);
    assert_non_null(strstr(step->text, "encoding"));
}

static void test_a_look_that_was_too_short(void **state)
{
    (void)state;
    static struct look_fixture fixture;
    for (uint64_t observed = 0; observed < 2; observed++) {
        fixture_init(&fixture);
        fixture.account.counters.observed = observed;
        fixture.account.held = 6;
        observe_find_steps(&fixture.look);
        assert_int_equal(fixture.look.step_count, observed == 0);
    }
    fixture.account.counters.observed = 0;
    observe_find_steps(&fixture.look);
    assert_non_null(strstr(step_at(&fixture, 0, "look_longer", 6)->text, "30s"));
}

static void test_steps_are_bounded(void **state)
{
    (void)state;
    static struct look_fixture fixture;
    fixture_init(&fixture);
    char name[16];
    for (int i = 0; i < ROWS_MAX; i++) {
        snprintf(name, sizeof(name), "t%d", i);
        add_row(&fixture, name, "billing", "lib");
        set(&fixture, WORKER_HOP_topic_not_read, 1);
        set(&fixture, WORKER_HOP_record_bare, 1);
    }
    observe_find_steps(&fixture.look);
    assert_int_equal(fixture.look.step_count, OBSERVE_STEPS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_most_valuable_comes_first),
        cmocka_unit_test(test_who_sends_is_named),
        cmocka_unit_test(test_other_steps),
        cmocka_unit_test(test_no_file_is_made_of_what_is_no_name),
        cmocka_unit_test(test_nothing_was_read),
        cmocka_unit_test(test_a_look_that_was_too_short),
        cmocka_unit_test(test_steps_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
