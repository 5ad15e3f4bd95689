#include <pthread.h>
#include <sys/socket.h>

#include "amqp/thread.h"
#include "rig.h"

static void two_messages(struct fake_peer *peer)
{
    if (!peer_handshake(peer) || !peer_deliver_method(peer, 1, 7))
        return;
    size_t table = wire_begin_table(&peer->wire);
    wire_text_entry(&peer->wire, "traceparent", "00-x");
    wire_text_entry(&peer->wire, "", "without a name");
    wire_long_entry(&peer->wire, "x-stream-offset", 99);
    wire_end_table(&peer->wire, table);
    if (peer_send_header(peer, 1, 10) && peer_send_frame(peer, FRAME_BODY, 1, "01234", 5) &&
        peer_send_frame(peer, FRAME_HEARTBEAT, 0, "", 0) &&
        peer_send_frame(peer, FRAME_BODY, 1, "56789", 5) && peer_deliver(peer, 1, 8, ""))
        peer_serve_to_the_end(peer);
}

static void test_messages_frame_by_frame(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, two_messages);
    struct amqp_event event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_DELIVER);
    assert_int_equal(event.channel, 1);
    assert_int_equal(event.tag, 7);
    assert_view(event.exchange, "exchange");
    assert_view(event.routing_key, "key");
    event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_HEADER);
    assert_int_equal(event.body_len, 10);
    struct bytes text;
    int64_t offset = 0;
    assert_true(amqp_headers_text(&event.properties->headers, "traceparent", &text));
    assert_view(text, "00-x");
    assert_true(amqp_headers_text(&event.properties->headers, "", &text));
    assert_true(amqp_headers_integer(&event.properties->headers, "x-stream-offset", &offset));
    assert_int_equal(offset, 99);
    event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_BODY);
    assert_view(event.body, "01234");
    event = rig_next(&rig);
    assert_view(event.body, "56789");
    event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_DELIVER);
    assert_int_equal(event.tag, 8);
    assert_int_equal(rig_next(&rig).kind, AMQP_HEADER);
    assert_int_equal(amqp_link_next(rig.link, 0, &event), SB_OK);
    assert_int_equal(event.kind, AMQP_NOTHING);
    rig_end(&rig);
}

static void tell_all(struct fake_peer *peer)
{
    if (!peer_handshake(peer))
        return;
    wire_clear(&peer->wire);
    wire_short(&peer->wire, "low on memory");
    (void)peer_send_method(peer, 0, AMQP_CONNECTION_BLOCKED_METHOD);
    (void)peer_send_method(peer, 0, AMQP_CONNECTION_UNBLOCKED_METHOD);
    wire_u64(&peer->wire, 5);
    wire_u8(&peer->wire, 1);
    (void)peer_send_method(peer, 2, AMQP_BASIC_ACK_METHOD);
    wire_u64(&peer->wire, 6);
    wire_u8(&peer->wire, 0);
    (void)peer_send_method(peer, 2, AMQP_BASIC_NACK_METHOD);
    wire_u16(&peer->wire, 312);
    wire_short(&peer->wire, "NO_ROUTE");
    wire_short(&peer->wire, "e");
    wire_short(&peer->wire, "k");
    (void)peer_send_method(peer, 2, AMQP_BASIC_RETURN_METHOD);
    wire_short(&peer->wire, "consumer");
    wire_u8(&peer->wire, 1);
    (void)peer_send_method(peer, 3, AMQP_BASIC_CANCEL_METHOD);
    wire_u8(&peer->wire, 0);
    (void)peer_send_method(peer, 3, AMQP_CHANNEL_FLOW_METHOD);
    if (!peer_read(peer) || peer->frame.method != AMQP_CHANNEL_FLOW_OK_METHOD)
        (void)peer_fail(peer, "no answer to flow");
    (void)peer_close(peer, 3, 406, "PRECONDITION_FAILED - unknown delivery tag 9");
    if (!peer_read(peer) || peer->frame.method != AMQP_CHANNEL_CLOSE_OK_METHOD)
        (void)peer_fail(peer, "no answer to the channel's close");
    peer_serve_to_the_end(peer);
}

