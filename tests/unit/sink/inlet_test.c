#include "inlet.h"

#include <poll.h>
#include <semaphore.h>
#include <signal.h>

#include "rig.h"

enum { STACK_BYTES = 3 << 20, THREADS = 4, BATCHES = 50, SPANS = 10 };

/* A kind of sink that exports what it takes, or keeps it under way. */
struct gate {
    struct inlet inlet; /* first */
    struct rig *rig;
    sem_t turns; /* posted after each turn of its thread */
    atomic_bool shut;
    enum sb_err open_error;
    struct sink_batch *taken; /* the oldest batch, while shut */
    size_t stack_bytes;       /* of its thread */
    bool deaf;                /* to signals: both threads */
    bool freed;
};

static bool is_deaf(void)
{
    sigset_t mask;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    return sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGPIPE) == 1;
}

static enum sb_err open_gate(struct inlet *inlet)
{
    struct gate *gate = (struct gate *)inlet;
    gate->deaf = is_deaf();
    return gate->open_error;
}

static void export_first(struct inlet *inlet)
{
    struct sink_batch *batch = inlet_take_first(inlet);
    for (uint32_t i = 0; i < batch->span_count; i++)
        batch->spans[i].outcome = SINK_EXPORTED;
    INLET_COUNT(inlet, spans_exported, batch->span_count);
    inlet_move(inlet, SINK_READY);
    inlet_give_back(inlet, batch);
}

static void run_gate(struct inlet *inlet)
{
    struct gate *gate = (struct gate *)inlet;
    pthread_attr_t attributes;
    assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
    assert_int_equal(pthread_attr_getstacksize(&attributes, &gate->stack_bytes), 0);
    (void)pthread_attr_destroy(&attributes);
    gate->deaf = gate->deaf && is_deaf();
    while (!inlet_is_stopping(inlet)) {
        struct pollfd wait = {.fd = inlet->wake_fd, .events = POLLIN};
        (void)poll(&wait, 1, -1);
        inlet_clear_wake(inlet);
        inlet_take_in(inlet);
        bool shut = atomic_load(&gate->shut);
        while (!shut && inlet->first != NULL)
            export_first(inlet);
        if (shut && gate->taken == NULL && inlet->first != NULL)
            gate->taken = inlet_take_first(inlet);
        (void)sem_post(&gate->turns);
    }
}

static void give_back(struct inlet *inlet)
{
    struct gate *gate = (struct gate *)inlet;
    if (gate->taken != NULL)
        inlet_give_back(inlet, gate->taken);
    gate->taken = NULL;
}

static void free_gate(struct inlet *inlet)
{
    struct gate *gate = (struct gate *)inlet;
    inlet_clear(inlet);
    gate->freed = true;
}

static const struct inlet_kind gate_kind = {
    .open = open_gate, .run = run_gate, .give_back = give_back, .free = free_gate};

static void gate_init(struct gate *gate, struct rig *rig)
{
    *gate = (struct gate){.rig = rig};
    rig_init(rig, clock_system());
    assert_int_equal(sem_init(&gate->turns, 0, 0), 0);
    const struct inlet_options options = {.name = "a name that is too long for a thread",
                                          .queue_bytes_max = 1,
                                          .stack_bytes = STACK_BYTES,
                                          .on_done = rig_on_done,
                                          .on_done_arg = rig};
    assert_int_equal(inlet_init(&gate->inlet, &gate_kind, &options), SB_OK);
}

static void gate_start(struct gate *gate)
{
    assert_int_equal(inlet_start(&gate->inlet), SB_OK);
    gate->rig->sink = &gate->inlet.base;
}

static void gate_clear(struct gate *gate)
{
    rig_clear(gate->rig);
    assert_true(gate->freed);
    (void)sem_destroy(&gate->turns);
}

static void test_a_batch_goes_through(void **state)
{
    (void)state;
    struct rig rig;
    struct gate gate;
    gate_init(&gate, &rig);
    gate_start(&gate);
    assert_int_equal(rig.sink->ops->state(rig.sink), SINK_CONNECTING);
    assert_true(sink_has_room(rig.sink));
    struct sink_batch *batch = rig_fill(&rig, 1, SPANS, 0);
    rig_send(&rig, batch);
    assert_int_equal(rig_count(batch, SINK_EXPORTED), SPANS);
    assert_int_equal(rig_counters(&rig).spans_exported, SPANS);
    assert_int_equal(rig.sink->ops->state(rig.sink), SINK_READY);
    assert_true(sink_has_room(rig.sink));
    assert_true(gate.deaf);
    assert_false(is_deaf());
    assert_true(gate.stack_bytes >= STACK_BYTES && gate.stack_bytes < STACK_BYTES * 2);
    sink_batch_free(batch);
    gate_clear(&gate);
}

