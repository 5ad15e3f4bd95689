#include "amqp/thread.h"

#include <signal.h>
#include <stdbool.h>

#include "support/test.h"

struct seen {
    size_t stack_bytes;
    bool blocked;
};

static void *look(void *arg)
{
    struct seen *seen = arg;
    pthread_attr_t attributes;
    sigset_t mask;
    void *at;
    (void)pthread_getattr_np(pthread_self(), &attributes);
    (void)pthread_attr_getstack(&attributes, &at, &seen->stack_bytes);
    (void)pthread_attr_destroy(&attributes);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    seen->blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGHUP) == 1;
    return NULL;
}

static void test_stack_and_signals(void **state)
{
    (void)state;
    struct seen seen = {.blocked = false};
    pthread_t thread;
    sigset_t mask;
    assert_int_equal(amqp_thread_start(&thread, "a name that is too long", look, &seen), SB_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(seen.stack_bytes >= AMQP_THREAD_STACK_BYTES);
    assert_true(seen.blocked);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stack_and_signals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
