#include "amqp/thread.h"

#include <signal.h>
#include <stdio.h>

enum sb_err amqp_thread_start(pthread_t *ret, const char *name, void *(*run)(void *arg),
                              void *arg)
{
    sigset_t all;
    sigset_t before;
    pthread_attr_t attributes;
    (void)sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0)
        return SB_ERR_INTERNAL;
    int failed = pthread_attr_setstacksize(&attributes, AMQP_THREAD_STACK_BYTES);
    if (failed == 0)
        failed = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (failed == 0) {
        failed = pthread_create(ret, &attributes, run, arg);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    if (failed != 0)
        return SB_ERR_INTERNAL;
    char cut[AMQP_THREAD_NAME_LEN];
    (void)snprintf(cut, sizeof(cut), "%s", name);
    (void)pthread_setname_np(*ret, cut);
    return SB_OK;
}
