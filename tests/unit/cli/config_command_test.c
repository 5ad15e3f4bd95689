#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "capture.h"
#include "command.h"
#include "config/print.h"
#include "config_files.h"
#include "support/test.h"

static void test_show(void **state)
{
    (void)state;
    struct config_folder folder;
    struct capture capture;
    config_folder_make(&folder);
    capture_run(&capture, command_config.run,
                WORDS("config", "show", folder.worker, folder.topic));
    assert_int_equal(capture.code, 0);
    assert_non_null(strstr(capture.out, "group = \"spanbridge\";"));
    assert_string_equal(capture.err, "");
    capture_clear(&capture);
    capture_run(&capture, command_config.run,
                WORDS("config", "show", "--json", folder.odd, folder.topic));
    assert_int_equal(capture.code, 0);
    assert_int_equal(capture.out[0], '{');
    assert_non_null(strstr(capture.err, "0 errors, 1 warning"));
    capture_clear(&capture);
    capture_run(&capture, command_config.run,
                WORDS("config", "show", folder.bad, folder.topic));
    assert_int_equal(capture.code, EX_CONFIG);
    assert_string_equal(capture.out, "");
    assert_non_null(strstr(capture.err, "1 error, 0 warnings"));
    capture_clear(&capture);
    temp_dir_remove(&folder.dir);
}

static void expect_same(const char *const *words, void (*append)(struct text *))
{
    struct text text;
    text_init(&text, 1 << 20);
    append(&text);
    capture_expect(command_config.run, words, 0, text_string(&text), "");
    text_clear(&text);
}

static void test_print(void **state)
{
    (void)state;
    expect_same(WORDS("config", "docs"), config_docs);
    expect_same(WORDS("config", "init"), config_init_worker);
    expect_same(WORDS("config", "init", "--topic"), config_init_topic);
}

/* What init writes, check accepts; and it never overwrites. */
static void test_init(void **state)
{
    (void)state;
    struct temp_dir dir;
    char folder[TEMP_DIR_PATH_LEN];
    char worker[TEMP_DIR_PATH_LEN];
    char expected[3 * TEMP_DIR_PATH_LEN];
    temp_dir_make(&dir);
    temp_dir_path(&dir, "new", folder);
    temp_dir_path(&dir, "new/worker.conf", worker);
    snprintf(expected, sizeof(expected), "%s/worker.conf\n%s/topics/otlp_spans.conf\n", folder,
             folder);
    capture_expect(command_config.run, WORDS("config", "init", folder), 0, expected, "");
    capture_expect(command_check.run, WORDS("check", worker), 0,
                   "ok: 1 topic file, 1 sink, 4 policies\n", "");
    snprintf(expected, sizeof(expected), "spanbridge config: %s: File exists\n", worker);
    capture_expect(command_config.run, WORDS("config", "init", folder), EX_CANTCREAT, "",
                   expected);
    capture_expect(command_config.run, WORDS("config", "init", "/dev/null/x"), EX_CANTCREAT, "",
                   "spanbridge config: /dev/null/x: Not a directory\n");
    temp_dir_remove(&dir);
}

static void test_usage(void **state)
{
    (void)state;
    capture_expect(
        command_config.run, WORDS("config"), EX_USAGE, "",
        "spanbridge config: show, docs or init?\n  help: spanbridge config --help\n");
    capture_expect(command_config.run, WORDS("config", "shwo"), EX_USAGE, "",
                   "spanbridge config: shwo is none of show, docs, init\n"
                   "  help: did you mean spanbridge config show?\n");
    capture_expect(command_config.run, WORDS("config", "show"), EX_USAGE, "",
                   "spanbridge config: a worker file is missing\n"
                   "  help: spanbridge config --help\n");
    static const char wrong[] = "spanbridge config: these arguments do not go together\n"
                                "  help: spanbridge config --help\n";
    capture_expect(command_config.run, WORDS("config", "docs", "x"), EX_USAGE, "", wrong);
    capture_expect(command_config.run, WORDS("config", "docs", "--json"), EX_USAGE, "", wrong);
    capture_expect(command_config.run, WORDS("config", "init", "--topic", "x"), EX_USAGE, "",
                   wrong);
    capture_expect(command_config.run, WORDS("config", "init", "a", "b"), EX_USAGE, "", wrong);
    capture_expect(command_config.run, WORDS("config", "--help"), 0, command_config.help, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
