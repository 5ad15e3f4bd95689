#include "json_bound.h"

#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "json_schema.h"
#include "support/test.h"

/* Copies the text to `at`, with its NUL; where the NUL stands. */
static char *put(char *at, const char *text)
{
    size_t len = strlen(text);
    memcpy(at, text, len + 1);
    return at + len;
}

/* `head`, `count` times `item`, `tail`. */
static char *repeat(const char *head, const char *item, size_t count, const char *tail)
{
    size_t len = strlen(item);
    char *text = malloc(strlen(head) + len * count + strlen(tail) + 1);
    assert_non_null(text);
    char *at = put(text, head);
    for (size_t i = 0; i < count; i++, at += len)
        memcpy(at, item, len);
    put(at, tail);
    return text;
}

static enum otlp_fault check(const char *head, const char *item, size_t count, const char *tail)
{
    char *text = repeat(head, item, count, tail);
    enum otlp_fault fault = json_bound_check(bytes_text(text));
    free(text);
    return fault;
}

static void test_depth(void **state)
{
    (void)state;
    assert_int_equal(check("", "[", SCHEMA_JSON_DEPTH_MAX, ""), OTLP_FAULT_NONE);
    assert_int_equal(check("", "[", SCHEMA_JSON_DEPTH_MAX + 1, ""), OTLP_FAULT_TOO_DEEP);
    assert_int_equal(check("", "{\"a\":", SCHEMA_JSON_DEPTH_MAX + 1, ""), OTLP_FAULT_TOO_DEEP);
    assert_int_equal(check("", "[]", 50000, ""), OTLP_FAULT_NONE);
    assert_int_equal(check("]]]]", "[", SCHEMA_JSON_DEPTH_MAX + 1, ""), OTLP_FAULT_TOO_DEEP);
    assert_int_equal(check("", "[", 10000000, ""), OTLP_FAULT_TOO_DEEP);
}

/* Brackets and commas in strings are text. */
static void test_strings(void **state)
{
    (void)state;
    assert_int_equal(check("[\"", "[", 100000, "\"]"), OTLP_FAULT_NONE);
    assert_int_equal(check("[\"\\\"", "{", 100000, "\"]"), OTLP_FAULT_NONE);
    assert_int_equal(check("[\"\\\\\"", "[", 1000, "\"]"), OTLP_FAULT_TOO_DEEP);
    assert_int_equal(check("[\"", ",", 1000000, "\"]"), OTLP_FAULT_NONE);
    assert_int_equal(check("[\"", "[", 1000, ""), OTLP_FAULT_NONE); /* never ends */
    assert_int_equal(json_bound_check(BYTES_LITERAL("\"\\")), OTLP_FAULT_NONE);
    assert_int_equal(json_bound_check(bytes_of(NULL, 0)), OTLP_FAULT_NONE);
}

static size_t held(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* The estimate is one from above: the parser takes no more, whatever the items are. */
static void test_the_parser_takes_no_more(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* sanitizers have an allocator of their own */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    skip();
#endif
#endif
    static const char *const items[] = {
        "{},",  "[],",   "1,",   "\"\",", "\"ab\",", "{\"a\":1},", "{\"a\":\"b\",\"c\":\"d\"},",
        "1.5,", "[[]],", "[1],", "true,",
    };
    enum { COUNT = 40000 };
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        char *text = repeat("[", items[i], COUNT, "0]");
        uint64_t estimate = 0;
        for (const char *at = text; *at != '\0'; at++) {
            if (*at == '{' || *at == '[')
                estimate += JSON_BOUND_CONTAINER_BYTES + JSON_BOUND_ITEM_BYTES;
            else if (*at == ',')
                estimate += JSON_BOUND_ITEM_BYTES;
        }
        json_error_t error;
        size_t before = held();
        json_t *root = json_loads(text, 0, &error);
        assert_non_null(root);
        assert_true(held() - before <= estimate);
        json_decref(root);
        free(text);
    }
}

static void test_amplification(void **state)
{
    (void)state;
    assert_int_equal(check("[", "{},", 50000, "0]"), OTLP_FAULT_NONE); /* small ones are free */
    assert_int_equal(check("[", "{},", 3000000, "0]"), OTLP_FAULT_RECORD_TOO_LARGE);
    assert_int_equal(check("[", "0,", 3000000, "0]"), OTLP_FAULT_RECORD_TOO_LARGE);
    /* 16 MiB of attributes as they are. */
    assert_int_equal(
        check("[", "{\"key\":\"messaging.system\",\"value\":{\"stringValue\":\"kafka\"}},",
              280000, "0]"),
        OTLP_FAULT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_the_parser_takes_no_more),
        cmocka_unit_test(test_amplification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
