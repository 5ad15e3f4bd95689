#include "otlp/scan.h"

#include <stdlib.h>

#include "core/memory.h"
#include "otlp/write.h"
#include "pieces.h"
#include "support/random.h"
#include "support/test.h"

struct fixture {
    struct pieces pieces;
    struct otlp_limits limits;
    struct otlp_keys *keys;
    struct otlp_scan *scan;
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    uint16_t id;
    pieces_init(&fixture->pieces);
    fixture->limits = otlp_limits_default();
    assert_int_equal(otlp_keys_new(&fixture->keys), SB_OK);
    assert_int_equal(otlp_keys_add(fixture->keys, BYTES_LITERAL("wanted"), &id), SB_OK);
    assert_int_equal(otlp_scan_new(&fixture->limits, fixture->keys, &fixture->scan), SB_OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    otlp_scan_free(fixture->scan);
    otlp_keys_free(fixture->keys);
    pieces_clear(&fixture->pieces);
    test_free(fixture);
    return 0;
}

/* The fixture's limits have changed. */
static void renew(struct fixture *fixture)
{
    otlp_scan_free(fixture->scan);
    assert_int_equal(otlp_scan_new(&fixture->limits, fixture->keys, &fixture->scan), SB_OK);
}

static enum otlp_fault scan(struct fixture *fixture, struct bytes request)
{
    return pieces_scan(fixture->scan, request);
}

static const struct otlp_span *spans_of(struct fixture *fixture, uint32_t count)
{
    uint32_t seen;
    const struct otlp_span *spans = otlp_scan_spans(fixture->scan, &seen);
    assert_int_equal(seen, count);
    return spans;
}

static const struct otlp_envelope *envelopes_of(struct fixture *fixture, uint32_t count)
{
    uint32_t seen;
    const struct otlp_envelope *envelopes = otlp_scan_envelopes(fixture->scan, &seen);
    assert_int_equal(seen, count);
    return envelopes;
}

/* A span with valid ids and this name, as a field of ScopeSpans. */
static struct bytes span_field(struct pieces *pieces, const char *name)
{
    return pieces_field(
        pieces, 2, JOIN(pieces, pieces_ids(pieces), pieces_field(pieces, 5, bytes_text(name))));
}

static void test_an_empty_request(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(scan(fixture, bytes_of(NULL, 0)), OTLP_FAULT_NONE);
    spans_of(fixture, 0);
    envelopes_of(fixture, 0);
    assert_int_equal(scan(fixture, BYTES_LITERAL("\x0a\x00")), OTLP_FAULT_NONE);
    assert_int_equal(scan(fixture, BYTES_LITERAL("\x0a\x02\x12\x00")), OTLP_FAULT_NONE);
    spans_of(fixture, 0);
    envelopes_of(fixture, 0);
    otlp_scan_free(NULL);
}

static void test_spans_and_their_envelopes(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes resource = pieces_field(pieces, 1, BYTES_LITERAL("\x10\x01"));
    struct bytes url = pieces_field(pieces, 3, BYTES_LITERAL("url"));
    struct bytes scope = pieces_field(pieces, 1, BYTES_LITERAL("\x0a\x02io"));
    struct bytes first = JOIN(pieces, scope, span_field(pieces, "a"), span_field(pieces, "b"));
    struct bytes second = JOIN(pieces, span_field(pieces, "c"));
    struct bytes request =
        JOIN(pieces,
             pieces_field(pieces, 1,
                          JOIN(pieces, resource, pieces_field(pieces, 2, first),
                               pieces_field(pieces, 2, second))),
             pieces_field(pieces, 1, JOIN(pieces, url, pieces_field(pieces, 2, second))));
    assert_int_equal(scan(fixture, request), OTLP_FAULT_NONE);
    const struct otlp_span *spans = spans_of(fixture, 4);
    const struct otlp_envelope *envelopes = envelopes_of(fixture, 3);
    static const char names[] = "abcc";
    static const uint32_t around[] = {0, 0, 1, 2};
    for (size_t i = 0; i < 4; i++) {
        assert_true(bytes_equal(spans[i].name, bytes_of(&names[i], 1)));
        assert_int_equal(spans[i].envelope, around[i]);
        assert_int_equal(spans[i].fault, OTLP_FAULT_NONE);
    }
    assert_true(bytes_equal(envelopes[0].resource_fields, resource));
    assert_true(bytes_equal(envelopes[0].scope_fields, scope));
    assert_true(bytes_equal(envelopes[1].resource_fields, resource));
    assert_int_equal(envelopes[1].scope_fields.len, 0);
    assert_true(bytes_equal(envelopes[2].resource_fields, url));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(envelopes[i].fault, OTLP_FAULT_NONE);
}

/* Fields in any order, and split: envelopes hold all of them in their order. */
static void test_envelope_fields_around_spans(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes resource = pieces_field(pieces, 1, BYTES_LITERAL("\x10\x01"));
    struct bytes url = pieces_field(pieces, 3, BYTES_LITERAL("url"));
    struct bytes unknown = pieces_fixed64(pieces, 900, 5);
    struct bytes spans = pieces_field(
        pieces, 2,
        JOIN(pieces, unknown, span_field(pieces, "a"), url, span_field(pieces, "b"), unknown));
    const struct {
        struct bytes before, between, after;
    } cases[] = {
        {bytes_of(NULL, 0), bytes_of(NULL, 0), resource},
        {resource, bytes_of(NULL, 0), url},
        {bytes_of(NULL, 0), resource, bytes_of(NULL, 0)},
        {resource, unknown, JOIN(pieces, url, resource)},
        {JOIN(pieces, unknown, resource), bytes_of(NULL, 0), bytes_of(NULL, 0)},
    };
    struct bytes scope_fields = JOIN(pieces, unknown, url, unknown);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes body =
            JOIN(pieces, cases[i].before, spans, cases[i].between, spans, cases[i].after);
        struct bytes expected = JOIN(pieces, cases[i].before, cases[i].between, cases[i].after);
        struct bytes both = pieces_repeat(pieces, pieces_field(pieces, 1, body), 3);
        assert_int_equal(scan(fixture, both), OTLP_FAULT_NONE);
        spans_of(fixture, 12);
        const struct otlp_envelope *envelopes = envelopes_of(fixture, 6);
        for (size_t j = 0; j < 6; j++) {
            assert_true(bytes_equal(envelopes[j].resource_fields, expected));
            assert_true(bytes_equal(envelopes[j].scope_fields, scope_fields));
        }
    }
}

