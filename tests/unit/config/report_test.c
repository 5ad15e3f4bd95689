#include "report.h"

#include <string.h>

#include "core/memory.h"
#include "support/test.h"

static void expect_text(const struct config_report *report, bool colour, const char *expected)
{
    struct text out;
    text_init(&out, 1 << 20);
    config_report_text(report, colour, &out);
    assert_string_equal(text_string(&out), expected);
    text_clear(&out);
}

static struct place at_line(struct place file, uint32_t line, uint32_t column)
{
    file.line = line;
    file.column = column;
    return file;
}

static void test_order(void **state)
{
    (void)state;
    struct config_report report;
    config_report_init(&report);
    struct place b = report_file(&report, "b");
    struct place a = report_file(&report, "a");
    report_error(&report, at_line(a, 2, 1), "five");
    report_error(&report, at_line(b, 9, 1), "four");
    report_warning(&report, at_line(b, 2, 7), "three");
    report_error(&report, at_line(b, 2, 3), "two");
    report_help(&report, "do %d things", 2);
    report_error(&report, b, "one");
    report_sort(&report);
    expect_text(&report, false,
                "b: error: one\n"
                "b:2: error: two\n"
                "  help: do 2 things\n"
                "b:2: warning: three\n"
                "b:9: error: four\n"
                "a:2: error: five\n");
    assert_int_equal(report.errors, 4);
    assert_int_equal(report.warnings, 1);
    config_report_clear(&report);
}

/* The same file included by two others is told once. */
static void test_twice(void **state)
{
    (void)state;
    struct config_report report;
    config_report_init(&report);
    struct place first = report_file(&report, "part");
    struct place second = report_file(&report, "part");
    report_error(&report, at_line(first, 1, 1), "wrong");
    report_error(&report, at_line(second, 1, 1), "wrong");
    report_warning(&report, at_line(second, 1, 1), "odd");
    report_warning(&report, at_line(first, 1, 1), "odd");
    report_note(&report, at_line(first, 3, 1), "so");
    report_note(&report, at_line(second, 3, 1), "so");
    report_error(&report, at_line(second, 2, 1), "wrong");
    report_sort(&report);
    assert_int_equal(report.errors, 2);
    assert_int_equal(report.warnings, 1);
    assert_int_equal(report.notes, 1);
    assert_int_equal(report.count, 4);
    config_report_clear(&report);
}

static void test_json(void **state)
{
    (void)state;
    struct config_report report;
    struct text out;
    config_report_init(&report);
    text_init(&out, 4096);
    struct place file = report_file(&report, "a\"b");
    report_error(&report, at_line(file, 3, 5), "a \"word\"");
    report_help(&report, "help");
    report_warning(&report, file, "plain");
    report_note(&report, file, "by the way");
    config_report_json(&report, &out);
    assert_string_equal(
        text_string(&out),
        "{\"errors\":1,\"warnings\":1,\"notes\":1,\"diagnostics\":["
        "{\"severity\":\"error\",\"file\":\"a\\\"b\",\"line\":3,\"column\":5,"
        "\"text\":\"a \\\"word\\\"\",\"help\":\"help\"},"
        "{\"severity\":\"warning\",\"file\":\"a\\\"b\",\"text\":\"plain\"},"
        "{\"severity\":\"note\",\"file\":\"a\\\"b\",\"text\":\"by the way\"}]}\n");
    text_clear(&out);
    config_report_clear(&report);
}

static void test_colour(void **state)
{
    (void)state;
    struct config_report report;
    config_report_init(&report);
    struct place file = report_file(&report, "f");
    report_error(&report, file, "e");
    report_warning(&report, file, "w");
    report_note(&report, file, "n");
    expect_text(&report, true,
                "f: \033[1;31merror:\033[0m e\nf: \033[1;33mwarning:\033[0m w\n"
                "f: \033[1;36mnote:\033[0m n\n");
    config_report_clear(&report);
}

/* The cap is one of errors and one of warnings; help of what is not kept goes nowhere. */
static void test_cap(void **state)
{
    (void)state;
    struct config_report report;
    config_report_init(&report);
    struct place file = report_file(&report, "f");
    for (uint32_t i = 1; i <= CONFIG_ERRORS_MAX + 5; i++) {
        report_error(&report, at_line(file, i, 1), "error %u", (unsigned)i);
        report_help(&report, "help %u", (unsigned)i);
    }
    report_warning(&report, at_line(file, 1, 1), "a warning");
    assert_int_equal(report.errors, CONFIG_ERRORS_MAX + 5);
    assert_int_equal(report.count, CONFIG_ERRORS_MAX + 1);
    assert_string_equal(report.items[CONFIG_ERRORS_MAX - 1].help, "help 50");
    assert_null(report.items[CONFIG_ERRORS_MAX].help);
    config_report_clear(&report);
}

/* A terminal gets no escape sequences from a file, and texts have an end. */
static void test_hostile_values(void **state)
{
    (void)state;
    char huge[5000];
    struct config_report report;
    config_report_init(&report);
    memset(huge, 'x', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    struct place file = report_file(&report, "f");
    report_error(&report, file, "%s", "a\033[2Jb\nc\x7f");
    report_error(&report, file, "%s", huge);
    assert_string_equal(report.items[0].text, "a?[2Jb?c?");
    assert_true(strlen(report.items[1].text) < 2000);
    config_report_clear(&report);
}

static void test_quote(void **state)
{
    (void)state;
    char long_text[300];
    for (size_t i = 0; i + 1 < sizeof(long_text); i += 2)
        memcpy(long_text + i, "\xc3\xa9", 2);
    long_text[298] = '\0';
    struct quoted quoted = quote(long_text);
    size_t len = strlen(quoted.text);
    assert_true(len < QUOTED_LEN);
    assert_string_equal(quoted.text + len - 3, "...");
    assert_int_equal((unsigned char)quoted.text[len - 4], 0xa9); /* a whole character */
    assert_string_equal(quote("a\nb\xff").text, "a?b?");
    assert_string_equal(quote("").text, "");
}

/* The file's name may be gone when the report is shown. */
static void test_file_is_copied(void **state)
{
    (void)state;
    struct config_report report;
    char name[] = "gone";
    config_report_init(&report);
    report_error(&report, (struct place){.file = name, .line = 1}, "e");
    memset(name, 'x', sizeof(name) - 1);
    expect_text(&report, false, "gone:1: error: e\n");
    config_report_clear(&report);
}

static void test_want_of_memory(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 4; nth++) {
        struct config_report report;
        config_report_init(&report);
        memory_fail_at(nth);
        struct place file = report_file(&report, "f");
        report_error(&report, file, "e");
        report_help(&report, "h");
        memory_fail_at(0);
        assert_int_equal(report.errors, 1);
        assert_true(report.out_of_memory || nth > 2);
        config_report_clear(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_colour),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_hostile_values),
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_file_is_copied),
        cmocka_unit_test(test_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
