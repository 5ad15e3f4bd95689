#include "fixture.h"

#include "otlp/scan.h"
#include "otlp/write.h"

static void test_a_checkout_is_read_back(void **state)
{
    (void)state;
    struct shop_checkout checkout = fixture_showpiece();
    struct seen_list list;
    fixture_see(&checkout, &list);
    assert_int_equal(list.count, checkout.span_count);
    for (uint32_t i = 0; i < checkout.span_count; i++) {
        const struct shop_span *span = &checkout.spans[i];
        const struct seen_span *seen = seen_list_find(&list, span->span_id);
        assert_non_null(seen);
        assert_string_equal(seen->name, span->name);
        assert_string_equal(seen->service, shop_service_names[span->service]);
        assert_int_equal(seen->failed, span->failed);
        assert_int_equal(seen->kind, span->kind);
        assert_true(seen->start_ns == span->start_ns && seen->end_ns == span->end_ns);
        assert_int_equal(span_id_is_zero(seen->parent_id), span->parent == SHOP_NONE);
        assert_string_equal(seen->rule, "");
    }
}

/* A span as spanbridge patches it. */
static void test_repairs_are_read(void **state)
{
    (void)state;
    static const uint8_t id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    struct text body;
    struct text request;
    text_init(&body, 4096);
    text_init(&request, 4096);
    otlp_write_bytes_field(&body, OTLP_SPAN_TRACE_ID, bytes_of(id, 16));
    otlp_write_bytes_field(&body, OTLP_SPAN_SPAN_ID, bytes_of(id, 8));
    const struct {
        const char *key;
        const char *value;
    } texts[] = {{"spanbridge.repair.rule", "link"},
                 {"spanbridge.repair.action", "parent"},
                 {"spanbridge.repair.evidence", "link to 0102"},
                 {"spanbridge.policy", "errors"}};
    for (size_t i = 0; i < 4; i++)
        otlp_write_string_attribute(&body, OTLP_SPAN_ATTRIBUTES, bytes_text(texts[i].key),
                                    bytes_text(texts[i].value));
    otlp_write_bool_attribute(&body, OTLP_SPAN_ATTRIBUTES,
                              BYTES_LITERAL("spanbridge.synthetic"), true);
    struct otlp_envelope envelope = {0};
    struct otlp_request_span span = {&envelope, text_bytes(&body)};
    otlp_write_request(&request, &span, 1);
    struct seen_list list = {.count = 0};
    assert_int_equal(fixture_read(&list, SHOP_WEB, text_bytes(&request), 1), SB_OK);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.spans[0].rule, "link");
    assert_string_equal(list.spans[0].action, "parent");
    assert_string_equal(list.spans[0].evidence, "link to 0102");
    assert_string_equal(list.spans[0].policy, "errors");
    assert_true(list.spans[0].synthetic);
    text_clear(&body);
    text_clear(&request);
}

static void test_garbage_is_refused(void **state)
{
    (void)state;
    struct seen_reader *reader;
    struct seen_list list = {.count = 0};
    assert_int_equal(seen_reader_new(&reader), SB_OK);
    assert_int_equal(seen_read(reader, BYTES_LITERAL("\x0a\x7f"), fixture_keep, &list),
                     SB_ERR_INPUT);
    assert_int_equal(seen_read(reader, bytes_of(NULL, 0), fixture_keep, &list), SB_OK);
    assert_int_equal(list.count, 0);
    seen_reader_free(reader);
    seen_reader_free(NULL);
}

static void test_list_is_bounded_and_without_doubles(void **state)
{
    (void)state;
    struct seen_list list = {.count = 0};
    for (uint32_t i = 0; i < SEEN_SPANS_MAX; i++) {
        struct seen_span span = fixture_span(1, (uint8_t)(i + 1), 0, i, 1);
        assert_true(seen_list_add(&list, &span));
        assert_true(seen_list_add(&list, &span));
        assert_int_equal(list.count, i + 1);
    }
    struct seen_span more = fixture_span(1, 200, 0, 0, 1);
    assert_false(seen_list_add(&list, &more));
    assert_true(seen_list_start_ns(&list) == FIXTURE_NOW_NS);
    assert_true(seen_list_end_ns(&list) == FIXTURE_NOW_NS + SEEN_SPANS_MAX * NS_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_checkout_is_read_back),
        cmocka_unit_test(test_repairs_are_read),
        cmocka_unit_test(test_garbage_is_refused),
        cmocka_unit_test(test_list_is_bounded_and_without_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
