#include "topology.h"

#include <string.h>

#include "rig.h"

static bool has(struct fake_peer *peer, const char *text, size_t len)
{
    return memmem(peer->frame.at, peer->frame.len, text, len) != NULL || peer_fail(peer, text);
}
#define HAS(peer, text) has((peer), (text), sizeof(text) - 1)

/* Exchange, queue with its arguments, two bindings. */
static void declared(struct fake_peer *peer)
{
    if (!peer_handshake(peer) || !peer_serve(peer, AMQP_EXCHANGE_DECLARE_METHOD))
        return;
    (void)HAS(peer, "\2ex\5topic\2"); /* durable, not passive */
    if (!peer_serve(peer, AMQP_QUEUE_DECLARE_METHOD))
        return;
    (void)HAS(peer, "\1q\2");
    (void)HAS(peer, "\14x-queue-typeS\0\0\0\6quorum");
    (void)HAS(peer, "\11x-expiresl\0\0\0\0\0\x1b\x77\x40"); /* 30 min */
    (void)HAS(peer, "\22x-max-length-bytesl\0\0\0\0\x10\0\0\0");
    if (!peer_serve(peer, AMQP_QUEUE_BIND_METHOD))
        return;
    (void)HAS(peer, "\1q\2ex\3a.*");
    if (!peer_serve(peer, AMQP_QUEUE_BIND_METHOD))
        return;
    (void)HAS(peer, "\1q\2ex\1b");
    peer_serve_to_the_end(peer);
}

static void test_a_tap_makes_its_own_queue(void **state)
{
    (void)state;
    struct rig rig;
    const char *const bindings[] = {"a.*", "b"};
    rig_init(&rig, declared, NULL);
    rig.topics[0].role = SOURCE_MESSAGES;
    rig.queues[0].declare = true;
    rig.queues[0].exchange = "ex";
    rig.queues[0].exchange_type = "topic";
    rig.queues[0].queue_type = SOURCE_QUEUE_QUORUM;
    rig.queues[0].bindings = bindings;
    rig.queues[0].binding_count = 2;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.opened == 1);
    rig_end(&rig, true);
}

/* An exchange that exists; and nothing in the queue's arguments that throws spans away. */
static void declared_of_spans(struct fake_peer *peer)
{
    if (!peer_handshake(peer) || !peer_serve(peer, AMQP_EXCHANGE_DECLARE_METHOD))
        return;
    (void)HAS(peer, "\2ex\0\3"); /* passive and durable */
    if (!peer_serve(peer, AMQP_QUEUE_DECLARE_METHOD))
        return;
    if (memmem(peer->frame.at, peer->frame.len, "x-", 2) != NULL)
        (void)peer_fail(peer, "arguments");
    peer_serve_to_the_end(peer);
}

static void test_a_queue_of_spans_keeps_them(void **state)
{
    (void)state;
    struct rig rig;
    const char *const bindings[] = {"#"};
    rig_init(&rig, declared_of_spans, NULL);
    rig.queues[0].declare = true;
    rig.queues[0].exchange = "ex";
    rig.queues[0].bindings = bindings;
    rig.queues[0].binding_count = 1;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.opened == 1);
    rig_end(&rig, true);
}

/* Whatever is asked, nothing is declared: the first question is a passive one. */
static void looked_for(struct fake_peer *peer)
{
    if (!peer_handshake(peer) || !peer_serve(peer, AMQP_CHANNEL_OPEN_METHOD) ||
        !peer_serve(peer, AMQP_QUEUE_DECLARE_METHOD))
        return;
    if (peer->frame.at[4] != 1)
        (void)peer_fail(peer, "not passive");
    peer_serve_to_the_end(peer);
}

static void test_a_queue_that_exists_is_only_looked_for(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, looked_for, NULL);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.opened == 1);
    rig_end(&rig, true);
}

static void inequivalent(struct fake_peer *peer)
{
    if (!peer_handshake(peer) || !peer_serve(peer, AMQP_CHANNEL_OPEN_METHOD))
        return;
    if (peer->number > 0) {
        peer_serve_to_the_end(peer);
    } else if (peer_read(peer) &&
               peer_close(peer, 1, 406, "PRECONDITION_FAILED - inequivalent arg 'durable'")) {
        peer_serve_to_the_end(peer);
    }
}

static void test_a_refusal_is_trouble_until_it_works(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, inequivalent, NULL);
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.troubles == 1);
    assert_string_equal(rig.trouble_what, "q");
    assert_non_null(strstr(rig.trouble, "inequivalent arg 'durable' (406)"));
    rig_advance_ms(&rig, 1001);
    RIG_UNTIL(&rig, rig.opened == 1 && rig.cleared == 1);
    rig_end(&rig, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tap_makes_its_own_queue),
        cmocka_unit_test(test_a_queue_of_spans_keeps_them),
        cmocka_unit_test(test_a_queue_that_exists_is_only_looked_for),
        cmocka_unit_test(test_a_refusal_is_trouble_until_it_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