static void test_bytes_are_queued_until_given_back(void **state)
{
    (void)state;
    struct rig rig;
    struct gate gate;
    gate_init(&gate, &rig);
    gate.shut = true;
    gate_start(&gate);
    size_t len = 0;
    for (int i = 0; i < 3; i++) {
        struct sink_batch *batch = rig_fill(&rig, 1, SPANS, 0);
        len += batch->bytes.len;
        sink_submit(rig.sink, batch);
        assert_int_equal(rig.sink->ops->queued_bytes(rig.sink), len);
        assert_false(sink_has_room(rig.sink));
    }
    /* One without spans does not wait behind the others. */
    struct sink_batch *empty = rig_new_batch(1);
    rig_send(&rig, empty);
    sink_batch_free(empty);
    assert_int_equal(rig.sink->ops->queued_bytes(rig.sink), len);
    gate_clear(&gate);
}

/* What is under way, then what waits, then what came late: all of it, in its order. */
static void test_stop_gives_all_back(void **state)
{
    (void)state;
    struct rig rig;
    struct gate gate;
    gate_init(&gate, &rig);
    gate.shut = true;
    gate_start(&gate);
    for (int i = 0; i < 3; i++) {
        sink_submit(rig.sink, rig_fill(&rig, 1, SPANS, 0));
        assert_int_equal(sem_wait(&gate.turns), 0);
    }
    rig.sink->ops->stop(rig.sink);
    assert_int_equal(rig.sink->ops->state(rig.sink), SINK_STOPPED);
    sink_submit(rig.sink, rig_fill(&rig, 1, SPANS, 0));
    rig.sink->ops->stop(rig.sink);
    for (uint32_t i = 0; i < 4; i++) {
        struct sink_batch *batch = rig_take(&rig);
        assert_int_equal(batch->spans[0].ticket, i * SPANS);
        assert_int_equal(rig_count(batch, SINK_PENDING), SPANS);
        sink_batch_free(batch);
    }
    assert_int_equal(rig.sink->ops->queued_bytes(rig.sink), 0);
    gate_clear(&gate);
}

static void test_a_kind_that_can_not_open(void **state)
{
    (void)state;
    struct rig rig;
    struct gate gate;
    gate_init(&gate, &rig);
    gate.open_error = SB_ERR_CONFIG;
    assert_int_equal(inlet_start(&gate.inlet), SB_ERR_CONFIG);
    assert_false(is_deaf());
    free_gate(&gate.inlet);
    gate_clear(&gate);
}

static void *submit_many(void *arg)
{
    struct rig *rig = arg;
    for (int i = 0; i < BATCHES; i++) {
        (void)pthread_mutex_lock(&rig->lock);
        struct sink_batch *batch = rig_fill(rig, 1, SPANS, 0);
        (void)pthread_mutex_unlock(&rig->lock);
        sink_submit(rig->sink, batch);
        (void)rig_counters(rig);
        (void)sink_has_room(rig->sink);
        (void)rig->sink->ops->state(rig->sink);
    }
    return NULL;
}

static void test_many_workers(void **state)
{
    (void)state;
    struct rig rig;
    struct gate gate;
    gate_init(&gate, &rig);
    gate_start(&gate);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &rig), 0);
    for (int i = 0; i < THREADS * BATCHES; i++) {
        struct sink_batch *batch = rig_take(&rig);
        assert_int_equal(rig_count(batch, SINK_EXPORTED), SPANS);
        sink_batch_free(batch);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(rig_counters(&rig).spans_exported, THREADS * BATCHES * SPANS);
    gate_clear(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_batch_goes_through),
        cmocka_unit_test(test_bytes_are_queued_until_given_back),
        cmocka_unit_test(test_stop_gives_all_back),
        cmocka_unit_test(test_a_kind_that_can_not_open),
        cmocka_unit_test(test_many_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
