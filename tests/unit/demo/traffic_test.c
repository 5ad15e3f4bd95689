#include "fixture.h"

#include "echo.h"
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
        shop_make(fixture_shop(1), i, FAKE_CLOCK_WALL_NS, &checkout);
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

/* Through the broker of tests/unit/amqp that echoes messages; real ones are tests/system's. */
static enum sb_err play_notified(struct echo *echo, struct traffic_totals *ret_totals,
                                 struct text *message)
{
    char url[FAKE_URL_LEN];
    struct fake_broker *fake = fake_broker_new(echo_serve, echo);
    struct traffic *traffic;
    fake_broker_url(fake, url);
    struct traffic_options options = {.seed = 1, .rabbitmq = url, .clock = clock_system()};
    assert_int_equal(traffic_new(&options, &traffic, message), SB_OK);
    assert_non_null(traffic_exchange(traffic));
    enum sb_err err = traffic_play(traffic, CHECKOUTS / 2, message);
    if (err == SB_OK)
        err = traffic_play(traffic, CHECKOUTS / 2, message);
    if (err == SB_OK)
        err = traffic_flush(traffic, message);
    if (err == SB_OK)
        err = traffic_idle(traffic, message);
    *ret_totals = *traffic_totals(traffic);
    assert_true(traffic_free(traffic, message));
    assert_null(fake_broker_fault(fake));
    fake_broker_free(fake);
    return err;
}

static void test_mails_and_their_spans_go_through_rabbitmq(void **state)
{
    (void)state;
    struct echo echo = {.messages = 0};
    struct traffic_totals totals;
    struct text message;
    text_init(&message, 4096);
    assert_int_equal(play_notified(&echo, &totals, &message), SB_OK);
    uint64_t notified = 0;
    uint64_t kafka = 0;
    uint64_t spans = 0;
    for (uint64_t i = 0; i < CHECKOUTS; i++) {
        struct shop_checkout checkout;
        shop_make((struct shop){.seed = 1, .rabbitmq = true}, i, FIXTURE_NOW_NS, &checkout);
        notified += checkout.hop_count == SHOP_HOPS;
        kafka += checkout.hop_count == 1 ? 1 : SHOP_KAFKA_HOPS;
        spans += checkout.span_count;
    }
    assert_int_equal(echo.messages, notified);
    assert_int_equal(echo.spans, 2); /* 2 spans of each mail, 50 in a record */
    assert_int_equal(echo.mailers, 2);
    assert_int_equal(totals.rabbitmq_records, 2);
    assert_int_equal(totals.apart, notified);
    assert_int_equal(totals.messages, kafka + notified);
    assert_int_equal(totals.hops[0] + totals.hops[1] + totals.hops[2], kafka + notified);
    assert_int_equal(totals.pieces, CHECKOUTS + kafka + 2 * notified);
    assert_int_equal(totals.spans, spans);
    text_clear(&message);
}

/* What the consumer's library records would then be another context than is shown. */
static void test_message_that_lost_its_context_is_noticed(void **state)
{
    (void)state;
    struct echo echo = {.garble = true};
    struct traffic_totals totals;
    struct text message;
    text_init(&message, 4096);
    assert_int_equal(play_notified(&echo, &totals, &message), SB_ERR_UNAVAILABLE);
    assert_non_null(strstr(text_string(&message), "otherwise than they went in"));
    text_clear(&message);
}

static void test_broker_that_is_not_there_is_named_first(void **state)
{
    (void)state;
    struct traffic_options options = {.seed = 1,
                                      .kafka = "127.0.0.1:1",
                                      .rabbitmq = "amqp://127.0.0.1:1",
                                      .clock = clock_system()};
    struct traffic *traffic;
    struct text message;
    text_init(&message, 4096);
    assert_int_equal(traffic_new(&options, &traffic, &message), SB_ERR_UNAVAILABLE);
    assert_non_null(strstr(text_string(&message), "no RabbitMQ answers"));
    assert_null(strstr(text_string(&message), "Kafka"));
    text_clear(&message);
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
        cmocka_unit_test(test_mails_and_their_spans_go_through_rabbitmq),
        cmocka_unit_test(test_message_that_lost_its_context_is_noticed),
        cmocka_unit_test(test_broker_that_is_not_there_is_named_first),
        cmocka_unit_test(test_same_seed_sends_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
