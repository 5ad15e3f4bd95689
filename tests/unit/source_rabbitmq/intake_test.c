#include "intake.h"

#include "rig.h"

/* In the first connection a body is announced and never comes; in the second one all is well. */
static void announce(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1))
        return;
    if (peer->number == 0) {
        (void)peer_deliver_method(peer, 2, 1);
        (void)peer_send_header(peer, 2, UINT64_C(1) << 30);
        (void)peer_send_frame(peer, FRAME_BODY, 2, "x", 1);
        return;
    }
    if (peer_deliver(peer, 2, 1, "whole") && script_acked_to(peer, 1))
        peer_serve_to_the_end(peer);
}

static void test_a_message_that_breaks_off(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, announce, NULL);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.troubles == 1);
    rig_advance_ms(&rig, 1001);
    RIG_UNTIL(&rig, rig.seen_count == 1);
    assert_string_equal(rig.seen[0].value, "whole");
    rig_end(&rig, true);
}

/* 100,000 bytes where 65,536 are allowed: in two frames. */
static void too_large(struct fake_peer *peer)
{
    enum { HALF = 50000 };
    static const uint8_t half[HALF];
    if (script_consumed(peer, 1) && peer_deliver_method(peer, 2, 1) &&
        peer_send_header(peer, 2, HALF * 2) &&
        peer_send_frame(peer, FRAME_BODY, 2, half, HALF) &&
        peer_send_frame(peer, FRAME_BODY, 2, half, HALF) && peer_deliver(peer, 2, 2, "next") &&
        script_acked_to(peer, 2))
        peer_serve_to_the_end(peer);
}

static void test_a_body_that_is_too_large(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, too_large, NULL);
    assert_int_equal(rig_new(&rig), SB_OK);
    rig_lane(&rig, 0)->assembly.body_max = 1 << 16; /* instead of 128 MiB */
    assert_int_equal(sources_start(rig.sources), SB_OK);
    RIG_UNTIL(&rig, rig.seen_count == 2);
    assert_int_equal(rig.seen[0].flaw, RECORD_TOO_LARGE);
    assert_int_equal(rig.seen[0].value_len, 0);
    assert_string_equal(rig.seen[0].key, "key");
    assert_string_equal(rig.seen[1].value, "next");
    rig_end(&rig, true);
}

static bool deliver_returned(struct fake_peer *peer, uint64_t tag, int64_t returns)
{
    wire_clear(&peer->wire);
    wire_short(&peer->wire, "consumer");
    wire_u64(&peer->wire, tag);
    wire_u8(&peer->wire, returns > 0);
    wire_short(&peer->wire, "exchange");
    wire_short(&peer->wire, "key");
    if (!peer_send_method(peer, 2, AMQP_BASIC_DELIVER_METHOD))
        return false;
    size_t table = wire_begin_table(&peer->wire);
    wire_long_entry(&peer->wire, "x-delivery-count", returns);
    wire_end_table(&peer->wire, table);
    return peer_send_header(peer, 2, 1) && peer_send_frame(peer, FRAME_BODY, 2, "x", 1);
}

static void poison(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1) || !deliver_returned(peer, 1, SOURCE_POISON_RETURNS) ||
        !deliver_returned(peer, 2, SOURCE_POISON_RETURNS + 1) || !deliver_returned(peer, 3, 0))
        return;
    if (script_acked_to(peer, 3))
        peer_serve_to_the_end(peer);
}

static void test_poison_goes_to_the_dead_letters(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, poison, NULL);
    rig.topics[0].dead_letter_topic = "a topic of Kafka";
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.seen_count == 3);
    assert_int_equal(rig.seen[0].flaw, RECORD_WHOLE);
    assert_int_equal(rig.seen[1].flaw, RECORD_POISON);
    assert_int_equal(rig.seen[2].flaw, RECORD_WHOLE);
    rig_end(&rig, true);
}

/* Whoever it is that came back so often: nobody's spans are thrown away. */
static void test_poison_without_letters_is_handed_over(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, poison, NULL);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.seen_count == 3);
    assert_int_equal(rig.seen[1].offset, 2);
    assert_int_equal(rig.seen[1].flaw, RECORD_WHOLE);
    rig_end(&rig, true);
}

