#include "lexer.h"

#include <string.h>

#include "memory_files.h"
#include "support/test.h"

struct fixture {
    struct config_report report;
    struct source source;
    struct config_files files;
    struct memory_file list[2];
    struct lexer lexer;
};

static void open_text(struct fixture *fixture, const char *content)
{
    *fixture = (struct fixture){.list = {{"f", content}, {NULL, NULL}}};
    fixture->files = memory_files(fixture->list);
    config_report_init(&fixture->report);
    assert_int_equal(source_load(&fixture->source, "f", &fixture->files, &fixture->report),
                     SB_OK);
    lexer_init(&fixture->lexer, &fixture->source);
}

static void close_text(struct fixture *fixture)
{
    source_clear(&fixture->source);
    config_report_clear(&fixture->report);
}

static void expect_next(struct fixture *fixture, bool value, enum lexer_token token,
                        const char *text)
{
    assert_int_equal(lexer_next(&fixture->lexer, value), token);
    struct bytes found = lexer_token_bytes(&fixture->lexer);
    assert_int_equal(found.len, strlen(text));
    assert_memory_equal(found.at, text, found.len);
}

static void test_tokens(void **state)
{
    (void)state;
    struct fixture fixture;
    open_text(&fixture, "name:\"a\\\"b\"  5,5L;1.5 true {(\n[]) }other-name_*9=x");
    expect_next(&fixture, false, LEXER_WORD, "name");
    expect_next(&fixture, false, LEXER_EQUALS, ":");
    expect_next(&fixture, true, LEXER_STRING, "\"a\\\"b\"");
    assert_int_equal(lexer_peek(&fixture.lexer), '5');
    expect_next(&fixture, true, LEXER_INTEGER, "5");
    expect_next(&fixture, true, LEXER_COMMA, ",");
    expect_next(&fixture, true, LEXER_LONG, "5L");
    expect_next(&fixture, true, LEXER_SEMICOLON, ";");
    expect_next(&fixture, true, LEXER_FLOAT, "1.5");
    expect_next(&fixture, true, LEXER_BOOLEAN, "true");
    expect_next(&fixture, true, LEXER_OPEN, "{");
    expect_next(&fixture, true, LEXER_OPEN, "(");
    expect_next(&fixture, true, LEXER_OPEN, "[");
    assert_int_equal(fixture.lexer.spot.line, 2);
    assert_int_equal(fixture.lexer.spot.column, 1);
    expect_next(&fixture, true, LEXER_CLOSE, "]");
    expect_next(&fixture, true, LEXER_CLOSE, ")");
    expect_next(&fixture, true, LEXER_CLOSE, "}");
    expect_next(&fixture, false, LEXER_WORD, "other-name_*9");
    expect_next(&fixture, false, LEXER_EQUALS, "=");
    assert_int_equal(fixture.report.count, 0);
    assert_int_equal(lexer_next(&fixture.lexer, true), LEXER_BAD);
    assert_int_equal(lexer_next(&fixture.lexer, true), LEXER_END);
    assert_int_equal(lexer_peek(&fixture.lexer), '\0');
    close_text(&fixture);
}

/* Columns count characters. */
static void test_columns(void **state)
{
    (void)state;
    struct fixture fixture;
    open_text(&fixture, "a = \"\xc3\xa9\xe2\x82\xac\" b");
    expect_next(&fixture, false, LEXER_WORD, "a");
    assert_int_equal(fixture.lexer.spot.column, 1);
    expect_next(&fixture, false, LEXER_EQUALS, "=");
    lexer_next(&fixture.lexer, true);
    assert_int_equal(fixture.lexer.spot.column, 5);
    expect_next(&fixture, false, LEXER_WORD, "b");
    assert_int_equal(fixture.lexer.spot.column, 10);
    close_text(&fixture);
}

/* What is wrong becomes something of the same length that libconfig can read. */
static void test_repairs(void **state)
{
    (void)state;
    static const char *const examples[][2] = {
        {"yes", "\"\" "},
        {"4GB", "\"\" "},
        {"x", "0"},
        {"'a b'", "\"\"   "},
        {"\xe2\x80\x9c"
         "a\xe2\x80\x9d",
         "\"\"     "},
        {"${HOME}", "\"\"     "},
        {"5000000000", "\"\"        "},
        {"\"open", "\"\"   "},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        struct fixture fixture;
        open_text(&fixture, examples[i][0]);
        expect_next(&fixture, true, LEXER_BAD, examples[i][1]);
        assert_int_equal(fixture.report.errors, 1);
        assert_int_equal(lexer_next(&fixture.lexer, true), LEXER_END);
        close_text(&fixture);
    }
}

