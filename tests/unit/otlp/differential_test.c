/*
 * Our reader and writer against protobuf-c, on random requests.
 */
#include <stdio.h>

#include "core/ids.h"
#include "oracle.h"
#include "otlp/scan.h"
#include "otlp/value.h"
#include "otlp/write.h"
#include "support/test.h"

enum { ROUNDS = 400, WANTED = 6, ARENA_BYTES_MAX = 64 << 20 };

struct fixture {
    struct arena arena;
    struct random random;
    struct otlp_keys *keys;
    struct otlp_scan *scan;
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    struct otlp_limits limits = otlp_limits_default();
    arena_init(&fixture->arena, ARENA_BYTES_MAX);
    random_init(&fixture->random, 5);
    assert_int_equal(otlp_keys_new(&fixture->keys), SB_OK);
    for (unsigned i = 0; i < WANTED; i++) {
        char key[40];
        uint16_t id;
        snprintf(key, sizeof(key), "messaging.key.%u", i);
        assert_int_equal(otlp_keys_add(fixture->keys, bytes_text(key), &id), SB_OK);
        assert_int_equal(id, i);
    }
    assert_int_equal(otlp_scan_new(&limits, fixture->keys, &fixture->scan), SB_OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    otlp_scan_free(fixture->scan);
    otlp_keys_free(fixture->keys);
    arena_clear(&fixture->arena);
    test_free(fixture);
    return 0;
}

static void scan(struct fixture *fixture, struct bytes encoded)
{
    enum otlp_fault fault = OTLP_FAULT_COUNT;
    assert_int_equal(otlp_scan_request(fixture->scan, encoded, &fault), SB_OK);
    assert_int_equal(fault, OTLP_FAULT_NONE);
}

static void same_text(struct bytes ours, const char *theirs)
{
    assert_true(bytes_equal(ours, bytes_text(theirs)));
}

static void same_data(const uint8_t *ours, size_t len, ProtobufCBinaryData theirs)
{
    if (theirs.len == 0) {
        assert_null(ours);
        return;
    }
    assert_int_equal(theirs.len, len);
    assert_memory_equal(ours, theirs.data, len);
}

static void same_value(struct bytes encoded, const oracle_any *theirs)
{
    struct otlp_value ours = otlp_value_read(encoded);
    assert_int_equal(ours.type, theirs == NULL ? 0 : (int)theirs->value_case);
    switch (ours.type) {
    case OTLP_VALUE_STRING:
        same_text(ours.bytes, theirs->string_value);
        break;
    case OTLP_VALUE_BOOL:
        assert_int_equal(ours.integer, theirs->bool_value);
        break;
    case OTLP_VALUE_INT:
        assert_true(ours.integer == theirs->int_value);
        break;
    case OTLP_VALUE_DOUBLE:
        assert_memory_equal(&ours.number, &theirs->double_value, sizeof(double));
        break;
    case OTLP_VALUE_BYTES:
        assert_int_equal(ours.bytes.len, theirs->bytes_value.len);
        assert_memory_equal(ours.bytes.at, theirs->bytes_value.data, ours.bytes.len);
        break;
    case OTLP_VALUE_ARRAY:
        assert_int_equal(ours.bytes.len,
                         protobuf_c_message_get_packed_size(&theirs->array_value->base));
        break;
    case OTLP_VALUE_MAP:
        assert_int_equal(ours.bytes.len,
                         protobuf_c_message_get_packed_size(&theirs->kvlist_value->base));
        break;
    case OTLP_VALUE_EMPTY:
        break;
    }
}

static void same_attributes(struct bytes message, uint32_t field, oracle_pair **pairs,
                            size_t count)
{
    struct otlp_attribute attribute;
    for (size_t i = 0; i < count; i++) {
        assert_true(otlp_attribute_next(&message, field, &attribute));
        same_text(attribute.key, pairs[i]->key);
        same_value(attribute.value, pairs[i]->value);
    }
    assert_false(otlp_attribute_next(&message, field, &attribute));
}

/* The hits are exactly the attributes with wanted keys, in their order. */
static void same_hits(const struct otlp_hit *hits, size_t hit_count, oracle_pair **pairs,
                      size_t count)
{
    size_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned number;
        assert_int_equal(sscanf(pairs[i]->key, "messaging.key.%u", &number), 1);
        if (number >= WANTED)
            continue;
        assert_true(seen < hit_count);
        assert_int_equal(hits[seen].key, number);
        same_value(hits[seen].value, pairs[i]->value);
        seen++;
    }
    assert_int_equal(seen, hit_count);
}

