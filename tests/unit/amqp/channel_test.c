#include "amqp/channel.h"

#include "rig.h"

static void serve(struct fake_peer *peer)
{
    peer->ready = 42;
    peer->consumers = 3;
    if (peer_handshake(peer))
        peer_serve_to_the_end(peer);
}

static void test_the_usual_questions(void **state)
{
    (void)state;
    struct rig rig;
    struct amqp_counts counts = {0, 0};
    rig_open(&rig, serve);
    const struct amqp_queue queue = {.name = "q", .durable = true};
    assert_int_equal(amqp_link_open_channel(rig.link, 1), SB_OK);
    assert_int_equal(amqp_link_declare_exchange(rig.link, 1, "e", NULL), SB_OK);
    assert_int_equal(amqp_link_declare_exchange(rig.link, 1, "e", "topic"), SB_OK);
    assert_int_equal(amqp_link_declare_queue(rig.link, 1, &queue, &counts), SB_OK);
    assert_int_equal(counts.ready, 42);
    assert_int_equal(counts.consumers, 3);
    assert_int_equal(amqp_link_ask_counts(rig.link, 1, "q"), SB_OK);
    assert_int_equal(amqp_link_bind(rig.link, 1, "q", "e", "#"), SB_OK);
    assert_int_equal(amqp_link_declare_temporary_exchange(rig.link, 1, "t", "topic"), SB_OK);
    assert_int_equal(amqp_link_delete_queue(rig.link, 1, "q"), SB_OK);
    assert_int_equal(amqp_link_set_prefetch(rig.link, 1, 100), SB_OK);
    assert_int_equal(amqp_link_consume(rig.link, 1, "q", "c", false, NULL), SB_OK);
    assert_int_equal(amqp_link_cancel(rig.link, 1, "c"), SB_OK);
    assert_int_equal(amqp_link_ask_consume(rig.link, 1, "q", "d", false, NULL), SB_OK);
    struct amqp_event event = rig_next(&rig); /* asked first, and read now */
    assert_int_equal(event.kind, AMQP_COUNTS);
    assert_int_equal(event.counts.ready, 42);
    assert_int_equal(event.counts.consumers, 3);
    event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_CONSUMING);
    assert_int_equal(amqp_link_select_confirms(rig.link, 1), SB_OK);
    assert_int_equal(amqp_link_close_channel(rig.link, 1), SB_OK);
    rig_end(&rig);
}

static bool is(struct fake_peer *peer, const char *text, const char *content, size_t len)
{
    if (peer->frame.len == len && memcmp(peer->frame.at, content, len) == 0)
        return true;
    return peer_fail(peer, text);
}

/* What is asked, byte by byte. */
static void look(struct fake_peer *peer)
{
    if (!peer_handshake(peer) || !peer_serve(peer, AMQP_CHANNEL_OPEN_METHOD) ||
        !peer_serve(peer, AMQP_QUEUE_DECLARE_METHOD))
        return;
    (void)is(peer, "passive", "\0\0\1q\1\0\0\0\0", 9);
    if (!peer_serve(peer, AMQP_BASIC_QOS_METHOD))
        return;
    (void)is(peer, "prefetch", "\0\0\0\0\xff\xff\0", 7);
    if (!peer_serve(peer, AMQP_BASIC_CONSUME_METHOD))
        return;
    (void)is(peer, "consume", "\0\0\1q\1c\0\0\0\0\0", 11);
    if (!peer_serve(peer, AMQP_BASIC_ACK_METHOD))
        return;
    (void)is(peer, "ack", "\0\0\0\0\0\0\0\7\1", 9);
    if (!peer_serve(peer, AMQP_BASIC_REJECT_METHOD))
        return;
    (void)is(peer, "reject", "\0\0\0\0\0\0\0\x8\0", 9);
    peer_serve_to_the_end(peer);
}