/* The scratch is made for the first envelope that is split, and never moves. */
static void test_a_scratch_as_large_as_the_record(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes filler = pieces_field(pieces, 900, pieces_fill(pieces, 'x', 5000));
    struct bytes scope_spans =
        pieces_field(pieces, 2, JOIN(pieces, filler, span_field(pieces, "a"), filler));
    struct bytes request =
        pieces_field(pieces, 1, JOIN(pieces, filler, scope_spans, filler, scope_spans, filler));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(scan(fixture, request), OTLP_FAULT_NONE);
        const struct otlp_envelope *envelopes = envelopes_of(fixture, 2);
        assert_int_equal(envelopes[1].resource_fields.len, 3 * filler.len);
        assert_int_equal(envelopes[1].scope_fields.len, 2 * filler.len);
    }
}

static void test_malformed_records(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes good = pieces_request(pieces, span_field(pieces, "a"));
    const struct bytes bad[] = {
        BYTES_LITERAL("\x08\x01"),                 /* resource_spans is a number */
        BYTES_LITERAL("\x0a\x02\x08\x01"),         /* resource is */
        BYTES_LITERAL("\x0a\x02\x10\x01"),         /* scope_spans is */
        BYTES_LITERAL("\x0a\x02\x18\x01"),         /* schema_url is */
        BYTES_LITERAL("\x0a\x04\x12\x02\x08\x01"), /* scope is */
        BYTES_LITERAL("\x0a\x04\x12\x02\x10\x01"), /* spans is */
        BYTES_LITERAL("\x0a\x04\x12\x02\x18\x01"), /* schema_url of the scope is */
        BYTES_LITERAL("\x0a\x80\x80\x80\x80\x04"), /* 1 GiB is claimed */
        BYTES_LITERAL("\x0a\x02\x12\x80"),
        BYTES_LITERAL("\x0a\x04\x12\x02\x12\x7f"), /* a span reaches beyond the record */
        BYTES_LITERAL("\x0b\x0c"),                 /* a group */
        BYTES_LITERAL("\x0a\x03\xc2\x3e\x00"),     /* spans as they were before OTLP 1.0 */
        BYTES_LITERAL("\x00"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(scan(fixture, JOIN(pieces, good, bad[i])), OTLP_FAULT_MALFORMED);
        spans_of(fixture, 0);
        envelopes_of(fixture, 0);
        assert_int_equal(scan(fixture, good), OTLP_FAULT_NONE);
        spans_of(fixture, 1);
    }
    /* What is not known at the outermost level is passed over. */
    assert_int_equal(scan(fixture, JOIN(pieces, pieces_varint(pieces, 99, 1), good)),
                     OTLP_FAULT_NONE);
    spans_of(fixture, 1);
}

/* One bad span does not take the others with it. */
static void test_faults_of_single_spans(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes wanted = pieces_field(pieces, 9, pieces_pair(pieces, "wanted", "1"));
    struct bytes good = pieces_field(pieces, 2, JOIN(pieces, pieces_ids(pieces), wanted));
    struct bytes malformed = pieces_field(
        pieces, 2, JOIN(pieces, pieces_ids(pieces), wanted, BYTES_LITERAL("\x4a\x7f")));
    struct bytes empty = BYTES_LITERAL("\x12\x00");
    struct bytes spans = JOIN(pieces, good, malformed, good, empty, good);
    assert_int_equal(scan(fixture, pieces_request(pieces, spans)), OTLP_FAULT_NONE);
    const struct otlp_span *read = spans_of(fixture, 5);
    const struct otlp_hit *hits = otlp_scan_hits(fixture->scan);
    static const enum otlp_fault faults[] = {OTLP_FAULT_NONE, OTLP_FAULT_MALFORMED,
                                             OTLP_FAULT_NONE, OTLP_FAULT_TRACE_ID,
                                             OTLP_FAULT_NONE};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(read[i].fault, faults[i]);
        assert_int_equal(read[i].hit_count, faults[i] == OTLP_FAULT_NONE ? 1 : 0);
        if (read[i].hit_count > 0)
            assert_true(hits[read[i].first_hit].value.at > read[i].raw.at &&
                        hits[read[i].first_hit].value.at < read[i].raw.at + read[i].raw.len);
    }
}

