#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "options.h"

enum { WORDS_MAX = 8 };

static struct demo_options options;
static struct text message;

static int setup(void **state)
{
    (void)state;
    text_init(&message, 4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    text_clear(&message);
    return 0;
}

/* A NULL ends the words. */
static bool read_words(const char *const words[WORDS_MAX])
{
    static char copies[WORDS_MAX][64];
    char *argv[WORDS_MAX + 2] = {copies[0]};
    int argc = 1;
    snprintf(copies[0], sizeof(copies[0]), "demo");
    for (; argc <= WORDS_MAX - 1 && words[argc - 1] != NULL; argc++) {
        snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
        argv[argc] = copies[argc];
    }
    text_reset(&message);
    return demo_options_read(argc, argv, &options, &message);
}

#define READ(...) read_words((const char *const[WORDS_MAX]){__VA_ARGS__})

static void test_defaults(void **state)
{
    (void)state;
    assert_true(READ(NULL));
    assert_false(options.once || options.json || options.verbose || options.help);
    assert_null(options.kafka);
    assert_null(options.rabbitmq);
    assert_null(options.keep);
    assert_int_equal(options.traces, 2000);
    assert_int_equal(options.rate, 200);
    assert_int_equal(options.seed, 1);
}

static void test_all_options(void **state)
{
    (void)state;
    assert_true(READ("--once", "--traces", "500", "--seed=77", "--kafka", "h:1", "--verbose"));
    assert_true(options.once && options.verbose);
    assert_int_equal(options.traces, 500);
    assert_int_equal(options.seed, 77);
    assert_string_equal(options.kafka, "h:1");
    assert_true(READ("--rabbitmq", "amqp://h", "--kafka", "h:1"));
    assert_string_equal(options.rabbitmq, "amqp://h");
    assert_string_equal(options.kafka, "h:1");
    assert_true(READ("--keep", "dir", "--rate", "10", "-h"));
    assert_string_equal(options.keep, "dir");
    assert_int_equal(options.rate, 10);
    assert_true(options.help);
}

static void test_json_is_for_machines_that_wait(void **state)
{
    (void)state;
    assert_true(READ("--json"));
    assert_true(options.json && options.once);
}

static void expect_message(const char *part)
{
    if (strstr(text_string(&message), part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, text_string(&message));
}

static void test_mistakes_are_explained(void **state)
{
    (void)state;
    assert_false(READ("--wrong"));
    expect_message("unknown option --wrong");
    assert_false(READ("--kafka"));
    expect_message("--kafka needs a value");
    assert_false(READ("here"));
    expect_message("unexpected \"here\"");
    assert_false(READ("--traces", "9"));
    expect_message("--traces takes a number from 10");
    assert_false(READ("--traces", "-5"));
    expect_message("not \"-5\"");
    assert_false(READ("--rate", "5x"));
    expect_message("not \"5x\"");
    assert_false(READ("--seed", "99999999999999999999999"));
    expect_message("--seed");
}

/* More would be dropped by the mock cluster, and look like loss. */
static void test_kafka_in_the_process_is_small(void **state)
{
    (void)state;
    assert_true(READ("--traces", "3000"));
    assert_false(READ("--traces", "3001"));
    expect_message("use --kafka");
    assert_true(READ("--traces", "3001", "--kafka", "h:1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_options, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_is_for_machines_that_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mistakes_are_explained, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kafka_in_the_process_is_small, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
