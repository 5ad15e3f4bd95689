#include "syntax.h"

#include <string.h>

#include "core/memory.h"
#include "support/test.h"
#include "syntax_check.h"

/* Trailing commas are an error in libconfig before 1.7; semicolons are optional in all. */
static void test_fine(void **state)
{
    (void)state;
    checked_expect_fine("", "\n");
    checked_expect_fine("a = 1; b: 2, c = 3\nd = { e = 4 }",
                        "a = 1; b: 2, c = 3\nd = { e = 4 }\n");
    checked_expect_fine("a = (1, 2,);", "a = (1, 2 );\n");
    checked_expect_fine("a = [1, 2,\n];", "a = [1, 2 \n];\n");
    checked_expect_fine("a = ({b = 1;},);", "a = ({b = 1;} );\n");
    checked_expect_fine("a = \"x\" \"y\"\n \"z\";", "a = \"x\" \"y\"\n \"z\";\n");
    checked_expect_fine("a = (); b = []; c = {};", "a = (); b = []; c = {};\n");
    checked_expect_fine("a = ((1), [2], {b = 3});", "a = ((1), [2], {b = 3});\n");
    checked_expect_fine("a = { x = 1; }; b = { x = 1; };", "a = { x = 1; }; b = { x = 1; };\n");
    checked_expect_fine("a = 1 # no newline", "a = 1             \n");
}

static void test_names_and_values(void **state)
{
    (void)state;
    checked_expect("a = ;\nb = 1;", true, "f:1: error: a has no value\n");
    checked_expect("a = ", true, "f:1: error: a has no value\n");
    checked_expect("a", true, "f:1: error: a has no value\n");
    checked_expect("a = { b = };", true, "f:1: error: b has no value\n");
    checked_expect("a 1;", true, "f:1: error: '=' is missing after a\n");
    checked_expect("a { b = 1; };", true, "f:1: error: '=' is missing after a\n");
    checked_expect("a == 1;", false, "f:1: error: one '=' is enough\n");
    checked_expect("a := 1;", false, "f:1: error: one '=' is enough\n");
    checked_expect(";;a = 1;", false, "f:1: error: this ';' ends nothing\n");
    checked_expect("a = 1;;", false, "f:1: error: this ';' ends nothing\n");
    checked_expect("a = 1; , b = 2;", false, "f:1: error: this ',' separates nothing\n");
    checked_expect("= 1;", true,
                   "f:1: error: a setting begins with its name\n  help: write name = value;\n");
    checked_expect("{ a = 1; }", true,
                   "f:1: error: a setting begins with its name\n  help: write name = value;\n");
    checked_expect("a = 1 = 2;", true, "f:1: error: '=' follows a value\n");
    checked_expect("\"a\": 1,\n\"b\" = { \"c\": 2 }", false,
                   "f:1: error: the name of a setting takes no quotes\n"
                   "f:2: error: the name of a setting takes no quotes\n");
}

static void test_lists(void **state)
{
    (void)state;
    checked_expect("a = (1 2);", false, "f:1: error: a ',' is missing before this value\n");
    checked_expect("a = [\"x\" \"y\"];", false,
                   "f:1: error: a ',' is missing before this value\n");
    checked_expect("a = [\"x\"\"y\"];", true,
                   "f:1: error: a ',' is missing before this value\n");
    checked_expect("a = (\n{ b = 1; }\n    { b = 2; }\n);", false,
                   "f:3: error: a ',' is missing before this value\n");
    checked_expect("a = (,1);", false, "f:1: error: a value is missing before this ','\n");
    checked_expect("a = (1,,2);", false, "f:1: error: a value is missing before this ','\n");
    checked_expect("a = (1; b = 2;", false,
                   "f:1: error: the '(' of a opened in line 1 is not closed before this ';'\n"
                   "  help: close it with ')'\n");
    checked_expect("a = (1; 2);", false,
                   "f:1: error: ';' does not stand between the values of a list\n"
                   "  help: write ','\n");
    checked_expect("a = ({b = 1;};\n {b = 2;});", false,
                   "f:1: error: ';' does not stand between the values of a list\n"
                   "  help: write ','\n");
    checked_expect("a = ({b = 1;};);", false,
                   "f:1: error: ';' does not stand between the values of a list\n"
                   "  help: write ','\n");
    checked_expect("a = (\"x\" = 2);", false, "f:1: error: '=' does not stand in a list\n");
}

