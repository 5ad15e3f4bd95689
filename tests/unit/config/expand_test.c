#include "expand.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "memory_files.h"
#include "support/test.h"

static const struct memory_file list[] = {{"d/secret", "hunter2\r\n\n"},
                                          {"/abs", "abs"},
                                          {"d/bad", "a\xff"},
                                          {"d/empty", ""},
                                          {NULL, NULL}};

struct expand_example {
    const char *raw;
    const char *out;  /* NULL: an error */
    const char *text; /* of the error */
    bool secret;
};

static void expect(const struct expand_example *example)
{
    struct config_files files = memory_files(list);
    struct text out;
    struct expansion expansion;
    text_init(&out, 1 << 16);
    enum sb_err err = expand(example->raw, "d/worker.conf", &files, &out, &expansion);
    if (example->out == NULL) {
        assert_int_equal(err, SB_ERR_INPUT);
        assert_string_equal(expansion.text, example->text);
    } else {
        assert_int_equal(err, SB_OK);
        assert_string_equal(text_string(&out), example->out);
        assert_int_equal(expansion.secret, example->secret);
    }
    text_clear(&out);
}

static void test_examples(void **state)
{
    (void)state;
    static const struct expand_example examples[] = {
        {"plain", "plain", NULL, false},
        {"", "", NULL, false},
        {"$ $A {x} $$", "$ $A {x} $$", NULL, false},
        {"${SPANBRIDGE_TEST_A}", "one", NULL, false},
        {"x${SPANBRIDGE_TEST_A}y${SPANBRIDGE_TEST_A}", "xoneyone", NULL, false},
        {"${SPANBRIDGE_TEST_A:-b}", "one", NULL, false},
        {"${SPANBRIDGE_TEST_EMPTY:-b}", "b", NULL, false},
        {"${SPANBRIDGE_TEST_EMPTY}", "", NULL, false},
        {"${SPANBRIDGE_TEST_UNSET:-b:-c}", "b:-c", NULL, false},
        {"${SPANBRIDGE_TEST_UNSET:-}", "", NULL, false},
        {"$${SPANBRIDGE_TEST_A}", "${SPANBRIDGE_TEST_A}", NULL, false},
        {"^a$${2}$", "^a${2}$", NULL, false},
        {"${SPANBRIDGE_TEST_PASSWORD}", "hunter2", NULL, true},
        {"${file:secret}", "hunter2", NULL, true},
        {"Bearer ${file:secret}", "Bearer hunter2", NULL, true},
        {"${file:/abs}", "abs", NULL, true},
        {"${file:empty}", "", NULL, true},
        {"${SPANBRIDGE_TEST_UNSET}", NULL,
         "the environment variable SPANBRIDGE_TEST_UNSET is not set", false},
        {"${}", NULL, "${} names no variable", false},
        {"${1A}", NULL, "${1A} names no variable", false},
        {"${A B}", NULL, "${A B} names no variable", false},
        {"${file:}", NULL, "${file:} names no variable", false},
        {"${SPANBRIDGE_TEST_A", NULL, "a ${ in this text is not closed", false},
        {"${A:-${B}}", NULL, "variables do not nest", false},
        {"${cred:x}", NULL, "${cred:...} is not available in this version", false},
        {"${file:none}", NULL, "d/none can not be read: No such file or directory", false},
        {"${file:bad}", NULL, "d/bad holds no text", false},
        {"${SPANBRIDGE_TEST_BYTES}", NULL,
         "the environment variable SPANBRIDGE_TEST_BYTES is not UTF-8", false},
    };
    setenv("SPANBRIDGE_TEST_A", "one", 1);
    setenv("SPANBRIDGE_TEST_EMPTY", "", 1);
    setenv("SPANBRIDGE_TEST_PASSWORD", "hunter2", 1);
    setenv("SPANBRIDGE_TEST_BYTES", "\xff", 1);
    unsetenv("SPANBRIDGE_TEST_UNSET");
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
        expect(&examples[i]);
}