static void test_faults_of_envelopes(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes deep = pieces_field(pieces, 2, pieces_deep(pieces, 33));
    struct bytes pair = pieces_pair(pieces, "k", "v");
    const struct {
        enum otlp_fault fault;
        bool is_scope;
        struct bytes message;
    } cases[] = {
        {OTLP_FAULT_TOO_DEEP, false, pieces_field(pieces, 1, deep)},
        {OTLP_FAULT_TOO_DEEP, true, pieces_field(pieces, 3, deep)},
        {OTLP_FAULT_TOO_MANY_ATTRIBUTES, false,
         pieces_repeat(pieces, pieces_field(pieces, 1, pair), 513)},
        {OTLP_FAULT_TOO_MANY_ATTRIBUTES, true,
         pieces_repeat(pieces, pieces_field(pieces, 3, pair), 513)},
        {OTLP_FAULT_MALFORMED, false, BYTES_LITERAL("\x0a\x05x")},
        {OTLP_FAULT_MALFORMED, true, BYTES_LITERAL("\x08\x01")},
        {OTLP_FAULT_NONE, false, pieces_repeat(pieces, pieces_field(pieces, 1, pair), 512)},
        {OTLP_FAULT_NONE, true, pieces_repeat(pieces, pieces_field(pieces, 3, pair), 512)},
    };
    struct bytes wanted = pieces_field(pieces, 9, pieces_pair(pieces, "wanted", "1"));
    struct bytes span = pieces_field(pieces, 2, JOIN(pieces, pieces_ids(pieces), wanted));
    struct bytes others = pieces_request(pieces, span);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes bad = pieces_field(pieces, 1, cases[i].message);
        struct bytes body =
            cases[i].is_scope
                ? pieces_field(pieces, 2, JOIN(pieces, span, BYTES_LITERAL("\x12\x00"), bad))
                : JOIN(pieces,
                       pieces_field(pieces, 2, JOIN(pieces, span, BYTES_LITERAL("\x12\x00"))),
                       bad);
        struct bytes request = JOIN(pieces, others, pieces_field(pieces, 1, body), others);
        assert_int_equal(scan(fixture, request), OTLP_FAULT_NONE);
        const struct otlp_span *spans = spans_of(fixture, 4);
        const struct otlp_envelope *envelopes = envelopes_of(fixture, 3);
        assert_int_equal(envelopes[0].fault, OTLP_FAULT_NONE);
        assert_int_equal(envelopes[1].fault, cases[i].fault);
        assert_int_equal(envelopes[2].fault, OTLP_FAULT_NONE);
        assert_int_equal(spans[0].fault, OTLP_FAULT_NONE);
        assert_int_equal(spans[1].fault, cases[i].fault);
        assert_int_equal(spans[1].hit_count, cases[i].fault == OTLP_FAULT_NONE ? 1 : 0);
        assert_int_equal(spans[2].fault, OTLP_FAULT_TRACE_ID); /* its own comes first */
        assert_int_equal(spans[3].fault, OTLP_FAULT_NONE);
        assert_int_equal(spans[3].hit_count, 1);
    }
}

