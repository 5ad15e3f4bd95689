#include "core/assert.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

/* Runs SB_ASSERT(value) in a child; its stderr lands in `ret`.  Returns the wait status. */
static int run_child(int value, char *ret, size_t room)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        if (dup2(ends[1], STDERR_FILENO) < 0)
            _exit(99);
        SB_ASSERT(value == 1);
        _exit(0);
    }
    close(ends[1]);
    size_t len = 0;
    ssize_t got;
    while (len + 1 < room && (got = read(ends[0], ret + len, room - 1 - len)) > 0)
        len += (size_t)got;
    ret[len] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_a_true_condition_does_nothing(void **state)
{
    (void)state;
    char text[512];
    int status = run_child(1, text, sizeof(text));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_string_equal(text, "");
}

static void test_a_false_condition_says_where_and_aborts(void **state)
{
    (void)state;
    char text[512];
    int status = run_child(2, text, sizeof(text));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "assertion failed: value == 1 ("));
    assert_non_null(strstr(text, "assert_test.c:"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void test_the_condition_is_evaluated_once(void **state)
{
    (void)state;
    int count = 0;
    SB_ASSERT(++count == 1);
    assert_int_equal(count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_true_condition_does_nothing),
        cmocka_unit_test(test_a_false_condition_says_where_and_aborts),
        cmocka_unit_test(test_the_condition_is_evaluated_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
