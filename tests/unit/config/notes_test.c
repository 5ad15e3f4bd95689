#include <stdio.h>
#include <string.h>

#include "config/load.h"
#include "memory_files.h"
#include "support/test.h"

/* What is noted of that topic file, beside one of spans, after the report of its load. */
static void expect(const char *worker, const char *topic, const char *report_text,
                   uint32_t notes)
{
    static const char *const names[] = {"topic.conf", "spans.conf"};
    struct memory_file list[] = {{"worker.conf", worker},
                                 {"topic.conf", topic},
                                 {"spans.conf", "topic = \"others\"; role = \"spans\";"},
                                 {0}};
    struct config_files files = memory_files(list);
    struct config_sources sources = {
        .files = &files, .worker = "worker.conf", .topics = names, .topic_count = 2};
    struct config_report report;
    struct settings *settings = NULL;
    struct text shown;
    config_report_init(&report);
    text_init(&shown, 1 << 16);
    assert_int_equal(config_load(&sources, &report, &settings), SB_OK);
    config_notes(settings, &report);
    config_report_text(&report, false, &shown);
    assert_string_equal(text_string(&shown), report_text);
    assert_int_equal(report.notes, notes);
    assert_int_equal(report.errors, 0);
    settings_free(settings);
    text_clear(&shown);
    config_report_clear(&report);
}

static void test_rates(void **state)
{
    (void)state;
    expect(WORKER_REST, "source = \"rabbitmq\"; role = \"spans\";\nqueue = \"q\";\n",
           "topic.conf:2: note: \"q\": at most 333 records per second pass: 10000 prefetch * 1 "
           "consumers / 30s window.wait\n",
           1);
    expect(
        "window = { wait = \"10s\"; };\n" WORKER_REST,
        "source = \"rabbitmq\"; role = \"spans\"; name = \"n\"; queue = \"q\";\n"
        "prefetch = 65535; consumers = 64;\n",
        "topic.conf:2: note: \"n\": at most 419424 records per second pass: 65535 prefetch * "
        "64 consumers / 10s window.wait\n",
        1);
}

static void test_taps(void **state)
{
    (void)state;
    expect(WORKER_REST,
           "source = \"rabbitmq\"; role = \"messages\";\n"
           "queue = \"q\"; exchange = \"e\"; declare = true;\n",
           "topic.conf:2: note: \"q\": its messages are counted, and mend no trace in this "
           "version: of RabbitMQ only those of streams do\n",
           1);
    expect(WORKER_REST,
           "source = \"rabbitmq\"; role = \"messages\";\n"
           "queue = \"q\"; queue_type = \"stream\";\n",
           "", 0);
}

static void test_nothing(void **state)
{
    (void)state;
    expect(WORKER_REST, TOPIC, "", 0);
    /* The warning says it. */
    expect(WORKER_REST,
           "source = \"rabbitmq\"; role = \"spans\"; queue = \"q\"; prefetch = "
           "1500;\n",
           "topic.conf:1: warning: at most 50 records per second pass: 1500 prefetch * 1 "
           "consumers / 30s window.wait\n"
           "  help: a record is held until its traces are decided: raise prefetch or "
           "consumers\n",
           0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_taps),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