/* What goes by itself. */
static void look_at_temporary(struct fake_peer *peer)
{
    if (!peer_handshake(peer) || !peer_serve(peer, AMQP_CHANNEL_OPEN_METHOD) ||
        !peer_serve(peer, AMQP_EXCHANGE_DECLARE_METHOD))
        return;
    (void)is(peer, "durable exchange", "\0\0\1e\5topic\2\0\0\0\0", 15);
    if (!peer_serve(peer, AMQP_EXCHANGE_DECLARE_METHOD))
        return;
    (void)is(peer, "temporary exchange", "\0\0\1t\5topic\4\0\0\0\0", 15);
    if (!peer_serve(peer, AMQP_QUEUE_DECLARE_METHOD))
        return;
    (void)is(peer, "exclusive queue", "\0\0\1q\4\0\0\0\0", 9);
    if (!peer_serve(peer, AMQP_QUEUE_DELETE_METHOD))
        return;
    (void)is(peer, "delete", "\0\0\1q\0", 5);
    peer_serve_to_the_end(peer);
}

static void test_what_goes_by_itself(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, look_at_temporary);
    const struct amqp_queue queue = {.name = "q", .exclusive = true};
    assert_int_equal(amqp_link_open_channel(rig.link, 1), SB_OK);
    assert_int_equal(amqp_link_declare_exchange(rig.link, 1, "e", "topic"), SB_OK);
    assert_int_equal(amqp_link_declare_temporary_exchange(rig.link, 1, "t", "topic"), SB_OK);
    assert_int_equal(amqp_link_declare_queue(rig.link, 1, &queue, NULL), SB_OK);
    assert_int_equal(amqp_link_delete_queue(rig.link, 1, "q"), SB_OK);
    rig_end(&rig);
}

static void test_flags_on_the_wire(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, look);
    const struct amqp_queue queue = {.name = "q", .passive = true};
    assert_int_equal(amqp_link_open_channel(rig.link, 1), SB_OK);
    assert_int_equal(amqp_link_declare_queue(rig.link, 1, &queue, NULL), SB_OK);
    assert_int_equal(amqp_link_set_prefetch(rig.link, 1, UINT16_MAX), SB_OK);
    assert_int_equal(amqp_link_consume(rig.link, 1, "q", "c", false, NULL), SB_OK);
    assert_int_equal(amqp_link_ack(rig.link, 1, 7, true), SB_OK);
    assert_int_equal(amqp_link_reject(rig.link, 1, 8, false), SB_OK);
    rig_end(&rig);
}

static void refuse(struct fake_peer *peer)
{
    static const struct {
        uint16_t code;
        const char *text;
    } answers[] = {{404, "NOT_FOUND - no queue 'q'"},
                   {403, "ACCESS_REFUSED - not yours\r\n\x1b[0m"},
                   {406, "PRECONDITION_FAILED - inequivalent arg"},
                   {405, "RESOURCE_LOCKED"},
                   {541, "INTERNAL_ERROR"}};
    if (!peer_handshake(peer))
        return;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (!peer_serve(peer, AMQP_CHANNEL_OPEN_METHOD) || !peer_read(peer) ||
            !peer_close(peer, 1, answers[i].code, answers[i].text))
            return;
        if (!peer_read(peer) || peer->frame.method != AMQP_CHANNEL_CLOSE_OK_METHOD)
            (void)peer_fail(peer, "no answer to the channel's close");
    }
    if (peer_serve(peer, AMQP_CHANNEL_OPEN_METHOD) && peer_read(peer) &&
        peer_close(peer, 0, 504, "CHANNEL_ERROR - expected 'channel.open'"))
        (void)peer_read(peer);
}

static void test_refusals_close_the_channel_or_the_link(void **state)
{
    (void)state;
    const enum sb_err expected[] = {SB_ERR_NOT_FOUND, SB_ERR_CONFIG, SB_ERR_CONFIG,
                                    SB_ERR_CONFIG, SB_ERR_UNAVAILABLE};
    struct rig rig;
    rig_open(&rig, refuse);
    const struct amqp_queue queue = {.name = "q", .passive = true};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(amqp_link_open_channel(rig.link, 1), SB_OK);
        assert_int_equal(amqp_link_declare_queue(rig.link, 1, &queue, NULL), expected[i]);
        assert_true(amqp_link_is_open(rig.link));
        assert_why(&rig, "queue q: ");
        if (i == 1)
            assert_why(&rig, "not yours???[0m (403)");
    }
    assert_int_equal(amqp_link_open_channel(rig.link, 1), SB_OK);
    assert_int_equal(amqp_link_declare_queue(rig.link, 1, &queue, NULL), SB_ERR_CONFIG);
    assert_false(amqp_link_is_open(rig.link));
    rig_end(&rig);
}

