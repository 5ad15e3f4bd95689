#include <semaphore.h>
#include <sys/socket.h>

#include "core/memory.h"
#include "rabbitmq_rig.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static void expect_all(struct sink_batch *batch, enum sink_outcome outcome)
{
    assert_int_equal(rig_count(batch, outcome), batch->span_count);
    sink_batch_free(batch);
}

/* What was not confirmed when the connection ended comes again. */
static void test_connections_are_cut(void **state)
{
    (void)state;
    static const enum rabbitmq_act plan[] = {
        RABBITMQ_ACK,  RABBITMQ_KEEP,           RABBITMQ_KEEP, RABBITMQ_CUT_CONNECTION,
        RABBITMQ_KEEP, RABBITMQ_CUT_CONNECTION, RABBITMQ_ACK};
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_plan(&rig, plan, COUNT_OF(plan));
    rabbitmq_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 20, 2, 0);
    rig_send(&rig.base, batch);
    expect_all(batch, SINK_EXPORTED);
    assert_int_equal(rig.connections, 3);
    assert_true(rig_counters(&rig.base).retries > 0);
    assert_int_equal(rig_logged(&rig.base, "sink_waits"), 1);
    rig_wait_logged(&rig.base, "sink_recovered", 1);
    rabbitmq_rig_clear(&rig);
}

/* While the connection is blocked nothing is published; the end does not wait for it. */
static void test_stop_while_blocked(void **state)
{
    (void)state;
    enum { BATCHES = 10 };
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rig.blocked = true;
    rabbitmq_rig_start(&rig);
    rig_wait_logged(&rig.base, "error=blocked", 1);
    assert_int_equal(rabbitmq_rig_state(&rig), SINK_BACKING_OFF);
    for (int i = 0; i < BATCHES; i++)
        sink_submit(rig.base.sink, rig_fill(&rig.base, 5, 2, 100));
    rig_stop(&rig.base);
    for (int i = 0; i < BATCHES; i++)
        expect_all(rig_take(&rig.base), SINK_PENDING);
    assert_int_equal(rig.taken, 0);
    /* What comes late all the same is given back by stop called again. */
    sink_submit(rig.base.sink, rig_fill(&rig.base, 1, 1, 0));
    rig_stop(&rig.base);
    sink_batch_free(rig_take(&rig.base));
    rabbitmq_rig_clear(&rig);
}

/* A message that is never confirmed does not hold the end up. */
static void test_stop_while_confirms_are_out(void **state)
{
    (void)state;
    static const enum rabbitmq_act plan[] = {RABBITMQ_ACK, RABBITMQ_KEEP, RABBITMQ_KEEP};
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_plan(&rig, plan, COUNT_OF(plan));
    rabbitmq_rig_start(&rig);
    sink_submit(rig.base.sink, rig_fill(&rig.base, 3, 2, 100));
    rabbitmq_rig_wait_taken(&rig, 3);
    rig_stop(&rig.base);
    struct sink_batch *batch = rig_take(&rig.base);
    assert_true(rig_count(batch, SINK_EXPORTED) <= 2);
    assert_true(rig_count(batch, SINK_PENDING) >= 4);
    sink_batch_free(batch);
    assert_int_equal(rig_logged(&rig.base, "sink_waits"), 0);
    rabbitmq_rig_clear(&rig);
}

/* In the middle of a message that the broker does not read to its end. */
static void test_stop_while_the_broker_does_not_read(void **state)
{
    (void)state;
    static const enum rabbitmq_act plan[] = {RABBITMQ_STALL};
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_plan(&rig, plan, COUNT_OF(plan));
    rabbitmq_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 1, 1, 0);
    for (int i = 0; i < 15; i++) /* one message: more than what is between us holds */
        rig_add(&rig.base, batch, 1, 1000000);
    sink_submit(rig.base.sink, batch);
    rabbitmq_rig_wait_taken(&rig, 1);
    rig_stop(&rig.base);
    assert_ptr_equal(rig_take(&rig.base), batch);
    expect_all(batch, SINK_PENDING);
    assert_int_equal(rig_logged(&rig.base, "sink_waits"), 0);
    rabbitmq_rig_clear(&rig);
}

