#include "amqp/link.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "amqp/thread.h"
#include "core/memory.h"
#include "rig.h"
#include "support/fake_clock.h"

static void plain(struct fake_peer *peer)
{
    if (peer_handshake(peer))
        peer_serve_to_the_end(peer);
}

static void test_opens_and_closes_more_than_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, plain, RIG_PATIENCE_NS);
    for (int i = 0; i < 3; i++) {
        assert_false(amqp_link_is_open(rig.link));
        assert_int_equal(amqp_link_fd(rig.link), -1);
        assert_int_equal(amqp_link_open(rig.link), SB_OK);
        assert_true(amqp_link_is_open(rig.link));
        assert_true(amqp_link_fd(rig.link) >= 0);
        assert_string_equal(amqp_link_why(rig.link), "");
        amqp_link_close(rig.link, RIG_PATIENCE_NS);
    }
    rig_end(&rig);
}

static bool has(const struct fake_frame *frame, const char *text)
{
    return memmem(frame->at, frame->len, text, strlen(text)) != NULL;
}

/* Numbers stand for themselves: the key's length before it, 't' and 1 behind it. */
static void look_at_login(struct fake_peer *peer)
{
    static const char *const wanted[] = {
        "\x16"
        "consumer_cancel_notifyt\1",
        "\x12"
        "connection.blockedt\1",
        "\x12"
        "publisher_confirmst\1",
        "\x0a"
        "basic.nackt\1",
        "\x1a"
        "exchange_exchange_bindingst\1",
        "\x1c"
        "authentication_failure_closet\1",
        "\x0f"
        "connection_nameS",
        "test",
        "PLAIN",
    };
    if (!peer_take_login(peer))
        return;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!has(&peer->frame, wanted[i]))
            (void)peer_fail(peer, wanted[i]);
    static const char response[] = "\0guest\0secret";
    if (memmem(peer->frame.at, peer->frame.len, response, sizeof(response) - 1) == NULL)
        (void)peer_fail(peer, "user or password");
    (void)peer_close(peer, 0, 403, "ACCESS_REFUSED - Login was refused");
    (void)peer_serve(peer, AMQP_CONNECTION_CLOSE_OK_METHOD);
}

static void test_login_says_what_we_can_and_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, look_at_login, RIG_PATIENCE_NS);
    assert_int_equal(amqp_link_open(rig.link), SB_ERR_CONFIG);
    assert_false(amqp_link_is_open(rig.link));
    assert_why(&rig, "ACCESS_REFUSED - Login was refused (403)");
    assert_why(&rig, "as user guest");
    assert_null(strstr(amqp_link_why(rig.link), "secret"));
    rig_end(&rig);
}

static void no_such_vhost(struct fake_peer *peer)
{
    if (!peer_take_login(peer))
        return;
    wire_clear(&peer->wire);
    wire_u16(&peer->wire, 2047);
    wire_u32(&peer->wire, 131072);
    wire_u16(&peer->wire, 60);
    if (peer_send_method(peer, 0, AMQP_CONNECTION_TUNE_METHOD) &&
        peer_serve(peer, AMQP_CONNECTION_OPEN_METHOD) &&
        peer_close(peer, 0, 530, "NOT_ALLOWED - vhost test not found"))
        (void)peer_serve(peer, AMQP_CONNECTION_CLOSE_OK_METHOD);
}

static void test_unknown_vhost(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, no_such_vhost, RIG_PATIENCE_NS);
    assert_int_equal(amqp_link_open(rig.link), SB_ERR_CONFIG);
    assert_why(&rig, "vhost test not found (530)");
    rig_end(&rig);
}

static void close_at_once(struct fake_peer *peer)
{
    (void)peer;
}

static void close_after_login(struct fake_peer *peer)
{
    (void)peer_take_login(peer);
}

static void say_garbage(struct fake_peer *peer)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    uint8_t head[7] = {FRAME_METHOD, 0, 0, 0xff, 0xff, 0xff, 0xff};
    if (peer->number == 0)
        (void)peer_send_raw(peer, answer, sizeof(answer) - 1);
    else
        (void)peer_send_raw(peer, head, sizeof(head));
}

static void test_what_is_no_broker(void **state)
{
    (void)state;
    const fake_script scripts[] = {close_at_once, close_after_login, say_garbage};
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        struct rig rig;
        rig_start(&rig, scripts[i], RIG_PATIENCE_NS);
        for (int j = 0; j < 2; j++) {
            assert_int_equal(amqp_link_open(rig.link), SB_ERR_UNAVAILABLE);
            assert_string_not_equal(amqp_link_why(rig.link), "");
        }
        rig_end(&rig);
    }
}

static void test_silence_ends_with_the_timeout(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, peer_ignore, RIG_TIMEOUT_NS);
    assert_int_equal(amqp_link_open(rig.link), SB_ERR_UNAVAILABLE);
    assert_why(&rig, "no answer in time");
    rig_end(&rig);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, plain, RIG_PATIENCE_NS);
    fake_broker_free(rig.broker);
    assert_int_equal(amqp_link_open(rig.link), SB_ERR_UNAVAILABLE);
    assert_why(&rig, "127.0.0.1:");
    assert_why(&rig, "refused");
    amqp_link_free(rig.link);
}