static void test_odd_spaces(void **state)
{
    (void)state;
    static const char *const examples[] = {"\xc2\xa0", "\xe2\x80\x8b", "\xe3\x80\x80",
                                           "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        struct fixture fixture;
        char content[64] = "a";
        strncat(content, examples[i], 10);
        strncat(content, "= 1\nb", 10);
        open_text(&fixture, content);
        expect_next(&fixture, false, LEXER_WORD, "a");
        expect_next(&fixture, false, LEXER_EQUALS, "=");
        expect_next(&fixture, true, LEXER_INTEGER, "1");
        expect_next(&fixture, false, LEXER_WORD, "b");
        assert_int_equal(fixture.report.errors, 1);
        assert_int_equal(fixture.report.items[0].column, 2);
        assert_non_null(strstr(fixture.report.items[0].text, "stands here"));
        close_text(&fixture);
    }
}

/* Only the first error of a line is told; the others mostly follow from it. */
static void test_one_error_a_line(void **state)
{
    (void)state;
    struct fixture fixture;
    open_text(&fixture, "yes no maybe\nperhaps");
    for (int i = 0; i < 4; i++)
        assert_int_equal(lexer_next(&fixture.lexer, true), LEXER_BAD);
    assert_int_equal(fixture.report.errors, 2);
    close_text(&fixture);
}

static void test_tab_in_text(void **state)
{
    (void)state;
    struct fixture fixture;
    open_text(&fixture, "\"a\tb\"\t\"c\x01\"");
    expect_next(&fixture, true, LEXER_STRING, "\"a\tb\"");
    assert_int_equal(fixture.report.warnings, 1);
    assert_int_equal(fixture.report.errors, 0);
    assert_string_equal(fixture.report.items[0].text, "a tab stands inside text");
    lexer_next(&fixture.lexer, true);
    assert_int_equal(fixture.report.errors, 1);
    close_text(&fixture);
}

struct escape_example {
    const char *text;
    const char *error; /* NULL: none */
};

static void test_escapes(void **state)
{
    (void)state;
    static const struct escape_example examples[] = {
        {"\"\\n\\r\\t\\f\\\\\\\"\\x41\\X7e\"", NULL},
        {"\"\\d\"", "\\d is no escape in text"},
        {"\"\\a\"", "\\a is no escape in text"}, /* of libconfig 1.7, not of 1.5 */
        {"\"\\x00\"", "text can not hold a NUL byte"},
        {"\"\\x4\"", "\\x needs two hexadecimal digits"},
        {"\"\\xg0\"", "\\x needs two hexadecimal digits"},
        {"\"\\ \"", "a backslash stands alone in text"},
        {"\"\\\xc3\xa9\"", "a backslash stands alone in text"},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        struct fixture fixture;
        open_text(&fixture, examples[i].text);
        assert_int_equal(lexer_next(&fixture.lexer, true), LEXER_STRING);
        assert_int_equal(lexer_next(&fixture.lexer, true), LEXER_END);
        assert_int_equal(fixture.report.errors, examples[i].error != NULL);
        if (examples[i].error != NULL)
            assert_string_equal(fixture.report.items[0].text, examples[i].error);
        close_text(&fixture);
    }
}

static void test_open_quote(void **state)
{
    (void)state;
    struct fixture fixture;
    open_text(&fixture, "\"one\nb \"two\\\"\nc");
    assert_int_equal(lexer_next(&fixture.lexer, true), LEXER_BAD);
    expect_next(&fixture, false, LEXER_WORD, "b");
    assert_int_equal(lexer_next(&fixture.lexer, true), LEXER_BAD);
    expect_next(&fixture, false, LEXER_WORD, "c");
    assert_int_equal(fixture.report.count, 2);
    assert_int_equal(fixture.report.items[0].line, 1);
    assert_int_equal(fixture.report.items[0].column, 1);
    assert_int_equal(fixture.report.items[1].line, 2);
    assert_int_equal(fixture.report.items[1].column, 3);
    close_text(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),           cmocka_unit_test(test_columns),
        cmocka_unit_test(test_repairs),          cmocka_unit_test(test_odd_spaces),
        cmocka_unit_test(test_one_error_a_line), cmocka_unit_test(test_tab_in_text),
        cmocka_unit_test(test_escapes),          cmocka_unit_test(test_open_quote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
