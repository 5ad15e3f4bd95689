#include <stdlib.h>

#include "amqp/channel.h"
#include "core/memory.h"
#include "rig.h"

static bool has(const struct fake_frame *frame, const char *text, size_t len)
{
    return memmem(frame->at, frame->len, text, len) != NULL;
}

static void look(struct fake_peer *peer)
{
    static const char entry[] = "\4nameS\0\0\0\5value";
    static const char nothing[] = "\5emptyV";
    if (!peer_handshake(peer) || !peer_serve(peer, AMQP_BASIC_PUBLISH_METHOD))
        return;
    if (peer->frame.len != 2 + 2 + 4 + 1 || memcmp(peer->frame.at, "\0\0\1e\3key\1", 9) != 0)
        (void)peer_fail(peer, "publish");
    if (!peer_read(peer) || peer->frame.type != FRAME_HEADER)
        (void)peer_fail(peer, "no header");
    if (!has(&peer->frame, entry, sizeof(entry) - 1) ||
        !has(&peer->frame, nothing, sizeof(nothing) - 1) ||
        !has(&peer->frame, "\12text/plain", 11) || !has(&peer->frame, "\2id", 3))
        (void)peer_fail(peer, "properties");
    if (!peer_read(peer) || peer->frame.type != FRAME_BODY || peer->frame.len != 4)
        (void)peer_fail(peer, "no body");
    wire_clear(&peer->wire);
    wire_u64(&peer->wire, 1);
    wire_u8(&peer->wire, 0);
    if (peer_send_method(peer, 1, AMQP_BASIC_ACK_METHOD))
        peer_serve_to_the_end(peer);
}

static void test_a_message_and_its_confirm(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, look);
    assert_int_equal(amqp_link_open_channel(rig.link, 1), SB_OK);
    assert_int_equal(amqp_link_select_confirms(rig.link, 1), SB_OK);
    const struct amqp_header headers[] = {
        {.name = BYTES_LITERAL("name"), .value = BYTES_LITERAL("value")},
        {.name = BYTES_LITERAL("empty")}};
    const struct amqp_message message = {
        .exchange = BYTES_LITERAL("e"),
        .routing_key = BYTES_LITERAL("key"),
        .mandatory = true,
        .persistent = true,
        .content_type = BYTES_LITERAL("text/plain"),
        .message_id = BYTES_LITERAL("id"),
        .headers = headers,
        .header_count = 2,
        .body = BYTES_LITERAL("body"),
    };
    memory_fail_at(1);
    assert_int_equal(amqp_link_publish(rig.link, 1, &message), SB_ERR_MEMORY);
    memory_fail_at(0);
    assert_int_equal(amqp_link_publish(rig.link, 1, &message), SB_OK);
    struct amqp_event event = rig_next(&rig);
    assert_int_equal(event.kind, AMQP_ACK);
    assert_int_equal(event.tag, 1);
    rig_end(&rig);
}

static void serve(struct fake_peer *peer)
{
    if (peer_handshake(peer))
        peer_serve_to_the_end(peer);
}

static void test_what_does_not_fit_is_not_begun(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, serve);
    assert_int_equal(amqp_link_open_channel(rig.link, 1), SB_OK);
    uint8_t *large = calloc(1, AMQP_FRAME_BYTES_MAX);
    assert_non_null(large);
    const struct bytes one = bytes_of(large, AMQP_SHORT_TEXT_MAX + 1);
    const struct amqp_header headers[] = {
        {.name = BYTES_LITERAL("a"), .value = bytes_of(large, AMQP_FRAME_BYTES_MAX / 2)},
        {.name = BYTES_LITERAL("b"), .value = bytes_of(large, AMQP_FRAME_BYTES_MAX / 2)}};
    const struct amqp_header named = {.name = one};
    const struct amqp_message messages[] = {
        {.exchange = one},
        {.routing_key = one},
        {.message_id = one},
        {.headers = headers, .header_count = 2},
        {.headers = &named, .header_count = 1},
    };
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        assert_int_equal(amqp_link_publish(rig.link, 1, &messages[i]), SB_ERR_LIMIT);
    const struct amqp_message fits = {.headers = headers, .header_count = 1};
    assert_int_equal(amqp_link_publish(rig.link, 1, &fits), SB_OK);
    free(large);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_and_its_confirm),
        cmocka_unit_test(test_what_does_not_fit_is_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
