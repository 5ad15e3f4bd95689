#include "clean.h"

#include <string.h>

#include "support/test.h"

struct clean_example {
    const char *in;
    const char *out;
    const char *report; /* "" : nothing is told */
};

static void expect_clean(const struct clean_example *example)
{
    char text[512];
    struct config_report report;
    struct text shown;
    size_t len = strlen(example->in);
    assert_true(len < sizeof(text));
    memcpy(text, example->in, len + 1);
    config_report_init(&report);
    text_init(&shown, 4096);
    clean_text(text, len, report_file(&report, "f"), &report);
    config_report_text(&report, false, &shown);
    assert_string_equal(text, example->out);
    assert_string_equal(text_string(&shown), example->report);
    text_clear(&shown);
    config_report_clear(&report);
}

static void test_examples(void **state)
{
    (void)state;
    static const struct clean_example examples[] = {
        {"a = 1; # one\nb", "a = 1;      \nb", ""},
        {"a = 1 // \"one\nb", "a = 1        \nb", ""},
        {"a /* x\ny */ b", "a     \n     b", ""},
        {"a = \"# // /* no comment */\";", "a = \"# // /* no comment */\";", ""},
        {"a = \"\\\"# still text\"; # x", "a = \"\\\"# still text\";    ", ""},
        {"a = \"open # text\nb # x", "a = \"open # text\nb    ", ""},
        {"a = \"open\\\nb # x", "a = \"open\\\nb    ", ""},
        {"a / b", "a / b", ""},
        {"/**/a/***/", "    a     ", ""},
        {"\xef\xbb\xbf"
         "a = 1;",
         "   a = 1;", ""},
        {"a = 1;\r\nb\f", "a = 1; \nb ", ""},
        {"caf\xc3\xa9 \xe2\x80\x9cx", "caf\xc3\xa9 \xe2\x80\x9cx", ""},
        {"a\n /* x", "a\n     ",
         "f:2: error: this comment has no end\n  help: close it with */\n"},
        {"a\xff\xfe\nb\xc3", "a??\nb?",
         "f:1: error: byte 0xff is not valid UTF-8\n  help: save the file as UTF-8\n"
         "f:2: error: byte 0xc3 is not valid UTF-8\n  help: save the file as UTF-8\n"},
        {"", "", ""},
        {"\"", "\"", ""},
        {"\"\\", "\"\\", ""},
        {"/", "/", ""},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
        expect_clean(&examples[i]);
}

static void test_nul(void **state)
{
    (void)state;
    char text[] = "a\0b";
    struct config_report report;
    config_report_init(&report);
    clean_text(text, 3, report_file(&report, "f"), &report);
    assert_string_equal(text, "a?b");
    assert_int_equal(report.count, 1);
    assert_string_equal(report.items[0].text, "a NUL byte stands here");
    assert_int_equal(report.items[0].column, 2);
    config_report_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