/* The connection is cut with a delivery out, which then has come back once more. */
static void flaps(struct fake_peer *peer)
{
    int64_t returns = SOURCE_POISON_RETURNS + (int64_t)peer->number;
    if (!script_consumed(peer, 1) || !deliver_returned(peer, 1, returns))
        return;
    if (peer->number < 2) {
        (void)peer_serve(peer, AMQP_QUEUE_DECLARE_METHOD); /* it has been read */
        return;
    }
    if (script_acked_to(peer, 1))
        peer_serve_to_the_end(peer);
}

static void test_what_a_lost_connection_gave_back_is_no_poison(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, flaps, NULL);
    rig.topics[0].dead_letter_topic = "a topic of Kafka";
    rig.publishing = false;
    rig_start(&rig);
    for (uint32_t round = 1; round <= 2; round++) {
        RIG_UNTIL(&rig, rig.seen_count == round);
        rig_advance_ms(&rig, 1001); /* it looks at the queue */
        RIG_UNTIL(&rig, rig.lost == round);
        rig_advance_ms(&rig, 4001);
    }
    RIG_UNTIL(&rig, rig.seen_count == 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(rig.seen[i].flaw, RECORD_WHOLE);
    rig_publish(&rig, rig.seen[2].lane, 2);
    rig_end(&rig, true);
}

/* basic.deliver, and a header whose table is longer than its frame: nobody can decode that. */
static bool deliver_undecodable(struct fake_peer *peer, uint64_t tag)
{
    if (!peer_deliver_method(peer, 2, tag))
        return false;
    wire_u32(&peer->wire, 100);
    return peer_send_header(peer, 2, 1);
}

/* The first connection ends with the reject of that one; all else comes again with the second. */
static void undecodable(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1) || !peer_deliver(peer, 2, 1, "before"))
        return;
    if (peer->number > 0) {
        if (peer_deliver(peer, 2, 2, "behind") && script_acked_to(peer, 2))
            peer_serve_to_the_end(peer);
        return;
    }
    if (!deliver_undecodable(peer, 2) || !peer_serve(peer, AMQP_BASIC_REJECT_METHOD))
        return;
    const uint8_t *tag = peer->frame.at + peer->frame.len - 9;
    if (tag[7] != 2 || tag[8] != 0)
        (void)peer_fail(peer, "not that one, or it is to be put back");
}

static void test_an_undecodable_message_is_rejected_at_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, undecodable, NULL);
    rig.publishing = false;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.troubles == 1);
    assert_non_null(strstr(rig.trouble, "headers of a message could not be decoded"));
    assert_int_equal(rig.source->ops->unreadable(rig.source, 0), 1);
    rig.publishing = true;
    rig_advance_ms(&rig, 1001);
    RIG_UNTIL(&rig,
              rig.seen_count > 0 && strcmp(rig.seen[rig.seen_count - 1].value, "behind") == 0);
    assert_string_equal(rig.trouble, "");
    assert_int_equal(rig.source->ops->unreadable(rig.source, 0), 1);
    rig_end(&rig, true);
}

/* Were each one a failure, the waits between the connections would grow to 10 s. */
static void many_undecodable(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1))
        return;
    if (peer->number < 5)
        (void)(deliver_undecodable(peer, 1) && peer_serve(peer, AMQP_BASIC_REJECT_METHOD));
    else
        peer_serve_to_the_end(peer);
}

static void test_each_reject_is_a_step_forward(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, many_undecodable, NULL);
    rig_start(&rig);
    for (uint32_t count = 1; count <= 5; count++) {
        RIG_UNTIL(&rig, rig.source->ops->unreadable(rig.source, 0) == count);
        /* Told anew, so it was over in between; and the next try has its time by then. */
        RIG_UNTIL(&rig, rig.troubles == count);
        rig_advance_ms(&rig, 1001);
    }
    rig_end(&rig, true);
}

static void undecodable_in_a_stream(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1) || !deliver_undecodable(peer, 1))
        return;
    if (peer_serve(peer, AMQP_BASIC_REJECT_METHOD))
        (void)peer_fail(peer, "a stream takes no rejects");
}