static void same_links(const struct otlp_span *ours, const oracle_span *theirs)
{
    struct bytes rest = ours->raw;
    struct otlp_link link;
    assert_int_equal(ours->link_count, theirs->n_links);
    for (size_t i = 0; i < theirs->n_links; i++) {
        assert_true(otlp_link_next(&rest, &link));
        same_data(link.trace_id, TRACE_ID_LEN, theirs->links[i]->trace_id);
        same_data(link.span_id, SPAN_ID_LEN, theirs->links[i]->span_id);
        same_text(link.trace_state, theirs->links[i]->trace_state);
        assert_true(link.flags == theirs->links[i]->flags);
        same_attributes(link.raw, 4, theirs->links[i]->attributes,
                        theirs->links[i]->n_attributes);
    }
    assert_false(otlp_link_next(&rest, &link));
}

static void same_span(const struct otlp_span *ours, const oracle_span *theirs)
{
    assert_int_equal(ours->fault, OTLP_FAULT_NONE);
    same_data(ours->trace_id, TRACE_ID_LEN, theirs->trace_id);
    same_data(ours->span_id, SPAN_ID_LEN, theirs->span_id);
    same_data(ours->parent_id, SPAN_ID_LEN, theirs->parent_span_id);
    same_text(ours->name, theirs->name);
    same_text(ours->trace_state, theirs->trace_state);
    assert_true(ours->start_ns == theirs->start_time_unix_nano);
    assert_true(ours->end_ns == theirs->end_time_unix_nano);
    assert_true(ours->flags == theirs->flags);
    assert_int_equal(ours->kind, theirs->kind);
    assert_int_equal(ours->status, theirs->status == NULL ? 0 : (int)theirs->status->code);
    same_attributes(ours->raw, OTLP_SPAN_ATTRIBUTES, theirs->attributes, theirs->n_attributes);
    same_links(ours, theirs);
}

struct resource_walk {
    const struct otlp_keys *keys;
    struct otlp_hit hits[16];
    size_t count;
};

static void on_resource_hit(void *arg, const struct otlp_hit *hit)
{
    struct resource_walk *walk = arg;
    assert_true(walk->count < 16);
    walk->hits[walk->count++] = *hit;
}

static void same_envelope(struct fixture *fixture, const struct otlp_envelope *ours,
                          const oracle_resource_spans *around, const oracle_scope_spans *theirs)
{
    assert_int_equal(ours->fault, OTLP_FAULT_NONE);
    struct bytes name;
    struct bytes version;
    otlp_scan_scope(ours->scope_fields, &name, &version);
    same_text(name, theirs->scope == NULL ? "" : theirs->scope->name);
    same_text(version, theirs->scope == NULL ? "" : theirs->scope->version);
    struct resource_walk walk = {.keys = fixture->keys};
    otlp_scan_resource(ours->resource_fields, fixture->keys, on_resource_hit, &walk);
    if (around->resource != NULL)
        same_hits(walk.hits, walk.count, around->resource->attributes,
                  around->resource->n_attributes);
    else
        assert_int_equal(walk.count, 0);
}

/* Goes through both side by side; envelopes without spans are ours to leave out. */
static void same_request(struct fixture *fixture, const oracle_request *request)
{
    uint32_t span_count;
    uint32_t envelope_count;
    const struct otlp_span *spans = otlp_scan_spans(fixture->scan, &span_count);
    const struct otlp_envelope *envelopes = otlp_scan_envelopes(fixture->scan, &envelope_count);
    const struct otlp_hit *hits = otlp_scan_hits(fixture->scan);
    uint32_t at = 0;
    uint32_t envelope = 0;
    for (size_t i = 0; i < request->n_resource_spans; i++) {
        const oracle_resource_spans *resource_spans = request->resource_spans[i];
        for (size_t j = 0; j < resource_spans->n_scope_spans; j++) {
            const oracle_scope_spans *scope_spans = resource_spans->scope_spans[j];
            if (scope_spans->n_spans == 0)
                continue;
            same_envelope(fixture, &envelopes[envelope], resource_spans, scope_spans);
            for (size_t k = 0; k < scope_spans->n_spans; k++, at++) {
                assert_true(at < span_count);
                assert_int_equal(spans[at].envelope, envelope);
                same_span(&spans[at], scope_spans->spans[k]);
                same_hits(hits + spans[at].first_hit, spans[at].hit_count,
                          scope_spans->spans[k]->attributes,
                          scope_spans->spans[k]->n_attributes);
            }
            envelope++;
        }
    }
    assert_int_equal(at, span_count);
    assert_int_equal(envelope, envelope_count);
}

