#include "encoder.h"

#include <string.h>

#include "core/memory.h"
#include "grpc.h"
#include "inflate.h"
#include "otlp/scan.h"
#include "otlp_rig.h"
#include "support/test.h"

enum { SPANS = 100 };

/* Scans the request and ticks its spans off. */
static uint32_t scan_request(struct bytes request, bool seen[SPANS])
{
    struct otlp_keys *keys = NULL;
    struct otlp_scan *scan = NULL;
    struct otlp_limits limits = otlp_limits_default();
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    assert_int_equal(otlp_scan_new(&limits, keys, &scan), SB_OK);
    enum otlp_fault fault = OTLP_FAULT_MALFORMED;
    assert_int_equal(otlp_scan_request(scan, request, &fault), SB_OK);
    assert_int_equal(fault, OTLP_FAULT_NONE);
    uint32_t count = 0;
    const struct otlp_span *spans = otlp_scan_spans(scan, &count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(spans[i].fault, OTLP_FAULT_NONE);
        uint32_t number = rig_span_number(span_id_load(spans[i].span_id));
        assert_true(number < SPANS && !seen[number]);
        seen[number] = true;
    }
    uint32_t envelope_count = 0;
    (void)otlp_scan_envelopes(scan, &envelope_count);
    otlp_scan_free(scan);
    otlp_keys_free(keys);
    return envelope_count;
}

static void check(enum sink_otlp_protocol protocol, enum sink_compression compression)
{
    struct otlp_rig rig;
    otlp_rig_init(&rig, "http://unused");
    struct sink_batch *batch = rig_fill(&rig.base, 1, SPANS, 0);
    struct encoder encoder;
    assert_int_equal(encoder_init(&encoder, protocol, compression), SB_OK);
    uint32_t order[SPANS];
    assert_int_equal(order_spans(&encoder.order, batch->spans, SPANS, order), SB_OK);
    struct text out;
    text_init(&out, ENCODER_MESSAGE_MAX);
    text_append_text(&out, "what stood here goes");
    size_t len = 0;
    struct encoder_range range = {.at = order, .count = SPANS};
    assert_int_equal(encoder_encode(&encoder, batch, range, &out, &len), SB_OK);
    struct bytes message = text_bytes(&out);
    if (protocol == SINK_OTLP_GRPC) {
        uint8_t frame[GRPC_FRAME_LEN];
        grpc_write_frame(frame, compression != SINK_COMPRESSION_NONE, out.len - GRPC_FRAME_LEN);
        assert_memory_equal(message.at, frame, GRPC_FRAME_LEN);
        message = bytes_of(message.at + GRPC_FRAME_LEN, message.len - GRPC_FRAME_LEN);
    }
    struct text plain;
    text_init(&plain, ENCODER_MESSAGE_MAX);
    if (compression == SINK_COMPRESSION_GZIP) {
        assert_int_equal(inflate_gzip(message, &plain), SB_OK);
        message = text_bytes(&plain);
    }
    assert_int_equal(len, message.len);
    bool seen[SPANS] = {false};
    assert_int_equal(scan_request(message, seen), RIG_ENVELOPES);
    for (uint32_t i = 0; i < SPANS; i++)
        assert_true(seen[i]);
    /* A part of the order, in the same buffer. */
    range = (struct encoder_range){.at = order + 10, .count = 1};
    assert_int_equal(encoder_encode(&encoder, batch, range, &out, &len), SB_OK);
    assert_true(len < message.len / 10);
    text_clear(&plain);
    text_clear(&out);
    encoder_clear(&encoder);
    sink_batch_free(batch);
    otlp_rig_clear(&rig);
}

static void test_every_protocol_and_compression(void **state)
{
    (void)state;
    check(SINK_OTLP_HTTP, SINK_COMPRESSION_NONE);
    check(SINK_OTLP_HTTP, SINK_COMPRESSION_GZIP);
    check(SINK_OTLP_GRPC, SINK_COMPRESSION_NONE);
    check(SINK_OTLP_GRPC, SINK_COMPRESSION_GZIP);
}

/* A span of 40 MiB, sent twice in one request: over what a client may send. */
static void test_a_request_beyond_the_limit(void **state)
{
    (void)state;
    for (int kind = SINK_COMPRESSION_NONE; kind <= SINK_COMPRESSION_ZSTD; kind++) {
        struct sink_batch *batch = NULL;
        static const struct otlp_envelope envelope;
        uint32_t len = 40 * 1024 * 1024;
        assert_int_equal(sink_batch_new(2, len, &batch), SB_OK);
        uint8_t *body = text_grow(&batch->bytes, len);
        assert_non_null(body);
        memset(body, 0, len);
        for (uint32_t i = 0; i < 2; i++)
            batch->spans[i] = (struct sink_span){.envelope = &envelope, .len = len};
        batch->span_count = 2;
        struct encoder encoder;
        assert_int_equal(encoder_init(&encoder, SINK_OTLP_HTTP, (enum sink_compression)kind),
                         SB_OK);
        static const uint32_t order[] = {0, 1};
        struct text out;
        text_init(&out, ENCODER_MESSAGE_MAX);
        size_t encoded = 0;
        struct encoder_range both = {.at = order, .count = 2};
        struct encoder_range one = {.at = order, .count = 1};
        assert_int_equal(encoder_encode(&encoder, batch, both, &out, &encoded), SB_ERR_LIMIT);
        assert_int_equal(encoder_encode(&encoder, batch, one, &out, &encoded), SB_OK);
        text_clear(&out);
        encoder_clear(&encoder);
        sink_batch_free(batch);
    }
}

static void test_memory_is_short(void **state)
{
    (void)state;
    for (int kind = SINK_COMPRESSION_NONE; kind <= SINK_COMPRESSION_ZSTD; kind++) {
        struct encoder encoder;
        memory_fail_at(1);
        assert_int_equal(encoder_init(&encoder, SINK_OTLP_HTTP, (enum sink_compression)kind),
                         SB_ERR_MEMORY);
        memory_fail_at(0);
        encoder_clear(&encoder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_protocol_and_compression),
        cmocka_unit_test(test_a_request_beyond_the_limit),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
