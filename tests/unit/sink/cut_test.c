#include "cut.h"

#include "otlp/write.h"
#include "support/random.h"
#include "support/test.h"

enum { SPANS = 64, ROUNDS = 2000, BODY_MAX = 300, BYTES_MAX = 1 << 20 };

static uint8_t fields[BODY_MAX];

/* All of one length, in one envelope; traces of `per_trace` spans. */
static void fill(struct sink_span *spans, const struct otlp_envelope *envelope,
                 uint32_t per_trace, uint32_t len)
{
    for (uint32_t i = 0; i < SPANS; i++)
        spans[i] = (struct sink_span){
            .envelope = envelope, .trace = {{1, (uint8_t)(i / per_trace)}}, .len = len};
}

static void test_ends_with_the_trace(void **state)
{
    (void)state;
    const struct otlp_envelope envelope = {.fault = 0};
    struct sink_span spans[SPANS];
    uint32_t order[SPANS];
    for (uint32_t i = 0; i < SPANS; i++)
        order[i] = i;
    fill(spans, &envelope, 5, 10);
    struct sink_batch batch = {.spans = spans, .span_count = SPANS};
    struct cut_range range = {.batch = &batch, .order = order, .end = SPANS};
    size_t len;
    assert_int_equal(cut_next(&range, BYTES_MAX, &len), 5);
    range.first = 3;
    assert_int_equal(cut_next(&range, BYTES_MAX, &len), 2);
    range.first = 60;
    assert_int_equal(cut_next(&range, BYTES_MAX, &len), 4);
    range.end = 62;
    assert_int_equal(cut_next(&range, BYTES_MAX, &len), 2);
    range.first = 62;
    assert_int_equal(cut_next(&range, BYTES_MAX, &len), 0);
}

/* A single span is a record however long it is. */
static void test_ends_before_it_is_too_long(void **state)
{
    (void)state;
    const struct otlp_envelope envelope = {.resource_fields = bytes_of(fields, 100)};
    struct sink_span spans[SPANS];
    uint32_t order[SPANS];
    for (uint32_t i = 0; i < SPANS; i++)
        order[i] = SPANS - 1 - i;
    fill(spans, &envelope, SPANS, 200);
    struct sink_batch batch = {.spans = spans, .span_count = SPANS};
    struct cut_range range = {.batch = &batch, .order = order, .end = SPANS};
    size_t len;
    assert_int_equal(cut_next(&range, 1000, &len), 4);
    assert_true(len <= 1000);
    assert_int_equal(cut_next(&range, 100, &len), 1);
    assert_true(len > 300);
}

/* What is really written is never longer than the bound, and not much shorter. */
static void test_bounds_what_is_written(void **state)
{
    (void)state;
    struct random random;
    struct text out;
    random_init(&random, 3);
    text_init(&out, BYTES_MAX);
    for (int round = 0; round < ROUNDS; round++) {
        struct otlp_envelope envelopes[3];
        struct sink_span spans[SPANS];
        struct otlp_request_span views[SPANS];
        uint32_t order[SPANS];
        for (int i = 0; i < 3; i++)
            envelopes[i] = (struct otlp_envelope){
                .resource_fields = bytes_of(fields, random_below(&random, BODY_MAX)),
                .scope_fields = bytes_of(fields, random_below(&random, BODY_MAX))};
        for (uint32_t i = 0; i < SPANS; i++) {
            order[i] = i;
            spans[i] = (struct sink_span){.envelope = &envelopes[random_below(&random, 3)],
                                          .trace = {{1}},
                                          .len = (uint32_t)random_below(&random, BODY_MAX)};
            views[i] =
                (struct otlp_request_span){spans[i].envelope, bytes_of(fields, spans[i].len)};
        }
        struct sink_batch batch = {.spans = spans, .span_count = SPANS};
        struct cut_range range = {.batch = &batch, .order = order, .end = SPANS};
        size_t bound;
        size_t bytes_max = random_between(&random, BODY_MAX * 4, BYTES_MAX / 64);
        uint32_t count = cut_next(&range, bytes_max, &bound);
        text_reset(&out);
        otlp_write_request(&out, views, count);
        assert_true(bound <= bytes_max && out.len <= bound);
        assert_true(bound - out.len <= count * 20);
    }
    text_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends_with_the_trace),
        cmocka_unit_test(test_ends_before_it_is_too_long),
        cmocka_unit_test(test_bounds_what_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
