/*
 * thread: starts a thread that may use a link.
 *
 * librabbitmq decodes tables by recursion while they arrive, and a frame of 128 KiB has room for
 * 18,700 levels, which the usual stacks do not take: such a thread gets 16 MiB of address space
 * for its stack.  All signals are blocked in it: they are the main thread's business.
 */
#ifndef SB_AMQP_THREAD_H
#define SB_AMQP_THREAD_H

#include <pthread.h>

#include "core/err.h"

enum { AMQP_THREAD_STACK_BYTES = 16 << 20, AMQP_THREAD_NAME_LEN = 16 };

/*
 * `name` is cut to what Linux takes.  SB_ERR_INTERNAL: no thread.  The caller joins it.
 */
enum sb_err amqp_thread_start(pthread_t *ret, const char *name, void *(*run)(void *arg),
                              void *arg) SB_MUST_USE;

#endif
