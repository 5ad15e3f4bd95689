#include "parse.h"

#include <locale.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

/* Floats are read alike whatever the locale says. */
static void test_locale(void **state)
{
    (void)state;
    locale_t comma = newlocale(LC_ALL_MASK, "de_DE.UTF-8", (locale_t)0);
    locale_t before = comma == (locale_t)0 ? comma : uselocale(comma);
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    static const char worker[] =
        "kafka = { bootstrap = \"a\"; };\n"
        "sampling = { policies = ( { name = \"p\"; type = \"probabilistic\";"
        " percentage = 2.5; } ); };\n"
        "sinks = ( { name = \"s\"; type = \"otlp_http\"; endpoint = \"http://a\"; } );\n";
    assert_int_equal(memory_load(worker, TOPIC, &report, &settings), SB_OK);
    assert_true(settings->sampling.policies[0].probabilistic.percentage == 2.5);
    settings_free(settings);
    config_report_clear(&report);
    if (before != (locale_t)0)
        uselocale(before);
    if (comma != (locale_t)0)
        freelocale(comma);
}

/* Lines and columns of settings and elements, also across includes and pieces of text. */
static void test_places(void **state)
{
    (void)state;
    static const struct memory_file list[] = {
        {"w", "  workres = 1;\n@include \"x\"\nlog = {\n  level =\n\"loud\"; };\n" WORKER_REST},
        {"x", "limits = { depth\n = 500; };"},
        {"t", TOPIC "exclude = [ \"a\",\n  \"b c\" ];\nname = \"\"\n\"\";"},
        {NULL, NULL},
    };
    struct config_files files = memory_files(list);
    const char *topics[] = {"t"};
    struct config_sources sources = {
        .files = &files, .worker = "w", .topics = topics, .topic_count = 1};
    struct config_report report;
    struct settings *settings = NULL;
    config_report_init(&report);
    assert_int_equal(config_load(&sources, &report, &settings), SB_ERR_CONFIG);
    assert_int_equal(report.count, 6);
    static const struct config_diagnostic expected[] = {
        {.file = "w", .line = 1, .column = 3},  {.file = "w", .line = 4, .column = 3},
        {.file = "x", .line = 1, .column = 12}, {.file = "t", .line = 2, .column = 1},
        {.file = "t", .line = 2, .column = 1},  {.file = "t", .line = 4, .column = 1},
    };
    for (uint32_t i = 0; i < report.count; i++) {
        assert_string_equal(report.items[i].file, expected[i].file);
        assert_int_equal(report.items[i].line, expected[i].line);
        if (report.items[i].column != 0) /* of checks across settings */
            assert_int_equal(report.items[i].column, expected[i].column);
    }
    config_report_clear(&report);
}

/* libconfig has the last word, though nothing should be left for it to say. */
static void test_after_syntax_errors(void **state)
{
    (void)state;
    memory_expect_report(WORKER_REST, "topic = \"a\";\nrole = ;\n",
                         "topic.conf:2: error: role has no value\n");
}

/* What follows from a syntax error in one file is not told of another. */
static void test_broken_worker(void **state)
{
    (void)state;
    memory_expect_report("sinks = (", TOPIC "workres = 1;\n",
                         "worker.conf:1: error: the '(' of sinks opened here is not closed\n"
                         "  help: close it with ')'\n"
                         "topic.conf:2: error: unknown key workres\n"
                         "  help: known here: name, source, topic, exclude, role, encoding, "
                         "start, isolation, errors, repair, kafka\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locale),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_after_syntax_errors),
        cmocka_unit_test(test_broken_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