static void test_what_the_broker_tells(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, tell_all);
    struct amqp_event event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_BLOCKED);
    assert_view(event.text, "low on memory");
    assert_true(amqp_link_is_blocked(rig.link));
    assert_int_equal(rig_next(&rig).kind, AMQP_UNBLOCKED);
    assert_false(amqp_link_is_blocked(rig.link));
    event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_ACK);
    assert_int_equal(event.tag, 5);
    assert_true(event.multiple);
    event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_NACK);
    assert_int_equal(event.channel, 2);
    assert_false(event.multiple);
    event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_RETURN);
    assert_int_equal(event.code, 312);
    assert_view(event.text, "NO_ROUTE");
    assert_view(event.exchange, "e");
    event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_CANCEL);
    assert_int_equal(event.channel, 3);
    assert_int_equal(rig_next(&rig).kind, AMQP_OTHER);
    event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_CHANNEL_CLOSED);
    assert_int_equal(event.code, 406);
    assert_why(&rig, "unknown delivery tag 9 (406)");
    assert_true(amqp_link_is_open(rig.link));
    rig_end(&rig);
}

static void close_connection(struct fake_peer *peer)
{
    if (peer_handshake(peer) && peer_close(peer, 0, 320, "CONNECTION_FORCED - shutdown") &&
        (!peer_read(peer) || peer->frame.method != AMQP_CONNECTION_CLOSE_OK_METHOD))
        (void)peer_fail(peer, "no answer to the connection's close");
}

static void test_the_broker_closes_while_we_read(void **state)
{
    (void)state;
    struct rig rig;
    struct amqp_event event;
    rig_open(&rig, close_connection);
    assert_int_equal(amqp_link_next(rig.link, RIG_PATIENCE_NS, &event), SB_ERR_UNAVAILABLE);
    assert_false(amqp_link_is_open(rig.link));
    assert_why(&rig, "CONNECTION_FORCED - shutdown (320)");
    rig_end(&rig);
}

/* Cut in the middle of a frame. */
static void cut(struct fake_peer *peer)
{
    const uint8_t head[] = {FRAME_BODY, 0, 1, 0, 0, 0, 100, 'x'};
    if (peer_handshake(peer))
        (void)peer_send_raw(peer, head, sizeof(head));
}

static void test_a_frame_is_cut_off(void **state)
{
    (void)state;
    struct rig rig;
    struct amqp_event event;
    rig_open(&rig, cut);
    assert_int_equal(amqp_link_next(rig.link, RIG_PATIENCE_NS, &event), SB_ERR_UNAVAILABLE);
    assert_false(amqp_link_is_open(rig.link));
    rig_end(&rig);
}

static const uint8_t wrong_end[] = {FRAME_BODY, 0, 1, 0, 0, 0, 1, 'x', 0xcd};
static const uint8_t too_large[] = {FRAME_BODY, 0, 1, 0x10, 0, 0, 0, 'x', 0xcd};
static const uint8_t too_short[] = {FRAME_HEADER, 0, 1, 0, 0, 0, 2, 0, 60, 0xce};
static const uint8_t no_method[] = {FRAME_METHOD, 0, 1, 0, 0, 0, 4, 0xff, 0xff, 0, 1, 0xce};
static const uint8_t no_class[] = {
    FRAME_HEADER, 0, 1, 0, 0, 0, 14, 0, 61, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xce};
/* Flags that say: headers; their table is to be 100 bytes long. */
static const uint8_t no_table[] = {
    FRAME_HEADER, 0, 1, 0, 0, 0,   18,  0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    0x20,         0, 0, 0, 0, 100, 0xce};
