#include "span.h"

#include "core/ids.h"
#include "core/memory.h"
#include "otlp/write.h"
#include "pieces.h"
#include "support/test.h"

struct fixture {
    struct pieces pieces;
    struct otlp_limits limits;
    struct otlp_keys *keys;
    struct otlp_hit hits_at[OTLP_COUNT_MAX + 1];
    struct span_hits hits;
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    uint16_t id;
    pieces_init(&fixture->pieces);
    fixture->limits = otlp_limits_default();
    fixture->hits = (struct span_hits){.at = fixture->hits_at, .room = OTLP_COUNT_MAX + 1};
    assert_int_equal(otlp_keys_new(&fixture->keys), SB_OK);
    assert_int_equal(otlp_keys_add(fixture->keys, BYTES_LITERAL("wanted"), &id), SB_OK);
    assert_int_equal(otlp_keys_add(fixture->keys, BYTES_LITERAL("messaging.message.id"), &id),
                     SB_OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    pieces_clear(&fixture->pieces);
    otlp_keys_free(fixture->keys);
    test_free(fixture);
    return 0;
}

static struct otlp_span read_span(struct fixture *fixture, struct bytes raw)
{
    struct span_rules rules = {.attributes = attribute_rules_make(&fixture->limits),
                               .keys = fixture->keys};
    struct otlp_span span;
    memset(&span, 0xa5, sizeof(span));
    fixture->hits.count = 0;
    span_read(raw, &rules, &fixture->hits, &span);
    assert_ptr_equal(span.raw.at, raw.at);
    assert_int_equal(span.raw.len, raw.len);
    assert_int_equal(span.first_hit, 0);
    assert_int_equal(span.hit_count, fixture->hits.count);
    if (span.fault != OTLP_FAULT_NONE)
        assert_int_equal(span.hit_count, 0);
    return span;
}

/* The span of fields behind valid ids. */
static struct otlp_span read_with_ids(struct fixture *fixture, struct bytes fields)
{
    struct pieces *pieces = &fixture->pieces;
    return read_span(fixture, JOIN(pieces, pieces_ids(pieces), fields));
}

static void test_all_fields(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct otlp_span span = read_with_ids(
        fixture, JOIN(pieces, pieces_field(pieces, OTLP_SPAN_TRACE_STATE, BYTES_LITERAL("a=b")),
                      pieces_field(pieces, OTLP_SPAN_PARENT_ID, BYTES_LITERAL("parentid")),
                      pieces_field(pieces, OTLP_SPAN_NAME, BYTES_LITERAL("orders process")),
                      pieces_varint(pieces, OTLP_SPAN_KIND, OTLP_KIND_CONSUMER),
                      pieces_fixed64(pieces, OTLP_SPAN_START, UINT64_MAX),
                      pieces_fixed64(pieces, OTLP_SPAN_END, UINT64_MAX - 1),
                      pieces_varint(pieces, 10, 7), pieces_varint(pieces, 12, 8),
                      pieces_varint(pieces, 14, 9), pieces_field(pieces, 13, bytes_of(NULL, 0)),
                      pieces_field(pieces, 15, BYTES_LITERAL("\x12\x04oops\x18\x02")),
                      pieces_fixed32(pieces, OTLP_SPAN_FLAGS, 0xfffffc01)));
    assert_int_equal(span.fault, OTLP_FAULT_NONE);
    assert_memory_equal(span.trace_id,
                        "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10",
                        TRACE_ID_LEN);
    assert_memory_equal(span.span_id, "\x21\x22\x23\x24\x25\x26\x27\x28", SPAN_ID_LEN);
    assert_memory_equal(span.parent_id, "parentid", SPAN_ID_LEN);
    assert_true(bytes_equal(span.trace_state, BYTES_LITERAL("a=b")));
    assert_true(bytes_equal(span.name, BYTES_LITERAL("orders process")));
    assert_int_equal(span.kind, OTLP_KIND_CONSUMER);
    assert_int_equal(span.status, OTLP_STATUS_ERROR);
    assert_true(span.start_ns == UINT64_MAX);
    assert_true(span.end_ns == UINT64_MAX - 1);
    assert_true(span.flags == 0xfffffc01);
    assert_int_equal(span.link_count, 1);
}

static void test_absent_fields_are_empty(void **state)
{
    struct fixture *fixture = *state;
    struct otlp_span span = read_with_ids(fixture, bytes_of(NULL, 0));
    assert_int_equal(span.fault, OTLP_FAULT_NONE);
    assert_null(span.parent_id);
    assert_int_equal(span.name.len, 0);
    assert_int_equal(span.trace_state.len, 0);
    assert_true(span.start_ns == 0 && span.end_ns == 0);
    assert_int_equal(span.kind, OTLP_KIND_UNSPECIFIED);
    assert_int_equal(span.status, OTLP_STATUS_UNSET);
    assert_int_equal(span.flags, 0);
    assert_int_equal(span.link_count, 0);
    assert_int_equal(span.envelope, 0);
}

static void test_the_last_scalar_counts(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes twice =
        JOIN(pieces, pieces_field(pieces, OTLP_SPAN_NAME, BYTES_LITERAL("first")),
             pieces_field(pieces, OTLP_SPAN_PARENT_ID, BYTES_LITERAL("too long for an id")),
             pieces_varint(pieces, OTLP_SPAN_KIND, 2), pieces_varint(pieces, OTLP_SPAN_KIND, 3),
             pieces_field(pieces, OTLP_SPAN_NAME, BYTES_LITERAL("second")),
             pieces_field(pieces, OTLP_SPAN_PARENT_ID, BYTES_LITERAL("parentid")),
             pieces_field(pieces, OTLP_SPAN_TRACE_ID, BYTES_LITERAL("0123456789abcdef")));
    struct otlp_span span = read_with_ids(fixture, twice);
    assert_int_equal(span.fault, OTLP_FAULT_NONE);
    assert_true(bytes_equal(span.name, BYTES_LITERAL("second")));
    assert_int_equal(span.kind, 3);
    assert_memory_equal(span.parent_id, "parentid", SPAN_ID_LEN);
    assert_memory_equal(span.trace_id, "0123456789abcdef", TRACE_ID_LEN);
}

/* Parts of a message that comes several times merge. */
static void test_the_status_merges(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes ok = pieces_field(pieces, 15, BYTES_LITERAL("\x18\x01"));
    struct bytes error = pieces_field(pieces, 15, BYTES_LITERAL("\x18\x02"));
    struct bytes text = pieces_field(pieces, 15, BYTES_LITERAL("\x12\x01m"));
    assert_int_equal(read_with_ids(fixture, JOIN(pieces, error, text)).status,
                     OTLP_STATUS_ERROR);
    assert_int_equal(read_with_ids(fixture, JOIN(pieces, error, ok)).status, OTLP_STATUS_OK);
    assert_int_equal(read_with_ids(fixture, text).status, OTLP_STATUS_UNSET);
}

static void test_unknown_enum_numbers(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    assert_int_equal(read_with_ids(fixture, pieces_varint(pieces, 6, 77)).kind, 77);
    assert_int_equal(read_with_ids(fixture, pieces_varint(pieces, 6, 256 + 4)).kind, 255);
    assert_int_equal(read_with_ids(fixture, pieces_varint(pieces, 6, UINT64_MAX)).kind, 255);
    struct bytes status = pieces_field(pieces, 15, pieces_varint(pieces, 3, 256 + 2));
    assert_int_equal(read_with_ids(fixture, status).status, 255);
}

static void test_wrong_ids(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    static const size_t lens[] = {0, 1, 7, 8, 9, 15, 16, 17, 32, 200};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct bytes id = pieces_fill(pieces, 7, lens[i]);
        struct bytes zeros = pieces_fill(pieces, 0, lens[i]);
        struct otlp_span span = read_with_ids(fixture, pieces_field(pieces, 1, id));
        assert_int_equal(span.fault, lens[i] == 16 ? OTLP_FAULT_NONE : OTLP_FAULT_TRACE_ID);
        assert_int_equal(span.trace_id != NULL, lens[i] == 16);
        assert_non_null(span.span_id);
        assert_int_equal(read_with_ids(fixture, pieces_field(pieces, 1, zeros)).fault,
                         OTLP_FAULT_TRACE_ID);

        span = read_with_ids(fixture, pieces_field(pieces, 2, id));
        assert_int_equal(span.fault, lens[i] == 8 ? OTLP_FAULT_NONE : OTLP_FAULT_SPAN_ID);
        assert_int_equal(span.span_id != NULL, lens[i] == 8);
        assert_int_equal(read_with_ids(fixture, pieces_field(pieces, 2, zeros)).fault,
                         OTLP_FAULT_SPAN_ID);

        bool is_parent = lens[i] == 8 || lens[i] == 0;
        span = read_with_ids(fixture, pieces_field(pieces, 4, id));
        assert_int_equal(span.fault, is_parent ? OTLP_FAULT_NONE : OTLP_FAULT_PARENT_ID);
        assert_int_equal(span.parent_id != NULL, lens[i] == 8);
        span = read_with_ids(fixture, pieces_field(pieces, 4, zeros));
        assert_int_equal(span.fault, is_parent ? OTLP_FAULT_NONE : OTLP_FAULT_PARENT_ID);
        assert_null(span.parent_id); /* a root */
    }
    assert_int_equal(read_span(fixture, bytes_of(NULL, 0)).fault, OTLP_FAULT_TRACE_ID);
    assert_int_equal(
        read_span(fixture, pieces_field(pieces, 1, pieces_fill(pieces, 1, 16))).fault,
        OTLP_FAULT_SPAN_ID);
    /* One bit is enough not to be zero, wherever it is. */
    for (size_t i = 0; i < TRACE_ID_LEN; i++) {
        uint8_t id[TRACE_ID_LEN] = {0};
        id[i] = 0x80;
        assert_int_equal(
            read_with_ids(fixture, pieces_field(pieces, 1, bytes_of(id, 16))).fault,
            OTLP_FAULT_NONE);
    }
}

