#include "records.h"

#include <unistd.h>

#include "core/memory.h"
#include "lanes.h"
#include "rig.h"

static void deliver(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1) || !peer_deliver_method(peer, 2, 1))
        return;
    size_t table = wire_begin_table(&peer->wire);
    wire_text_entry(&peer->wire, "a", "1");
    wire_long_entry(&peer->wire, "timestamp_in_ms", 1234);
    wire_end_table(&peer->wire, table);
    if (peer_send_header(peer, 2, 4) && peer_send_frame(peer, FRAME_BODY, 2, "body", 4) &&
        peer_deliver(peer, 2, 2, "") && script_acked_to(peer, 2))
        peer_serve_to_the_end(peer);
}

static void test_records_as_they_came(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, deliver, NULL);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.seen_count == 2);
    const struct rig_record *seen = &rig.seen[0];
    assert_string_equal(seen->value, "body");
    assert_string_equal(seen->key, "key");
    assert_int_equal(seen->offset, 1);
    assert_int_equal(seen->time_ms, 1234);
    assert_int_equal(seen->time_type, RECORD_TIME_CREATE);
    assert_int_equal(seen->header_count, 2);
    assert_int_equal(seen->flaw, RECORD_WHOLE);
    assert_false(seen->tap);
    assert_int_equal(rig.seen[1].time_type, RECORD_TIME_NONE);
    assert_int_equal(rig.seen[1].value_len, 0);
    rig_end(&rig, true);
}

/* A tap's records are finished once they were released: the script waits for the ack. */
static void test_taps_are_acked_by_themselves(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, deliver, NULL);
    rig.topics[0].role = SOURCE_MESSAGES;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.seen_count == 2);
    assert_true(rig.seen[0].tap);
    rig_end(&rig, true);
}

/* It would be acked soon all the same, but a small prefetch can not wait for that. */
static void test_a_tap_wakes_its_feed_for_the_ack(void **state)
{
    (void)state;
    struct rig rig;
    struct delivery *delivery = memory_zalloc(1, sizeof(*delivery));
    rig_init(&rig, peer_ignore, NULL);
    rig.topics[0].role = SOURCE_MESSAGES;
    assert_int_equal(rig_new(&rig), SB_OK);
    struct lane *lane = rig_lane(&rig, 0);
    atomic_store(&lane->state, LANE_OPEN);
    rig.open[0] = true;
    *delivery = (struct delivery){.tag = 1, .offset = 1, .bytes = sizeof(*delivery)};
    assert_int_equal(lanes_take(lane, delivery), SB_OK);
    rig_turn(&rig);
    assert_int_equal(rig.seen_count, 1);
    assert_false(atomic_load(&rig_feed(&rig)->woken));
    rig_turn(&rig);
    assert_true(atomic_load(&rig_feed(&rig)->woken));
    rig_end(&rig, true);
}

static void *wake(void *arg)
{
    sources_wake(arg, 0);
    return NULL;
}

static void serve(struct fake_peer *peer)
{
    if (script_consumed(peer, 1))
        peer_serve_to_the_end(peer);
}

/* It would wait for minutes otherwise; also when the wake came before. */
static void test_a_wake_ends_a_wait(void **state)
{
    (void)state;
    enum { LONG_MS = 600000 };
    struct rig rig;
    struct record record;
    pthread_t thread;
    rig_init(&rig, serve, NULL);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.opened == 1);
    assert_int_equal(pthread_create(&thread, NULL, wake, rig.sources), 0);
    assert_int_equal(sources_poll(rig.sources, 0, LONG_MS, &record, 1), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    sources_wake(rig.sources, 0);
    assert_int_equal(sources_poll(rig.sources, 0, LONG_MS, &record, 1), 0);
    rig_end(&rig, true);
}

static void deliver_when_asked(struct fake_peer *peer)
{
    int *fd = peer->arg;
    char go;
    if (!script_consumed(peer, 1) || read(*fd, &go, 1) != 1)
        return;
    if (peer_deliver(peer, 2, 1, "x"))
        peer_serve_to_the_end(peer);
}

/* A worker that sleeps is woken by a delivery. */
static void test_a_delivery_wakes(void **state)
{
    (void)state;
    enum { LONG_MS = 600000 };
    struct rig rig;
    struct record record;
    int go[2];
    assert_int_equal(pipe(go), 0);
    rig_init(&rig, deliver_when_asked, &go[0]);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.opened == 1);
    assert_int_equal(sources_poll(rig.sources, 0, 0, &record, 1), 0);
    assert_int_equal(write(go[1], "", 1), 1);
    size_t count = 0;
    while (count == 0) /* it may have been woken before, too */
        count = sources_poll(rig.sources, 0, LONG_MS, &record, 1);
    source_record_release(&record);
    (void)close(go[0]);
    (void)close(go[1]);
    rig_end(&rig, true);
}

static void deliver_one(struct fake_peer *peer)
{
    if (script_consumed(peer, 1) && peer_deliver(peer, 2, 1, "x"))
        peer_serve_to_the_end(peer);
}

static void test_after_the_stop_nothing_comes(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, deliver_one, NULL);
    rig.paused = true;
    rig_start(&rig);
    RIG_UNTIL(&rig, atomic_load(&rig_feed(&rig)->bytes) > 0);
    sources_stop_intake(rig.sources);
    rig.paused = false;
    rig_turn(&rig);
    assert_int_equal(rig.seen_count, 0);
    rig_end(&rig, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_as_they_came),
        cmocka_unit_test(test_taps_are_acked_by_themselves),
        cmocka_unit_test(test_a_tap_wakes_its_feed_for_the_ack),
        cmocka_unit_test(test_a_wake_ends_a_wait),
        cmocka_unit_test(test_a_delivery_wakes),
        cmocka_unit_test(test_after_the_stop_nothing_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