static const struct bytes broken[] = {
    {wrong_end, sizeof(wrong_end)}, {too_large, sizeof(too_large)},
    {too_short, sizeof(too_short)}, {no_method, sizeof(no_method)},
    {no_class, sizeof(no_class)},   {no_table, sizeof(no_table)},
};

static void say_broken(struct fake_peer *peer)
{
    struct bytes frame = broken[peer->number];
    if (!peer_handshake(peer) || !peer_deliver_method(peer, 1, 4) ||
        !peer_send_raw(peer, frame.at, frame.len) ||
        !peer_send_raw(peer, peer->wire.at, sizeof(peer->wire.at))) /* is not read any more */
        return;
    if (!peer_read(peer) || peer->frame.method != AMQP_BASIC_REJECT_METHOD)
        (void)peer_fail(peer, "no reject");
    ssize_t got;
    do
        got = recv(peer->fd, peer->frame.at, sizeof(peer->frame.at), 0);
    while (got > 0);
    if (got < 0)
        (void)peer_fail(peer, "reset, with the reject on its way");
}

static void test_broken_frames_and_the_reject_behind_them(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, say_broken, RIG_PATIENCE_NS);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct amqp_event event;
        assert_int_equal(amqp_link_open(rig.link), SB_OK);
        assert_int_equal(rig_next(&rig).kind, AMQP_DELIVER);
        assert_int_equal(amqp_link_next(rig.link, RIG_PATIENCE_NS, &event), SB_ERR_INPUT);
        assert_false(amqp_link_is_open(rig.link));
        uint16_t channel = 0;
        bool header =
            broken[i].at == too_short || broken[i].at == no_class || broken[i].at == no_table;
        assert_int_equal(amqp_link_broke_at_header(rig.link, &channel), header);
        assert_int_equal(channel, header ? 1 : 0);
        assert_int_equal(amqp_link_reject(rig.link, 1, 4, false), SB_OK);
        amqp_link_close(rig.link, RIG_PATIENCE_NS);
    }
    rig_end(&rig);
}

enum { LEVELS = 18700 };

/* Each level is a table with one entry without a name: seven bytes, from the inside out. */
static void deep(struct fake_peer *peer)
{
    if (!peer_handshake(peer) || !peer_deliver_method(peer, 1, 1))
        return;
    struct fake_wire *wire = &peer->wire;
    for (uint32_t i = 0; i < LEVELS; i++) {
        wire_u32(wire, (LEVELS - 1 - i) * 6);
        if (i + 1 < LEVELS) {
            wire_u8(wire, 0);
            wire_u8(wire, 'F');
        }
    }
    if (peer_send_header(peer, 1, 0) && peer_deliver(peer, 1, 2, ""))
        peer_serve_to_the_end(peer);
}

static void *read_deep(void *arg)
{
    struct rig *rig = arg;
    const enum amqp_event_kind kinds[] = {AMQP_DELIVER, AMQP_HEADER, AMQP_DELIVER};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct amqp_event event;
        if (amqp_link_next(rig->link, RIG_PATIENCE_NS, &event) != SB_OK ||
            event.kind != kinds[i])
            return NULL;
    }
    return rig;
}

static void test_a_table_of_many_levels(void **state)
{
    (void)state;
    struct rig rig;
    pthread_t thread;
    void *good = NULL;
    rig_open(&rig, deep);
    assert_int_equal(amqp_thread_start(&thread, "deep", read_deep, &rig), SB_OK);
    assert_int_equal(pthread_join(thread, &good), 0);
    assert_ptr_equal(good, &rig);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_frame_by_frame),
        cmocka_unit_test(test_what_the_broker_tells),
        cmocka_unit_test(test_the_broker_closes_while_we_read),
        cmocka_unit_test(test_a_frame_is_cut_off),
        cmocka_unit_test(test_broken_frames_and_the_reject_behind_them),
        cmocka_unit_test(test_a_table_of_many_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
