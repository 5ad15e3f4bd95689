#include <string.h>

#include "rabbitmq_rig.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static void expect_why(struct rabbitmq_rig *rig, const char *part)
{
    char why[SINK_WHY_LEN];
    rig->base.sink->ops->read_why(rig->base.sink, why);
    if (part == NULL)
        assert_string_equal(why, "");
    else
        assert_non_null(strstr(why, part));
}

static void send_one(struct rabbitmq_rig *rig)
{
    struct sink_batch *batch = rig_fill(&rig->base, 1, 1, 0);
    rig_send(&rig->base, batch);
    assert_int_equal(batch->spans[0].outcome, SINK_EXPORTED);
    sink_batch_free(batch);
}

/* However often it comes, and so is its end. */
static void test_said_once(void **state)
{
    (void)state;
    static const enum rabbitmq_act plan[] = {RABBITMQ_CUT_CONNECTION, RABBITMQ_CUT_CONNECTION,
                                             RABBITMQ_CUT_CONNECTION, RABBITMQ_ACK,
                                             RABBITMQ_CUT_CONNECTION, RABBITMQ_ACK};
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_plan(&rig, plan, COUNT_OF(plan));
    rabbitmq_rig_start(&rig);
    for (uint32_t round = 1; round <= 2; round++) {
        send_one(&rig);
        assert_int_equal(rig_logged(&rig.base, "error=cut"), round);
        rig_wait_logged(&rig.base, "sink_recovered", round); /* after the batch is back */
    }
    rabbitmq_rig_clear(&rig);
}

static void test_not_let_in(void **state)
{
    (void)state;
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rig.refusals = UINT32_MAX;
    rabbitmq_rig_start(&rig);
    rig_wait_logged(&rig.base, "error=not_let_in", 1);
    assert_int_equal(rabbitmq_rig_state(&rig), SINK_UNAUTHORISED);
    expect_why(&rig, "as user guest: ACCESS_REFUSED");
    (void)pthread_mutex_lock(&rig.base.lock);
    rig.refusals = 0;
    (void)pthread_mutex_unlock(&rig.base.lock);
    send_one(&rig);
    rig_wait_logged(&rig.base, "sink_recovered", 1);
    assert_int_equal(rabbitmq_rig_state(&rig), SINK_READY);
    expect_why(&rig, NULL);
    assert_int_equal(rig_logged(&rig.base, "secret"), 0);
    rabbitmq_rig_clear(&rig);
}

/* With nothing to be sent the connection alone shows that all is well. */
static void test_the_exchange_comes_later(void **state)
{
    (void)state;
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rig.no_exchange = true;
    rabbitmq_rig_start(&rig);
    rig_wait_logged(&rig.base, "sink_recovered", 1);
    assert_int_equal(rig_logged(&rig.base, "error=closed"), 1);
    assert_int_equal(rig_logged(&rig.base, "exchange kept: NOT_FOUND"), 1);
    assert_int_equal(rabbitmq_rig_state(&rig), SINK_READY);
    assert_int_equal(rig.connections, 2);
    rabbitmq_rig_clear(&rig);
}

static void test_no_right_to_publish(void **state)
{
    (void)state;
    static const enum rabbitmq_act plan[] = {RABBITMQ_FORBID, RABBITMQ_FORBID};
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rabbitmq_rig_plan(&rig, plan, COUNT_OF(plan));
    rabbitmq_rig_start(&rig);
    send_one(&rig);
    assert_int_equal(rig_logged(&rig.base, "error=not_let_in"), 1);
    assert_int_equal(rig_logged(&rig.base, "ACCESS_REFUSED - no (403)"), 1);
    assert_int_equal(rig.connections, 3);
    rabbitmq_rig_clear(&rig);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    struct rabbitmq_rig rig;
    rabbitmq_rig_init(&rig);
    rig.options.url = "amqp://127.0.0.1:1"; /* tcpmux: nobody has it */
    rabbitmq_rig_start(&rig);
    rig_wait_logged(&rig.base, "error=unreachable", 1);
    assert_int_equal(rabbitmq_rig_state(&rig), SINK_BACKING_OFF);
    expect_why(&rig, "no connection to 127.0.0.1:1");
    rabbitmq_rig_clear(&rig);
}

static void test_of_length(void **state)
{
    (void)state;
    assert_true(rabbitmq_trouble_is_of_length(311, ""));
    assert_true(rabbitmq_trouble_is_of_length(
        406,
        "channel closed: PRECONDITION_FAILED - message size 200 is larger than 100 (406)"));
    assert_false(rabbitmq_trouble_is_of_length(406, "channel closed: PRECONDITION_FAILED"));
    assert_false(rabbitmq_trouble_is_of_length(404, "channel closed: NOT_FOUND"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_said_once),
        cmocka_unit_test(test_not_let_in),
        cmocka_unit_test(test_the_exchange_comes_later),
        cmocka_unit_test(test_no_right_to_publish),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_of_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
