#include "fixture.h"

enum { MANY = 20000 };

static void test_same_seed_gives_the_same_checkout(void **state)
{
    (void)state;
    struct shop_checkout a;
    struct shop_checkout b;
    shop_make(fixture_shop(5), 11, FIXTURE_NOW_NS, &a);
    shop_make(fixture_shop(5), 11, FIXTURE_NOW_NS, &b);
    assert_memory_equal(&a, &b, sizeof(a));
    shop_make(fixture_shop(6), 11, FIXTURE_NOW_NS, &b);
    assert_memory_not_equal(a.trace_id, b.trace_id, sizeof(a.trace_id));
}

static void test_shares(void **state)
{
    (void)state;
    uint32_t failed = 0;
    uint32_t slow = 0;
    uint32_t refused = 0;
    uint32_t hops[SHOP_RULES] = {0};
    for (uint64_t i = 0; i < MANY; i++) {
        struct shop_checkout checkout;
        shop_make(fixture_shop(1), i, FIXTURE_NOW_NS, &checkout);
        failed += checkout.failed;
        slow += checkout.slow;
        refused += checkout.hop_count == 1;
        for (uint32_t hop = 0; hop < checkout.hop_count; hop++)
            hops[checkout.hops[hop].evidence]++;
    }
    assert_in_range(failed, MANY * 45 / 1000, MANY * 55 / 1000);
    assert_in_range(slow, MANY * 17 / 1000, MANY * 23 / 1000);
    assert_in_range(refused, failed * 4 / 10, failed * 6 / 10);
    for (uint32_t i = 0; i < SHOP_RULES; i++)
        assert_in_range(hops[i], MANY / 3, MANY);
}

static void check_span(const struct shop_checkout *checkout, const struct shop_span *span)
{
    assert_true(span->end_ns > span->start_ns);
    assert_true(span->end_ns <= FIXTURE_NOW_NS);
    assert_false(span_id_is_zero(span->span_id));
    if (span->parent == SHOP_NONE)
        return;
    const struct shop_span *parent = &checkout->spans[span->parent];
    assert_int_equal(parent->piece, span->piece);
    assert_true(parent->start_ns <= span->start_ns && parent->end_ns >= span->end_ns);
}

static void check_checkout(const struct shop_checkout *checkout)
{
    uint64_t first_ns = UINT64_MAX;
    uint64_t last_ns = 0;
    bool failed = false;
    uint32_t roots = 0;
    for (uint32_t i = 0; i < checkout->span_count; i++) {
        const struct shop_span *span = &checkout->spans[i];
        check_span(checkout, span);
        first_ns = span->start_ns < first_ns ? span->start_ns : first_ns;
        last_ns = span->end_ns > last_ns ? span->end_ns : last_ns;
        failed |= span->failed;
        roots += span->parent == SHOP_NONE;
    }
    assert_int_equal(roots, checkout->hop_count + 1);
    assert_int_equal(failed, checkout->failed);
    assert_int_equal(last_ns - first_ns > 2 * NS_PER_S, checkout->slow);
}

static void test_spans_lie_in_their_parents_and_in_the_past(void **state)
{
    (void)state;
    struct shop shop = fixture_shop(2);
    for (uint64_t i = 0; i < MANY; i++) {
        struct shop_checkout checkout;
        shop.rabbitmq = i % 2 == 1;
        shop_make(shop, i, FIXTURE_NOW_NS, &checkout);
        check_checkout(&checkout);
    }
}

/* Kafka's timestamps are whole milliseconds, and lie in the span of the sender all the same. */
static void test_messages_are_sent_in_their_send_span(void **state)
{
    (void)state;
    struct shop shop = fixture_shop(3);
    for (uint64_t i = 0; i < MANY; i++) {
        struct shop_checkout checkout;
        shop.rabbitmq = i % 2 == 1;
        shop_make(shop, i, FIXTURE_NOW_NS, &checkout);
        for (uint32_t number = 0; number < checkout.hop_count; number++) {
            const struct shop_hop *hop = &checkout.hops[number];
            const struct shop_span *send = &checkout.spans[hop->send];
            uint64_t ms = hop->sent_ns / NS_PER_MS * NS_PER_MS;
            assert_true(ms >= send->start_ns && ms <= send->end_ns);
            assert_true(checkout.spans[hop->process].start_ns > hop->sent_ns);
            assert_int_equal(send->kind, OTLP_KIND_PRODUCER);
            assert_int_equal(checkout.spans[hop->process].kind, OTLP_KIND_CONSUMER);
        }
    }
}

