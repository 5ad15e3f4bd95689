#include "reply.h"

#include "support/test.h"

static void test_texts_are_made_clean(void **state)
{
    (void)state;
    char text[8];
    reply_clean(amqp_cstring_bytes("a\nb\x1b\xc3\xa9"), text, sizeof(text));
    assert_string_equal(text, "a?b???");
    reply_clean(amqp_cstring_bytes("0123456789"), text, sizeof(text));
    assert_string_equal(text, "0123456");
    reply_clean(amqp_empty_bytes, text, sizeof(text));
    assert_string_equal(text, "");
}

static void test_meanings_of_status_values(void **state)
{
    (void)state;
    const struct {
        int status;
        enum sb_err err;
        const char *text;
    } cases[] = {
        {AMQP_STATUS_NO_MEMORY, SB_ERR_MEMORY, ""},
        {AMQP_STATUS_BAD_AMQP_DATA, SB_ERR_INPUT, "no AMQP"},
        {AMQP_STATUS_UNKNOWN_METHOD, SB_ERR_INPUT, "no AMQP"},
        {AMQP_STATUS_TIMEOUT, SB_ERR_UNAVAILABLE, "in time"},
        {AMQP_STATUS_HEARTBEAT_TIMEOUT, SB_ERR_UNAVAILABLE, "silent"},
        {AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED, SB_ERR_UNAVAILABLE, "not known"},
        {AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD, SB_ERR_CONFIG, "PLAIN"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct amqp_link link = {.broken = false};
        assert_int_equal(reply_of_status(&link, cases[i].status, "reading"), cases[i].err);
        assert_true(link.broken);
        assert_non_null(strstr(link.why, "reading: "));
        assert_non_null(strstr(link.why, cases[i].text));
    }
    struct amqp_link link = {.broken = false};
    assert_int_equal(reply_of_status(&link, AMQP_STATUS_OK, "reading"), SB_OK);
    assert_false(link.broken);
}

static void test_a_reply_of_no_kind(void **state)
{
    (void)state;
    struct amqp_link link = {.broken = false};
    const amqp_rpc_reply_t none = {.reply_type = AMQP_RESPONSE_NONE};
    assert_int_equal(reply_of_rpc(&link, 1, none, "asking"), SB_ERR_UNAVAILABLE);
    assert_true(link.broken);
    const amqp_rpc_reply_t other = {.reply_type = AMQP_RESPONSE_SERVER_EXCEPTION,
                                    .reply = {.id = AMQP_BASIC_ACK_METHOD}};
    assert_int_equal(reply_of_rpc(&link, 1, other, "asking"), SB_ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_are_made_clean),
        cmocka_unit_test(test_meanings_of_status_values),
        cmocka_unit_test(test_a_reply_of_no_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
