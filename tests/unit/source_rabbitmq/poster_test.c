#include "poster.h"

#include <sched.h>

#include "rig.h"

/* Letters of a topic of Kafka: there is no queue, and the poster alone connects. */
static void begin(struct rig *rig, fake_script script)
{
    rig_init(rig, script, NULL);
    rig->topics[0] = (struct source_topic){.kind = SOURCE_KAFKA,
                                           .pattern = "orders",
                                           .dead_letter_exchange = "dlx",
                                           .dead_letter_key = "dead"};
    rig_start(rig);
}

static enum sb_err send_letter(struct rig *rig, const char *body)
{
    const struct record_header header = {.name = BYTES_LITERAL("why"),
                                         .value = BYTES_LITERAL("test")};
    const struct source_dead_letter letter = {.topic = 0,
                                              .value = bytes_text(body),
                                              .headers = &header,
                                              .header_count = 1,
                                              .ticket = rig};
    return sources_dead_letter(rig->sources, &letter);
}

static bool publish_ready(struct fake_peer *peer)
{
    return peer_handshake(peer) && peer_serve(peer, AMQP_CONFIRM_SELECT_METHOD);
}

/* Takes one message: method, header, body. */
static bool take_letter(struct fake_peer *peer)
{
    if (!peer_serve(peer, AMQP_BASIC_PUBLISH_METHOD))
        return false;
    if (memcmp(peer->frame.at, "\0\0\3dlx\4dead\1", 12) != 0) /* mandatory */
        return peer_fail(peer, "published otherwise");
    return peer_read(peer) && peer_read(peer);
}

static bool confirm(struct fake_peer *peer, uint32_t method, uint64_t tag, bool multiple)
{
    wire_clear(&peer->wire);
    wire_u64(&peer->wire, tag);
    wire_u8(&peer->wire, multiple);
    return peer_send_method(peer, 1, method);
}

static void take_three(struct fake_peer *peer)
{
    if (publish_ready(peer) && take_letter(peer) && take_letter(peer) && take_letter(peer) &&
        confirm(peer, AMQP_BASIC_ACK_METHOD, 2, true) &&
        confirm(peer, AMQP_BASIC_ACK_METHOD, 3, false))
        peer_serve_to_the_end(peer);
}

static void test_letters_are_confirmed(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, take_three);
    assert_false(rig.source->ops->reads(rig.source, 0));
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_letter(&rig, "body"), SB_OK);
    RIG_UNTIL(&rig, rig.letters == 3);
    assert_int_equal(rig.letters_failed, 0);
    rig_end(&rig, true);
}

/* A return, then its ack, as RabbitMQ does; the second try is taken. */
static void give_back(struct fake_peer *peer)
{
    if (!publish_ready(peer) || !take_letter(peer))
        return;
    wire_clear(&peer->wire);
    wire_u16(&peer->wire, 312);
    wire_short(&peer->wire, "NO_ROUTE");
    wire_short(&peer->wire, "dlx");
    wire_short(&peer->wire, "dead");
    (void)peer_send_method(peer, 1, AMQP_BASIC_RETURN_METHOD);
    wire_u16(&peer->wire, AMQP_BASIC_CLASS);
    wire_u16(&peer->wire, 0);
    wire_u64(&peer->wire, 4);
    wire_u16(&peer->wire, AMQP_BASIC_MESSAGE_ID_FLAG);
    wire_short(&peer->wire, "1");
    (void)peer_send_frame(peer, FRAME_HEADER, 1, peer->wire.at, peer->wire.len);
    wire_clear(&peer->wire);
    (void)peer_send_frame(peer, FRAME_BODY, 1, "body", 4);
    if (confirm(peer, AMQP_BASIC_ACK_METHOD, 1, false) && take_letter(peer) &&
        confirm(peer, AMQP_BASIC_NACK_METHOD, 2, false) && take_letter(peer) &&
        confirm(peer, AMQP_BASIC_ACK_METHOD, 3, false))
        peer_serve_to_the_end(peer);
}

