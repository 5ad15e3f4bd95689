#include "otlp/write.h"

#include "core/memory.h"
#include "pieces.h"
#include "support/random.h"
#include "support/test.h"

static struct otlp_scan *new_scan(struct otlp_keys **ret_keys)
{
    struct otlp_limits limits = otlp_limits_default();
    struct otlp_scan *scan;
    assert_int_equal(otlp_keys_new(ret_keys), SB_OK);
    assert_int_equal(otlp_scan_new(&limits, *ret_keys, &scan), SB_OK);
    return scan;
}

static void test_no_span_no_byte(void **state)
{
    (void)state;
    struct text out;
    text_init(&out, 100);
    otlp_write_request(&out, NULL, 0);
    assert_int_equal(out.len, 0);
    assert_int_equal(out.error, SB_OK);
    text_clear(&out);
}

static void test_one_span_byte_by_byte(void **state)
{
    (void)state;
    struct text out;
    struct otlp_envelope envelope = {.resource_fields = BYTES_LITERAL("\x0a\x00"),
                                     .scope_fields = BYTES_LITERAL("\x1a\x01u")};
    struct otlp_request_span span = {&envelope, BYTES_LITERAL("\x2a\x01n")};
    text_init(&out, 100);
    text_append_text(&out, "before");
    otlp_write_request(&out, &span, 1);
    assert_int_equal(out.error, SB_OK);
    assert_true(
        bytes_equal(text_bytes(&out),
                    BYTES_LITERAL("before\x0a\x0c\x0a\x00\x12\x08\x1a\x01u\x12\x03\x2a\x01n")));
    text_clear(&out);
}

/* Random groups of spans come back in order, each with the fields of its envelope. */
static void test_groups_come_back(void **state)
{
    (void)state;
    enum { ENVELOPES = 4, SPANS_MAX = 40 };
    struct pieces pieces;
    struct random random;
    struct text out;
    struct otlp_keys *keys;
    struct otlp_scan *scan = new_scan(&keys);
    random_init(&random, 3);
    text_init(&out, 1 << 20);
    for (int round = 0; round < 200; round++) {
        pieces_init(&pieces);
        text_reset(&out);
        struct otlp_envelope envelopes[ENVELOPES];
        struct otlp_request_span spans[SPANS_MAX];
        for (size_t i = 0; i < ENVELOPES; i++) {
            struct bytes url = pieces_fill(&pieces, 'u', random_below(&random, 300));
            envelopes[i] = (struct otlp_envelope){
                .resource_fields = pieces_field(&pieces, 3, url),
                .scope_fields = random_chance(&random, 50) ? bytes_of(NULL, 0)
                                                           : pieces_field(&pieces, 77, url)};
        }
        size_t count = random_between(&random, 1, SPANS_MAX);
        size_t runs = 0;
        for (size_t i = 0; i < count; i++) {
            struct bytes name = pieces_fill(&pieces, 'n', random_below(&random, 20000));
            spans[i].envelope = &envelopes[random_below(&random, ENVELOPES)];
            spans[i].body = JOIN(&pieces, pieces_ids(&pieces), pieces_field(&pieces, 5, name));
            runs += i == 0 || spans[i].envelope != spans[i - 1].envelope;
        }
        otlp_write_request(&out, spans, count);
        assert_int_equal(out.error, SB_OK);
        assert_int_equal(pieces_scan(scan, text_bytes(&out)), OTLP_FAULT_NONE);
        uint32_t span_count;
        uint32_t envelope_count;
        const struct otlp_span *read = otlp_scan_spans(scan, &span_count);
        const struct otlp_envelope *around = otlp_scan_envelopes(scan, &envelope_count);
        assert_int_equal(span_count, count);
        assert_int_equal(envelope_count, runs);
        for (size_t i = 0; i < count; i++) {
            assert_true(bytes_equal(read[i].raw, spans[i].body));
            const struct otlp_envelope *envelope = &around[read[i].envelope];
            assert_true(
                bytes_equal(envelope->resource_fields, spans[i].envelope->resource_fields));
            assert_true(bytes_equal(envelope->scope_fields, spans[i].envelope->scope_fields));
        }
        pieces_clear(&pieces);
    }
    text_clear(&out);
    otlp_scan_free(scan);
    otlp_keys_free(keys);
}

/* The cap is asked once, before the first byte: nothing half written is left. */
static void test_all_or_nothing(void **state)
{
    (void)state;
    struct otlp_envelope envelope = {0};
    struct otlp_request_span spans[2] = {{&envelope, BYTES_LITERAL("\x2a\x01n")},
                                         {&envelope, BYTES_LITERAL("\x2a\x01n")}};
    enum { TOTAL = 2 + 2 + 5 + 5 };
    struct text out;
    for (size_t len_max = 0; len_max <= TOTAL; len_max++) {
        text_init(&out, len_max);
        otlp_write_request(&out, spans, 2);
        assert_int_equal(out.error, len_max < TOTAL ? SB_ERR_LIMIT : SB_OK);
        assert_int_equal(out.len, len_max < TOTAL ? 0 : TOTAL);
        text_clear(&out);
    }
    text_init(&out, 1000);
    memory_fail_at(1);
    otlp_write_request(&out, spans, 2);
    memory_fail_at(0);
    assert_int_equal(out.error, SB_ERR_MEMORY);
    text_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_span_no_byte),
        cmocka_unit_test(test_one_span_byte_by_byte),
        cmocka_unit_test(test_groups_come_back),
        cmocka_unit_test(test_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
