#include "core/text.h"

#include <string.h>

#include "core/memory.h"
#include "support/random.h"
#include "support/test.h"

static void test_an_empty_text(void **state)
{
    (void)state;
    struct text text;
    text_init(&text, 10);
    assert_string_equal(text_string(&text), "");
    assert_int_equal(text_bytes(&text).len, 0);
    text_reset(&text);
    text_append(&text, bytes_of(NULL, 0));
    assert_string_equal(text_string(&text), "");
    assert_int_equal(text.error, SB_OK);
    text_clear(&text);
}

static void test_every_append(void **state)
{
    (void)state;
    struct text text;
    text_init(&text, 1000);
    text_append(&text, BYTES_LITERAL("a\0b"));
    text_append_text(&text, "cd");
    text_append_char(&text, 'e');
    text_printf(&text, "%d-%s", 42, "f");
    uint8_t *at = text_grow(&text, 2);
    assert_non_null(at);
    memcpy(at, "gh", 2);
    assert_true(bytes_equal(text_bytes(&text), BYTES_LITERAL("a\0bcde42-fgh")));
    assert_int_equal(text_string(&text)[text.len], '\0');
    assert_int_equal(text.error, SB_OK);
    text_clear(&text);
    assert_null(text.at);
    assert_int_equal(text.len_max, 1000);
}

static void test_the_cap_is_exact_and_the_error_sticks(void **state)
{
    (void)state;
    for (size_t len_max = 0; len_max < 200; len_max++) {
        struct text text;
        text_init(&text, len_max);
        for (size_t i = 0; i < len_max; i++)
            text_append_char(&text, 'x');
        assert_int_equal(text.error, SB_OK);
        assert_int_equal(text.len, len_max);
        assert_true(text.room <= len_max + 1);
        text_append_char(&text, 'y');
        assert_int_equal(text.error, SB_ERR_LIMIT);
        text_append(&text, bytes_of(NULL, 0));
        text_printf(&text, "%s", "");
        assert_null(text_grow(&text, 0));
        assert_int_equal(text.error, SB_ERR_LIMIT);
        assert_int_equal(text.len, len_max);
        assert_null(memchr(text_string(&text), 'y', text.len + 1));
        text_reset(&text);
        assert_int_equal(text.error, SB_OK);
        assert_string_equal(text_string(&text), "");
        text_clear(&text);
    }
}

static void test_printf_stops_at_the_cap(void **state)
{
    (void)state;
    struct text text;
    text_init(&text, 5);
    text_printf(&text, "%s", "12345");
    assert_int_equal(text.error, SB_OK);
    text_reset(&text);
    text_append_text(&text, "1");
    text_printf(&text, "%s", "23456");
    assert_int_equal(text.error, SB_ERR_LIMIT);
    assert_string_equal(text_string(&text), "1");
    text_clear(&text);
}

static void test_without_a_cap_huge_requests_are_refused(void **state)
{
    (void)state;
    struct text text;
    text_init(&text, SIZE_MAX);
    text_append_text(&text, "abc");
    assert_null(text_grow(&text, SIZE_MAX - 3));
    assert_int_equal(text.error, SB_ERR_LIMIT);
    assert_string_equal(text_string(&text), "abc");
    text_clear(&text);
}

static void test_random_appends_against_a_model(void **state)
{
    (void)state;
    static char model[70000];
    size_t len = 0;
    struct random random;
    random_init(&random, 21);
    struct text text;
    text_init(&text, sizeof(model));
    while (len + 300 < sizeof(model)) {
        char piece[300];
        size_t piece_len = random_below(&random, sizeof(piece));
        random_fill(&random, piece, piece_len);
        text_append(&text, bytes_of(piece, piece_len));
        memcpy(model + len, piece, piece_len);
        len += piece_len;
        assert_int_equal(text.len, len);
    }
    assert_memory_equal(text.at, model, len);
    uint64_t warm = memory_allocations();
    text_reset(&text);
    text_append(&text, bytes_of(model, len));
    assert_int_equal(memory_allocations(), warm);
    text_clear(&text);
}

static void test_memory_shortage_keeps_what_was_there(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 5; nth++) {
        struct text text;
        text_init(&text, SIZE_MAX);
        memory_fail_at(nth);
        size_t len = 0;
        while (text.error == SB_OK) {
            text_append_text(&text, "0123456789");
            if (text.error == SB_OK)
                len += 10;
        }
        memory_fail_at(0);
        assert_int_equal(text.error, SB_ERR_MEMORY);
        assert_int_equal(text.len, len);
        assert_int_equal(strlen(text_string(&text)), len);
        text_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_text),
        cmocka_unit_test(test_every_append),
        cmocka_unit_test(test_the_cap_is_exact_and_the_error_sticks),
        cmocka_unit_test(test_printf_stops_at_the_cap),
        cmocka_unit_test(test_without_a_cap_huge_requests_are_refused),
        cmocka_unit_test(test_random_appends_against_a_model),
        cmocka_unit_test(test_memory_shortage_keeps_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
