#include "control.h"

#include "rig.h"

static void close_one(struct fake_peer *peer)
{
    if (!script_consumed(peer, 2) || !peer_deliver(peer, 2, 1, "a") ||
        !peer_deliver(peer, 3, 1, "b") || !peer_deliver(peer, 2, 2, "lost"))
        return;
    if (!script_acked_to(peer, 1))
        return;
    (void)peer_close(peer, 2, 406, "PRECONDITION_FAILED - delivery acknowledgement timed out");
    if (!peer_serve(peer, AMQP_BASIC_CONSUME_METHOD) ||
        !peer_deliver(peer, peer->frame.channel, 1, "again"))
        return;
    if (peer_serve(peer, AMQP_BASIC_ACK_METHOD))
        (void)peer_fail(peer, "an ack by the old channel's watermark");
}

static void test_lanes_open_end_and_open_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, close_one, NULL);
    rig.queues[0].consumers = 2;
    rig.keeping = true;
    rig.publishing = false;
    rig_start(&rig);
    assert_false(sources_is_assigned(rig.sources));
    RIG_UNTIL(&rig, rig.seen_count == 3);
    assert_true(sources_is_assigned(rig.sources));
    assert_int_equal(rig.opened, 2);
    assert_int_equal(rig.lanes[0].partition, 0);
    assert_int_equal(rig.lanes[1].partition, 1);
    assert_false(rig.lanes[0].coordinates);
    rig_publish(&rig, 0, 2);
    RIG_UNTIL(&rig, rig.closed == 1);
    assert_int_equal(rig.lost, 1);
    assert_int_equal(rig.gone, 0);
    assert_true(rig.open[1] && !rig.open[0]);
    assert_int_equal(rig.kept_count, 1); /* and it keeps what it holds */
    RIG_UNTIL(&rig, rig.troubles == 1);
    assert_non_null(strstr(rig.trouble, "delivery acknowledgement timed out (406)"));
    rig_publish(&rig, 0, 3); /* too late: for nobody */
    rig_advance_ms(&rig, 1001);
    RIG_UNTIL(&rig, rig.seen_count == 4 && rig.cleared == 1);
    assert_int_equal(rig.opened, 3);
    assert_int_equal(rig.seen[3].lane, 0);
    assert_int_equal(rig.seen[3].offset, 1);
    rig_end(&rig, true);
}

static bool consume_ok(struct fake_peer *peer, uint16_t channel)
{
    wire_clear(&peer->wire);
    wire_short(&peer->wire, "spanbridge");
    return peer_send_method(peer, channel, AMQP_BASIC_CONSUME_OK_METHOD);
}

static void refuse_the_second(struct fake_peer *peer)
{
    if (!peer_handshake(peer))
        return;
    for (int i = 0; i < 3; i++)
        if (!peer_serve(peer, AMQP_BASIC_QOS_METHOD))
            return;
    for (int i = 0; i < 3; i++) /* all of them still to come */
        if (!peer_read(peer) || peer->frame.method != AMQP_BASIC_CONSUME_METHOD)
            (void)peer_fail(peer, "a consumer before all channels are open");
    if (consume_ok(peer, 2) && consume_ok(peer, 4) &&
        peer_close(peer, 3, 403, "ACCESS_REFUSED - queue 'q' in exclusive use"))
        peer_serve_to_the_end(peer);
}

/* What is delivered to the first one is read, not kept, while the others begin. */
static void test_all_channels_are_open_before_the_first_consumes(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, refuse_the_second, NULL);
    rig.queues[0].consumers = 3;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.opened == 2 && rig.troubles == 1);
    assert_true(rig.open[0] && !rig.open[1] && rig.open[2]);
    assert_non_null(strstr(rig.trouble, "in exclusive use (403)"));
    assert_false(sources_is_assigned(rig.sources));
    rig_advance_ms(&rig, 1001);
    RIG_UNTIL(&rig, rig.opened == 3 && rig.cleared == 1);
    assert_true(sources_is_assigned(rig.sources));
    rig_end(&rig, true);
}

static void cut_before_anybody_looks(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1))
        return;
    if (peer->number == 0)
        return;
    peer_serve_to_the_end(peer);
}

static void test_a_lane_that_ends_before_it_was_opened(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, cut_before_anybody_looks, NULL);
    rig_start(&rig);
    while (lane_state(rig_lane(&rig, 0)) != LANE_ENDED) {
    }
    rig_turn(&rig);
    assert_int_equal(rig.opened + rig.closed, 0);
    rig_advance_ms(&rig, 1001);
    RIG_UNTIL(&rig, rig.opened == 1);
    rig_end(&rig, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_channels_are_open_before_the_first_consumes),
        cmocka_unit_test(test_lanes_open_end_and_open_again),
        cmocka_unit_test(test_a_lane_that_ends_before_it_was_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
