#include "fixture.h"

#include "broker.h"

static void on_delivered(void *arg, const rd_kafka_message_t *message)
{
    assert_int_equal(message->err, RD_KAFKA_RESP_ERR_NO_ERROR);
    ++*(uint32_t *)arg;
}

static void test_broker_in_the_process_has_our_topics(void **state)
{
    (void)state;
    uint32_t delivered = 0;
    struct broker_options options = {.on_delivered = on_delivered, .arg = &delivered};
    struct broker *broker;
    struct text message;
    text_init(&message, 4096);
    if (broker_new(&options, &broker, &message) != SB_OK)
        fail_msg("%s", text_string(&message));
    assert_non_null(strstr(broker_bootstrap(broker), "127.0.0.1:"));
    assert_string_equal(broker_topic_name(broker, BROKER_ORDERS), "orders");
    for (uint32_t i = 0; i < BROKER_TOPICS; i++)
        for (int32_t partition = 0; partition < BROKER_PARTITIONS; partition++) {
            struct broker_record record = {.topic = (enum broker_topic)i,
                                           .partition = partition,
                                           .value = BYTES_LITERAL("x"),
                                           .traceparent = BYTES_LITERAL("00-...")};
            assert_int_equal(broker_produce(broker, &record), RD_KAFKA_RESP_ERR_NO_ERROR);
        }
    assert_int_equal(broker_flush(broker, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(delivered, BROKER_TOPICS * BROKER_PARTITIONS);
    assert_true(broker_free(broker, &message));
    assert_string_equal(text_string(&message), "");
    assert_true(broker_free(NULL, &message));
    text_clear(&message);
}

/* Another mock cluster stands for a real broker; it can not create topics by request. */
static void test_broker_that_makes_no_topics_is_named(void **state)
{
    (void)state;
    uint32_t delivered = 0;
    struct broker_options options = {.on_delivered = on_delivered, .arg = &delivered};
    struct broker *host;
    struct broker *guest;
    struct text message;
    text_init(&message, 4096);
    assert_int_equal(broker_new(&options, &host, &message), SB_OK);
    options.bootstrap = broker_bootstrap(host);
    assert_int_equal(broker_new(&options, &guest, &message), SB_ERR_UNAVAILABLE);
    assert_non_null(strstr(text_string(&message), "topics can not be created at "));
    assert_non_null(strstr(text_string(&message), broker_bootstrap(host)));
    broker_free(host, &message);
    text_clear(&message);
}

static void test_broker_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct broker_options options = {.bootstrap = "127.0.0.1:1", .on_delivered = on_delivered};
    struct broker *broker;
    struct text message;
    text_init(&message, 4096);
    assert_int_equal(broker_new(&options, &broker, &message), SB_ERR_UNAVAILABLE);
    assert_non_null(strstr(text_string(&message), "no Kafka answers at 127.0.0.1:1: "));
    assert_null(strstr(text_string(&message), "(after"));
    text_clear(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broker_in_the_process_has_our_topics),
        cmocka_unit_test(test_broker_that_makes_no_topics_is_named),
        cmocka_unit_test(test_broker_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
