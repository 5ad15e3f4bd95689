#include "terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "capture.h"
#include "report.h"
#include "support/test.h"

/* stderr as a terminal while the function runs. */
static bool on_terminal(bool (*function)(void))
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    char name[128];
    assert_int_equal(ptsname_r(master, name, sizeof(name)), 0);
    int terminal = open(name, O_RDWR | O_NOCTTY);
    int before = dup(STDERR_FILENO);
    assert_true(terminal >= 0 && before >= 0);
    dup2(terminal, STDERR_FILENO);
    bool result = function();
    dup2(before, STDERR_FILENO);
    close(before);
    close(terminal);
    close(master);
    return result;
}

static int colour_code(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return terminal_has_colour();
}

static void test_colour(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    capture_expect(colour_code, WORDS("x"), 0, "", ""); /* a file is no terminal */
    assert_true(on_terminal(terminal_has_colour));
    setenv("NO_COLOR", "1", 1);
    assert_false(on_terminal(terminal_has_colour));
    setenv("NO_COLOR", "", 1); /* empty is as good as not there: no-color.org */
    assert_true(on_terminal(terminal_has_colour));
    setenv("TERM", "dumb", 1);
    assert_false(on_terminal(terminal_has_colour));
    unsetenv("TERM");
    assert_false(on_terminal(terminal_has_colour));
}

static int print_text(int argc, char **argv)
{
    struct text text;
    text_init(&text, 100);
    if (argc > 1)
        text_append_text(&text, argv[1]);
    int code = terminal_print(&text);
    text_clear(&text);
    return code;
}

static void test_print(void **state)
{
    (void)state;
    capture_expect(print_text, WORDS("x", "some text\n"), 0, "some text\n", "");
    capture_expect(print_text, WORDS("x"), 0, "", "");
}

/* A full disk is told, not passed over. */
static int print_to_full(int argc, char **argv)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    int before = dup(STDOUT_FILENO);
    assert_true(full >= 0 && before >= 0);
    dup2(full, STDOUT_FILENO);
    int code = print_text(argc, argv);
    dup2(before, STDOUT_FILENO);
    close(before);
    close(full);
    return code;
}

static void test_full(void **state)
{
    (void)state;
    capture_expect(print_to_full, WORDS("x", "some text\n"), EX_IOERR, NULL,
                   "spanbridge: stdout: No space left on device\n");
}

static int print_too_much(int argc, char **argv)
{
    struct text text;
    (void)argc;
    (void)argv;
    text_init(&text, 3);
    text_append_text(&text, "four");
    int code = terminal_print(&text);
    text_clear(&text);
    return code;
}

static void test_failed_text(void **state)
{
    (void)state;
    struct capture capture;
    capture_run(&capture, print_too_much, WORDS("x"));
    assert_int_equal(capture.code, EX_OSERR);
    assert_string_equal(capture.out, "");
    capture_clear(&capture);
}

static int report_some(int argc, char **argv)
{
    (void)argv;
    struct config_report report;
    config_report_init(&report);
    struct place at = report_file(&report, "f");
    for (int i = 1; i < argc; i++) {
        at.line = (uint32_t)i;
        if (argv[i][0] == 'e')
            report_error(&report, at, "an error");
        else
            report_warning(&report, at, "a warning");
    }
    terminal_report(&report);
    config_report_clear(&report);
    return 0;
}

static void test_report(void **state)
{
    (void)state;
    capture_expect(report_some, WORDS("x"), 0, "", "");
    capture_expect(report_some, WORDS("x", "e"), 0, "",
                   "f:1: error: an error\n1 error, 0 warnings\n");
    capture_expect(report_some, WORDS("x", "w", "e", "e"), 0, "",
                   "f:1: warning: a warning\nf:2: error: an error\nf:3: error: an error\n"
                   "2 errors, 1 warning\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colour), cmocka_unit_test(test_print),
        cmocka_unit_test(test_full),   cmocka_unit_test(test_failed_text),
        cmocka_unit_test(test_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