/* A resource in parts is one resource: its attributes add up. */
static void test_parts_of_a_resource_add_up(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes attribute = pieces_field(pieces, 1, pieces_pair(pieces, "k", "v"));
    struct bytes part = pieces_field(pieces, 1, pieces_repeat(pieces, attribute, 256));
    struct bytes spans = pieces_field(pieces, 2, span_field(pieces, "a"));
    struct bytes two = pieces_field(pieces, 1, JOIN(pieces, part, spans, part));
    struct bytes three = pieces_field(
        pieces, 1, JOIN(pieces, part, spans, part, pieces_field(pieces, 1, attribute)));
    assert_int_equal(scan(fixture, two), OTLP_FAULT_NONE);
    assert_int_equal(spans_of(fixture, 1)->fault, OTLP_FAULT_NONE);
    assert_int_equal(scan(fixture, three), OTLP_FAULT_NONE);
    assert_int_equal(spans_of(fixture, 1)->fault, OTLP_FAULT_TOO_MANY_ATTRIBUTES);
}

/* An envelope is sent again with each group of its spans, so it must fit a request. */
static void test_large_envelopes(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes unknown = pieces_field(pieces, 900, pieces_fill(pieces, 'x', 1000));
    struct bytes spans =
        pieces_field(pieces, 2, JOIN(pieces, span_field(pieces, "a"), unknown));
    struct bytes request = pieces_field(pieces, 1, JOIN(pieces, unknown, spans));
    fixture->limits.span_bytes_max = (uint32_t)(2 * unknown.len);
    renew(fixture);
    assert_int_equal(scan(fixture, request), OTLP_FAULT_NONE);
    assert_int_equal(spans_of(fixture, 1)->fault, OTLP_FAULT_NONE);
    fixture->limits.span_bytes_max--;
    renew(fixture);
    assert_int_equal(scan(fixture, request), OTLP_FAULT_NONE);
    assert_int_equal(spans_of(fixture, 1)->fault, OTLP_FAULT_SPAN_TOO_LARGE);
}

static void test_limits_of_the_record(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes span = span_field(pieces, "a");
    fixture->limits.spans_max = 7;
    renew(fixture);
    struct bytes request = pieces_request(pieces, pieces_repeat(pieces, span, 7));
    assert_int_equal(scan(fixture, request), OTLP_FAULT_NONE);
    spans_of(fixture, 7);
    assert_int_equal(scan(fixture, JOIN(pieces, request, pieces_request(pieces, span))),
                     OTLP_FAULT_TOO_MANY_SPANS);
    spans_of(fixture, 0);

    fixture->limits.record_bytes_max = (uint32_t)request.len;
    renew(fixture);
    assert_int_equal(scan(fixture, request), OTLP_FAULT_NONE);
    fixture->limits.record_bytes_max--;
    renew(fixture);
    assert_int_equal(scan(fixture, request), OTLP_FAULT_RECORD_TOO_LARGE);
    spans_of(fixture, 0);
}

/* 8 million spans of two bytes: refused at the limit, with the memory of the limit. */
static void test_many_empty_spans(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes spans = pieces_repeat(pieces, BYTES_LITERAL("\x12\x00"), 8000000);
    assert_int_equal(scan(fixture, pieces_request(pieces, spans)), OTLP_FAULT_TOO_MANY_SPANS);
    struct bytes empty =
        pieces_field(pieces, 1, pieces_repeat(pieces, BYTES_LITERAL("\x12\x00"), 5000000));
    assert_int_equal(scan(fixture, empty), OTLP_FAULT_NONE); /* empty ScopeSpans */
    envelopes_of(fixture, 0);
    assert_int_equal(scan(fixture, pieces_repeat(pieces, BYTES_LITERAL("\x0a\x00"), 5000000)),
                     OTLP_FAULT_NONE);
    envelopes_of(fixture, 0);
}