/* kafkajs producers name no offset, so `coordinate` can not be asked of them; and so on. */
static void test_libraries_fit_the_evidence(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < MANY; i++) {
        struct shop_checkout checkout;
        shop_make(fixture_shop(4), i, FIXTURE_NOW_NS, &checkout);
        for (uint32_t number = 0; number < checkout.hop_count; number++) {
            const struct shop_hop *hop = &checkout.hops[number];
            enum shop_language sender = checkout.language[checkout.spans[hop->send].service];
            enum shop_language reader = checkout.language[checkout.spans[hop->process].service];
            if (hop->evidence == SHOP_COORDINATE) {
                assert_true(sender != SHOP_NODE);
                assert_int_equal(reader, SHOP_JAVA);
            } else if (hop->evidence == SHOP_HEADER) {
                assert_int_equal(sender, SHOP_NODE);
                assert_int_equal(reader, SHOP_NODE);
            } else {
                assert_int_equal(reader, SHOP_GO);
            }
        }
    }
}

static void test_showpiece_fails_after_two_kinds_of_hops(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct shop_checkout checkout;
        shop_make(fixture_shop(seed), SHOP_SHOWPIECE, FIXTURE_NOW_NS, &checkout);
        assert_true(checkout.failed);
        assert_false(checkout.slow);
        assert_int_equal(checkout.hop_count, SHOP_KAFKA_HOPS);
        assert_true(checkout.hops[0].evidence != checkout.hops[1].evidence);
    }
}

/* The same checkout up to the warehouse; then one message for two readers. */
static void test_shop_with_rabbitmq_goes_on_behind_an_exchange(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < MANY; i++) {
        struct shop_checkout plain;
        struct shop_checkout checkout;
        shop_make(fixture_shop(1), i, FIXTURE_NOW_NS, &plain);
        shop_make((struct shop){.seed = 1, .rabbitmq = true}, i, FIXTURE_NOW_NS, &checkout);
        assert_memory_equal(checkout.trace_id, plain.trace_id,
                            (SHOP_KAFKA_HOPS + 1) * sizeof(plain.trace_id[0]));
        assert_int_equal(checkout.failed, plain.failed);
        if (plain.hop_count < SHOP_KAFKA_HOPS) { /* the payment was refused */
            assert_int_equal(checkout.hop_count, plain.hop_count);
            continue;
        }
        assert_int_equal(checkout.hop_count, SHOP_HOPS);
        const struct shop_hop *mails = &checkout.hops[SHOP_MAILS];
        const struct shop_hop *points = &checkout.hops[SHOP_POINTS];
        assert_int_equal(mails->evidence, SHOP_LINK);
        assert_int_equal(points->evidence, SHOP_NOTHING);
        assert_int_equal(mails->send, points->send);
        assert_int_equal(checkout.spans[mails->send].service, SHOP_WAREHOUSE);
        assert_int_equal(shop_reader(&checkout, SHOP_MAILS), SHOP_MAILER);
        assert_int_equal(shop_reader(&checkout, SHOP_POINTS), SHOP_LOYALTY);
        for (uint32_t j = 0; j < checkout.span_count; j++)
            if (checkout.spans[j].service == SHOP_LOYALTY)
                assert_false(checkout.spans[j].failed);
    }
}

static void test_showpiece_with_rabbitmq_is_kept_piece_by_piece(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct shop_checkout checkout;
        shop_make((struct shop){.seed = seed, .rabbitmq = true}, SHOP_SHOWPIECE, FIXTURE_NOW_NS,
                  &checkout);
        const struct shop_hop *mails = &checkout.hops[SHOP_MAILS];
        assert_int_equal(checkout.hop_count, SHOP_HOPS);
        assert_true(checkout.spans[mails->process].failed);
        assert_false(checkout.spans[mails->send].failed);
        assert_string_equal(checkout.tier, "platinum");
    }
}

static void test_rules_are_named_as_the_service_does(void **state)
{
    (void)state;
    assert_string_equal(shop_rule_name(SHOP_HEADER), "header_at_coordinate");
    assert_string_equal(shop_rule_name(SHOP_LINK), "link");
    assert_string_equal(shop_rule_name(SHOP_COORDINATE), "coordinate");
    assert_string_equal(shop_rule_name(SHOP_NOTHING), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_gives_the_same_checkout),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_spans_lie_in_their_parents_and_in_the_past),
        cmocka_unit_test(test_messages_are_sent_in_their_send_span),
        cmocka_unit_test(test_libraries_fit_the_evidence),
        cmocka_unit_test(test_showpiece_fails_after_two_kinds_of_hops),
        cmocka_unit_test(test_shop_with_rabbitmq_goes_on_behind_an_exchange),
        cmocka_unit_test(test_showpiece_with_rabbitmq_is_kept_piece_by_piece),
        cmocka_unit_test(test_rules_are_named_as_the_service_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