static void test_arrays(void **state)
{
    (void)state;
    checked_expect("a = [1, \"x\"];", false,
                   "f:1: error: the values of an array [ ] are not of one type\n"
                   "  help: put all of them in quotes, or none\n");
    checked_expect("a = [1, 2L];", false,
                   "f:1: error: the values of an array [ ] are not of one type\n"
                   "  help: put all of them in quotes, or none\n");
    checked_expect("a = [{b = 1;}, {b = 2;}];", false,
                   "f:1: error: an array [ ] holds plain values only\n"
                   "  help: a list of groups is written ( { ... }, { ... } )\n");
    checked_expect("a = [x, \"y\", 1];", false,
                   "f:1: error: x needs double quotes\n  help: write \"x\"\n");
}

/* In the order in which libconfig creates its settings. */
static void test_marks(void **state)
{
    (void)state;
    struct checked checked;
    checked_open(&checked, "a = {\n  b = ( \"x\", (\n \"y\"), \"z\",\n  1 );\n};\nc = 1;");
    static const struct syntax_mark list[] = {{1, 1}, {2, 3}, {2, 9}, {2, 14},
                                              {3, 2}, {3, 8}, {4, 3}, {6, 1}};
    assert_int_equal(checked.syntax.count, sizeof(list) / sizeof(*list));
    for (uint32_t i = 0; i < checked.syntax.count; i++) {
        assert_int_equal(checked.syntax.marks[i].line, list[i].line);
        assert_int_equal(checked.syntax.marks[i].column, list[i].column);
    }
    checked_close(&checked);
}

static void test_depth(void **state)
{
    (void)state;
    struct text text;
    text_init(&text, 1 << 20);
    static const int depths[] = {1, 2, 31, 32, 33, 10000};
    for (size_t d = 0; d < sizeof(depths) / sizeof(*depths); d++) {
        text_reset(&text);
        text_append_text(&text, "a = ");
        for (int i = 0; i < depths[d]; i++)
            text_append_char(&text, '(');
        for (int i = 0; i < depths[d]; i++)
            text_append_char(&text, ')');
        struct checked checked;
        checked_open(&checked, text_string(&text));
        assert_int_equal(checked.syntax.broken, depths[d] > SYNTAX_DEPTH_MAX);
        assert_int_equal(checked.report.errors, depths[d] > SYNTAX_DEPTH_MAX);
        checked_close(&checked);
    }
    text_clear(&text);
}

static void test_want_of_memory(void **state)
{
    (void)state;
    static const char content[] = "a = { b = (1, 2); };";
    struct memory_file list[] = {{"f", content}, {NULL, NULL}};
    struct config_files files = memory_files(list);
    enum sb_err err = SB_ERR_MEMORY;
    uint64_t nth = 1;
    for (; err == SB_ERR_MEMORY; nth++) {
        struct config_report report;
        struct source source;
        struct syntax syntax;
        config_report_init(&report);
        assert_int_equal(source_load(&source, "f", &files, &report), SB_OK);
        memory_fail_at(nth);
        err = syntax_check(&source, &syntax);
        memory_fail_at(0);
        syntax_clear(&syntax);
        source_clear(&source);
        config_report_clear(&report);
    }
    assert_int_equal(err, SB_OK);
    assert_true(nth > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fine),           cmocka_unit_test(test_names_and_values),
        cmocka_unit_test(test_lists),          cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_marks),          cmocka_unit_test(test_depth),
        cmocka_unit_test(test_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