/* Shells do not export it. */
static void test_host_name(void **state)
{
    (void)state;
    char host[256];
    assert_int_equal(gethostname(host, sizeof(host)), 0);
    unsetenv("HOSTNAME");
    expect(&(struct expand_example){"${HOSTNAME}", host, NULL, false});
    setenv("HOSTNAME", "pod-7", 1);
    expect(&(struct expand_example){"${HOSTNAME}", "pod-7", NULL, false});
}

/* Where the secret stands in what comes out, from the first to the last. */
static void test_secret_range(void **state)
{
    (void)state;
    struct config_files files = memory_files(list);
    struct text out;
    struct expansion expansion;
    setenv("SPANBRIDGE_TEST_A", "one", 1);
    setenv("SPANBRIDGE_TEST_PASSWORD", "hunter2", 1);
    text_init(&out, 1 << 16);
    assert_int_equal(expand("${SPANBRIDGE_TEST_A}:${SPANBRIDGE_TEST_PASSWORD}@"
                            "${SPANBRIDGE_TEST_A}",
                            "w", &files, &out, &expansion),
                     SB_OK);
    assert_true(expansion.secret);
    assert_int_equal(expansion.secret_from, 4);
    assert_int_equal(expansion.secret_to, 11);
    text_clear(&out);
    text_init(&out, 1 << 16);
    assert_int_equal(
        expand("${SPANBRIDGE_TEST_PASSWORD}-${file:secret}.", "d/w", &files, &out, &expansion),
        SB_OK);
    assert_int_equal(expansion.secret_from, 0);
    assert_int_equal(expansion.secret_to, 15);
    text_clear(&out);
}

static void test_needed(void **state)
{
    (void)state;
    assert_false(expand_needed("$A {B}"));
    assert_true(expand_needed("${B}"));
    assert_true(expand_needed("$${B}"));
}

static void test_too_long(void **state)
{
    (void)state;
    struct config_files files = memory_files(list);
    struct text out;
    struct expansion expansion;
    setenv("SPANBRIDGE_TEST_A", "one", 1);
    for (size_t room = 0; room < 8; room++) {
        text_init(&out, room);
        assert_int_equal(expand("aa${SPANBRIDGE_TEST_A}bbb", "w", &files, &out, &expansion),
                         SB_ERR_INPUT);
        assert_string_equal(expansion.text, "the expanded text is too long");
        text_clear(&out);
    }
}

static void test_want_of_memory(void **state)
{
    (void)state;
    struct config_files files = memory_files(list);
    enum sb_err err = SB_ERR_MEMORY;
    uint64_t nth = 1;
    for (; err == SB_ERR_MEMORY; nth++) {
        struct text out;
        struct expansion expansion;
        text_init(&out, 1 << 16);
        memory_fail_at(nth);
        err = expand("a${file:secret}b", "d/w", &files, &out, &expansion);
        memory_fail_at(0);
        text_clear(&out);
    }
    assert_int_equal(err, SB_OK);
    assert_true(nth > 3);
}

static void test_path(void **state)
{
    (void)state;
    static const char *const examples[][3] = {{"a", "w.conf", "a"},
                                              {"a", "d/w.conf", "d/a"},
                                              {"a/b", "/e/d/w.conf", "/e/d/a/b"},
                                              {"/a", "d/w.conf", "/a"}};
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        struct text out;
        text_init(&out, 1000);
        expand_path(examples[i][0], examples[i][1], &out);
        assert_string_equal(text_string(&out), examples[i][2]);
        text_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),       cmocka_unit_test(test_host_name),
        cmocka_unit_test(test_secret_range),   cmocka_unit_test(test_needed),
        cmocka_unit_test(test_too_long),       cmocka_unit_test(test_path),
        cmocka_unit_test(test_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
