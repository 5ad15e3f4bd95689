#include "fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "otlp/write.h"
#include "receiver.h"

enum { ANSWER_LEN = 512 };

/* One request over a connection of its own; the status of the answer. */
static int post(const char *url, const char *method, struct bytes body)
{
    char head[256];
    char answer[ANSWER_LEN] = "";
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    int len = snprintf(head, sizeof(head),
                       "%s /v1/traces HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       method, body.len);
    assert_int_equal(write(fd, head, (size_t)len), len);
    assert_int_equal(write(fd, body.at, body.len), body.len);
    assert_true(read(fd, answer, sizeof(answer) - 1) > 12);
    close(fd);
    return (int)strtol(answer + strlen("HTTP/1.1 "), NULL, 10);
}

static enum sb_err send_request(void *arg, enum shop_service service, struct bytes request,
                                uint32_t spans)
{
    (void)service, (void)spans;
    assert_int_equal(post(arg, "POST", request), 200);
    return SB_OK;
}

static void test_spans_are_counted_and_the_watched_ones_kept(void **state)
{
    (void)state;
    struct demo_receiver *receiver;
    struct batch_set *set;
    struct shop_checkout other;
    struct shop_checkout checkout = fixture_showpiece();
    static struct seen_list kept;
    struct receiver_counts counts;
    char url[64];
    shop_make(fixture_shop(1), 50, FIXTURE_NOW_NS, &other);
    assert_int_equal(demo_receiver_new(&receiver), SB_OK);
    demo_receiver_watch(receiver, checkout.trace_id);
    snprintf(url, sizeof(url), "%s", demo_receiver_url(receiver));
    assert_int_equal(batch_set_new(send_request, url, &set), SB_OK);
    assert_int_equal(batch_set_add(set, &fixture_world, &checkout), SB_OK);
    assert_int_equal(batch_set_add(set, &fixture_world, &other), SB_OK);
    assert_int_equal(batch_set_flush(set), SB_OK);
    demo_receiver_read(receiver, &counts, &kept);
    assert_int_equal(counts.spans, checkout.span_count + other.span_count);
    assert_int_equal(counts.traces, checkout.hop_count + other.hop_count + 2);
    assert_int_equal(counts.refused, 0);
    assert_int_equal(counts.queue_spans, 0);
    assert_int_equal(kept.count, checkout.span_count);
    batch_set_free(set);
    demo_receiver_free(receiver);
}

static void put_text(struct text *body, const char *key, const char *value)
{
    otlp_write_string_attribute(body, OTLP_SPAN_ATTRIBUTES, bytes_text(key), bytes_text(value));
}

static void test_repairs_are_counted_by_rule(void **state)
{
    (void)state;
    static const uint8_t id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    struct demo_receiver *receiver;
    struct receiver_counts counts;
    static struct seen_list kept;
    struct text body;
    struct text request;
    text_init(&body, 4096);
    text_init(&request, 4096);
    otlp_write_bytes_field(&body, OTLP_SPAN_TRACE_ID, bytes_of(id, 16));
    otlp_write_bytes_field(&body, OTLP_SPAN_SPAN_ID, bytes_of(id, 8));
    put_text(&body, "spanbridge.repair.rule", "coordinate");
    put_text(&body, "spanbridge.repair.action", "parent");
    put_text(&body, "spanbridge.policy", "slow");
    struct otlp_envelope envelope = {0};
    struct otlp_request_span span = {&envelope, text_bytes(&body)};
    otlp_write_request(&request, &span, 1);
    assert_int_equal(demo_receiver_new(&receiver), SB_OK);
    assert_int_equal(post(demo_receiver_url(receiver), "POST", text_bytes(&request)), 200);
    demo_receiver_read(receiver, &counts, &kept);
    assert_int_equal(counts.joined[SHOP_COORDINATE], 1);
    assert_int_equal(counts.joined[SHOP_LINK], 0);
    assert_int_equal(counts.kept_by[1], 1);
    assert_int_equal(kept.count, 0);
    demo_receiver_free(receiver);
    text_clear(&body);
    text_clear(&request);
}

static void test_garbage_is_refused(void **state)
{
    (void)state;
    struct demo_receiver *receiver;
    struct receiver_counts counts;
    static struct seen_list kept;
    assert_int_equal(demo_receiver_new(&receiver), SB_OK);
    assert_int_equal(post(demo_receiver_url(receiver), "POST", BYTES_LITERAL("\x0a\x7f")), 400);
    assert_in_range(post(demo_receiver_url(receiver), "GET", BYTES_LITERAL("")), 400, 599);
    demo_receiver_read(receiver, &counts, &kept);
    assert_int_equal(counts.refused, 1);
    assert_int_equal(counts.spans, 0);
    demo_receiver_free(receiver);
    demo_receiver_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_are_counted_and_the_watched_ones_kept),
        cmocka_unit_test(test_repairs_are_counted_by_rule),
        cmocka_unit_test(test_garbage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