static void test_a_million_attributes(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes attribute = pieces_field(pieces, 9, pieces_pair(pieces, "wanted", "v"));
    struct bytes span =
        JOIN(pieces, pieces_ids(pieces), pieces_repeat(pieces, attribute, 1000000));
    fixture->limits.span_bytes_max = UINT32_MAX;
    fixture->limits.record_bytes_max = UINT32_MAX;
    renew(fixture);
    assert_int_equal(scan(fixture, pieces_request_of(pieces, span)), OTLP_FAULT_NONE);
    assert_int_equal(spans_of(fixture, 1)->fault, OTLP_FAULT_TOO_MANY_ATTRIBUTES);
    assert_int_equal(spans_of(fixture, 1)->hit_count, 0);
}

static void test_20000_levels(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes deep =
        pieces_field(pieces, 9, pieces_field(pieces, 2, pieces_deep(pieces, 20000)));
    assert_int_equal(
        scan(fixture, pieces_request_of(pieces, JOIN(pieces, pieces_ids(pieces), deep))),
        OTLP_FAULT_NONE);
    assert_int_equal(spans_of(fixture, 1)->fault, OTLP_FAULT_TOO_DEEP);
}

/* A request with a bit of everything. */
static struct bytes rich_request(struct pieces *pieces)
{
    struct bytes attribute = pieces_field(pieces, 9, pieces_pair(pieces, "wanted", "v"));
    struct bytes deep =
        pieces_field(pieces, 9, pieces_field(pieces, 2, pieces_deep(pieces, 4)));
    struct bytes event =
        pieces_field(pieces, 11, pieces_field(pieces, 3, pieces_pair(pieces, "e", "v")));
    struct bytes link = pieces_field(
        pieces, 13, JOIN(pieces, pieces_ids(pieces), pieces_fixed32(pieces, 6, 1)));
    struct bytes span = JOIN(
        pieces, pieces_ids(pieces), attribute, deep, event, link, pieces_fixed64(pieces, 7, 1),
        pieces_field(pieces, 15, BYTES_LITERAL("\x18\x02")), pieces_fixed32(pieces, 16, 0x301));
    struct bytes scope = pieces_field(pieces, 1, pieces_field(pieces, 1, BYTES_LITERAL("io")));
    struct bytes resource =
        pieces_field(pieces, 1, pieces_field(pieces, 1, pieces_pair(pieces, "r", "v")));
    struct bytes spans = pieces_field(pieces, 2, span);
    struct bytes scope_spans =
        pieces_field(pieces, 2, JOIN(pieces, scope, spans, scope, spans));
    return pieces_field(pieces, 1, JOIN(pieces, resource, scope_spans, resource, scope_spans));
}

static bool is_inside(struct bytes view, struct bytes record)
{
    return view.len == 0 ||
           (view.at >= record.at && view.at + view.len <= record.at + record.len);
}

/* Whatever the record was, what is reported of it is safe to read. */
static void check_views(struct fixture *fixture, struct bytes record)
{
    uint32_t span_count;
    uint32_t envelope_count;
    const struct otlp_span *spans = otlp_scan_spans(fixture->scan, &span_count);
    otlp_scan_envelopes(fixture->scan, &envelope_count);
    for (uint32_t i = 0; i < span_count; i++) {
        const struct otlp_span *span = &spans[i];
        assert_true(is_inside(span->raw, record));
        assert_true(is_inside(span->name, span->raw));
        assert_true(span->envelope < envelope_count);
        assert_true(span->fault < OTLP_FAULT_COUNT);
        if (span->fault == OTLP_FAULT_NONE)
            assert_true(is_inside(bytes_of(span->trace_id, 16), span->raw) &&
                        is_inside(bytes_of(span->span_id, 8), span->raw));
    }
}

/* Exactly as long as it is, so that ASan sees one byte too far. */
static void scan_copy(struct fixture *fixture, struct bytes record)
{
    uint8_t *exact = malloc(record.len == 0 ? 1 : record.len);
    assert_non_null(exact);
    memcpy(exact, record.at, record.len);
    scan(fixture, bytes_of(exact, record.len));
    check_views(fixture, bytes_of(exact, record.len));
    free(exact);
}