/* Deliveries that come before the answer. */
static void deliver_between(struct fake_peer *peer)
{
    if (peer_handshake(peer) && peer_serve(peer, AMQP_BASIC_CONSUME_METHOD) &&
        peer_deliver(peer, 1, 1, "one") && peer_deliver(peer, 1, 2, "two"))
        peer_serve_to_the_end(peer);
}

static void test_deliveries_wait_for_the_end_of_a_question(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, deliver_between);
    assert_int_equal(amqp_link_open_channel(rig.link, 1), SB_OK);
    assert_int_equal(amqp_link_consume(rig.link, 1, "q", "c", false, NULL), SB_OK);
    assert_int_equal(amqp_link_open_channel(rig.link, 2), SB_OK);
    assert_int_equal(amqp_link_set_prefetch(rig.link, 1, 5), SB_OK);
    const char *const bodies[] = {"one", "two"};
    for (uint64_t i = 0; i < 2; i++) {
        struct amqp_event event = rig_next(&rig);
        assert_int_equal(event.kind, AMQP_DELIVER);
        assert_int_equal(event.tag, i + 1);
        assert_int_equal(rig_next(&rig).kind, AMQP_HEADER);
        event = rig_next(&rig);
        assert_view(event.body, bodies[i]);
    }
    rig_end(&rig);
}

static void ignore(struct fake_peer *peer)
{
    if (peer_handshake(peer))
        peer_ignore(peer);
}

static void test_a_question_without_an_answer(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, ignore, RIG_TIMEOUT_NS);
    assert_int_equal(amqp_link_open(rig.link), SB_OK);
    assert_int_equal(amqp_link_open_channel(rig.link, 1), SB_ERR_UNAVAILABLE);
    assert_why(&rig, "opening a channel: no answer in time");
    assert_false(amqp_link_is_open(rig.link));
    rig_end(&rig);
}

static void test_names_are_short(void **state)
{
    (void)state;
    struct rig rig;
    char name[AMQP_SHORT_TEXT_MAX + 2];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    rig_open(&rig, serve);
    const struct amqp_queue queue = {.name = name};
    assert_int_equal(amqp_link_open_channel(rig.link, 1), SB_OK);
    assert_int_equal(amqp_link_declare_queue(rig.link, 1, &queue, NULL), SB_ERR_LIMIT);
    assert_int_equal(amqp_link_declare_exchange(rig.link, 1, name, NULL), SB_ERR_LIMIT);
    assert_int_equal(amqp_link_bind(rig.link, 1, "q", "e", name), SB_ERR_LIMIT);
    assert_int_equal(amqp_link_delete_queue(rig.link, 1, name), SB_ERR_LIMIT);
    assert_int_equal(amqp_link_consume(rig.link, 1, name, "c", false, NULL), SB_ERR_LIMIT);
    assert_int_equal(amqp_link_ask_consume(rig.link, 1, name, "c", false, NULL), SB_ERR_LIMIT);
    assert_int_equal(amqp_link_cancel(rig.link, 1, name), SB_ERR_LIMIT);
    assert_int_equal(amqp_link_ask_counts(rig.link, 1, name), SB_ERR_LIMIT);
    assert_true(amqp_link_is_open(rig.link));
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_usual_questions),
        cmocka_unit_test(test_flags_on_the_wire),
        cmocka_unit_test(test_what_goes_by_itself),
        cmocka_unit_test(test_refusals_close_the_channel_or_the_link),
        cmocka_unit_test(test_deliveries_wait_for_the_end_of_a_question),
        cmocka_unit_test(test_a_question_without_an_answer),
        cmocka_unit_test(test_names_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
