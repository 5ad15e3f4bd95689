#include "fixture.h"

#include "report.h"

static const struct terminal_style style = {.unicode = true, .columns = 100};
static struct text out;

static int setup(void **state)
{
    (void)state;
    text_init(&out, 1 << 16);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    text_clear(&out);
    return 0;
}

static void expect(const char *part)
{
    if (strstr(text_string(&out), part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text_string(&out));
}

static uint32_t count(const char *part)
{
    uint32_t found = 0;
    for (const char *at = text_string(&out); (at = strstr(at, part)) != NULL; at++)
        found++;
    return found;
}

static void test_before_shows_each_piece(void **state)
{
    (void)state;
    struct shop_checkout checkout = fixture_showpiece();
    struct seen_list list;
    fixture_see(&checkout, &list);
    report_before(&out, &checkout, &list, &style);
    for (uint32_t i = 0; i <= SHOP_KAFKA_HOPS; i++) {
        char id[TRACE_ID_HEX_LEN + 1];
        trace_id_format(checkout.trace_id[i], id);
        expect(id);
    }
    expect("cut off at orders");
    expect("cut off at shipments");
    assert_int_equal(count("  trace "), SHOP_KAFKA_HOPS + 1);
    assert_int_equal(count("POST /checkout"), 1);
    assert_int_equal(count("SMTP send"), 1);
}

static void test_after_tells_what_joined_it(void **state)
{
    (void)state;
    struct shop_checkout checkout = fixture_showpiece();
    struct seen_list list;
    fixture_see(&checkout, &list);
    fixture_mend(&checkout, &list);
    report_after(&out, &checkout, &list, &style);
    assert_int_equal(count("  trace "), 1);
    expect("15 spans");
    expect("kept by \"errors\"");
    expect("orders queue");
    for (uint32_t i = 0; i < checkout.hop_count; i++)
        expect(shop_rule_name(checkout.hops[i].evidence));
    assert_int_equal(count(" in the queue:"), 2);
}

static void test_before_tells_the_two_brokers_apart(void **state)
{
    (void)state;
    struct shop_checkout checkout = fixture_notified();
    struct seen_list list;
    fixture_see(&checkout, &list);
    report_before(&out, &checkout, &list, &style);
    assert_int_equal(count("  trace "), SHOP_PIECES);
    assert_int_equal(count("cut off at notify"), 2);
    expect("cut off at notify\n  its spans come through RabbitMQ, all others through Kafka\n");
    assert_int_equal(count("through RabbitMQ"), 1);
}

static void test_after_shows_what_stays_apart(void **state)
{
    (void)state;
    struct shop_checkout checkout = fixture_notified();
    struct seen_list list;
    fixture_see(&checkout, &list);
    fixture_mend(&checkout, &list);
    for (uint32_t i = 0; i < list.count; i++)
        if (strcmp(list.spans[i].name, "notify queue") == 0)
            snprintf(list.spans[i].name, SEEN_TEXT_LEN,
                     "notify-spanbridge-demo-1a2b3c4d queue");
    report_after(&out, &checkout, &list, &style);
    assert_int_equal(count("  trace "), 2);
    assert_int_equal(count("1a2b3c4d"), 0);
    expect("16 spans");
    expect("notify queue");
    expect("  notify    joined by link, after ");
    expect("2 spans");
    expect("kept by \"vip\"\n  loyalty   notify process");
    expect(
        "  notify    not joined to loyalty:\n            its span has no link and names no ");
    assert_int_equal(count("  loyalty   "), 2);
}

/* It was decided by itself, and no policy wanted it. */
static void test_what_stays_apart_may_not_come_out(void **state)
{
    (void)state;
    struct shop_checkout checkout = fixture_notified();
    struct seen_list list;
    fixture_see(&checkout, &list);
    fixture_mend(&checkout, &list);
    for (uint32_t i = list.count; i-- > 0;)
        if (strcmp(list.spans[i].service, "loyalty") == 0)
            list.spans[i] = list.spans[--list.count];
    report_after(&out, &checkout, &list, &style);
    assert_int_equal(count("  trace "), 1);
    expect("  notify    not joined to loyalty:");
}

static void test_each_kind_of_evidence_is_explained(void **state)
{
    (void)state;
    bool seen[SHOP_EVIDENCES] = {false};
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct shop_checkout checkout;
        struct seen_list list;
        shop_make(fixture_shop(seed), SHOP_SHOWPIECE, FIXTURE_NOW_NS, &checkout);
        fixture_see(&checkout, &list);
        fixture_mend(&checkout, &list);
        report_after(&out, &checkout, &list, &style);
        for (uint32_t i = 0; i < checkout.hop_count; i++)
            seen[checkout.hops[i].evidence] = true;
    }
    assert_true(seen[SHOP_HEADER] && seen[SHOP_LINK] && seen[SHOP_COORDINATE]);
    expect("still held the context that its consumer ignored");
    expect("had kept a link to the producer's");
    expect("the spans on both sides name record ");
}

