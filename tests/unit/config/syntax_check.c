#include "syntax_check.h"

#include <libconfig.h>

#include "support/test.h"

void checked_open(struct checked *checked, const char *content)
{
    *checked = (struct checked){.list = {{"f", content}, {NULL, NULL}}};
    checked->files = memory_files(checked->list);
    config_report_init(&checked->report);
    assert_int_equal(source_load(&checked->source, "f", &checked->files, &checked->report),
                     SB_OK);
    assert_int_equal(syntax_check(&checked->source, &checked->syntax), SB_OK);
}

void checked_close(struct checked *checked)
{
    syntax_clear(&checked->syntax);
    source_clear(&checked->source);
    config_report_clear(&checked->report);
}

static void expect_readable(struct checked *checked)
{
    config_t config;
    config_init(&config);
    if (config_read_string(&config, text_string(&checked->source.text)) != CONFIG_TRUE)
        fail_msg("line %d: %s in: %s", config_error_line(&config), config_error_text(&config),
                 text_string(&checked->source.text));
    config_destroy(&config);
}

void checked_expect(const char *content, bool broken, const char *report)
{
    struct checked checked;
    struct text shown;
    text_init(&shown, 1 << 20);
    checked_open(&checked, content);
    config_report_text(&checked.report, false, &shown);
    assert_string_equal(text_string(&shown), report);
    assert_int_equal(checked.syntax.broken, broken);
    if (!broken)
        expect_readable(&checked);
    text_clear(&shown);
    checked_close(&checked);
}

void checked_expect_fine(const char *content, const char *expected)
{
    struct checked checked;
    checked_expect(content, false, "");
    checked_open(&checked, content);
    assert_string_equal(text_string(&checked.source.text), expected);
    checked_close(&checked);
}
