#include "consumer.h"

#include <string.h>

#include "rig.h"

/* What x-stream-offset must be, as it stands on the wire; "": no such argument. */
struct expected {
    const char *at;
    size_t len;
    bool exclusive;
};

static void look(struct fake_peer *peer)
{
    const struct expected *expected = peer->arg;
    if (!peer_handshake(peer) || !peer_serve(peer, AMQP_BASIC_QOS_METHOD))
        return;
    if (memcmp(peer->frame.at, "\0\0\0\0\0\144\0", 7) != 0) /* 100, not global */
        (void)peer_fail(peer, "prefetch");
    if (!peer_serve(peer, AMQP_BASIC_CONSUME_METHOD))
        return;
    if (peer->frame.at[2 + 2 + 1 + strlen("spanbridge")] != (expected->exclusive ? 4 : 0))
        (void)peer_fail(peer, "flags"); /* acks are wanted */
    const void *found = memmem(peer->frame.at, peer->frame.len, "x-stream-offset", 15);
    if (expected->len == 0
            ? found != NULL
            : memmem(peer->frame.at, peer->frame.len, expected->at, expected->len) == NULL)
        (void)peer_fail(peer, "x-stream-offset");
    peer_serve_to_the_end(peer);
}

static void expect(bool stream, enum source_role role, enum source_start start,
                   struct expected expected)
{
    struct rig rig;
    rig_init(&rig, look, &expected);
    rig.queues[0].queue_type = stream ? SOURCE_QUEUE_STREAM : SOURCE_QUEUE_AS_IS;
    rig.queues[0].consumers = 3; /* a stream has one all the same */
    rig.topics[0].role = role;
    rig.topics[0].start = start;
    rig_start(&rig);
    RIG_UNTIL(&rig, rig.opened == (stream ? 1 : 3));
    assert_int_equal(rig.lanes[0].coordinates, stream);
    assert_int_equal(rig.lanes[0].tap, role == SOURCE_MESSAGES);
    rig_end(&rig, true);
}

#define WIRE(text)                                                                             \
    (struct expected)                                                                          \
    {                                                                                          \
        (text), sizeof(text) - 1, false                                                        \
    }

static void test_where_reading_begins(void **state)
{
    (void)state;
    expect(false, SOURCE_SPANS, SOURCE_START_EARLIEST, WIRE(""));
    expect(true, SOURCE_SPANS, SOURCE_START_DEFAULT, WIRE("x-stream-offsetS\0\0\0\5first"));
    expect(true, SOURCE_SPANS, SOURCE_START_LATEST, WIRE("x-stream-offsetS\0\0\0\4next"));
    expect(true, SOURCE_MESSAGES, SOURCE_START_EARLIEST, WIRE("x-stream-offsetS\0\0\0\5first"));
    /* 1767323045 less a minute, in seconds */
    expect(true, SOURCE_MESSAGES, SOURCE_START_DEFAULT,
           WIRE("x-stream-offsetT\0\0\0\0\x69\x57\x35\x69"));
}

/* Of two processes that call their queue the same, the second one is not to take its share. */
static void test_a_queue_of_ones_own_has_one_reader(void **state)
{
    (void)state;
    for (uint32_t consumers = 1; consumers < 3; consumers++) {
        struct expected expected = {.at = "", .exclusive = consumers == 1};
        static const char *const bindings[] = {"#"};
        struct rig rig;
        rig_init(&rig, look, &expected);
        rig.topics[0].role = SOURCE_MESSAGES;
        rig.queues[0].declare = true;
        rig.queues[0].exchange = "notify";
        rig.queues[0].bindings = bindings;
        rig.queues[0].binding_count = 1;
        rig.queues[0].consumers = consumers;
        rig_start(&rig);
        RIG_UNTIL(&rig, rig.opened == consumers);
        rig_end(&rig, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_reading_begins),
        cmocka_unit_test(test_a_queue_of_ones_own_has_one_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
