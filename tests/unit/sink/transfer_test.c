#include "transfer.h"

#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "otlp_rig.h"
#include "support/test.h"

struct fixture {
    struct sink_otlp_options options;
    struct otlp_receiver *receiver;
    struct loop loop;
    struct transfer transfer;
    struct curl_slist *headers;
    uint32_t done;
    CURLcode code;
};

static void on_done(void *arg, struct transfer *transfer, CURLcode code)
{
    struct fixture *fixture = arg;
    assert_ptr_equal(transfer, &fixture->transfer);
    assert_true(transfer_finish(transfer, &fixture->loop, code));
    fixture->done++;
    fixture->code = code;
    assert_int_equal(event_base_loopbreak(fixture->loop.base), 0);
}

static void open_fixture(struct fixture *fixture, const struct receiver_answer *answer)
{
    *fixture = (struct fixture){.options = {.timeout_ns = 30 * NS_PER_S}};
    struct receiver_options options = {.protocol = RECEIVER_HTTP};
    fixture->receiver = receiver_new(&options);
    if (answer != NULL)
        receiver_play(fixture->receiver, answer, 1);
    assert_int_equal(loop_init(&fixture->loop, 1, on_done, fixture), SB_OK);
    fixture->headers = curl_slist_append(NULL, "Content-Type: application/x-protobuf");
    assert_non_null(fixture->headers);
}

static void close_fixture(struct fixture *fixture)
{
    transfer_clear(&fixture->transfer);
    loop_clear(&fixture->loop);
    curl_slist_free_all(fixture->headers);
    receiver_free(fixture->receiver);
}

static const struct response *post(struct fixture *fixture, const char *url, struct bytes body)
{
    struct transfer_post what = {.url = url, .headers = fixture->headers, .body = body};
    assert_int_equal(transfer_start(&fixture->transfer, &fixture->loop, &what), SB_OK);
    assert_true(fixture->transfer.running);
    assert_int_equal(event_base_dispatch(fixture->loop.base), 0);
    assert_false(fixture->transfer.running);
    return &fixture->transfer.response;
}

static void test_an_answer_is_kept(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct receiver_answer answer = {
        .status = 503, .headers = {{"Retry-After", "7"}}, .body = BYTES_LITERAL("busy")};
    open_fixture(&fixture, &answer);
    int owner = 0;
    assert_int_equal(transfer_init(&fixture.transfer, &fixture.options, &owner), SB_OK);
    assert_ptr_equal(fixture.transfer.owner, &owner);
    const char *url = receiver_url(fixture.receiver);
    const struct response *response = post(&fixture, url, BYTES_LITERAL(""));
    assert_int_equal(response->end, RESPONSE_COMPLETE);
    assert_int_equal(response->status, 503);
    assert_string_equal(response->retry_after, "7");
    assert_string_equal(text_string(&response->body), "busy");
    /* The next one begins with nothing of it. */
    response = post(&fixture, url, BYTES_LITERAL(""));
    assert_int_equal(response->status, 200);
    assert_string_equal(response->retry_after, "");
    assert_string_equal(text_string(&response->body), "");
    assert_int_equal(receiver_connections(fixture.receiver), 1);
    assert_int_equal(fixture.done, 2);
    close_fixture(&fixture);
}

static void check_broken(const struct receiver_answer *answer, uint64_t timeout_ns,
                         enum response_end end, int status)
{
    struct fixture fixture;
    open_fixture(&fixture, answer);
    fixture.options.timeout_ns = timeout_ns;
    assert_int_equal(transfer_init(&fixture.transfer, &fixture.options, NULL), SB_OK);
    const char *url = receiver_url(fixture.receiver);
    const struct response *response = post(&fixture, url, BYTES_LITERAL(""));
    assert_int_equal(response->end, end);
    assert_int_equal(response->status, status);
    if (end == RESPONSE_OVERFLOW)
        assert_int_equal(fixture.code, CURLE_WRITE_ERROR); /* by us, not by the deadline */
    else
        assert_true(strlen(fixture.transfer.error) > 0);
    close_fixture(&fixture);
}

static void test_broken_answers(void **state)
{
    (void)state;
    const struct receiver_answer drop = {.act = RECEIVER_DROP};
    const struct receiver_answer hold = {.act = RECEIVER_HOLD};
    const struct receiver_answer drip = {.act = RECEIVER_DRIP, .status = 404};
    const struct receiver_answer endless = {.act = RECEIVER_ENDLESS};
    check_broken(&drop, 30 * NS_PER_S, RESPONSE_DISCONNECTED, 0);
    check_broken(&hold, 50 * NS_PER_MS, RESPONSE_TIMED_OUT, 0);
    check_broken(&drip, 500 * NS_PER_MS, RESPONSE_TIMED_OUT, 404);
    check_broken(&endless, 30 * NS_PER_S, RESPONSE_OVERFLOW, 200);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    char url[64];
    int fd = otlp_rig_refuse_port(url);
    struct fixture fixture;
    open_fixture(&fixture, NULL);
    assert_int_equal(transfer_init(&fixture.transfer, &fixture.options, NULL), SB_OK);
    const struct response *response = post(&fixture, url, BYTES_LITERAL(""));
    assert_int_equal(response->end, RESPONSE_DISCONNECTED);
    assert_non_null(strstr(fixture.transfer.error, "connect"));
    close_fixture(&fixture);
    (void)close(fd);
}

/* A gRPC server begins with its settings, whatever it hears. */
static void test_a_grpc_port(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, NULL);
    receiver_free(fixture.receiver);
    fixture.receiver = receiver_new(&(struct receiver_options){.protocol = RECEIVER_GRPC});
    assert_int_equal(transfer_init(&fixture.transfer, &fixture.options, NULL), SB_OK);
    const char *url = receiver_url(fixture.receiver);
    const struct response *response = post(&fixture, url, BYTES_LITERAL(""));
    assert_int_equal(response->end, RESPONSE_DISCONNECTED);
    assert_non_null(strstr(fixture.transfer.error, "gRPC port"));
    close_fixture(&fixture);
}

static void test_breaking_off(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct receiver_answer hold = {.act = RECEIVER_HOLD};
    open_fixture(&fixture, &hold);
    assert_int_equal(transfer_init(&fixture.transfer, &fixture.options, NULL), SB_OK);
    transfer_abort(&fixture.transfer, &fixture.loop); /* not running: nothing to do */
    const char *url = receiver_url(fixture.receiver);
    struct transfer_post what = {
        .url = url, .headers = fixture.headers, .body = BYTES_LITERAL("")};
    assert_int_equal(transfer_start(&fixture.transfer, &fixture.loop, &what), SB_OK);
    while (receiver_requests(fixture.receiver) == 0)
        assert_true(event_base_loop(fixture.loop.base, EVLOOP_NONBLOCK) >= 0);
    transfer_abort(&fixture.transfer, &fixture.loop);
    assert_false(fixture.transfer.running);
    assert_int_equal(fixture.done, 0);
    assert_int_equal(post(&fixture, url, BYTES_LITERAL(""))->status, 200);
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_is_kept), cmocka_unit_test(test_broken_answers),
        cmocka_unit_test(test_nobody_listens),    cmocka_unit_test(test_a_grpc_port),
        cmocka_unit_test(test_breaking_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
