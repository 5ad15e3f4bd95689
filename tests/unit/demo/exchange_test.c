#include "exchange.h"

#include <stdio.h>
#include <string.h>

#include "amqp/link.h"
#include "core/memory.h"
#include "echo.h"
#include "support/test.h"

enum { ARRIVALS_MAX = 16 };

struct arrivals {
    uint32_t count[EXCHANGE_QUEUES];
    char traceparents[EXCHANGE_QUEUES][ARRIVALS_MAX][64];
};

static struct arrivals arrivals;
static struct echo echo;
static struct text message;
static struct fake_broker *fake;

static int setup(void **state)
{
    (void)state;
    memset(&arrivals, 0, sizeof(arrivals));
    memset(&echo, 0, sizeof(echo));
    text_init(&message, 4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    text_clear(&message);
    fake_broker_free(fake);
    fake = NULL;
    return 0;
}

static void on_arrived(void *arg, enum exchange_queue queue, struct bytes traceparent)
{
    struct arrivals *all = arg;
    uint32_t at = all->count[queue]++ % ARRIVALS_MAX;
    snprintf(all->traceparents[queue][at], 64, "%.*s", (int)traceparent.len,
             (const char *)traceparent.at);
}

static enum sb_err open_at(const char *url, struct exchange **ret)
{
    const struct exchange_options options = {
        .url = url, .clock = clock_system(), .on_arrived = on_arrived, .arg = &arrivals};
    return exchange_new(&options, ret, &message);
}

static enum sb_err open_with(fake_script script, struct exchange **ret)
{
    char url[FAKE_URL_LEN];
    fake = fake_broker_new(script, &echo);
    fake_broker_url(fake, url);
    return open_at(url, ret);
}

static void expect(const char *part)
{
    if (strstr(text_string(&message), part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, text_string(&message));
}

static void expect_no_secret(void)
{
    assert_null(strstr(text_string(&message), "secret"));
}

static void publish(struct exchange *exchange, const char *traceparent)
{
    const struct exchange_message out = {.routing_key = BYTES_LITERAL("key"),
                                         .message_id = BYTES_LITERAL("id"),
                                         .traceparent = bytes_text(traceparent),
                                         .body = BYTES_LITERAL("{}")};
    assert_int_equal(exchange_publish(exchange, &out, &message), SB_OK);
}

static void test_messages_come_out_of_both_queues(void **state)
{
    (void)state;
    struct exchange *exchange;
    assert_int_equal(open_with(echo_serve, &exchange), SB_OK);
    publish(exchange, "one");
    publish(exchange, "two");
    assert_int_equal(exchange_settle(exchange, &message), SB_OK);
    for (uint32_t i = 0; i < EXCHANGE_QUEUES; i++) {
        assert_int_equal(arrivals.count[i], 2);
        assert_string_equal(arrivals.traceparents[i][0], "one");
        assert_string_equal(arrivals.traceparents[i][1], "two");
    }
    assert_int_equal(exchange_settle(exchange, &message), SB_OK); /* nothing is waited for */
    assert_true(exchange_free(exchange, &message));
    assert_null(fake_broker_fault(fake));
    assert_int_equal(echo.acks, 4);
    assert_int_equal(echo.removed, 1);
    assert_string_equal(text_string(&message), "");
}

static void test_spans_go_to_their_queue(void **state)
{
    (void)state;
    struct exchange *exchange;
    assert_int_equal(open_with(echo_serve, &exchange), SB_OK);
    assert_int_equal(exchange_send_spans(exchange, BYTES_LITERAL("spans"), &message), SB_OK);
    assert_int_equal(exchange_settle(exchange, &message), SB_OK);
    assert_non_null(strstr(exchange_name(exchange), "spanbridge-demo"));
    char queue[sizeof(echo.spans_key)];
    snprintf(queue, sizeof(queue), "%s", exchange_spans_queue(exchange));
    assert_true(exchange_free(exchange, &message));
    assert_string_equal(echo.spans_key, queue);
    assert_int_equal(echo.spans, 1);
    assert_int_equal(arrivals.count[EXCHANGE_MAILS], 0);
}

static void test_confirms_come_in_any_order(void **state)
{
    (void)state;
    struct exchange *exchange;
    echo.shuffle = true;
    assert_int_equal(open_with(echo_serve, &exchange), SB_OK);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(exchange_send_spans(exchange, BYTES_LITERAL("spans"), &message),
                         SB_OK);
    assert_int_equal(exchange_settle(exchange, &message), SB_OK);
    publish(exchange, "later");
    assert_int_equal(exchange_settle(exchange, &message), SB_OK);
    assert_true(exchange_free(exchange, &message));
    assert_int_equal(echo.spans, 3);
}

/* More than may be under way: they are settled in between. */
static void test_many_messages(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    struct exchange *exchange;
    assert_int_equal(open_with(echo_serve, &exchange), SB_OK);
    for (uint32_t i = 0; i < MANY; i++)
        publish(exchange, "many");
    assert_int_equal(exchange_settle(exchange, &message), SB_OK);
    assert_int_equal(arrivals.count[EXCHANGE_MAILS], MANY);
    assert_int_equal(arrivals.count[EXCHANGE_POINTS], MANY);
    assert_true(exchange_free(exchange, &message));
    assert_int_equal(echo.messages, MANY);
}

static void test_what_comes_without_properties(void **state)
{
    (void)state;
    struct exchange *exchange;
    echo.garble = true;
    assert_int_equal(open_with(echo_serve, &exchange), SB_OK);
    publish(exchange, "one");
    assert_int_equal(exchange_settle(exchange, &message), SB_OK);
    assert_int_equal(arrivals.count[EXCHANGE_MAILS], 1);
    assert_string_equal(arrivals.traceparents[EXCHANGE_MAILS][0], "");
    assert_true(exchange_free(exchange, &message));
}

static void test_url_that_is_none(void **state)
{
    (void)state;
    struct exchange *exchange;
    assert_int_equal(open_at("localhost:5672", &exchange), SB_ERR_CONFIG);
    expect("--rabbitmq: no AMQP URL: ");
    expect("\n  help: it takes amqp[s]://USER:PASSWORD@HOST:PORT/VHOST");
}

static void test_nobody_listens(void **state)
{
    (void)state;
    struct exchange *exchange;
    assert_int_equal(open_at("amqp://me:secret@127.0.0.1:1/", &exchange), SB_ERR_UNAVAILABLE);
    expect("no RabbitMQ answers: no connection to 127.0.0.1:1: refused");
    expect("\n  help: is it running");
    expect_no_secret();
}

static void refuse_login(struct fake_peer *peer)
{
    if (peer_take_login(peer))
        peer_close(peer, 0, 403, "ACCESS_REFUSED - Login was refused");
}

static void test_login_is_refused(void **state)
{
    (void)state;
    struct exchange *exchange;
    assert_int_equal(open_with(refuse_login, &exchange), SB_ERR_CONFIG);
    expect("RabbitMQ does not let us in: login at 127.0.0.1:");
    expect("as user guest: ACCESS_REFUSED");
    expect("\n  help: --rabbitmq amqp[s]://");
    expect_no_secret();
}

static void refuse_exchange(struct fake_peer *peer)
{
    if (peer_handshake(peer) && peer_serve(peer, AMQP_CONFIRM_SELECT_METHOD) &&
        peer_read(peer) && peer_close(peer, 1, 403, "ACCESS_REFUSED - configure"))
        peer_serve_to_the_end(peer);
}

static void test_permissions_are_asked_for(void **state)
{
    (void)state;
    struct exchange *exchange;
    assert_int_equal(open_with(refuse_exchange, &exchange), SB_ERR_CONFIG);
    expect("exchange notify-spanbridge-demo-");
    expect("ACCESS_REFUSED - configure (403)\n  help: the user needs the permissions");
}

static void test_want_of_memory_is_told(void **state)
{
    (void)state;
    struct exchange *exchange;
    char url[FAKE_URL_LEN];
    fake = fake_broker_new(echo_serve, &echo);
    fake_broker_url(fake, url);
    enum sb_err err = SB_ERR_MEMORY;
    uint64_t nth = 1;
    for (; err != SB_OK; nth++) {
        text_reset(&message);
        memory_fail_at(nth);
        err = open_at(url, &exchange);
        memory_fail_at(0);
        assert_true(err == SB_OK || err == SB_ERR_MEMORY);
        if (err != SB_OK)
            expect("memory is short");
    }
    assert_true(nth > 3);
    assert_true(exchange_free(exchange, &message));
}

static void return_message(struct fake_peer *peer)
{
    if (!peer_handshake(peer) || !peer_serve(peer, AMQP_BASIC_PUBLISH_METHOD))
        return;
    wire_clear(&peer->wire);
    wire_u16(&peer->wire, 312);
    wire_short(&peer->wire, "NO_ROUTE");
    wire_short(&peer->wire, "");
    wire_short(&peer->wire, "gone");
    if (peer_send_method(peer, 1, AMQP_BASIC_RETURN_METHOD))
        peer_serve_to_the_end(peer);
}

static void test_queue_that_is_gone_is_noticed(void **state)
{
    (void)state;
    struct exchange *exchange;
    assert_int_equal(open_with(return_message, &exchange), SB_OK);
    assert_int_equal(exchange_send_spans(exchange, BYTES_LITERAL("spans"), &message), SB_OK);
    assert_int_equal(exchange_settle(exchange, &message), SB_ERR_UNAVAILABLE);
    expect("lost a queue of the demo");
    assert_true(exchange_free(exchange, &message));
}

/* The first connection is cut in the middle; the second one is refused, or is let in. */
static void cut(struct fake_peer *peer)
{
    const struct echo *second = peer->arg;
    if (peer->number == 0) {
        if (peer_handshake(peer))
            (void)peer_serve(peer, AMQP_BASIC_PUBLISH_METHOD);
        return;
    }
    if (second->lets_in_again)
        echo_serve(peer);
}

static void test_cut_connection_leaves_nothing_where_it_can_be_made_anew(void **state)
{
    (void)state;
    struct exchange *exchange;
    echo.lets_in_again = true;
    assert_int_equal(open_with(cut, &exchange), SB_OK);
    assert_int_equal(exchange_send_spans(exchange, BYTES_LITERAL("spans"), &message), SB_OK);
    assert_int_equal(exchange_settle(exchange, &message), SB_ERR_UNAVAILABLE);
    expect("RabbitMQ at 127.0.0.1:");
    assert_true(exchange_free(exchange, &message));
    assert_int_equal(echo.removed, 1);
}

static void test_queue_that_stays_is_named(void **state)
{
    (void)state;
    struct exchange *exchange;
    assert_int_equal(open_with(cut, &exchange), SB_OK);
    assert_int_equal(exchange_send_spans(exchange, BYTES_LITERAL("spans"), &message), SB_OK);
    assert_int_equal(exchange_settle(exchange, &message), SB_ERR_UNAVAILABLE);
    assert_false(exchange_free(exchange, &message));
    expect("\nqueue mailer-spans-spanbridge-demo-");
    expect("it goes by itself in 10 minutes");
    assert_true(exchange_free(NULL, &message));
}

/* It takes the first message, and says that it takes no more. */
static void block(struct fake_peer *peer)
{
    if (!peer_handshake(peer) || !peer_serve(peer, AMQP_BASIC_PUBLISH_METHOD))
        return;
    wire_clear(&peer->wire);
    wire_short(&peer->wire, "low on disk");
    if (peer_send_method(peer, 0, AMQP_CONNECTION_BLOCKED_METHOD) &&
        echo_confirm(peer, 1, false))
        peer_serve_to_the_end(peer);
}

static void test_broker_that_takes_nothing_is_named(void **state)
{
    (void)state;
    struct exchange *exchange;
    assert_int_equal(open_with(block, &exchange), SB_OK);
    assert_int_equal(exchange_send_spans(exchange, BYTES_LITERAL("spans"), &message), SB_OK);
    assert_int_equal(exchange_settle(exchange, &message), SB_OK);
    assert_int_equal(exchange_send_spans(exchange, BYTES_LITERAL("spans"), &message),
                     SB_ERR_UNAVAILABLE);
    expect("takes no messages now");
    assert_true(exchange_free(exchange, &message));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages_come_out_of_both_queues, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spans_go_to_their_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_confirms_come_in_any_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_comes_without_properties, setup, teardown),
        cmocka_unit_test_setup_teardown(test_url_that_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_listens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_login_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_permissions_are_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(test_want_of_memory_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queue_that_is_gone_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_cut_connection_leaves_nothing_where_it_can_be_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queue_that_stays_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broker_that_takes_nothing_is_named, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
