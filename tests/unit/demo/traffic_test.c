#include "fixture.h"

#include "support/fake_clock.h"
#include "traffic.h"

enum { CHECKOUTS = 40 };

struct taken {
    struct seen_reader *reader;
    uint32_t spans;
    uint64_t ids; /* xor of all span ids */
};

static void on_span(void *arg, const struct seen_span *span)
{
    struct taken *taken = arg;
    taken->spans++;
    taken->ids ^= span_id_number(span->span_id);
}

static void on_request(void *arg, struct bytes request)
{
    struct taken *taken = arg;
    assert_int_equal(seen_read(taken->reader, request, on_span, taken), SB_OK);
}

/* Plays and returns the totals; `taken` sees what was sent. */
static struct traffic_totals play(uint64_t seed, struct taken *taken,
                                  struct shop_checkout *ret_showpiece)
{
    struct fake_clock clock;
    fake_clock_init(&clock);
    struct traffic_options options = {
        .seed = seed, .clock = &clock.source, .on_request = on_request, .arg = taken};
    struct traffic *traffic;
    struct text message;
    text_init(&message, 4096);
    assert_int_equal(seen_reader_new(&taken->reader), SB_OK);
    assert_int_equal(traffic_new(&options, &traffic, &message), SB_OK);
    assert_null(traffic_showpiece(traffic));
    assert_int_equal(traffic_play(traffic, CHECKOUTS / 2, &message), SB_OK);
    assert_int_equal(traffic_play(traffic, CHECKOUTS / 2, &message), SB_OK);
    assert_int_equal(traffic_flush(traffic, &message), SB_OK);
    struct traffic_totals totals = *traffic_totals(traffic);
    *ret_showpiece = *traffic_showpiece(traffic);
    assert_true(traffic_free(traffic, &message));
    seen_reader_free(taken->reader);
    text_clear(&message);
    return totals;
}

static void test_everything_is_sent_once(void **state)
{
    (void)state;
    struct taken taken = {.spans = 0};
    struct shop_checkout showpiece;
    struct traffic_totals totals = play(1, &taken, &showpiece);
    uint64_t expected = 0;
    uint64_t hops = 0;
    for (uint64_t i = 0; i < CHECKOUTS; i++) {
        struct shop_checkout checkout;
        shop_make(1, i, FAKE_CLOCK_WALL_NS, &checkout);
        expected += checkout.span_count;
        hops += checkout.hop_count;
    }
    assert_int_equal(totals.checkouts, CHECKOUTS);
    assert_int_equal(totals.spans, expected);
    assert_int_equal(taken.spans, expected);
    assert_int_equal(totals.messages, hops);
    assert_int_equal(totals.pieces, CHECKOUTS + hops);
    assert_int_equal(totals.hops[0] + totals.hops[1] + totals.hops[2], hops);
}

static void test_messages_of_the_showpiece_have_places(void **state)
{
    (void)state;
    struct taken taken = {.spans = 0};
    struct shop_checkout showpiece;
    play(1, &taken, &showpiece);
    assert_int_equal(showpiece.index, SHOP_SHOWPIECE);
    for (uint32_t i = 0; i < showpiece.hop_count; i++) {
        assert_in_range(showpiece.hops[i].partition, 0, BROKER_PARTITIONS - 1);
        assert_in_range(showpiece.hops[i].offset, 0, CHECKOUTS);
    }
}

static void test_same_seed_sends_the_same(void **state)
{
    (void)state;
    struct taken a = {.spans = 0};
    struct taken b = {.spans = 0};
    struct taken c = {.spans = 0};
    struct shop_checkout showpiece;
    play(1, &a, &showpiece);
    play(1, &b, &showpiece);
    play(2, &c, &showpiece);
    assert_true(a.ids == b.ids);
    assert_true(a.ids != c.ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_sent_once),
        cmocka_unit_test(test_messages_of_the_showpiece_have_places),
        cmocka_unit_test(test_same_seed_sends_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