static void test_a_stream_is_not_read_past_an_undecodable_message(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, undecodable_in_a_stream, NULL);
    rig.queues[0].queue_type = SOURCE_QUEUE_STREAM;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.troubles == 1);
    assert_non_null(strstr(rig.trouble, "a stream can not be read past it"));
    assert_int_equal(rig.source->ops->unreadable(rig.source, 0), 0);
    rig_end(&rig, true);
}

static void out_of_order(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1))
        return;
    if (peer->number == 0)
        (void)peer_send_frame(peer, FRAME_BODY, 2, "x", 1);
    peer_serve_to_the_end(peer);
}

static void test_frames_out_of_order_cost_the_connection(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, out_of_order, NULL);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.troubles == 1);
    assert_non_null(strstr(rig.trouble, "out of order"));
    rig_end(&rig, true);
}

/* Two messages, of which the first has the header that streams have. */
static void stream(struct fake_peer *peer)
{
    if (!script_consumed(peer, 1) || !peer_deliver_method(peer, 2, 1))
        return;
    size_t table = wire_begin_table(&peer->wire);
    wire_long_entry(&peer->wire, "x-stream-offset", 7);
    wire_end_table(&peer->wire, table);
    if (!peer_send_header(peer, 2, 0) || !script_acked_to(peer, 1))
        return;
    atomic_store((_Atomic bool *)peer->arg, true);
    if (peer_serve(peer, AMQP_QUEUE_DECLARE_METHOD) && peer_deliver(peer, 2, 2, "") &&
        script_acked_to(peer, 2))
        peer_serve_to_the_end(peer);
}

static void test_a_stream_where_a_queue_was_named(void **state)
{
    (void)state;
    struct rig rig;
    _Atomic bool acked = false;
    rig_init(&rig, stream, &acked);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.troubles == 1 && atomic_load(&acked));
    assert_non_null(strstr(rig.trouble, "seems to be a stream"));
    assert_int_equal(rig.seen[0].offset, 1);
    rig_advance_ms(&rig, 1001); /* it looks at the queue, and the next one has no such header */
    RIG_UNTIL(&rig, rig.seen_count == 2 && rig.cleared == 1);
    assert_int_equal(rig.lost, 0);
    rig_end(&rig, true);
}

/* 40 messages of 50 kB where 1 MiB is allowed; the rest comes once the first ones are released. */
static void many(struct fake_peer *peer)
{
    enum { COUNT = 40, LEN = 50000 };
    static char body[LEN + 1];
    memset(body, 'x', LEN);
    if (!script_consumed(peer, 1))
        return;
    for (uint64_t tag = 1; tag <= COUNT; tag++)
        if (!peer_deliver(peer, 2, tag, body))
            return;
    if (script_acked_to(peer, COUNT))
        peer_serve_to_the_end(peer);
}

static void test_intake_stops_at_its_bytes(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, many, NULL);
    rig.keeping = true;
    rig_start(&rig);
    struct feed *feed = rig_feed(&rig);
    RIG_UNTIL(&rig, atomic_load(&feed->full));
    for (int i = 0; i < 20; i++)
        rig_turn(&rig);
    assert_true(atomic_load(&feed->bytes) < (1 << 20) + 60000);
    assert_true(rig.seen_count <= 21);
    rig.keeping = false;
    rig_release_kept(&rig);
    RIG_UNTIL(&rig, rig.seen_count == 40);
    assert_int_equal(atomic_load(&feed->bytes), 0);
    rig_end(&rig, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_that_breaks_off),
        cmocka_unit_test(test_a_body_that_is_too_large),
        cmocka_unit_test(test_poison_goes_to_the_dead_letters),
        cmocka_unit_test(test_poison_without_letters_is_handed_over),
        cmocka_unit_test(test_what_a_lost_connection_gave_back_is_no_poison),
        cmocka_unit_test(test_an_undecodable_message_is_rejected_at_once),
        cmocka_unit_test(test_each_reject_is_a_step_forward),
        cmocka_unit_test(test_a_stream_is_not_read_past_an_undecodable_message),
        cmocka_unit_test(test_frames_out_of_order_cost_the_connection),
        cmocka_unit_test(test_a_stream_where_a_queue_was_named),
        cmocka_unit_test(test_intake_stops_at_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
