#include "sink/otlp.h"

#include <string.h>

#include "core/memory.h"
#include "otlp_rig.h"
#include "support/test.h"

enum { SPANS = 100 };

static struct otlp_receiver *open_receiver(receiver_decide_fn on_request, void *arg)
{
    struct receiver_options options = {
        .protocol = RECEIVER_HTTP, .on_request = on_request, .arg = arg};
    return receiver_new(&options);
}

static void expect_exported(struct otlp_rig *rig, uint32_t count)
{
    struct sink_batch *batch = otlp_rig_send(rig, count);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), count);
    sink_batch_free(batch);
}

static void test_spans_arrive_once(void **state)
{
    (void)state;
    for (int kind = SINK_COMPRESSION_NONE; kind <= SINK_COMPRESSION_ZSTD; kind++) {
        struct otlp_receiver *receiver = open_receiver(NULL, NULL);
        struct otlp_rig rig;
        otlp_rig_init(&rig, receiver_url(receiver));
        rig.options.compression = (enum sink_compression)kind;
        otlp_rig_start(&rig);
        assert_int_equal(rig.base.sink->ops->state(rig.base.sink), SINK_CONNECTING);
        assert_string_equal(rig.base.sink->name, "test");
        for (int i = 0; i < 5; i++)
            expect_exported(&rig, SPANS);
        for (uint32_t i = 0; i < 5 * SPANS; i++)
            assert_int_equal(receiver_span_count(receiver, rig_span_id(i)), 1);
        assert_int_equal(receiver_connections(receiver), 1);
        assert_int_equal(rig.base.sink->ops->state(rig.base.sink), SINK_READY);
        struct sink_counters counters = rig_counters(&rig.base);
        assert_int_equal(counters.requests, 5);
        assert_int_equal(counters.spans_exported, 5 * SPANS);
        assert_true(counters.bytes_sent > (uint64_t)5 * SPANS * 30);
        assert_int_equal(rig_logged(&rig.base, "event="), 0);
        otlp_rig_clear(&rig);
        receiver_free(receiver);
    }
}

static void check_request(void *arg, const struct receiver_request *request,
                          struct receiver_answer *ret)
{
    static const struct receiver_line expected[] = {
        {"content-type", "application/x-protobuf"},
        {"content-encoding", "gzip"},
        {"x-scope-orgid", "shop"},
    };
    (void)arg;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        const char *value = receiver_header(request, expected[i].name);
        if (value == NULL || strcmp(value, expected[i].value) != 0)
            ret->status = 500;
    }
    const char *agent = receiver_header(request, "user-agent");
    if (strcmp(request->path, "/v1/traces") != 0 || agent == NULL ||
        strncmp(agent, "spanbridge/", 11) != 0 || agent[11] < '0' || agent[11] > '9' ||
        receiver_header(request, "expect") != NULL ||
        receiver_header(request, "transfer-encoding") != NULL ||
        request->envelope_count != RIG_ENVELOPES)
        ret->status = 500;
}

static void test_a_request_says_what_it_is(void **state)
{
    (void)state;
    struct otlp_receiver *receiver = open_receiver(check_request, NULL);
    struct otlp_rig rig;
    otlp_rig_init(&rig, receiver_url(receiver));
    const struct sink_otlp_header header = {.name = "X-Scope-OrgID", .value = "shop"};
    rig.options.headers = &header;
    rig.options.header_count = 1;
    rig.options.compression = SINK_COMPRESSION_GZIP;
    otlp_rig_start(&rig);
    expect_exported(&rig, SPANS);
    expect_exported(&rig, 50000); /* large ones must not wait for a 100 Continue either */
    otlp_rig_clear(&rig);
    receiver_free(receiver);
}

/* Larger than libcurl's upload buffer and any socket buffer. */
static void test_a_large_batch(void **state)
{
    (void)state;
    struct otlp_receiver *receiver = open_receiver(NULL, NULL);
    struct otlp_rig rig;
    otlp_rig_init(&rig, receiver_url(receiver));
    otlp_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 1, 3, 0);
    rig_grow_last(batch, 12 * 1000 * 1000);
    sink_submit(rig.base.sink, batch);
    batch = rig_take(&rig.base);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), 3);
    assert_true(rig_counters(&rig.base).bytes_sent > 12 * 1000 * 1000);
    sink_batch_free(batch);
    otlp_rig_clear(&rig);
    receiver_free(receiver);
}

static void spoil_no_endpoint(struct sink_otlp_options *options)
{
    options->endpoint_count = 0;
}

static void spoil_lanes(struct sink_otlp_options *options)
{
    options->in_flight_max = 0;
}

static void spoil_timeout(struct sink_otlp_options *options)
{
    options->timeout_ns = 10;
}

static void spoil_endpoint(struct sink_otlp_options *options)
{
    static const char *const endpoints[] = {"http://one:4318", "two:4318"};
    options->endpoints = endpoints;
    options->endpoint_count = 2;
}

static void spoil_header(struct sink_otlp_options *options)
{
    static const struct sink_otlp_header header = {.name = "X", .file = "/nonexistent/token"};
    options->headers = &header;
    options->header_count = 1;
}

static void spoil_ca(struct sink_otlp_options *options)
{
    options->tls_ca = "/nonexistent/ca.pem";
}

static void spoil_key(struct sink_otlp_options *options)
{
    options->tls_certificate = "/dev/null";
}

static void test_options_that_are_refused(void **state)
{
    (void)state;
    static void (*const spoils[])(struct sink_otlp_options * options) = {
        spoil_no_endpoint, spoil_lanes, spoil_timeout, spoil_endpoint,
        spoil_header,      spoil_ca,    spoil_key};
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        struct otlp_rig rig;
        otlp_rig_init(&rig, "http://127.0.0.1:1");
        spoils[i](&rig.options);
        struct sink *sink = NULL;
        assert_int_equal(sink_otlp_new(&rig.options, &sink), SB_ERR_CONFIG);
        assert_null(sink);
        assert_int_equal(rig_logged(&rig.base, "sink_config"), 1);
        otlp_rig_clear(&rig);
    }
}

static void test_memory_is_short_at_start(void **state)
{
    (void)state;
    uint64_t nth = 1;
    for (;; nth++) {
        struct otlp_rig rig;
        otlp_rig_init(&rig, "http://127.0.0.1:1");
        memory_fail_at(nth);
        struct sink *sink = NULL;
        enum sb_err err = sink_otlp_new(&rig.options, &sink);
        memory_fail_at(0);
        rig.base.sink = sink;
        otlp_rig_clear(&rig);
        if (err == SB_OK)
            break;
        assert_int_equal(err, SB_ERR_MEMORY);
        assert_null(sink);
    }
    assert_true(nth > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_arrive_once),
        cmocka_unit_test(test_a_request_says_what_it_is),
        cmocka_unit_test(test_a_large_batch),
        cmocka_unit_test(test_options_that_are_refused),
        cmocka_unit_test(test_memory_is_short_at_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
