#include "support/test.h"

#include "core/memory.h"
#include "load_records.h"
#include "load_spans.h"
#include "otlp/scan.h"
#include "otlp/value.h"
#include "otlp/write.h"
#include "tally.h"

enum { TRACES = 5000, PARTITIONS = 4, SPANS = TRACES * LOAD_SPANS_PER_TRACE };

static struct load_plan plan_of(enum load_kind kind)
{
    return (struct load_plan){.kind = kind, .seed = 7, .traces = TRACES};
}

static void test_ids_can_be_read_back(void **state)
{
    (void)state;
    struct load_plan plan = plan_of(LOAD_C);
    for (uint32_t index = 0; index < TRACES; index++) {
        uint32_t got;
        uint32_t part;
        uint32_t piece = index % LOAD_PIECES;
        assert_true(load_read_trace_id(&plan, load_trace_id(&plan, index, piece), &got, &part));
        assert_int_equal(got, index);
        assert_int_equal(part, piece);
        uint32_t span = index % LOAD_SPANS_PER_TRACE;
        assert_true(load_read_span_id(&plan, load_span_id(&plan, index, span), &got, &part));
        assert_int_equal(got, index);
        assert_int_equal(part, span);
    }
}

static void test_ids_of_another_seed_are_foreign(void **state)
{
    (void)state;
    struct load_plan plan = plan_of(LOAD_A);
    struct load_plan other = plan;
    other.seed++;
    uint32_t index;
    uint32_t part;
    assert_false(load_read_trace_id(&plan, load_trace_id(&other, 3, 0), &index, &part));
    assert_false(load_read_span_id(&plan, load_span_id(&other, 3, 0), &index, &part));
}

static void test_shares_are_those_of_the_page(void **state)
{
    (void)state;
    struct load_plan plan = {.kind = LOAD_A, .seed = 1, .traces = 250000};
    uint32_t errors = 0;
    uint32_t slow = 0;
    uint32_t kept = 0;
    for (uint32_t index = 0; index < plan.traces; index++) {
        struct load_trace trace = load_trace_at(&plan, index);
        errors += trace.error;
        slow += trace.slow;
        kept += load_keeps(&plan, index, -1);
    }
    assert_in_range(errors, 12200, 12800);
    assert_in_range(slow, 4800, 5200);
    assert_in_range(kept, 28400, 29400); /* 1 - 0.95 * 0.98 * 0.95 = 11.55 % */
}

static void test_five_percent_has_its_share(void **state)
{
    (void)state;
    struct load_plan plan = {.kind = LOAD_C, .seed = 1, .traces = 250000};
    uint32_t kept = 0;
    for (uint32_t index = 0; index < plan.traces; index++)
        kept += load_keeps(&plan, index, 1); /* piece 1 has neither error nor delay */
    assert_in_range(kept, 12200, 12800);
}

struct check {
    struct otlp_scan *scan;
    const struct load_plan *plan;
    struct tally *tally; /* gets what had to be kept */
    uint8_t *seen;       /* spans by trace */
    uint32_t *last;      /* record number by trace */
    uint32_t records;
    uint32_t spans;
    uint32_t messages;
    uint64_t value_bytes;
    uint64_t span_bytes;
    struct otlp_span skip; /* of the tampering tests */
    bool skip_one;
    bool twice;
    bool keep_all;
    bool share;
};

static void count_attributes(struct bytes raw, uint32_t field, uint32_t expected)
{
    struct otlp_attribute attribute;
    uint32_t count = 0;
    while (otlp_attribute_next(&raw, field, &attribute))
        count++;
    assert_int_equal(count, expected);
}

static void check_span(struct check *check, const struct otlp_span *span)
{
    uint32_t index;
    uint32_t piece;
    uint32_t owner;
    uint32_t number;
    assert_int_equal(span->fault, OTLP_FAULT_NONE);
    assert_true(load_read_trace_id(check->plan, trace_id_load(span->trace_id), &index, &piece));
    assert_true(load_read_span_id(check->plan, span_id_load(span->span_id), &owner, &number));
    assert_int_equal(index, owner);
    assert_int_equal(piece, load_piece_of(check->plan->kind, number));
    count_attributes(span->raw, OTLP_SPAN_ATTRIBUTES, 10);
    assert_in_range(span->raw.len, 380, 560);
    struct load_trace trace = load_trace_at(check->plan, index);
    assert_int_equal(span->status == OTLP_STATUS_ERROR,
                     trace.error && number == LOAD_ERROR_SPAN);
    assert_int_equal(span->end_ns - span->start_ns > UINT64_C(2000000000),
                     trace.slow && number == 0);
    assert_false(check->seen[index] & 1u << number);
    check->seen[index] |= (uint8_t)(1u << number);
}