static void test_the_scan_sees_what_was_packed(void **state)
{
    struct fixture *fixture = *state;
    uint64_t spans = 0;
    for (int round = 0; round < ROUNDS; round++) {
        arena_clear(&fixture->arena);
        oracle_request *request = oracle_random(&fixture->arena, &fixture->random);
        scan(fixture, oracle_pack(&fixture->arena, request));
        same_request(fixture, request);
        uint32_t count;
        otlp_scan_spans(fixture->scan, &count);
        spans += count;
    }
    assert_true(spans > ROUNDS);
}

/* The request that the scan's results make, written by us, unpacked by them. */
static oracle_request *rewrite(struct fixture *fixture, struct text *out)
{
    uint32_t count;
    uint32_t envelope_count;
    const struct otlp_span *spans = otlp_scan_spans(fixture->scan, &count);
    const struct otlp_envelope *envelopes = otlp_scan_envelopes(fixture->scan, &envelope_count);
    struct otlp_request_span *written =
        arena_alloc(&fixture->arena, (count + 1) * sizeof(*written));
    assert_non_null(written);
    for (uint32_t i = 0; i < count; i++)
        written[i] = (struct otlp_request_span){&envelopes[spans[i].envelope], spans[i].raw};
    otlp_write_request(out, written, count);
    assert_int_equal(out->error, SB_OK);
    return oracle_unpack(text_bytes(out));
}

static void expect_equal(struct arena *arena, const ProtobufCMessage *a,
                         const ProtobufCMessage *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a == NULL)
        return;
    size_t len = protobuf_c_message_get_packed_size(a);
    assert_int_equal(protobuf_c_message_get_packed_size(b), len);
    uint8_t *packed = arena_alloc(arena, 2 * len + 1);
    assert_non_null(packed);
    protobuf_c_message_pack(a, packed);
    protobuf_c_message_pack(b, packed + len);
    assert_memory_equal(packed, packed + len, len);
}

static void test_what_is_written_unpacks_equal(void **state)
{
    struct fixture *fixture = *state;
    struct text out;
    text_init(&out, 16 << 20);
    for (int round = 0; round < ROUNDS; round++) {
        arena_clear(&fixture->arena);
        text_reset(&out);
        oracle_request *request = oracle_random(&fixture->arena, &fixture->random);
        scan(fixture, oracle_pack(&fixture->arena, request));
        oracle_request *again = rewrite(fixture, &out);
        /* Ours has one ResourceSpans for each ScopeSpans that has spans. */
        size_t at = 0;
        for (size_t i = 0; i < request->n_resource_spans; i++) {
            const oracle_resource_spans *theirs = request->resource_spans[i];
            for (size_t j = 0; j < theirs->n_scope_spans; j++) {
                if (theirs->scope_spans[j]->n_spans == 0)
                    continue;
                assert_true(at < again->n_resource_spans);
                const oracle_resource_spans *ours = again->resource_spans[at++];
                assert_string_equal(ours->schema_url, theirs->schema_url);
                assert_int_equal(ours->n_scope_spans, 1);
                expect_equal(&fixture->arena, (const ProtobufCMessage *)ours->resource,
                             (const ProtobufCMessage *)theirs->resource);
                expect_equal(&fixture->arena, &ours->scope_spans[0]->base,
                             &theirs->scope_spans[j]->base);
            }
        }
        assert_int_equal(at, again->n_resource_spans);
        spanbridge__oracle__export_trace_service_request__free_unpacked(again, NULL);
    }
    text_clear(&out);
}

