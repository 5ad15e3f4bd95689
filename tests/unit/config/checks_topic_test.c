#include "checks.h"

#include <stdio.h>
#include <string.h>

#include "memory_files.h"
#include "support/test.h"

enum { TOPICS_MAX = 4 };

/* Topic files "0", "1", ... with that content must give exactly this report. */
static void expect(const char *const *topics, const char *expected)
{
    static const char *const names[TOPICS_MAX] = {"0", "1", "2", "3"};
    struct memory_file list[TOPICS_MAX + 2] = {{"w", WORKER_REST}};
    uint32_t count = 0;
    for (; topics[count] != NULL; count++)
        list[count + 1] = (struct memory_file){names[count], topics[count]};
    struct config_files files = memory_files(list);
    struct config_sources sources = {
        .files = &files, .worker = "w", .topics = names, .topic_count = count};
    struct config_report report;
    struct settings *settings = NULL;
    struct text shown;
    config_report_init(&report);
    text_init(&shown, 1 << 16);
    enum sb_err err = config_load(&sources, &report, &settings);
    config_report_text(&report, false, &shown);
    assert_string_equal(text_string(&shown), expected);
    assert_int_equal(err, report.errors > 0 ? SB_ERR_CONFIG : SB_OK);
    settings_free(settings);
    text_clear(&shown);
    config_report_clear(&report);
}

#define EXPECT(report, ...) expect((const char *const[]){__VA_ARGS__, NULL}, (report))

static void test_topic_names(void **state)
{
    (void)state;
    char long_name[251];
    memset(long_name, 'a', 250);
    long_name[250] = '\0';
    assert_false(checks_is_topic_name(long_name));
    assert_true(checks_is_topic_name(long_name + 1));
    assert_true(checks_is_topic_name("a.b_c-D9"));
    assert_true(checks_is_topic_name("..."));
    assert_false(checks_is_topic_name(""));
    assert_false(checks_is_topic_name("."));
    assert_false(checks_is_topic_name(".."));
    assert_false(checks_is_topic_name("a b"));
    assert_false(checks_is_topic_name("a/b"));
    assert_false(checks_is_topic_name("caf\xc3\xa9"));
}

static void test_names(void **state)
{
    (void)state;
    EXPECT("0:1: error: \"orders.*\" can not be the name of a topic\n"
           "  help: a regular expression begins with ^: \"^orders\\\\..*\"\n",
           "topic = \"orders.*\"; role = \"spans\";");
    EXPECT("0:1: error: \"^a(\" is no regular expression: Unmatched ( or \\(\n",
           "topic = \"^a(\"; role = \"spans\";");
    EXPECT("0:1: error: \"a b\" can not be the name of a dead-letter topic\n"
           "  help: up to 249 letters, digits, '.', '_' and '-'\n",
           "topic = \"a\"; role = \"spans\"; errors = { deadletterqueue = \"a b\"; };");
    EXPECT("0:1: warning: exclude has no effect on a single topic\n"
           "  help: a regular expression begins with ^\n",
           "topic = \"a\"; role = \"spans\"; exclude = [ \"b\" ];");
}

static void test_dead_letters(void **state)
{
    (void)state;
    EXPECT("0:1: error: the dead-letter topic \"a\" is an input of topic file 0\n"
           "  help: dead letters would come back as records: name another topic\n",
           "topic = \"a\"; role = \"spans\"; errors = { deadletterqueue = \"a\"; };");
    EXPECT("0:1: error: the dead-letter topic \"a.dlq\" is an input of topic file 0\n"
           "  help: dead letters would come back as records: put it into exclude\n",
           "topic = \"^a\"; role = \"spans\"; errors = { deadletterqueue = \"a.dlq\"; };");
    EXPECT("", "topic = \"^a\"; exclude = [ \"^.*\\\\.dlq$\" ]; role = \"spans\"; "
               "errors = { deadletterqueue = \"a.dlq\"; };");
    EXPECT("0:1: error: the dead-letter topic \"b\" is an input of topic file 1\n"
           "  help: dead letters would come back as records: name another topic\n",
           "topic = \"a\"; role = \"spans\"; errors = { deadletterqueue = \"b\"; };",
           "topic = \"b\"; role = \"spans\";");
    /* A message topic is only looked at. */
    EXPECT("", "topic = \"a\"; role = \"spans\"; errors = { deadletterqueue = \"b\"; };",
           "topic = \"b\"; role = \"messages\";");
}

static void test_twice(void **state)
{
    (void)state;
    EXPECT("1:1: error: topic \"a\" is read by two topic files\n  help: the first one is 0\n",
           "topic = \"a\"; role = \"spans\";",
           "topic = \"a\"; role = \"spans\"; name = \"b\";");
    EXPECT("1:1: error: two topic files are called \"a\"\n  help: the first one is 0\n",
           "topic = \"a\"; role = \"spans\";",
           "topic = \"b\"; role = \"spans\"; name = \"a\";");
    EXPECT("1:1: error: topic \"ab\" is read by two topic files\n"
           "  help: put it into exclude of 0\n",
           "topic = \"^a.*\"; role = \"messages\"; name = \"x\";",
           "topic = \"ab\"; role = \"spans\";");
    EXPECT("1:1: error: topic \"ab\" is read by two topic files\n"
           "  help: put it into exclude of 1\n",
           "topic = \"ab\"; role = \"spans\";",
           "topic = \"^a.*\"; role = \"messages\"; name = \"x\";");
    EXPECT("", "topic = \"^a.*\"; exclude = [ \"ab\" ]; role = \"messages\"; name = \"x\";",
           "topic = \"ab\"; role = \"spans\";");
}

static void test_no_spans(void **state)
{
    (void)state;
    EXPECT("w: error: no topic file has role = \"spans\"\n"
           "  help: there is nothing to repair or to export without spans\n",
           "topic = \"a\"; role = \"messages\";");
    /* With another error it may only seem so. */
    EXPECT("0:1: error: role: unknown value \"span\"\n"
           "  help: did you mean \"spans\"? known: spans, messages\n",
           "topic = \"a\"; role = \"span\";");
}

static void test_discarded(void **state)
{
    (void)state;
    EXPECT("0:1: warning: records that can not be decoded are discarded\n"
           "  help: errors.deadletterqueue or errors.deadletterexchange keeps them\n",
           "topic = \"a\"; role = \"spans\"; errors = { tolerance = \"all\"; };");
}

static void test_kinds(void **state)
{
    (void)state;
    EXPECT("0:1: warning: tap has no effect with role = \"spans\"\n"
           "  help: it belongs to role = \"messages\"\n",
           "topic = \"a\"; role = \"spans\"; tap = \"index\";");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topic_names),  cmocka_unit_test(test_names),
        cmocka_unit_test(test_dead_letters), cmocka_unit_test(test_twice),
        cmocka_unit_test(test_no_spans),     cmocka_unit_test(test_discarded),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