static void test_known_fields_must_have_their_type(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    const char *types = "?bbbbbvllbvbvbvbi"; /* by field number; see attribute_test.c */
    for (uint32_t field = 1; field <= 20; field++) {
        const struct {
            char type;
            struct bytes encoded;
        } each[] = {
            {'b', pieces_field(pieces, field, pieces_fill(pieces, 'x', field == 1 ? 16 : 8))},
            {'v', pieces_varint(pieces, field, 1)},
            {'l', pieces_fixed64(pieces, field, 1)},
            {'i', pieces_fixed32(pieces, field, 1)},
        };
        for (size_t i = 0; i < 4; i++) {
            bool is_message = field == 9 || field == 11 || field == 13 || field == 15;
            struct bytes encoded = is_message && i == 0
                                       ? pieces_field(pieces, field, bytes_of(NULL, 0))
                                       : each[i].encoded;
            bool fits = field > 16 || types[field] == each[i].type;
            assert_int_equal(read_with_ids(fixture, encoded).fault,
                             fits ? OTLP_FAULT_NONE : OTLP_FAULT_MALFORMED);
        }
    }
    /* Inside a status. */
    assert_int_equal(read_with_ids(fixture, BYTES_LITERAL("\x7a\x02\x10\x01")).fault,
                     OTLP_FAULT_MALFORMED);
    assert_int_equal(read_with_ids(fixture, BYTES_LITERAL("\x7a\x02\x1a\x00")).fault,
                     OTLP_FAULT_MALFORMED);
}

