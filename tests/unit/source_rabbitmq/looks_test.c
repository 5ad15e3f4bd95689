#include "looks.h"

#include "feed.h"
#include "rig.h"

static struct feed *begin(struct rig *rig, bool stream, bool tap)
{
    rig_init(rig, peer_ignore, NULL);
    rig->queues[0].queue_type = stream ? SOURCE_QUEUE_STREAM : SOURCE_QUEUE_AS_IS;
    rig->topics[0].role = tap ? SOURCE_MESSAGES : SOURCE_SPANS;
    assert_int_equal(rig_new(rig), SB_OK);
    struct feed *feed = rig_feed(rig);
    atomic_store(&feed->lanes[0].state, LANE_OPEN);
    feed->lanes[0].channel_open = true;
    return feed;
}

/* Looks without asking: there is no link to ask over. */
static void look(struct feed *feed)
{
    feed->look_at_ns = UINT64_MAX;
    assert_int_equal(looks_run(feed), SB_OK);
}

static void finish(struct rig *rig)
{
    rig_feed(rig)->lanes[0].channel_open = false;
    rig_end(rig, true);
}

static void test_a_queue_is_drained_by_count_or_by_its_end(void **state)
{
    (void)state;
    struct rig rig;
    struct feed *feed = begin(&rig, false, false);
    assert_false(looks_is_drained(feed)); /* nothing is known yet */
    looks_begin(feed, 10);
    assert_false(looks_is_drained(feed));
    atomic_store(&feed->polled, 9);
    assert_false(looks_is_drained(feed));
    atomic_store(&feed->polled, 10);
    assert_true(looks_is_drained(feed));
    atomic_store(&feed->polled, 3); /* others consume, too */
    look(feed);
    assert_false(looks_is_drained(feed));
    looks_take_ready(feed, 0, 1);
    looks_take_ready(feed, 0, 1);
    feed->lanes[0].handed = 5;
    atomic_store(&feed->lanes[0].released, 4);
    look(feed);
    assert_false(looks_is_drained(feed)); /* one is with the worker */
    atomic_store(&feed->lanes[0].released, 5);
    look(feed);
    assert_true(looks_is_drained(feed));
    looks_begin(feed, 99); /* connected again: the count at the start stays */
    assert_int_equal(atomic_load(&feed->target), 10);
    finish(&rig);
}

/* Whoever consumes besides gets a part of the messages; of a stream everybody gets all. */
static void test_who_else_consumes_gets_a_part(void **state)
{
    (void)state;
    struct rig rig;
    struct feed *feed = begin(&rig, false, false);
    const struct source *source = &feed->source->base;
    assert_int_equal((int)source->ops->share(source), SOURCE_SHARE_UNKNOWN);
    looks_take_consumers(feed, 1); /* our own */
    assert_int_equal((int)source->ops->share(source), SOURCE_SHARE_ALL);
    looks_take_consumers(feed, 2);
    assert_int_equal((int)source->ops->share(source), SOURCE_SHARE_PART);
    looks_take_consumers(feed, 1); /* gone again */
    assert_int_equal((int)source->ops->share(source), SOURCE_SHARE_ALL);
    finish(&rig);
    for (int tap = 0; tap < 2; tap++) {
        feed = begin(&rig, !tap, tap);
        looks_take_consumers(feed, 9);
        assert_int_equal((int)looks_share(feed), SOURCE_SHARE_ALL);
        finish(&rig);
    }
}

/* A quorum queue says that it has neither while its leader is too busy to answer. */
static void test_a_queue_without_its_consumers_has_not_answered(void **state)
{
    (void)state;
    struct rig rig;
    struct source_lag lag;
    struct feed *feed = begin(&rig, false, false);
    looks_begin(feed, 10);
    looks_take_ready(feed, 20, 1);
    for (int i = 0; i < 3; i++)
        looks_take_ready(feed, 0, 0);
    look(feed);
    assert_false(looks_is_drained(feed));
    assert_true(looks_lag(feed, &lag));
    assert_int_equal(lag.records, 20);
    finish(&rig);
}

static void test_a_queue_is_not_believed_that_it_is_empty_at_once(void **state)
{
    (void)state;
    struct rig rig;
    struct feed *feed = begin(&rig, false, false);
    looks_begin(feed, 0);
    look(feed);
    assert_false(looks_is_drained(feed));
    looks_take_delivery(feed);
    looks_take_ready(feed, 0, 1);
    look(feed);
    assert_false(looks_is_drained(feed));
    looks_take_ready(feed, 0, 1);
    feed->lanes[0].tag =
        rig.queues[0].prefetch; /* all is out: whatever it holds can not come */
    look(feed);
    assert_false(looks_is_drained(feed));
    feed->lanes[0].tag_acked = 1;
    look(feed);
    assert_true(looks_is_drained(feed));
    looks_take_ready(feed, 7, 1);
    look(feed);
    assert_false(looks_is_drained(feed));
    finish(&rig);
}