static void test_no_url(void **state)
{
    (void)state;
    const struct amqp_link_options options = {.url = "amqp://u:secret@h:x",
                                              .clock = clock_system()};
    struct amqp_link *link;
    char why[AMQP_WHY_LEN] = "";
    assert_int_equal(amqp_link_new(&options, &link, why), SB_ERR_CONFIG);
    assert_non_null(strstr(why, "no AMQP URL: the port"));
    for (uint64_t nth = 1; nth <= 2; nth++) {
        memory_fail_at(nth);
        const struct amqp_link_options good = {.url = "amqp://h", .clock = clock_system()};
        assert_int_equal(amqp_link_new(&good, &link, why), SB_ERR_MEMORY);
    }
    memory_fail_at(0);
}

static void *interrupt(void *arg)
{
    amqp_link_interrupt(arg);
    return NULL;
}

static void test_an_interrupt_ends_a_wait_and_lasts_until_closed(void **state)
{
    (void)state;
    struct rig rig;
    struct amqp_event event;
    pthread_t thread;
    rig_open(&rig, plain);
    assert_int_equal(amqp_thread_start(&thread, "interrupt", interrupt, rig.link), SB_OK);
    assert_int_equal(amqp_link_next(rig.link, RIG_PATIENCE_NS, &event), SB_ERR_UNAVAILABLE);
    assert_int_equal(pthread_join(thread, NULL), 0);
    amqp_link_close(rig.link, NS_PER_S);
    amqp_link_interrupt(rig.link); /* before there is a connection */
    assert_int_equal(amqp_link_open(rig.link), SB_ERR_UNAVAILABLE);
    assert_int_equal(amqp_link_open(rig.link), SB_OK);
    rig_end(&rig);
}

/* Two frames, and nothing but heartbeats: these are read one by one here. */
static void count_heartbeats(struct fake_peer *peer)
{
    uint8_t frame[8];
    peer->heartbeat = 10;
    if (!peer_handshake(peer))
        return;
    for (int i = 0; i < 2; i++)
        if (recv(peer->fd, frame, sizeof(frame), MSG_WAITALL) != sizeof(frame) ||
            frame[0] != FRAME_HEARTBEAT)
            (void)peer_fail(peer, "no heartbeat");
    if (peer_deliver(peer, 1, 1, ""))
        peer_serve_to_the_end(peer);
}

static void test_heartbeats_without_reading(void **state)
{
    (void)state;
    struct rig rig;
    struct fake_clock clock;
    char why[AMQP_WHY_LEN];
    fake_clock_init(&clock);
    rig.broker = fake_broker_new(count_heartbeats, NULL);
    fake_broker_url(rig.broker, rig.url);
    const struct amqp_link_options options = {
        .url = rig.url, .client_name = "test", .clock = &clock.source};
    assert_int_equal(amqp_link_new(&options, &rig.link, why), SB_OK);
    assert_int_equal(amqp_link_open(rig.link), SB_OK);
    for (int ms = 0; ms < 10000; ms += 1000) {
        fake_clock_advance_ms(&clock, 1000);
        assert_int_equal(amqp_link_keep_alive(rig.link), SB_OK);
    }
    assert_int_equal(rig_next(&rig).kind, AMQP_DELIVER);
    rig_end(&rig);
}

/* Before it answers, frames of another channel: the library keeps them. */
static void answer_late(struct fake_peer *peer)
{
    enum { FRAMES = 1000 };
    static const uint8_t frame[] = {FRAME_BODY, 0, 2, 0, 0, 0, 0, 0xce};
    static uint8_t many[sizeof(frame) * FRAMES];
    for (size_t i = 0; i < sizeof(many); i++)
        many[i] = frame[i % sizeof(frame)];
    if (peer_handshake(peer) && peer_send_raw(peer, many, sizeof(many)) &&
        peer_serve(peer, AMQP_CHANNEL_OPEN_METHOD))
        peer_serve_to_the_end(peer);
}

/* A millisecond passes whenever somebody looks. */
static uint64_t pass(void *arg)
{
    uint64_t *now_ns = arg;
    return *now_ns += NS_PER_MS;
}

static void test_a_good_bye_ends_in_time_though_frames_lie_ready(void **state)
{
    (void)state;
    struct rig rig;
    char why[AMQP_WHY_LEN] = "";
    uint64_t now_ns = 0;
    const struct clock_source clock = {.monotonic_ns = pass, .wall_ns = pass, .arg = &now_ns};
    rig_start(&rig, answer_late, RIG_PATIENCE_NS);
    amqp_link_free(rig.link);
    const struct amqp_link_options options = {
        .url = rig.url, .client_name = "test", .timeout_ns = RIG_PATIENCE_NS, .clock = &clock};
    assert_int_equal(amqp_link_new(&options, &rig.link, why), SB_OK);
    assert_int_equal(amqp_link_open(rig.link), SB_OK);
    assert_int_equal(amqp_link_open_channel(rig.link, 1), SB_OK);
    uint64_t before_ns = now_ns;
    amqp_link_close(rig.link, 20 * NS_PER_MS);
    assert_true(now_ns - before_ns < 30 * NS_PER_MS);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_and_closes_more_than_once),
        cmocka_unit_test(test_login_says_what_we_can_and_is_refused),
        cmocka_unit_test(test_unknown_vhost),
        cmocka_unit_test(test_what_is_no_broker),
        cmocka_unit_test(test_silence_ends_with_the_timeout),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_no_url),
        cmocka_unit_test(test_a_good_bye_ends_in_time_though_frames_lie_ready),
        cmocka_unit_test(test_an_interrupt_ends_a_wait_and_lasts_until_closed),
        cmocka_unit_test(test_heartbeats_without_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