static void hand_on(struct check *check, const struct otlp_span *spans, uint32_t count)
{
    const struct otlp_envelope *envelopes = otlp_scan_envelopes(check->scan, &(uint32_t){0});
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index;
        uint32_t piece;
        assert_true(
            load_read_trace_id(check->plan, trace_id_load(spans[i].trace_id), &index, &piece));
        bool kept = check->share ? load_in_share(check->plan, index)
                                 : load_keeps(check->plan, index, -1);
        if (!check->keep_all && !kept)
            continue;
        if (check->skip_one) {
            check->skip_one = false;
            continue;
        }
        struct text out;
        text_init(&out, 1 << 16);
        struct otlp_request_span one = {&envelopes[spans[i].envelope], spans[i].raw};
        otlp_write_request(&out, &one, 1);
        tally_add(check->tally, text_bytes(&out));
        if (check->twice)
            tally_add(check->tally, text_bytes(&out));
        check->twice = false;
        text_clear(&out);
    }
}

static enum sb_err on_record(void *arg, const struct load_record *record)
{
    struct check *check = arg;
    if (record->topic != LOAD_TOPIC_SPANS) {
        check->messages++;
        assert_int_equal(record->traceparent.len,
                         record->topic == LOAD_TOPIC_SHIPMENTS ? 55 : 0);
        return SB_OK;
    }
    enum otlp_fault fault;
    assert_int_equal(otlp_scan_request(check->scan, record->value, &fault), SB_OK);
    assert_int_equal(fault, OTLP_FAULT_NONE);
    uint32_t count;
    const struct otlp_span *spans = otlp_scan_spans(check->scan, &count);
    assert_int_equal(count, record->spans);
    const struct otlp_envelope *envelope = otlp_scan_envelopes(check->scan, &(uint32_t){0});
    struct bytes resource = envelope->resource_fields;
    assert_true(resource.len > 2);
    resource = bytes_of(resource.at + 3, resource.len - 3); /* tag and a length of two bytes */
    count_attributes(resource, 1, 6);
    uint32_t span_bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        check_span(check, &spans[i]);
        span_bytes += (uint32_t)spans[i].raw.len;
    }
    assert_int_equal(span_bytes, record->span_bytes);
    check->records++;
    check->spans += count;
    check->value_bytes += record->value.len;
    check->span_bytes += span_bytes;
    if (check->tally != NULL)
        hand_on(check, spans, count);
    return SB_OK;
}

static void generate(struct check *check)
{
    struct otlp_limits limits = otlp_limits_default();
    struct otlp_keys *keys;
    assert_int_equal(otlp_keys_new(&keys), SB_OK);
    assert_int_equal(otlp_scan_new(&limits, keys, &check->scan), SB_OK);
    check->seen = memory_zalloc(TRACES, 1);
    assert_int_equal(load_generate(check->plan, PARTITIONS, on_record, check), SB_OK);
    for (uint32_t i = 0; i < TRACES; i++)
        assert_int_equal(check->seen[i], UINT8_MAX);
    memory_free(check->seen);
    otlp_scan_free(check->scan);
    otlp_keys_free(keys);
}

static void test_load_a_is_as_described(void **state)
{
    (void)state;
    struct load_plan plan = plan_of(LOAD_A);
    struct check check = {.plan = &plan};
    generate(&check);
    assert_int_equal(check.spans, SPANS);
    assert_int_equal(check.records, SPANS / LOAD_SPANS_PER_RECORD);
    assert_in_range(check.span_bytes / SPANS, 455, 485);
    assert_in_range(check.value_bytes / check.records, 22500, 24500);
}

static void test_load_b_has_a_record_per_trace_and_service(void **state)
{
    (void)state;
    struct load_plan plan = plan_of(LOAD_B);
    struct check check = {.plan = &plan};
    generate(&check);
    assert_int_equal(check.spans, SPANS);
    assert_int_equal(check.records, TRACES * LOAD_SERVICES);
}

static void test_load_c_has_two_messages_per_trace(void **state)
{
    (void)state;
    struct load_plan plan = plan_of(LOAD_C);
    struct check check = {.plan = &plan};
    generate(&check);
    assert_int_equal(check.spans, SPANS);
    assert_int_equal(check.messages, 2 * TRACES);
    assert_in_range(check.span_bytes / SPANS, 440, 490);
}

