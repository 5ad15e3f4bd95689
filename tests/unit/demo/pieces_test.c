#include "fixture.h"

#include "pieces.h"

static struct shop_checkout checkout;
static struct seen_list before;
static struct seen_list after;
static struct seen_list taken;

static int setup(void **state)
{
    (void)state;
    checkout = fixture_notified();
    fixture_see(&checkout, &before);
    fixture_see(&checkout, &after);
    fixture_mend(&checkout, &after);
    return 0;
}

static void test_pieces_share_out_the_spans(void **state)
{
    (void)state;
    uint32_t count = 0;
    for (uint32_t i = 0; i < SHOP_PIECES; i++) {
        pieces_take(&checkout, i, &before, &taken);
        assert_true(taken.count > 0);
        for (uint32_t j = 0; j < taken.count; j++)
            assert_true(trace_id_equal(taken.spans[j].trace_id, checkout.trace_id[i]));
        count += taken.count;
    }
    assert_int_equal(count, checkout.span_count);
}

static void test_what_is_apart_is_not_mended(void **state)
{
    (void)state;
    pieces_take(&checkout, SHOP_POINTS + 1, &after, &taken);
    assert_int_equal(taken.count, 2);
    assert_string_equal(taken.spans[0].service, "loyalty");
    pieces_take_mended(&checkout, &after, &taken);
    assert_int_equal(taken.count, after.count - 2);
    for (uint32_t i = 0; i < taken.count; i++)
        assert_string_not_equal(taken.spans[i].service, "loyalty");
}

/* Spans that were joined against all expectation are not hidden. */
static void test_what_was_joined_is_not_apart(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < after.count; i++)
        after.spans[i].trace_id = checkout.trace_id[0];
    pieces_take_mended(&checkout, &after, &taken);
    assert_int_equal(taken.count, after.count);
}

static void test_shop_without_rabbitmq_has_nothing_apart(void **state)
{
    (void)state;
    checkout = fixture_showpiece();
    fixture_see(&checkout, &before);
    pieces_take_mended(&checkout, &before, &taken);
    assert_int_equal(taken.count, checkout.span_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_pieces_share_out_the_spans, setup),
        cmocka_unit_test_setup(test_what_is_apart_is_not_mended, setup),
        cmocka_unit_test_setup(test_what_was_joined_is_not_apart, setup),
        cmocka_unit_test_setup(test_shop_without_rabbitmq_has_nothing_apart, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
