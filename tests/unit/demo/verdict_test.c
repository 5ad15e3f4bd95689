#include "fixture.h"

#include "verdict.h"

static struct shop_checkout checkout;
static struct seen_list list;
static struct text problems;

static int setup(void **state)
{
    (void)state;
    checkout = fixture_showpiece();
    fixture_see(&checkout, &list);
    text_init(&problems, 1 << 16);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    text_clear(&problems);
    return 0;
}

static void expect_problem(const char *part)
{
    assert_false(verdict_on_trace(&checkout, &list, &problems));
    if (strstr(text_string(&problems), part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text_string(&problems));
}

static void test_mended_trace_is_right(void **state)
{
    (void)state;
    fixture_mend(&checkout, &list);
    assert_true(verdict_on_trace(&checkout, &list, &problems));
    assert_string_equal(text_string(&problems), "");
}

static void test_pieces_are_seen(void **state)
{
    (void)state;
    expect_problem("3 trace ids, 3 roots");
}

static void test_missing_trace_is_seen(void **state)
{
    (void)state;
    list.count = 0;
    expect_problem("did not come out");
}

static void test_missing_span_is_seen(void **state)
{
    (void)state;
    fixture_mend(&checkout, &list);
    for (uint32_t i = 0; i < list.count; i++)
        if (strcmp(list.spans[i].name, "INSERT orders") == 0)
            list.spans[i] = list.spans[--list.count];
    expect_problem("\"INSERT orders\" of checkout did not come out");
}

static struct seen_span *process_of(uint32_t hop)
{
    struct span_id id = checkout.spans[checkout.hops[hop].process].span_id;
    return (struct seen_span *)(uintptr_t)seen_list_find(&list, id);
}

static void test_wrong_rule_is_seen(void **state)
{
    (void)state;
    fixture_mend(&checkout, &list);
    snprintf(process_of(1)->rule, SEEN_TEXT_LEN, "guess");
    expect_problem("the hop over shipments was to be joined by");
}

static void test_missing_queue_span_is_seen(void **state)
{
    (void)state;
    fixture_mend(&checkout, &list);
    process_of(0)->parent_id = checkout.spans[checkout.hops[0].send].span_id;
    expect_problem("the hop over orders has no queue span");
}

static void test_foreign_trace_id_is_seen(void **state)
{
    (void)state;
    fixture_mend(&checkout, &list);
    for (uint32_t i = 0; i < list.count; i++)
        list.spans[i].trace_id = checkout.trace_id[1];
    expect_problem("not the id that it began with");
}

static void mend_notified(void)
{
    checkout = fixture_notified();
    fixture_see(&checkout, &list);
    fixture_mend(&checkout, &list);
}

static void test_what_no_rule_is_for_may_stay_apart(void **state)
{
    (void)state;
    mend_notified();
    assert_true(verdict_on_trace(&checkout, &list, &problems));
    assert_string_equal(text_string(&problems), "");
}

static void test_what_stays_apart_has_to_come_out(void **state)
{
    (void)state;
    mend_notified();
    for (uint32_t i = 0; i < list.count; i++)
        if (strcmp(list.spans[i].name, "INSERT points") == 0)
            list.spans[i] = list.spans[--list.count];
    expect_problem("\"INSERT points\" of loyalty did not come out");
}

static void test_guess_is_seen(void **state)
{
    (void)state;
    mend_notified();
    struct seen_span *process = process_of(SHOP_POINTS);
    snprintf(process->rule, SEEN_TEXT_LEN, "guess");
    expect_problem("loyalty was to stay apart, and was joined over notify by \"guess\"");
}

static void test_piece_that_moved_without_a_reason_is_seen(void **state)
{
    (void)state;
    mend_notified();
    process_of(SHOP_POINTS)->parent_id =
        checkout.spans[checkout.hops[SHOP_POINTS].send].span_id;
    expect_problem("loyalty was to stay apart");
    mend_notified();
    text_reset(&problems);
    process_of(SHOP_POINTS)->trace_id = checkout.trace_id[0];
    expect_problem("loyalty was to stay apart");
}

static void test_mail_that_was_not_joined_is_seen(void **state)
{
    (void)state;
    mend_notified();
    process_of(SHOP_MAILS)->rule[0] = '\0';
    expect_problem("the hop over notify was to be joined by link");
}

static void test_totals(void **state)
{
    (void)state;
    struct traffic_totals sent = {.spans = 100, .hops = {1, 2, 3}};
    struct totals totals = {.read_spans = 100, .parents = {1, 2, 3}};
    assert_true(verdict_on_totals(&sent, &totals, &problems));
    assert_true(verdict_on_all(&sent, &totals, &problems));
    totals.balance = 1;
    assert_false(verdict_on_totals(&sent, &totals, &problems));
    totals.balance = 0;
    totals.held = 1;
    assert_false(verdict_on_totals(&sent, &totals, &problems));
    totals.held = 0;
    totals.read_spans = 101;
    assert_false(verdict_on_totals(&sent, &totals, &problems));
    totals.read_spans = 99;
    assert_true(verdict_on_totals(&sent, &totals, &problems));
    assert_false(verdict_on_all(&sent, &totals, &problems));
    totals.read_spans = 100;
    totals.parents[SHOP_LINK] = 1;
    assert_false(verdict_on_all(&sent, &totals, &problems));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mended_trace_is_right, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pieces_are_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_trace_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_span_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_rule_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_queue_span_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_trace_id_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_no_rule_is_for_may_stay_apart, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_stays_apart_has_to_come_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guess_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_piece_that_moved_without_a_reason_is_seen, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_mail_that_was_not_joined_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_totals, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
