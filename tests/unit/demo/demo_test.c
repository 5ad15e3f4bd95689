#include "fixture.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "demo/demo.h"
#include "support/temp_dir.h"

/* The whole demo is tested by tests/scenario/demo_test.py; here: its doors. */

enum { OUTPUT_MAX = 1 << 20 };

/* demo_main with stdout in `ret`. */
static int run(int argc, char **argv, char ret[OUTPUT_MAX])
{
    struct temp_dir dir;
    char path[TEMP_DIR_PATH_LEN];
    temp_dir_make(&dir);
    temp_dir_path(&dir, "out", path);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_non_null(freopen(path, "w", stdout));
    int code = demo_main(argc, argv);
    fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    close(saved);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    ret[fread(ret, 1, OUTPUT_MAX - 1, file)] = '\0';
    fclose(file);
    temp_dir_remove(&dir);
    return code;
}

static char output[OUTPUT_MAX];

static void test_help_is_for_stdout(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"demo"}, (char[]){"--help"}, NULL};
    assert_int_equal(run(2, argv, output), EX_OK);
    assert_non_null(strstr(output, "spanbridge demo [--once]"));
}

static void test_usage_errors(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"demo"}, (char[]){"--twice"}, NULL};
    assert_int_equal(run(2, argv, output), EX_USAGE);
    assert_string_equal(output, "");
}

static void test_broker_that_is_not_there(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"demo"}, (char[]){"--once"}, (char[]){"--kafka=127.0.0.1:1"},
                    NULL};
    assert_int_equal(run(3, argv, output), EX_UNAVAILABLE);
}

static void test_rabbitmq_that_is_not_there(void **state)
{
    (void)state;
    static const char *const urls[] = {"--rabbitmq=amqp://127.0.0.1:1", "--rabbitmq=no url"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char url[64];
        snprintf(url, sizeof(url), "%s", urls[i]);
        char *argv[] = {(char[]){"demo"}, (char[]){"--once"}, url, NULL};
        assert_int_equal(run(3, argv, output), EX_UNAVAILABLE);
        assert_string_equal(output, "");
    }
}

static void test_small_demo_mends_all(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"demo"}, (char[]){"--json"}, (char[]){"--traces=30"}, NULL};
    int code = run(3, argv, output);
    json_t *report = json_loads(output, 0, NULL);
    assert_non_null(report);
    if (code != EX_OK)
        fail_msg("%s", output);
    assert_true(json_is_true(json_object_get(report, "ok")));
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_is_for_stdout),
        cmocka_unit_test(test_usage_errors),
        cmocka_unit_test(test_broker_that_is_not_there),
        cmocka_unit_test(test_rabbitmq_that_is_not_there),
        cmocka_unit_test(test_small_demo_mends_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