/* The poster's own wait is up to a second of real time, since the clock moves by hand. */
static void test_what_comes_back_is_no_success(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, give_back);
    assert_int_equal(send_letter(&rig, "body"), SB_OK);
    RIG_UNTIL(&rig, rig.troubles == 1);
    assert_string_equal(rig.trouble_what, "rabbitmq");
    assert_non_null(strstr(rig.trouble, "no queue is bound there"));
    assert_int_equal(rig.letters, 0);
    rig_advance_ms(&rig, 1001);
    RIG_UNTIL(&rig, rig.troubles == 2);
    assert_non_null(strstr(rig.trouble, "could not store"));
    rig_advance_ms(&rig, 2001);
    RIG_UNTIL(&rig, rig.letters == 1 && rig.cleared == 1);
    assert_int_equal(rig.letter_result, SB_OK);
    rig_end(&rig, true);
}

/* No such exchange: the channel is closed; then the connection is cut; then it works. */
static void fail_twice(struct fake_peer *peer)
{
    if (!publish_ready(peer) || !take_letter(peer))
        return;
    if (peer->number == 0) {
        (void)peer_close(peer, 1, 404, "NOT_FOUND - no exchange 'dlx'");
        (void)(peer_serve(peer, AMQP_CONFIRM_SELECT_METHOD) && take_letter(peer));
        return;
    }
    if (confirm(peer, AMQP_BASIC_ACK_METHOD, 1, false))
        peer_serve_to_the_end(peer);
}

static void test_letters_outlive_channels_and_connections(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, fail_twice);
    assert_int_equal(send_letter(&rig, "body"), SB_OK);
    RIG_UNTIL(&rig, rig.troubles == 1);
    assert_non_null(strstr(rig.trouble, "no exchange 'dlx' (404)"));
    rig_advance_ms(&rig, 1001);
    RIG_UNTIL(&rig, rig.troubles == 2);
    assert_non_null(strstr(rig.trouble, "dead letters wait"));
    rig_advance_ms(&rig, 2001);
    RIG_UNTIL(&rig, rig.letters == 1);
    assert_int_equal(rig.letter_result, SB_OK);
    rig_end(&rig, true);
}

static void blocked(struct fake_peer *peer)
{
    if (!publish_ready(peer) || !take_letter(peer) ||
        !confirm(peer, AMQP_BASIC_ACK_METHOD, 1, false))
        return;
    wire_clear(&peer->wire);
    wire_short(&peer->wire, "low on disk");
    (void)peer_send_method(peer, 0, AMQP_CONNECTION_BLOCKED_METHOD);
    if (peer_serve(peer, AMQP_BASIC_PUBLISH_METHOD))
        (void)peer_fail(peer, "published while blocked");
}

/* Until the poster has given up: it waits by this clock. */
static void *move_clock(void *arg)
{
    struct rig *rig = arg;
    while (atomic_load(&rig->clock.monotonic_ns) < 3600 * NS_PER_S) {
        fake_clock_advance_ms(&rig->clock, 1000);
        sched_yield();
    }
    return NULL;
}

static void test_a_blocked_broker_is_left_alone_and_the_rest_fails_at_the_end(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, blocked);
    assert_int_equal(send_letter(&rig, "first"), SB_OK);
    RIG_UNTIL(&rig, rig.letters == 1 && rig.troubles == 1);
    assert_non_null(strstr(rig.trouble, "short of memory or disk"));
    assert_int_equal(send_letter(&rig, "second"), SB_OK);
    for (int i = 0; i < 20; i++)
        rig_turn(&rig);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, move_clock, &rig), 0);
    rig_end(&rig, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(rig.letters, 2);
    assert_int_equal(rig.letter_result, SB_ERR_UNAVAILABLE);
}

static void test_too_many_letters(void **state)
{
    (void)state;
    enum { LARGE = 1 << 20 };
    struct rig rig;
    static char body[LARGE + 1];
    memset(body, 'x', LARGE);
    rig_init(&rig, peer_ignore, NULL);
    rig.topics[0] = (struct source_topic){.kind = SOURCE_KAFKA, .dead_letter_exchange = "dlx"};
    assert_int_equal(rig_new(&rig), SB_OK);
    enum sb_err err = SB_OK;
    int taken = 0;
    for (; err == SB_OK && taken < 1000; taken++)
        err = send_letter(&rig, body);
    assert_int_equal(err, SB_ERR_FULL);
    assert_in_range(taken, 60, 70);
    rig_end(&rig, true);
    assert_int_equal(rig.letters_failed, taken - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters_are_confirmed),
        cmocka_unit_test(test_what_comes_back_is_no_success),
        cmocka_unit_test(test_letters_outlive_channels_and_connections),
        cmocka_unit_test(test_a_blocked_broker_is_left_alone_and_the_rest_fails_at_the_end),
        cmocka_unit_test(test_too_many_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