/* The broker takes the connection and says nothing at all. */
static void say_nothing(struct fake_peer *peer)
{
    char byte;
    (void)sem_post(peer->arg);
    while (recv(peer->fd, &byte, 1, 0) > 0) {
    }
}

static void test_stop_while_the_broker_is_silent(void **state)
{
    (void)state;
    struct rabbitmq_rig rig;
    char url[FAKE_URL_LEN];
    sem_t connected;
    assert_int_equal(sem_init(&connected, 0, 0), 0);
    rabbitmq_rig_init(&rig);
    struct fake_broker *silent = fake_broker_new(say_nothing, &connected);
    fake_broker_url(silent, url);
    rig.options.url = url;
    rig.options.timeout_ns = 3600 * NS_PER_S;
    rabbitmq_rig_start(&rig);
    sink_submit(rig.base.sink, rig_fill(&rig.base, 1, 1, 0));
    assert_int_equal(sem_wait(&connected), 0);
    rig_stop(&rig.base);
    expect_all(rig_take(&rig.base), SINK_PENDING);
    assert_int_equal(rig_logged(&rig.base, "sink_waits"), 0);
    fake_broker_free(silent);
    (void)sem_destroy(&connected);
    rabbitmq_rig_clear(&rig);
}

/* Confirms that do not come: another connection, another try. */
static void test_no_confirm_in_time(void **state)
{
    (void)state;
    static const enum rabbitmq_act plan[] = {RABBITMQ_KEEP, RABBITMQ_ACK};
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_plan(&rig, plan, COUNT_OF(plan));
    rig.options.timeout_ns = 100 * NS_PER_MS;
    rabbitmq_rig_start(&rig);
    struct sink_batch *batch = rig_fill(&rig.base, 1, 2, 0);
    rig_send(&rig.base, batch);
    expect_all(batch, SINK_EXPORTED);
    assert_true(rig_logged(&rig.base, "error=no_confirm") >= 1);
    assert_true(rig.connections >= 2);
    rabbitmq_rig_clear(&rig);
}

static void test_stop_while_it_backs_off(void **state)
{
    (void)state;
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rig.refusals = UINT32_MAX;
    rig.options.backoff_initial_ns = 3600 * NS_PER_S;
    rig.options.backoff_max_ns = 3600 * NS_PER_S;
    rabbitmq_rig_start(&rig);
    sink_submit(rig.base.sink, rig_fill(&rig.base, 1, 1, 0));
    rig_wait_logged(&rig.base, "sink_waits", 1);
    rig_stop(&rig.base);
    expect_all(rig_take(&rig.base), SINK_PENDING);
    rabbitmq_rig_clear(&rig);
}

/* The nth allocation fails, for all n: the batch comes back whole all the same. */
static void test_memory_is_short(void **state)
{
    (void)state;
    enum { ALLOCATIONS = 8 };
    for (uint64_t nth = 1; nth <= ALLOCATIONS; nth++) {
        struct rabbitmq_rig rig;
        rabbitmq_rig_init(&rig);
        rabbitmq_rig_start(&rig);
        struct sink_batch *batch = rig_fill(&rig.base, 20, 2, 0);
        memory_fail_at(nth);
        rig_send(&rig.base, batch);
        memory_fail_at(0);
        expect_all(batch, SINK_EXPORTED);
        rabbitmq_rig_clear(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connections_are_cut),
        cmocka_unit_test(test_stop_while_blocked),
        cmocka_unit_test(test_stop_while_confirms_are_out),
        cmocka_unit_test(test_stop_while_the_broker_does_not_read),
        cmocka_unit_test(test_stop_while_the_broker_is_silent),
        cmocka_unit_test(test_no_confirm_in_time),
        cmocka_unit_test(test_stop_while_it_backs_off),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