static void test_unknown_fields_are_passed_over(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes unknown =
        JOIN(pieces, pieces_varint(pieces, 17, 1), pieces_fixed64(pieces, 300, 1),
             pieces_fixed32(pieces, 70000, 1), pieces_field(pieces, 5000, BYTES_LITERAL("?")),
             pieces_field(pieces, 15, pieces_varint(pieces, 90, 1)));
    assert_int_equal(read_with_ids(fixture, unknown).fault, OTLP_FAULT_NONE);
    assert_int_equal(read_with_ids(fixture, BYTES_LITERAL("\x8b\x01\x8c\x01")).fault,
                     OTLP_FAULT_MALFORMED); /* a group */
}

static struct bytes attributes(struct pieces *pieces, size_t plain, size_t nested)
{
    struct bytes walked = JOIN(pieces, pieces_field(pieces, 1, BYTES_LITERAL("a")),
                               pieces_field(pieces, 2, pieces_deep(pieces, 2)));
    return JOIN(
        pieces,
        pieces_repeat(pieces, pieces_field(pieces, 9, pieces_pair(pieces, "k", "v")), plain),
        pieces_repeat(pieces, pieces_field(pieces, 9, walked), nested));
}

static void test_counts_are_limited_exactly(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    fixture->limits.attributes_max = 20;
    fixture->limits.events_max = 5;
    fixture->limits.links_max = 6;
    static const struct {
        size_t plain;
        size_t nested;
        enum otlp_fault fault;
    } cases[] = {
        {20, 0, OTLP_FAULT_NONE}, {21, 0, OTLP_FAULT_TOO_MANY_ATTRIBUTES},
        {0, 20, OTLP_FAULT_NONE}, {0, 21, OTLP_FAULT_TOO_MANY_ATTRIBUTES},
        {19, 1, OTLP_FAULT_NONE}, {20, 1, OTLP_FAULT_TOO_MANY_ATTRIBUTES},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes all = attributes(pieces, cases[i].plain, cases[i].nested);
        assert_int_equal(read_with_ids(fixture, all).fault, cases[i].fault);
        /* Other fields in between do not start the count anew. */
        struct bytes apart =
            JOIN(pieces, attributes(pieces, cases[i].plain, 0), pieces_varint(pieces, 6, 1),
                 attributes(pieces, 0, cases[i].nested));
        assert_int_equal(read_with_ids(fixture, apart).fault, cases[i].fault);
    }
    struct bytes event = pieces_field(pieces, 11, bytes_of(NULL, 0));
    struct bytes link = pieces_field(pieces, 13, bytes_of(NULL, 0));
    assert_int_equal(read_with_ids(fixture, pieces_repeat(pieces, event, 5)).fault,
                     OTLP_FAULT_NONE);
    assert_int_equal(read_with_ids(fixture, pieces_repeat(pieces, event, 6)).fault,
                     OTLP_FAULT_TOO_MANY_EVENTS);
    assert_int_equal(read_with_ids(fixture, pieces_repeat(pieces, link, 6)).fault,
                     OTLP_FAULT_NONE);
    assert_int_equal(read_with_ids(fixture, pieces_repeat(pieces, link, 7)).fault,
                     OTLP_FAULT_TOO_MANY_LINKS);
}

