#include "fixture.h"

#include <jansson.h>

#include "machine.h"

static void test_report_is_json(void **state)
{
    (void)state;
    struct shop_checkout checkout = fixture_showpiece();
    static struct seen_list before;
    static struct seen_list after;
    fixture_see(&checkout, &before);
    fixture_see(&checkout, &after);
    fixture_mend(&checkout, &after);
    struct traffic_totals sent = {.checkouts = 20, .hops = {1, 2, 3}};
    struct receiver_counts received = {.spans = 30, .kept_by = {4, 5, 6, 7}};
    struct machine_report report = {&checkout,
                                    &before,
                                    &after,
                                    &sent,
                                    &received,
                                    "{\"balance\":0}",
                                    "one thing\nanother\n"};
    struct text out;
    text_init(&out, 1 << 20);
    assert_int_equal(machine_report(&report, &out), SB_OK);
    json_t *object = json_loads(text_string(&out), 0, NULL);
    assert_non_null(object);
    assert_true(json_is_false(json_object_get(object, "ok")));
    json_t *problems = json_object_get(object, "problems");
    assert_int_equal(json_array_size(problems), 2);
    assert_string_equal(json_string_value(json_array_get(problems, 1)), "another");
    assert_int_equal(json_array_size(json_object_get(object, "before")), checkout.span_count);
    assert_int_equal(json_array_size(json_object_get(object, "after")),
                     checkout.span_count + 2);
    assert_int_equal(json_array_size(json_object_get(object, "expected")), 2);
    json_t *balance = json_object_get(json_object_get(object, "totals"), "balance");
    assert_int_equal(json_integer_value(balance), 0);
    json_t *link =
        json_object_get(json_object_get(json_object_get(object, "sent"), "hops"), "link");
    assert_int_equal(json_integer_value(link), 2);
    json_decref(object);
    text_clear(&out);
}

static void test_hop_that_no_rule_is_for_has_none(void **state)
{
    (void)state;
    struct shop_checkout checkout = fixture_notified();
    static struct seen_list none;
    struct traffic_totals sent = {.apart = 17, .rabbitmq_records = 3};
    struct receiver_counts received = {0};
    struct machine_report report = {&checkout, &none, &none, &sent, &received, NULL, ""};
    struct text out;
    text_init(&out, 1 << 20);
    assert_int_equal(machine_report(&report, &out), SB_OK);
    json_t *object = json_loads(text_string(&out), 0, NULL);
    json_t *expected = json_object_get(object, "expected");
    assert_int_equal(json_array_size(expected), SHOP_HOPS);
    json_t *mails = json_array_get(expected, SHOP_MAILS);
    assert_string_equal(json_string_value(json_object_get(mails, "topic")), "notify");
    assert_string_equal(json_string_value(json_object_get(mails, "reader")), "mailer");
    assert_string_equal(json_string_value(json_object_get(mails, "rule")), "link");
    json_t *points = json_array_get(expected, SHOP_POINTS);
    assert_string_equal(json_string_value(json_object_get(points, "reader")), "loyalty");
    assert_null(json_object_get(points, "rule"));
    json_t *apart = json_object_get(json_object_get(object, "sent"), "apart");
    assert_int_equal(json_integer_value(apart), 17);
    json_t *records = json_object_get(json_object_get(object, "sent"), "rabbitmq_records");
    assert_int_equal(json_integer_value(records), 3);
    json_decref(object);
    text_clear(&out);
}

static void test_report_without_anything(void **state)
{
    (void)state;
    static struct seen_list none;
    struct traffic_totals sent = {0};
    struct receiver_counts received = {0};
    struct machine_report report = {NULL, &none, &none, &sent, &received, NULL, ""};
    struct text out;
    text_init(&out, 1 << 20);
    assert_int_equal(machine_report(&report, &out), SB_OK);
    json_t *object = json_loads(text_string(&out), 0, NULL);
    assert_true(json_is_true(json_object_get(object, "ok")));
    assert_null(json_object_get(object, "totals"));
    json_decref(object);
    text_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_is_json),
        cmocka_unit_test(test_hop_that_no_rule_is_for_has_none),
        cmocka_unit_test(test_report_without_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
