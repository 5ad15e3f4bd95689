#include "source.h"

#include <string.h>

#include "memory_files.h"
#include "support/test.h"

static void load(struct source *source, const struct memory_file *list,
                 struct config_files *files, struct config_report *report)
{
    *files = memory_files(list);
    config_report_init(report);
    assert_int_equal(source_load(source, list[0].path, files, report), SB_OK);
}

static void expect_place(const struct source *source, uint32_t line, const char *file,
                         uint32_t file_line)
{
    struct place at = source_place(source, line, 3);
    assert_string_equal(at.file, file);
    assert_int_equal(at.line, file_line);
    assert_int_equal(at.column, 3);
}

static void test_includes(void **state)
{
    (void)state;
    static const struct memory_file list[] = {
        {"d/main", "one\n  @include \"sub/x\"\nfour # comment\n@include \"*.inc\"\nlast"},
        {"d/sub/x", "two\n@include \"y\"\n"},
        {"d/sub/y", "three"},
        {"d/a.inc", "five\n"},
        {"d/b.inc", ""},
        {NULL, NULL},
    };
    struct source source;
    struct config_files files;
    struct config_report report;
    load(&source, list, &files, &report);
    assert_string_equal(text_string(&source.text),
                        "one\ntwo\nthree\nfour          \nfive\n\nlast\n");
    assert_int_equal(report.count, 0);
    assert_false(source.broken);
    assert_int_equal(source.line_count, 7);
    expect_place(&source, 1, "d/main", 1);
    expect_place(&source, 2, "d/sub/x", 1);
    expect_place(&source, 3, "d/sub/y", 1);
    expect_place(&source, 4, "d/main", 3);
    expect_place(&source, 5, "d/a.inc", 1);
    expect_place(&source, 7, "d/main", 5);
    expect_place(&source, 99, "d/main", 5);
    source_clear(&source);
    config_report_clear(&report);
}

/* Absolute paths are taken as they are. */
static void test_absolute(void **state)
{
    (void)state;
    static const struct memory_file list[] = {
        {"d/main", "@include \"/etc/x\""}, {"/etc/x", "x"}, {NULL, NULL}};
    struct source source;
    struct config_files files;
    struct config_report report;
    load(&source, list, &files, &report);
    assert_string_equal(text_string(&source.text), "x\n");
    source_clear(&source);
    config_report_clear(&report);
}

/* In text or in a comment it is no include. */
static void test_not_an_include(void **state)
{
    (void)state;
    static const struct memory_file list[] = {
        {"main", "# @include \"x\"\n/*\n@include \"x\"\n*/\na = \"\n@includes"}, {NULL, NULL}};
    struct source source;
    struct config_files files;
    struct config_report report;
    load(&source, list, &files, &report);
    assert_int_equal(report.errors, 1); /* of the last line alone */
    assert_int_equal(report.items[0].line, 6);
    source_clear(&source);
    config_report_clear(&report);
}

static void test_loop(void **state)
{
    (void)state;
    static const struct memory_file list[] = {
        {"a", "@include \"b\"\n"}, {"b", "\n@include \"a\"\n"}, {NULL, NULL}};
    struct source source;
    struct config_files files;
    struct config_report report;
    load(&source, list, &files, &report);
    assert_true(source.broken);
    assert_int_equal(report.count, 1);
    assert_string_equal(report.items[0].text, "a includes itself");
    assert_string_equal(report.items[0].file, "b");
    assert_int_equal(report.items[0].line, 2);
    source_clear(&source);
    config_report_clear(&report);
}

/* The same file under other and other names. */
static void test_deep(void **state)
{
    (void)state;
    static const struct memory_file list[] = {{"0", "@include \"1\""},
                                              {"1", "@include \"2\""},
                                              {"2", "@include \"3\""},
                                              {"3", "@include \"4\""},
                                              {"4", "@include \"5\""},
                                              {"5", "@include \"6\""},
                                              {"6", "@include \"7\""},
                                              {"7", "@include \"8\""},
                                              {"8", "@include \"9\""},
                                              {"9", "@include \"10\""},
                                              {"10", "x"},
                                              {NULL, NULL}};
    struct source source;
    struct config_files files;
    struct config_report report;
    load(&source, list, &files, &report);
    assert_true(source.broken);
    assert_string_equal(report.items[0].text, "files include each other more than 10 deep");
    source_clear(&source);
    config_report_clear(&report);
}

static enum sb_err refuse_limit(void *arg, const char *path, struct text *out)
{
    (void)arg;
    (void)path;
    (void)out;
    return SB_ERR_LIMIT;
}

static void test_too_large(void **state)
{
    (void)state;
    struct config_files files = {.read = refuse_limit};
    struct config_report report;
    struct source source;
    config_report_init(&report);
    assert_int_equal(source_load(&source, "x", &files, &report), SB_OK);
    assert_true(source.broken);
    assert_string_equal(report.items[0].text, "is larger than 1 MiB");
    assert_string_equal(source_place(&source, 1, 0).file, "?");
    source_clear(&source);
    config_report_clear(&report);
}

static enum sb_err read_megabyte(void *arg, const char *path, struct text *out)
{
    (void)arg;
    if (strcmp(path, "main") == 0) {
        for (int i = 0; i < 6; i++)
            text_append_text(out, "@include \"x\"\n");
        return SB_OK;
    }
    uint8_t *at = text_grow(out, SOURCE_FILE_BYTES_MAX);
    assert_non_null(at);
    memset(at, ' ', SOURCE_FILE_BYTES_MAX);
    return SB_OK;
}

static void test_too_large_together(void **state)
{
    (void)state;
    struct config_files files = {.read = read_megabyte};
    struct config_report report;
    struct source source;
    config_report_init(&report);
    assert_int_equal(source_load(&source, "main", &files, &report), SB_OK);
    assert_true(source.broken);
    assert_int_equal(report.count, 1);
    assert_string_equal(report.items[0].text, "with its includes larger than 4 MiB");
    source_clear(&source);
    config_report_clear(&report);
}

static void test_faulty_lines(void **state)
{
    (void)state;
    static const struct memory_file list[] = {{"a", "1\n2\n3\n"}, {NULL, NULL}};
    struct source source;
    struct config_files files;
    struct config_report report;
    load(&source, list, &files, &report);
    source_mark_faulty(&source, 2);
    assert_false(source_faulty(&source, 1));
    assert_true(source_faulty(&source, 2));
    assert_false(source_faulty(&source, 3));
    source_clear(&source);
    config_report_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_absolute),
        cmocka_unit_test(test_not_an_include),
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_too_large_together),
        cmocka_unit_test(test_faulty_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
