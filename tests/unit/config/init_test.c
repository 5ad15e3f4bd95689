#include <stdlib.h>
#include <string.h>

#include "config/print.h"
#include "memory_files.h"
#include "support/test.h"

static void sample(void (*append)(struct text *), struct text *out)
{
    text_init(out, 1 << 20);
    append(out);
    assert_int_equal(out->error, SB_OK);
}

/* As they are printed. */
static void test_load(void **state)
{
    (void)state;
    struct text worker;
    struct text topic;
    sample(config_init_worker, &worker);
    sample(config_init_topic, &topic);
    memory_expect_report(text_string(&worker), text_string(&topic), "");
    text_clear(&worker);
    text_clear(&topic);
}

/* "#name = ...": a setting; "# words": a comment. */
static void uncomment(struct text *text)
{
    bool begins = true;
    char *out = text->at;
    for (const char *c = text->at; *c != '\0'; c++) {
        bool drop = begins && c[0] == '#' && c[1] != ' ';
        begins = *c == '\n' || (begins && *c == ' ');
        if (!drop)
            *out++ = *c;
    }
    *out = '\0';
}

/* With every comment sign removed: all keys are there, all samples are of the right type. */
static void test_uncommented(void **state)
{
    (void)state;
    struct text worker;
    struct text topic;
    setenv("HOSTNAME", "pod-7", 1);
    sample(config_init_worker, &worker);
    sample(config_init_topic, &topic);
    uncomment(&worker);
    uncomment(&topic);
    struct config_report report;
    struct settings *settings = NULL;
    struct text shown;
    text_init(&shown, 1 << 20);
    config_report_init(&report);
    memory_load(text_string(&worker), text_string(&topic), &report, &settings);
    config_report_text(&report, false, &shown);
    for (uint32_t i = 0; i < report.count; i++) {
        const struct config_diagnostic *item = &report.items[i];
        bool expected = item->severity == CONFIG_WARNING ||
                        strcmp(item->text, "sinks[0].endpoints is set a second time") == 0 ||
                        strstr(item->text, "is no parameter of otlp_http") != NULL ||
                        strstr(item->text, "is no parameter of kafka") != NULL ||
                        strstr(item->text, "deadletterqueue and a deadletterexch") != NULL;
        if (!expected)
            fail_msg("%s", text_string(&shown));
    }
    /* Five keys are of Kafka sinks, six of RabbitMQ sinks, seventeen of its topic files. */
    assert_int_equal(report.errors, 1 + 5 + 6 + 17 + 2);
    text_clear(&shown);
    config_report_clear(&report);
    text_clear(&worker);
    text_clear(&topic);
}

static void test_width(void **state)
{
    (void)state;
    struct text worker;
    sample(config_init_worker, &worker);
    for (const char *line = worker.at; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 100);
    text_clear(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_uncommented),
        cmocka_unit_test(test_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
