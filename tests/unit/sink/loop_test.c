#include "loop.h"

#include "core/memory.h"
#include "support/otlp_receiver.h"
#include "support/test.h"

enum { HANDLES = 8 };

struct done {
    struct loop *loop;
    uint32_t count;
    uint32_t wanted;
    CURLcode codes[HANDLES];
};

static void on_done(void *arg, struct transfer *transfer, CURLcode code)
{
    struct done *done = arg;
    (void)transfer;
    done->codes[done->count++] = code;
    if (done->count == done->wanted)
        assert_int_equal(event_base_loopbreak(done->loop->base), 0);
}

static CURL *new_post(const char *url)
{
    CURL *easy = curl_easy_init();
    assert_non_null(easy);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_URL, url), CURLE_OK);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_POSTFIELDS, ""), CURLE_OK);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L), CURLE_OK);
    return easy;
}

static void test_transfers_run_and_connections_are_kept(void **state)
{
    (void)state;
    struct receiver_options options = {.protocol = RECEIVER_HTTP};
    struct otlp_receiver *receiver = receiver_new(&options);
    struct loop loop;
    struct done done = {.loop = &loop, .wanted = HANDLES};
    assert_int_equal(loop_init(&loop, 2, on_done, &done), SB_OK);
    CURL *easy[HANDLES];
    for (int i = 0; i < HANDLES; i++) {
        easy[i] = new_post(receiver_url(receiver));
        assert_int_equal(loop_add(&loop, easy[i]), SB_OK);
    }
    assert_int_equal(event_base_dispatch(loop.base), 0);
    assert_int_equal(done.count, HANDLES);
    for (int i = 0; i < HANDLES; i++) {
        assert_int_equal(done.codes[i], CURLE_OK);
        curl_easy_cleanup(easy[i]);
    }
    assert_int_equal(receiver_requests(receiver), HANDLES);
    assert_true(receiver_connections(receiver) <= 2);
    loop_clear(&loop);
    receiver_free(receiver);
}

static void test_a_transfer_can_be_taken_out(void **state)
{
    (void)state;
    struct receiver_options options = {.protocol = RECEIVER_HTTP};
    struct otlp_receiver *receiver = receiver_new(&options);
    const struct receiver_answer hold = {.act = RECEIVER_HOLD};
    receiver_play(receiver, &hold, 1);
    struct loop loop;
    struct done done = {.loop = &loop, .wanted = 1};
    assert_int_equal(loop_init(&loop, 2, on_done, &done), SB_OK);
    CURL *held = new_post(receiver_url(receiver));
    CURL *easy = new_post(receiver_url(receiver));
    assert_int_equal(loop_add(&loop, held), SB_OK);
    while (receiver_requests(receiver) == 0)
        assert_true(event_base_loop(loop.base, EVLOOP_NONBLOCK) >= 0);
    assert_int_equal(loop_add(&loop, easy), SB_OK);
    assert_int_equal(event_base_dispatch(loop.base), 0);
    assert_int_equal(done.count, 1);
    loop_remove(&loop, held);
    curl_easy_cleanup(held);
    curl_easy_cleanup(easy);
    loop_clear(&loop);
    receiver_free(receiver);
}

/* No memory for a socket's watch: that transfer runs into its deadline, the loop lives. */
static void test_memory_is_short(void **state)
{
    (void)state;
    struct receiver_options options = {.protocol = RECEIVER_HTTP};
    struct otlp_receiver *receiver = receiver_new(&options);
    struct loop loop;
    struct done done = {.loop = &loop, .wanted = 1};
    assert_int_equal(loop_init(&loop, 2, on_done, &done), SB_OK);
    CURL *easy = new_post(receiver_url(receiver));
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 100L), CURLE_OK);
    memory_fail_at(1);
    assert_int_equal(loop_add(&loop, easy), SB_OK);
    assert_int_equal(event_base_dispatch(loop.base), 0);
    memory_fail_at(0);
    assert_int_equal(done.count, 1);
    assert_int_equal(done.codes[0], CURLE_OPERATION_TIMEDOUT);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 30000L), CURLE_OK);
    done.wanted = 2;
    assert_int_equal(loop_add(&loop, easy), SB_OK);
    assert_int_equal(event_base_dispatch(loop.base), 0);
    assert_int_equal(done.codes[1], CURLE_OK);
    curl_easy_cleanup(easy);
    loop_clear(&loop);
    receiver_free(receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfers_run_and_connections_are_kept),
        cmocka_unit_test(test_a_transfer_can_be_taken_out),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
