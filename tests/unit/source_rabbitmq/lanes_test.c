#include "lanes.h"

#include "core/memory.h"
#include "records.h"
#include "rig.h"

static struct delivery *make(struct lane *lane, uint64_t tag, int64_t returns)
{
    struct delivery *delivery = memory_zalloc(1, sizeof(*delivery));
    *delivery = (struct delivery){.lane = lane,
                                  .tag = tag,
                                  .offset = (int64_t)tag,
                                  .returns = returns,
                                  .bytes = sizeof(*delivery)};
    return delivery;
}

/* A lane with a ring, of a source that is not started: nobody takes anything out. */
static struct lane *begin(struct rig *rig, bool stream)
{
    rig_init(rig, peer_ignore, NULL);
    rig->queues[0].queue_type = stream ? SOURCE_QUEUE_STREAM : SOURCE_QUEUE_AS_IS;
    assert_int_equal(rig_new(rig), SB_OK);
    struct lane *lane = rig_lane(rig, 0);
    atomic_store(&lane->state, LANE_OPEN);
    return lane;
}

/* Takes one out of the ring, as a worker; 0: there is none. */
static int64_t take(struct rig *rig, struct record *ret)
{
    return sources_poll(rig->sources, 0, 0, ret, 1) == 0 ? 0 : ret->offset;
}

static void test_a_suspect_goes_alone(void **state)
{
    (void)state;
    struct rig rig;
    struct record records[4];
    struct lane *lane = begin(&rig, false);
    assert_int_equal(lanes_take(lane, make(lane, 1, 0)), SB_OK);
    assert_int_equal(lanes_take(lane, make(lane, 2, SOURCE_SUSPECT_RETURNS)), SB_OK);
    assert_int_equal(lanes_take(lane, make(lane, 3, 0)), SB_OK);
    assert_int_equal(lanes_take(lane, make(lane, 4, 1)), SB_OK);
    assert_int_equal(take(&rig, &records[0]), 1);
    lanes_pump(lane);
    assert_int_equal(take(&rig, &records[1]), 0); /* the first one is still with the worker */
    source_record_release(&records[0]);
    assert_true(atomic_load(&rig_feed(&rig)->woken));
    lanes_pump(lane);
    assert_int_equal(take(&rig, &records[1]), 2);
    lanes_pump(lane);
    assert_int_equal(take(&rig, &records[2]), 0); /* and now the suspect is */
    source_record_release(&records[1]);
    lanes_pump(lane);
    assert_int_equal(take(&rig, &records[2]), 3);
    assert_int_equal(take(&rig, &records[3]), 4);
    source_record_release(&records[2]);
    source_record_release(&records[3]);
    assert_int_equal(atomic_load(&rig_feed(&rig)->bytes), 0);
    assert_false(atomic_load(&lane->watched));
    rig_end(&rig, true);
}

static void test_what_does_not_fit_into_the_ring_waits(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    struct rig rig;
    struct lane *lane = begin(&rig, false);
    for (uint64_t tag = 1; tag <= MANY; tag++)
        assert_int_equal(lanes_take(lane, make(lane, tag, 0)), SB_OK);
    assert_non_null(lane->held_first);
    for (int64_t offset = 1; offset <= MANY; offset++) {
        struct record record;
        lanes_pump(lane);
        assert_int_equal(take(&rig, &record), offset);
        source_record_release(&record);
    }
    assert_null(lane->held_first);
    rig_end(&rig, true);
}

static void test_a_stream_passes_over_what_is_not_wanted(void **state)
{
    (void)state;
    struct rig rig;
    struct record record;
    struct lane *lane = begin(&rig, true);
    lane->offset_start = 10;
    for (uint64_t tag = 8; tag <= 11; tag++)
        assert_int_equal(lanes_take(lane, make(lane, tag, 0)), SB_OK);
    assert_int_equal(lanes_take(lane, make(lane, 10, 0)), SB_OK); /* seen before */
    assert_int_equal(take(&rig, &record), 10);
    source_record_release(&record);
    assert_int_equal(take(&rig, &record), 11);
    source_record_release(&record);
    assert_int_equal(take(&rig, &record), 0);
    assert_int_equal(lane->tags_count, 5);
    rig_end(&rig, true);
}

static void test_a_stream_that_floods(void **state)
{
    (void)state;
    struct rig rig;
    struct lane *lane = begin(&rig, true);
    lane->tags_count = lane->tags_room;
    assert_int_equal(lanes_take(lane, make(lane, 1, 0)), SB_ERR_LIMIT);
    assert_int_equal(atomic_load(&rig_feed(&rig)->bytes), 0);
    rig_end(&rig, true);
}

static void test_an_end_drops_what_was_held(void **state)
{
    (void)state;
    struct rig rig;
    struct lane *lane = begin(&rig, false);
    assert_int_equal(lanes_take(lane, make(lane, 1, 0)), SB_OK);
    assert_int_equal(lanes_take(lane, make(lane, 2, SOURCE_SUSPECT_RETURNS)), SB_OK);
    lanes_end(lane);
    assert_int_equal(lane_state(lane), LANE_ENDED);
    assert_null(lane->held_first);
    records_discard(lane);
    assert_int_equal(atomic_load(&rig_feed(&rig)->bytes), 0);
    lanes_end(lane); /* no harm */
    rig_end(&rig, true);
}

static void three(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1))
        return;
    uint16_t channel = peer->frame.channel;
    for (uint64_t tag = 1; tag <= 3; tag++)
        if (!peer_deliver(peer, channel, tag, "x"))
            return;
    _Atomic bool *first = peer->arg;
    if (!script_acked_to(peer, 2))
        return;
    atomic_store(first, true);
    if (script_acked_to(peer, 3))
        peer_serve_to_the_end(peer);
}

/* The script fails on an ack of what is not finished, and on one that comes twice. */
static void test_acks_follow_the_watermark(void **state)
{
    (void)state;
    struct rig rig;
    _Atomic bool first = false;
    rig_init(&rig, three, &first);
    rig.publishing = false;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.seen_count == 3);
    rig_publish(&rig, 0, 3);
    rig_publish(&rig, 0, 2); /* lower: passed over */
    RIG_UNTIL(&rig, atomic_load(&first));
    rig_publish(&rig, 0, 4);
    rig_end(&rig, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_suspect_goes_alone),
        cmocka_unit_test(test_what_does_not_fit_into_the_ring_waits),
        cmocka_unit_test(test_a_stream_passes_over_what_is_not_wanted),
        cmocka_unit_test(test_a_stream_that_floods),
        cmocka_unit_test(test_an_end_drops_what_was_held),
        cmocka_unit_test(test_acks_follow_the_watermark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
