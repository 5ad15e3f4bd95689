#include "producer.h"

#include <string.h>

#include "kafka_rig.h"

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    (void)message;
    (void)opaque;
}

static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    (void)rk;
    (void)err;
    (void)reason;
    (void)opaque;
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

static enum sb_err open_producer(struct kafka_rig *rig, size_t batch_bytes,
                                 struct producer *ret)
{
    const struct producer_options options = {.sink = &rig->options,
                                             .batch_bytes = batch_bytes,
                                             .wake_fd = -1,
                                             .on_report = on_report,
                                             .on_error = on_error,
                                             .on_log = on_log};
    return producer_open(&options, ret);
}

static void expect(const struct producer *producer, const char *name, const char *value)
{
    char found[128];
    size_t len = sizeof(found);
    const rd_kafka_conf_t *conf = rd_kafka_conf(producer->rk);
    assert_int_equal(rd_kafka_conf_get(conf, name, found, &len), RD_KAFKA_CONF_OK);
    assert_string_equal(found, value);
}

/* Whatever the worker's properties say: they may be meant for dead letters. */
static void test_promises_hold(void **state)
{
    (void)state;
    struct kafka_rig rig;
    struct producer producer;
    kafka_rig_init(&rig);
    rig.options.property_count = 0;
    kafka_rig_set(&rig, "acks", "1");
    kafka_rig_set(&rig, "enable.idempotence", "false");
    kafka_rig_set(&rig, "message.timeout.ms", "1000");
    kafka_rig_set(&rig, "compression.type", "lz4");
    rig.options.partitioner = SINK_KAFKA_FNV1A;
    assert_int_equal(open_producer(&rig, 0, &producer), SB_OK);
    expect(&producer, "enable.idempotence", "true");
    expect(&producer, "acks", "-1");
    expect(&producer, "message.timeout.ms", "0");
    expect(&producer, "partitioner", "fnv1a");
    expect(&producer, "compression.type", "lz4");
    expect(&producer, "client.id", "tests");
    assert_int_equal(producer.message_bytes_max, 1000000);
    producer_close(&producer);
    kafka_rig_clear(&rig);
}

/* Never above what is configured. */
static void test_batch_bytes(void **state)
{
    (void)state;
    struct kafka_rig rig;
    struct producer producer;
    kafka_rig_init(&rig);
    kafka_rig_set(&rig, "batch.size", "20000");
    assert_int_equal(open_producer(&rig, 0, &producer), SB_OK);
    expect(&producer, "batch.size", "20000");
    producer_close(&producer);
    assert_int_equal(open_producer(&rig, 30000, &producer), SB_OK);
    expect(&producer, "batch.size", "20000");
    producer_close(&producer);
    assert_int_equal(open_producer(&rig, 10000, &producer), SB_OK);
    expect(&producer, "batch.size", "10000");
    producer_close(&producer);
    producer_close(&producer); /* a closed one is left alone */
    kafka_rig_clear(&rig);
}

static void test_secrets_are_not_logged(void **state)
{
    (void)state;
    struct kafka_rig rig;
    struct producer producer;
    kafka_rig_init(&rig);
    kafka_rig_set(&rig, "ssl.key.pem", "hunter2");
    kafka_rig_set(&rig, "security.protocol", "hunter2");
    assert_int_equal(open_producer(&rig, 0, &producer), SB_ERR_CONFIG);
    assert_int_equal(rig_logged(&rig.base, "hunter2"), 0);
    assert_int_equal(rig_logged(&rig.base, "security.protocol"), 1);
    kafka_rig_clear(&rig);
}

/* Each by itself is right. */
static void test_properties_that_do_not_go_together(void **state)
{
    (void)state;
    struct kafka_rig rig;
    struct producer producer;
    kafka_rig_init(&rig);
    kafka_rig_set(&rig, "max.in.flight", "100");
    assert_int_equal(open_producer(&rig, 0, &producer), SB_ERR_CONFIG);
    assert_int_equal(rig_logged(&rig.base, "max.in.flight"), 1);
    kafka_rig_clear(&rig);
}

static void test_is_own(void **state)
{
    (void)state;
    assert_true(producer_is_own("acks"));
    assert_true(producer_is_own("request.required.acks"));
    assert_true(producer_is_own("bootstrap.servers"));
    assert_true(producer_is_own("partitioner"));
    assert_false(producer_is_own("compression.type"));
    assert_false(producer_is_own("sasl.password"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promises_hold),
        cmocka_unit_test(test_batch_bytes),
        cmocka_unit_test(test_secrets_are_not_logged),
        cmocka_unit_test(test_properties_that_do_not_go_together),
        cmocka_unit_test(test_is_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
