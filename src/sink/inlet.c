#include "inlet.h"

#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/assert.h"

static void wake(struct inlet *inlet)
{
    uint64_t one = 1;
    /* Fails only when the counter is full, and then the thread has been woken before. */
    (void)!write(inlet->wake_fd, &one, sizeof(one));
}

void inlet_clear_wake(struct inlet *inlet)
{
    uint64_t count;
    (void)!read(inlet->wake_fd, &count, sizeof(count));
}

static void submit(struct sink *base, struct sink_batch *batch)
{
    struct inlet *inlet = (struct inlet *)base;
    atomic_fetch_add_explicit(&inlet->queued_bytes, batch->bytes.len, memory_order_relaxed);
    if (mailbox_post(&inlet->inbox, &batch->item))
        wake(inlet);
}

static size_t queued_bytes(const struct sink *base)
{
    const struct inlet *inlet = (const struct inlet *)base;
    return atomic_load_explicit(&inlet->queued_bytes, memory_order_relaxed);
}

static void read_counters(const struct sink *base, struct sink_counters *ret)
{
    const struct inlet *inlet = (const struct inlet *)base;
#define READ_COUNTER(name)                                                                     \
    ret->name = atomic_load_explicit(&inlet->counters.name, memory_order_relaxed);
    SINK_COUNTERS(READ_COUNTER)
#undef READ_COUNTER
}

static enum sink_state read_state(const struct sink *base)
{
    const struct inlet *inlet = (const struct inlet *)base;
    return (enum sink_state)atomic_load_explicit(&inlet->state, memory_order_relaxed);
}

static void lock_why(struct inlet *inlet)
{
    int failed = pthread_mutex_lock(&inlet->why_lock);
    SB_ASSERT(failed == 0);
}

static void unlock_why(struct inlet *inlet)
{
    int failed = pthread_mutex_unlock(&inlet->why_lock);
    SB_ASSERT(failed == 0);
}

static void read_why(struct sink *base, char ret[SINK_WHY_LEN])
{
    struct inlet *inlet = (struct inlet *)base;
    lock_why(inlet);
    (void)snprintf(ret, SINK_WHY_LEN, "%s", inlet->why);
    unlock_why(inlet);
}

void inlet_explain(struct inlet *inlet, const char *why)
{
    lock_why(inlet);
    (void)snprintf(inlet->why, sizeof(inlet->why), "%s", why);
    unlock_why(inlet);
}

bool inlet_is_stopping(const struct inlet *inlet)
{
    return atomic_load(&inlet->stopping);
}

void inlet_move(struct inlet *inlet, enum sink_state state)
{
    int now = atomic_load_explicit(&inlet->state, memory_order_relaxed);
    if (now == (int)state)
        return;
    /* From CONNECTING on every step is legal, but back to it and out of STOPPED. */
    SB_ASSERT(now != SINK_STOPPED && state != SINK_CONNECTING);
    atomic_store_explicit(&inlet->state, (int)state, memory_order_relaxed);
}

void inlet_give_back(struct inlet *inlet, struct sink_batch *batch)
{
    atomic_fetch_sub_explicit(&inlet->queued_bytes, batch->bytes.len, memory_order_relaxed);
    inlet->options.on_done(inlet->options.on_done_arg, batch);
}

struct sink_batch *inlet_take_first(struct inlet *inlet)
{
    struct sink_batch *batch = inlet->first;
    inlet->first = (struct sink_batch *)batch->item.next;
    if (inlet->first == NULL)
        inlet->last = NULL;
    return batch;
}

void inlet_take_in(struct inlet *inlet)
{
    struct mailbox_item *item = mailbox_take_all(&inlet->inbox);
    while (item != NULL) {
        struct sink_batch *batch = (struct sink_batch *)item;
        item = item->next;
        batch->item.next = NULL;
        if (batch->span_count == 0) {
            inlet_give_back(inlet, batch);
            continue;
        }
        if (inlet->last == NULL)
            inlet->first = batch;
        else
            inlet->last->item.next = &batch->item;
        inlet->last = batch;
    }
}

/* Every batch, oldest first: what the kind has, what waits, what has just come. */
static void give_all_back(struct inlet *inlet)
{
    inlet->kind->give_back(inlet);
    inlet_take_in(inlet);
    while (inlet->first != NULL)
        inlet_give_back(inlet, inlet_take_first(inlet));
}

static void *run_thread(void *arg)
{
    struct inlet *inlet = arg;
    inlet->kind->run(inlet);
    give_all_back(inlet);
    inlet_move(inlet, SINK_STOPPED);
    return NULL;
}

static void stop(struct sink *base)
{
    struct inlet *inlet = (struct inlet *)base;
    if (!inlet->stopped) {
        inlet->stopped = true;
        atomic_store(&inlet->stopping, true);
        wake(inlet);
        if (inlet->kind->interrupt != NULL)
            inlet->kind->interrupt(inlet);
        int failed = pthread_join(inlet->thread, NULL);
        SB_ASSERT(failed == 0);
    }
    /* Whoever submitted while the thread ended gets it back all the same. */
    give_all_back(inlet);
}

static void free_sink(struct sink *base)
{
    struct inlet *inlet = (struct inlet *)base;
    if (inlet == NULL)
        return;
    SB_ASSERT(inlet->stopped);
    inlet->kind->free(inlet);
}

static const struct sink_ops inlet_ops = {
    .submit = submit,
    .queued_bytes = queued_bytes,
    .read_counters = read_counters,
    .state = read_state,
    .read_why = read_why,
    .stop = stop,
    .free = free_sink,
};

enum sb_err inlet_init(struct inlet *inlet, const struct inlet_kind *kind,
                       const struct inlet_options *options)
{
    *inlet = (struct inlet){
        .base = {.ops = &inlet_ops,
                 .name = options->name,
                 .queue_bytes_max = options->queue_bytes_max},
        .kind = kind,
        .options = *options,
    };
    atomic_init(&inlet->state, SINK_CONNECTING);
    mailbox_init(&inlet->inbox);
    int failed = pthread_mutex_init(&inlet->why_lock, NULL);
    SB_ASSERT(failed == 0);
    inlet->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return inlet->wake_fd < 0 ? SB_ERR_INTERNAL : SB_OK;
}

void inlet_clear(struct inlet *inlet)
{
    if (inlet->wake_fd >= 0)
        (void)close(inlet->wake_fd);
    mailbox_clear(&inlet->inbox);
    (void)pthread_mutex_destroy(&inlet->why_lock);
}

static bool start_thread(struct inlet *inlet)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    size_t stack_bytes = inlet->options.stack_bytes;
    bool started = stack_bytes == 0 || pthread_attr_setstacksize(&attributes, stack_bytes) == 0;
    started = started && pthread_create(&inlet->thread, &attributes, run_thread, inlet) == 0;
    (void)pthread_attr_destroy(&attributes);
    return started;
}

/*
 * Signals are the main thread's business, SIGPIPE of TLS writes nobody's; the threads that
 * libraries start take the mask over.
 */
enum sb_err inlet_start(struct inlet *inlet)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return SB_ERR_INTERNAL;
    enum sb_err err = inlet->kind->open == NULL ? SB_OK : inlet->kind->open(inlet);
    if (err == SB_OK && !start_thread(inlet))
        err = SB_ERR_INTERNAL;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err != SB_OK)
        return err;
    char name[16]; /* what Linux takes, NUL included */
    (void)snprintf(name, sizeof(name), "sink-%s", inlet->base.name);
    (void)pthread_setname_np(inlet->thread, name);
    return SB_OK;
}