static void test_cut_off_everywhere(void **state)
{
    struct fixture *fixture = *state;
    struct bytes request = rich_request(&fixture->pieces);
    assert_int_equal(scan(fixture, request), OTLP_FAULT_NONE);
    spans_of(fixture, 4);
    for (size_t len = 1; len < request.len; len++) {
        assert_int_equal(scan(fixture, bytes_of(request.at, len)), OTLP_FAULT_MALFORMED);
        scan_copy(fixture, bytes_of(request.at, len));
    }
}

static void test_every_bit_flipped(void **state)
{
    struct fixture *fixture = *state;
    struct bytes request = rich_request(&fixture->pieces);
    uint8_t *flipped = (uint8_t *)pieces_repeat(&fixture->pieces, request, 1).at;
    for (size_t bit = 0; bit < request.len * 8; bit++) {
        flipped[bit / 8] ^= (uint8_t)(1 << bit % 8);
        scan_copy(fixture, bytes_of(flipped, request.len));
        flipped[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void test_random_bytes(void **state)
{
    struct fixture *fixture = *state;
    struct random random;
    uint8_t noise[64];
    random_init(&random, 4);
    for (int round = 0; round < 200000; round++) {
        size_t len = random_below(&random, sizeof(noise));
        random_fill(&random, noise, len);
        scan(fixture, bytes_of(noise, len));
        check_views(fixture, bytes_of(noise, len));
    }
}

static void test_no_allocation_once_warm(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes large = pieces_repeat(pieces, rich_request(pieces), 100);
    struct bytes small = rich_request(pieces);
    uint64_t before = memory_allocations();
    assert_int_equal(scan(fixture, large), OTLP_FAULT_NONE);
    assert_true(memory_allocations() > before);
    before = memory_allocations();
    for (int i = 0; i < 10; i++) {
        assert_int_equal(scan(fixture, large), OTLP_FAULT_NONE);
        assert_int_equal(scan(fixture, small), OTLP_FAULT_NONE);
    }
    assert_int_equal(memory_allocations(), before);
}

/* Each allocation fails once: the scan says so, holds nothing, and the next try succeeds. */
static void test_short_memory(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes large = pieces_repeat(pieces, rich_request(pieces), 100);
    uint64_t failed = 0;
    for (uint64_t nth = 1; nth < 100; nth++) {
        struct otlp_scan *fresh = NULL;
        enum otlp_fault fault = OTLP_FAULT_COUNT;
        memory_fail_at(nth);
        enum sb_err err = otlp_scan_new(&fixture->limits, fixture->keys, &fresh);
        if (err == SB_OK)
            err = otlp_scan_request(fresh, large, &fault);
        memory_fail_at(0);
        if (err == SB_OK) {
            otlp_scan_free(fresh);
            assert_true(failed >= 4); /* the scan, and its four arrays */
            return;
        }
        failed++;
        assert_int_equal(err, SB_ERR_MEMORY);
        assert_int_equal(fault, OTLP_FAULT_COUNT);
        if (fresh == NULL)
            continue;
        uint32_t count;
        otlp_scan_spans(fresh, &count);
        assert_int_equal(count, 0);
        assert_int_equal(pieces_scan(fresh, large), OTLP_FAULT_NONE);
        otlp_scan_spans(fresh, &count);
        assert_int_equal(count, 400);
        otlp_scan_free(fresh);
    }
    fail_msg("allocations never ended");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_an_empty_request),
        CASE(test_spans_and_their_envelopes),
        CASE(test_envelope_fields_around_spans),
        CASE(test_a_scratch_as_large_as_the_record),
        CASE(test_malformed_records),
        CASE(test_faults_of_single_spans),
        CASE(test_faults_of_envelopes),
        CASE(test_parts_of_a_resource_add_up),
        CASE(test_large_envelopes),
        CASE(test_limits_of_the_record),
        CASE(test_many_empty_spans),
        CASE(test_a_million_attributes),
        CASE(test_20000_levels),
        CASE(test_cut_off_everywhere),
        CASE(test_every_bit_flipped),
        CASE(test_random_bytes),
        CASE(test_no_allocation_once_warm),
        CASE(test_short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
