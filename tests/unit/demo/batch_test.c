#include "fixture.h"

#include "otlp/scan.h"

struct seen_batches {
    struct otlp_scan *scan;
    uint32_t records;
    uint32_t full;
    uint32_t spans;
    uint32_t envelopes;
    enum sb_err answer;
};

static enum sb_err on_batch(void *arg, enum shop_service service, struct bytes request,
                            uint32_t spans)
{
    struct seen_batches *seen = arg;
    assert_in_range(service, 0, SHOP_SERVICES - 1);
    enum otlp_fault fault;
    uint32_t count;
    uint32_t envelopes;
    assert_int_equal(otlp_scan_request(seen->scan, request, &fault), SB_OK);
    assert_int_equal(fault, OTLP_FAULT_NONE);
    otlp_scan_spans(seen->scan, &count);
    otlp_scan_envelopes(seen->scan, &envelopes);
    assert_int_equal(count, spans);
    assert_in_range(spans, 1, BATCH_SPANS);
    assert_true(envelopes <= 4); /* one service: at most one scope for each of its libraries */
    seen->records++;
    seen->full += spans == BATCH_SPANS;
    seen->spans += spans;
    return seen->answer;
}

static void play(struct seen_batches *seen, uint64_t checkouts, uint32_t *ret_spans)
{
    struct otlp_limits limits = otlp_limits_default();
    struct otlp_keys *keys;
    struct batch_set *set;
    *ret_spans = 0;
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    assert_int_equal(otlp_scan_new(&limits, keys, &seen->scan), SB_OK);
    assert_int_equal(batch_set_new(on_batch, seen, &set), SB_OK);
    for (uint64_t i = 0; i < checkouts; i++) {
        struct shop_checkout checkout;
        shop_make(fixture_shop(1), i, FIXTURE_NOW_NS, &checkout);
        assert_int_equal(batch_set_add(set, &fixture_world, &checkout), SB_OK);
        *ret_spans += checkout.span_count;
    }
    assert_int_equal(batch_set_flush(set), SB_OK);
    assert_int_equal(batch_set_flush(set), SB_OK); /* nothing is left */
    batch_set_free(set);
    otlp_scan_free(seen->scan);
    otlp_keys_free(keys);
}

static void test_batches_are_of_one_service_and_mostly_full(void **state)
{
    (void)state;
    struct seen_batches seen = {.answer = SB_OK};
    uint32_t spans;
    play(&seen, 1000, &spans);
    assert_int_equal(seen.spans, spans);
    /* Each of nine services and languages ends with a batch that is not full. */
    assert_true(seen.records - seen.full <= SHOP_SERVICES * SHOP_LANGUAGES);
    assert_in_range(seen.records, spans / BATCH_SPANS, spans / BATCH_SPANS + 20);
}

static void test_spans_of_a_checkout_lie_in_several_records(void **state)
{
    (void)state;
    struct seen_batches seen = {.answer = SB_OK};
    uint32_t spans;
    play(&seen, 1, &spans);
    assert_in_range(seen.records, 3, SHOP_SERVICES);
}

static void test_trouble_of_the_taker_comes_back(void **state)
{
    (void)state;
    struct otlp_limits limits = otlp_limits_default();
    struct seen_batches seen = {.answer = SB_ERR_UNAVAILABLE};
    struct otlp_keys *keys;
    struct batch_set *set;
    struct shop_checkout checkout = fixture_showpiece();
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    assert_int_equal(otlp_scan_new(&limits, keys, &seen.scan), SB_OK);
    assert_int_equal(batch_set_new(on_batch, &seen, &set), SB_OK);
    assert_int_equal(batch_set_add(set, &fixture_world, &checkout), SB_OK);
    assert_int_equal(batch_set_flush(set), SB_ERR_UNAVAILABLE);
    batch_set_free(set);
    batch_set_free(NULL);
    otlp_scan_free(seen.scan);
    otlp_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches_are_of_one_service_and_mostly_full),
        cmocka_unit_test(test_spans_of_a_checkout_lie_in_several_records),
        cmocka_unit_test(test_trouble_of_the_taker_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