/* Events and links have counts of their own, and the limit holds for each. */
static void test_attributes_of_events_and_links(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    fixture->limits.attributes_max = 3;
    static const struct {
        uint32_t message;
        uint32_t field;
    } places[] = {{11, 3}, {13, 4}};
    for (size_t i = 0; i < 2; i++) {
        struct bytes one = pieces_field(pieces, places[i].field, pieces_pair(pieces, "k", "v"));
        struct bytes full =
            pieces_field(pieces, places[i].message, pieces_repeat(pieces, one, 3));
        struct bytes over =
            pieces_field(pieces, places[i].message, pieces_repeat(pieces, one, 4));
        struct bytes deep =
            pieces_field(pieces, places[i].message,
                         pieces_field(pieces, places[i].field,
                                      pieces_field(pieces, 2, pieces_deep(pieces, 33))));
        assert_int_equal(read_with_ids(fixture, pieces_repeat(pieces, full, 3)).fault,
                         OTLP_FAULT_NONE);
        assert_int_equal(read_with_ids(fixture, over).fault, OTLP_FAULT_TOO_MANY_ATTRIBUTES);
        assert_int_equal(read_with_ids(fixture, deep).fault, OTLP_FAULT_TOO_DEEP);
    }
}

static void test_sizes_are_limited_exactly(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes name = pieces_field(pieces, 5, pieces_fill(pieces, 'n', 300));
    fixture->limits.span_bytes_max = (uint32_t)(pieces_ids(pieces).len + name.len);
    assert_int_equal(read_with_ids(fixture, name).fault, OTLP_FAULT_NONE);
    fixture->limits.span_bytes_max--;
    assert_int_equal(read_with_ids(fixture, name).fault, OTLP_FAULT_SPAN_TOO_LARGE);

    fixture->limits = otlp_limits_default();
    fixture->limits.key_bytes_max = 10;
    fixture->limits.value_bytes_max = 8;
    const struct {
        const char *key;
        const char *value;
        enum otlp_fault fault;
    } cases[] = {
        {"1234567890", "12345678", OTLP_FAULT_NONE},
        {"12345678901", "12345678", OTLP_FAULT_KEY_TOO_LONG},
        {"1234567890", "123456789", OTLP_FAULT_VALUE_TOO_LONG},
        {"", "", OTLP_FAULT_NONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes field =
            pieces_field(pieces, 9, pieces_pair(pieces, cases[i].key, cases[i].value));
        assert_int_equal(read_with_ids(fixture, field).fault, cases[i].fault);
    }
}

static void test_hits_are_the_wanted_attributes(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes nested = JOIN(pieces, pieces_field(pieces, 1, BYTES_LITERAL("wanted")),
                               pieces_field(pieces, 2, pieces_deep(pieces, 3)));
    struct bytes backwards = JOIN(pieces, pieces_field(pieces, 2, BYTES_LITERAL("\x18\x07")),
                                  pieces_field(pieces, 1, BYTES_LITERAL("wanted")));
    struct otlp_span span = read_with_ids(
        fixture,
        JOIN(pieces, pieces_field(pieces, 9, pieces_pair(pieces, "wanted", "1")),
             pieces_field(pieces, 9, pieces_pair(pieces, "wantee", "2")),
             pieces_field(pieces, 9, nested), pieces_varint(pieces, 6, 1),
             pieces_field(pieces, 9, pieces_pair(pieces, "messaging.message.id", "3")),
             pieces_field(pieces, 9, backwards), pieces_field(pieces, 9, bytes_of(NULL, 0))));
    assert_int_equal(span.fault, OTLP_FAULT_NONE);
    assert_int_equal(span.hit_count, 4);
    const struct otlp_hit *hits = fixture->hits.at;
    assert_int_equal(hits[0].key, 0);
    assert_true(bytes_equal(hits[0].value, BYTES_LITERAL("\x0a\x01"
                                                         "1")));
    assert_int_equal(hits[1].key, 0);
    assert_true(bytes_equal(hits[1].value, pieces_deep(pieces, 3)));
    assert_int_equal(hits[2].key, 1);
    assert_int_equal(hits[3].key, 0);
    assert_true(bytes_equal(hits[3].value, BYTES_LITERAL("\x18\x07")));
    /* Attributes of events and links are none of the span's. */
    struct bytes event =
        pieces_field(pieces, 11, pieces_field(pieces, 3, pieces_pair(pieces, "wanted", "1")));
    assert_int_equal(read_with_ids(fixture, event).hit_count, 0);
}

/* The longest possible list of hits in the fewest bytes still has room. */
static void test_room_for_hits(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    uint16_t id;
    assert_int_equal(otlp_keys_add(fixture->keys, bytes_of(NULL, 0), &id), SB_OK);
    struct span_rules rules = {.attributes = attribute_rules_make(&fixture->limits),
                               .keys = fixture->keys};
    struct bytes all =
        JOIN(pieces, pieces_ids(pieces), pieces_repeat(pieces, BYTES_LITERAL("\x4a\x00"), 512));
    assert_true(span_hits_max(all, &rules) >= 512);
    assert_true(span_hits_max(bytes_of(NULL, 0), &rules) >= 1);
    assert_int_equal(read_span(fixture, all).hit_count, 512);
}

static void test_a_fault_leaves_no_hits(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes wanted = pieces_field(pieces, 9, pieces_pair(pieces, "wanted", "1"));
    struct otlp_span span = read_with_ids(fixture, JOIN(pieces, wanted, BYTES_LITERAL("\x0b")));
    assert_int_equal(span.fault, OTLP_FAULT_MALFORMED);
    assert_int_equal(fixture->hits.count, 0);
}

/* An attribute whose tag takes two bytes is one all the same. */
static void test_attributes_behind_long_tags(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes pair = pieces_pair(pieces, "wanted", "1");
    struct bytes len = pieces_fill(pieces, (uint8_t)pair.len, 1);
    struct bytes fields = JOIN(pieces, BYTES_LITERAL("\xca\x00"), len, pair,
                               BYTES_LITERAL("\xca\x00"), len, pair);
    assert_int_equal(read_with_ids(fixture, fields).hit_count, 2);
    fixture->limits.attributes_max = 1;
    assert_int_equal(read_with_ids(fixture, fields).fault, OTLP_FAULT_TOO_MANY_ATTRIBUTES);
}

static void test_reading_again(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct bytes raw =
        JOIN(pieces, pieces_ids(pieces), attributes(pieces, 3, 2),
             pieces_field(pieces, 5, BYTES_LITERAL("name")),
             pieces_repeat(pieces, pieces_field(pieces, 13, bytes_of(NULL, 0)), 3));
    struct otlp_span first = read_span(fixture, raw);
    struct otlp_span again;
    memset(&again, 0xa5, sizeof(again));
    otlp_scan_span(raw, &again);
    assert_int_equal(again.fault, OTLP_FAULT_NONE);
    assert_ptr_equal(again.trace_id, first.trace_id);
    assert_ptr_equal(again.span_id, first.span_id);
    assert_ptr_equal(again.name.at, first.name.at);
    assert_int_equal(again.link_count, 3);
    assert_int_equal(again.hit_count, 0);
    otlp_scan_span(BYTES_LITERAL("\x0b"), &again);
    assert_int_equal(again.fault, OTLP_FAULT_MALFORMED);
}

/* Text is passed on as it came. */
static void test_invalid_utf_8_is_no_fault(void **state)
{
    struct fixture *fixture = *state;
    struct pieces *pieces = &fixture->pieces;
    struct otlp_span span = read_with_ids(
        fixture, JOIN(pieces, pieces_field(pieces, 5, BYTES_LITERAL("\xff\xfe\0\xc0\x80")),
                      pieces_field(pieces, 9, pieces_pair(pieces, "\xed\xa0\x80", "\xff"))));
    assert_int_equal(span.fault, OTLP_FAULT_NONE);
    assert_int_equal(span.name.len, 5);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_all_fields),
        CASE(test_absent_fields_are_empty),
        CASE(test_the_last_scalar_counts),
        CASE(test_the_status_merges),
        CASE(test_unknown_enum_numbers),
        CASE(test_wrong_ids),
        CASE(test_known_fields_must_have_their_type),
        CASE(test_unknown_fields_are_passed_over),
        CASE(test_counts_are_limited_exactly),
        CASE(test_attributes_of_events_and_links),
        CASE(test_sizes_are_limited_exactly),
        CASE(test_hits_are_the_wanted_attributes),
        CASE(test_room_for_hits),
        CASE(test_a_fault_leaves_no_hits),
        CASE(test_attributes_behind_long_tags),
        CASE(test_reading_again),
        CASE(test_invalid_utf_8_is_no_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