static void test_patched_spans_unpack_as_meant(void **state)
{
    struct fixture *fixture = *state;
    struct text out;
    text_init(&out, 1 << 20);
    for (int round = 0; round < ROUNDS; round++) {
        arena_clear(&fixture->arena);
        oracle_request *request = oracle_random(&fixture->arena, &fixture->random);
        scan(fixture, oracle_pack(&fixture->arena, request));
        uint32_t count;
        const struct otlp_span *spans = otlp_scan_spans(fixture->scan, &count);
        for (uint32_t i = 0; i < count; i++) {
            struct trace_id trace;
            struct span_id parent;
            random_fill(&fixture->random, trace.byte, sizeof(trace.byte));
            random_fill(&fixture->random, parent.byte, sizeof(parent.byte));
            text_reset(&out);
            text_append(&out, spans[i].raw);
            otlp_patch_trace_id(&out, trace);
            otlp_patch_parent_id(&out, parent);
            otlp_patch_flags(&out, 0x301);
            otlp_write_string_attribute(&out, OTLP_SPAN_ATTRIBUTES,
                                        BYTES_LITERAL("spanbridge.repair"),
                                        BYTES_LITERAL("link"));
            otlp_write_link(&out, trace, parent, 0x100, BYTES_LITERAL("a=b"),
                            bytes_of(NULL, 0));
            assert_int_equal(out.error, SB_OK);

            oracle_span *patched =
                spanbridge__oracle__span__unpack(NULL, out.len, (const uint8_t *)out.at);
            assert_non_null(patched);
            assert_memory_equal(patched->trace_id.data, trace.byte, TRACE_ID_LEN);
            assert_memory_equal(patched->parent_span_id.data, parent.byte, SPAN_ID_LEN);
            assert_int_equal(patched->flags, 0x301);
            assert_int_equal(patched->n_links, spans[i].link_count + 1u);
            const oracle_link *link = patched->links[patched->n_links - 1];
            assert_memory_equal(link->span_id.data, parent.byte, SPAN_ID_LEN);
            assert_string_equal(link->trace_state, "a=b");
            assert_int_equal(link->flags, 0x100);
            assert_string_equal(
                patched->attributes[patched->n_attributes - 1]->value->string_value, "link");
            struct otlp_span again;
            otlp_scan_span(text_bytes(&out), &again);
            same_span(&again, patched);
            spanbridge__oracle__span__free_unpacked(patched, NULL);
        }
    }
    text_clear(&out);
}

/*
 * Where a broken request is read by both, both read the same; we refuse more than they do
 * (limits, wrong wire types, ids), but never the other way round.
 */
static void test_what_we_take_they_take(void **state)
{
    struct fixture *fixture = *state;
    uint64_t taken = 0;
    for (int round = 0; round < ROUNDS * 20; round++) {
        if (round % 20 == 0)
            arena_clear(&fixture->arena);
        oracle_request *request = oracle_random(&fixture->arena, &fixture->random);
        struct bytes encoded = oracle_pack(&fixture->arena, request);
        if (encoded.len == 0)
            continue;
        ((uint8_t *)encoded.at)[random_below(&fixture->random, encoded.len)] ^=
            (uint8_t)(1 << random_below(&fixture->random, 8));
        enum otlp_fault fault;
        assert_int_equal(otlp_scan_request(fixture->scan, encoded, &fault), SB_OK);
        if (fault != OTLP_FAULT_NONE)
            continue;
        uint32_t count;
        const struct otlp_span *spans = otlp_scan_spans(fixture->scan, &count);
        for (uint32_t i = 0; i < count; i++) {
            if (spans[i].fault != OTLP_FAULT_NONE)
                continue;
            oracle_span *theirs =
                spanbridge__oracle__span__unpack(NULL, spans[i].raw.len, spans[i].raw.at);
            assert_non_null(theirs);
            spanbridge__oracle__span__free_unpacked(theirs, NULL);
            taken++;
        }
    }
    assert_true(taken > ROUNDS);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_the_scan_sees_what_was_packed),
        CASE(test_what_is_written_unpacks_equal),
        CASE(test_patched_spans_unpack_as_meant),
        CASE(test_what_we_take_they_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