static void test_after_of_nothing_says_so(void **state)
{
    (void)state;
    struct shop_checkout checkout = fixture_showpiece();
    struct seen_list list = {.count = 0};
    report_after(&out, &checkout, &list, &style);
    expect("it did not come out");
}

static void test_totals_are_told(void **state)
{
    (void)state;
    struct traffic_totals sent = {.checkouts = 2000, .pieces = 5952, .spans = 25712};
    struct receiver_counts received = {
        .traces = 306, .queue_spans = 564, .kept_by = {97, 39, 87, 83}};
    struct totals totals = {.read_records = 518,
                            .read_spans = 25712,
                            .exported = 3690,
                            .dropped = 22022,
                            .traces_dropped = 1694,
                            .parents = {980, 1622, 1350}};
    report_totals(&out, &sent, &received, &totals, &style);
    expect(
        "25,712 spans in 518 records:\n            2,000 checkouts, broken into 5,952 traces");
    expect("3,952 hops:\n            980 by header_at_coordinate, 1,622 by link, 1,350 by ");
    expect("306 traces (errors 97, slow 39, vip 87, rest 83)");
    expect("3,690 spans exported, and 564 queue spans");
    expect("1,694 traces with 22,022 spans");
    expect("0: every span that came in is accounted for");
    assert_int_equal(count("still on their way"), 0);
    assert_int_equal(count("  apart "), 0);
    text_reset(&out);
    sent.apart = 1948;
    sent.rabbitmq_records = 1078;
    report_totals(&out, &sent, &received, &totals, &style);
    expect("in 518 records, 1,078 of them through RabbitMQ:\n");
    expect("  apart     1,948 traces whose spans tell of no message\n");
}

static void test_open_balance_is_no_boast(void **state)
{
    (void)state;
    struct traffic_totals sent = {.spans = 12};
    struct receiver_counts received = {0};
    struct totals totals = {.read_spans = 10, .balance = -2};
    report_totals(&out, &sent, &received, &totals, &style);
    expect("-2\n");
    assert_int_equal(count("accounted"), 0);
    expect("2 spans that were still on their way");
}

static void test_lines_stand_in_columns(void **state)
{
    (void)state;
    struct traffic_totals sent = {.pieces = 12, .spans = 1234567};
    struct receiver_counts received = {.traces = 3, .spans = 40, .joined = {1, 2, 3}};
    report_line(&out, 3, &sent, &received);
    assert_string_equal(text_string(&out),
                        "    3 s   in        12 traces 1,234,567 spans   out         3 traces"
                        "        40 spans         6 hops joined\n");
}

static void test_numbers_have_separators(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 999, 1000, 100000, UINT64_C(1234567890)};
    for (size_t i = 0; i < 5; i++) {
        report_put_number(&out, numbers[i]);
        text_append_char(&out, ' ');
    }
    assert_string_equal(text_string(&out), "0 999 1,000 100,000 1,234,567,890 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_before_shows_each_piece, setup, teardown),
        cmocka_unit_test_setup_teardown(test_after_tells_what_joined_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_before_tells_the_two_brokers_apart, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_after_shows_what_stays_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_stays_apart_may_not_come_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_each_kind_of_evidence_is_explained, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_after_of_nothing_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(test_totals_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_balance_is_no_boast, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lines_stand_in_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers_have_separators, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