/* Generates load A, hands what had to be kept to a tally, tampered with as asked. */
static struct tally_result judged(bool skip_one, bool twice, bool keep_all)
{
    struct load_plan plan = plan_of(LOAD_A);
    struct check check = {
        .plan = &plan, .skip_one = skip_one, .twice = twice, .keep_all = keep_all};
    struct tally_options options = {.plan = plan};
    assert_int_equal(tally_new(&options, &check.tally), SB_OK);
    generate(&check);
    struct tally_result result = tally_judge(check.tally);
    tally_free(check.tally);
    return result;
}

static void test_tally_accepts_what_is_right(void **state)
{
    (void)state;
    struct tally_result result = judged(false, false, false);
    assert_true(tally_is_right(&result));
    assert_int_equal(result.spans, result.expected);
    assert_int_equal(result.foreign, 0);
}

static void test_tally_sees_a_missing_span(void **state)
{
    (void)state;
    struct tally_result result = judged(true, false, false);
    assert_false(tally_is_right(&result));
    assert_int_equal(result.missing, 1);
    assert_int_equal(result.torn, 1);
}

static void test_tally_sees_a_duplicate(void **state)
{
    (void)state;
    struct tally_result result = judged(false, true, false);
    assert_false(tally_is_right(&result));
    assert_int_equal(result.duplicates, 1);
}

static void test_tally_sees_wrong_verdicts(void **state)
{
    (void)state;
    struct tally_result result = judged(false, false, true);
    assert_false(tally_is_right(&result));
    assert_int_equal(result.missing, 0);
    assert_int_equal(result.wrong_keep, SPANS - result.expected);
}

/* Hands the traces of the 5 % to a tally that expects those, or all that is kept. */
static struct tally_result judged_share(bool expected)
{
    struct load_plan plan = plan_of(LOAD_B);
    struct check check = {.plan = &plan, .share = true};
    struct tally_options options = {.plan = plan, .share = expected};
    assert_int_equal(tally_new(&options, &check.tally), SB_OK);
    generate(&check);
    struct tally_result result = tally_judge(check.tally);
    tally_free(check.tally);
    return result;
}

static void test_tally_knows_the_share_alone(void **state)
{
    (void)state;
    struct tally_result result = judged_share(true);
    assert_true(tally_is_right(&result));
    assert_in_range(result.expected, SPANS * 4 / 100, SPANS * 6 / 100);
    struct tally_result all = judged_share(false);
    assert_false(tally_is_right(&all));
    assert_int_equal(all.missing, all.expected - result.expected);
    assert_int_equal(all.wrong_keep, 0);
}

static void test_tally_of_nothing_is_not_right(void **state)
{
    (void)state;
    struct tally_options options = {.plan = plan_of(LOAD_A)};
    struct tally *tally;
    assert_int_equal(tally_new(&options, &tally), SB_OK);
    tally_add(tally, BYTES_LITERAL("\x0a\x7f"));
    struct tally_result result = tally_judge(tally);
    assert_int_equal(result.malformed, 1);
    assert_int_equal(result.missing, result.expected);
    assert_false(tally_is_right(&result));
    tally_free(tally);
}

static void test_tally_wants_the_first_pieces_id(void **state)
{
    (void)state;
    struct load_plan plan = plan_of(LOAD_C);
    struct check check = {.plan = &plan};
    struct tally_options options = {.plan = plan};
    assert_int_equal(tally_new(&options, &check.tally), SB_OK);
    generate(&check); /* unrepaired: two of the three pieces lie under ids of their own */
    struct tally_result result = tally_judge(check.tally);
    assert_int_equal(result.missing, 0);
    assert_int_equal(result.misplaced, result.expected / 2);
    assert_false(tally_is_right(&result));
    tally_free(check.tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_can_be_read_back),
        cmocka_unit_test(test_ids_of_another_seed_are_foreign),
        cmocka_unit_test(test_shares_are_those_of_the_page),
        cmocka_unit_test(test_five_percent_has_its_share),
        cmocka_unit_test(test_load_a_is_as_described),
        cmocka_unit_test(test_load_b_has_a_record_per_trace_and_service),
        cmocka_unit_test(test_load_c_has_two_messages_per_trace),
        cmocka_unit_test(test_tally_accepts_what_is_right),
        cmocka_unit_test(test_tally_sees_a_missing_span),
        cmocka_unit_test(test_tally_sees_a_duplicate),
        cmocka_unit_test(test_tally_sees_wrong_verdicts),
        cmocka_unit_test(test_tally_knows_the_share_alone),
        cmocka_unit_test(test_tally_of_nothing_is_not_right),
        cmocka_unit_test(test_tally_wants_the_first_pieces_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