static void test_a_stream_is_drained_when_it_is_silent(void **state)
{
    (void)state;
    struct rig rig;
    struct feed *feed = begin(&rig, true, false);
    looks_begin(feed, 10);
    fake_clock_advance_ms(&rig.clock, 1500);
    look(feed);
    assert_false(looks_is_drained(feed)); /* there must be something */
    looks_take_delivery(feed);
    feed->lanes[0].handed = 10;
    atomic_store(&feed->lanes[0].released, 10);
    look(feed);
    assert_false(looks_is_drained(feed));
    fake_clock_advance_ms(&rig.clock, 1000);
    look(feed);
    assert_true(looks_is_drained(feed));
    looks_take_delivery(feed);
    assert_false(looks_is_drained(feed));
    finish(&rig);
}

/* A slow broker takes longer to answer than a stream that has ended is silent. */
static void test_silence_counts_from_the_answer(void **state)
{
    (void)state;
    for (int tap = 0; tap < 2; tap++) {
        struct rig rig;
        struct feed *feed = begin(&rig, true, tap == 1);
        looks_begin(feed, 10);
        fake_clock_advance_ms(&rig.clock, 6000);
        feed->lanes[0].channel_open = true;
        feed_take_answer(&feed->lanes[0]);
        atomic_store(&feed->lanes[0].state, LANE_OPEN);
        look(feed);
        assert_false(looks_is_drained(feed));
        fake_clock_advance_ms(&rig.clock, 6000);
        look(feed);
        assert_true(looks_is_drained(feed));
        finish(&rig);
    }
}

static void test_lag(void **state)
{
    (void)state;
    struct rig rig;
    struct source_lag lag;
    struct feed *feed = begin(&rig, false, false);
    assert_false(looks_lag(feed, &lag));
    looks_begin(feed, 10);
    feed->lanes[0].tag = 7;
    feed->lanes[0].tag_acked = 4;
    looks_take_ready(feed, 20, 1);
    assert_true(looks_lag(feed, &lag));
    assert_int_equal(lag.records, 23);
    assert_string_equal(lag.topic, "q");
    finish(&rig);
    feed = begin(&rig, true, false);
    looks_begin(feed, 100);
    atomic_store(&feed->lanes[0].published, 60);
    assert_true(looks_lag(feed, &lag));
    assert_int_equal(lag.records, 40);
    finish(&rig);
}

static void test_the_clock_of_a_tap(void **state)
{
    (void)state;
    struct rig rig;
    struct feed *feed = begin(&rig, true, true);
    const uint64_t lateness_ns = rig.options.lateness_ns;
    assert_int_equal(looks_tap_time_ns(feed), 0);
    atomic_store(&feed->newest_ns, 100 * NS_PER_S);
    assert_true(looks_tap_time_ns(feed) == 100 * NS_PER_S - lateness_ns);
    looks_begin(feed, 0);
    fake_clock_advance_ms(&rig.clock, 300);
    look(feed);
    assert_true(looks_tap_time_ns(feed) ==
                clock_wall_ns(&rig.clock.source) - lateness_ns); /* it is at its end */
    finish(&rig);
    feed = begin(&rig, false, true);
    assert_true(looks_tap_time_ns(feed) == UINT64_MAX); /* nobody waits for a queue */
    finish(&rig);
}

static void test_a_prefetch_that_is_too_small_is_told_once(void **state)
{
    (void)state;
    struct rig rig;
    struct feed *feed = begin(&rig, false, false);
    looks_begin(feed, 1000);
    feed->lanes[0].tag = 100;
    looks_take_ready(feed, 1000, 1);
    fake_clock_advance_ms(&rig.clock, 4000);
    looks_take_ready(feed, 1000, 1);
    assert_false(feed->warned);
    feed->lanes[0].tag_acked = 1; /* it moves */
    looks_take_ready(feed, 1000, 1);
    feed->lanes[0].tag_acked = 0;
    fake_clock_advance_ms(&rig.clock, 4000);
    looks_take_ready(feed, 1000, 1);
    assert_false(feed->warned);
    fake_clock_advance_ms(&rig.clock, 5000);
    looks_take_ready(feed, 1000, 1);
    assert_true(feed->warned);
    finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_else_consumes_gets_a_part),
        cmocka_unit_test(test_a_queue_is_drained_by_count_or_by_its_end),
        cmocka_unit_test(test_a_queue_without_its_consumers_has_not_answered),
        cmocka_unit_test(test_a_queue_is_not_believed_that_it_is_empty_at_once),
        cmocka_unit_test(test_a_stream_is_drained_when_it_is_silent),
        cmocka_unit_test(test_silence_counts_from_the_answer),
        cmocka_unit_test(test_lag),
        cmocka_unit_test(test_the_clock_of_a_tap),
        cmocka_unit_test(test_a_prefetch_that_is_too_small_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
