#include "routing_key.h"

#include <string.h>

#include "support/test.h"

static const struct trace_id TRACE = {{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84,
                                       0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c}};
#define HEX "0af7651916cd43dd8448eb211c80319c"

static void test_written(void **state)
{
    (void)state;
    static const struct {
        const char *template;
        const char *key;
    } rows[] = {
        {"{trace_id}", HEX},
        {"", ""},
        {"kept", "kept"},
        {"spans.{trace_id}.kept", "spans." HEX ".kept"},
        {"{trace_id}{trace_id}", HEX HEX},
        {"{{trace_id}", "{trace_id}"},
        {"{{{trace_id}}", "{" HEX "}"},
        {"a}b{{", "a}b{"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char key[ROUTING_KEY_LEN_MAX + 1];
        assert_int_equal(routing_key_check(rows[i].template), SB_OK);
        assert_int_equal(routing_key_write(rows[i].template, TRACE, key), strlen(rows[i].key));
        assert_string_equal(key, rows[i].key);
    }
}

static void test_refused(void **state)
{
    (void)state;
    assert_int_equal(routing_key_check("{span_id}"), SB_ERR_CONFIG);
    assert_int_equal(routing_key_check("{trace_id"), SB_ERR_CONFIG);
    assert_int_equal(routing_key_check("kept.{"), SB_ERR_CONFIG);
    assert_int_equal(routing_key_check("{}"), SB_ERR_CONFIG);
}

static void test_as_long_as_a_key_may_be(void **state)
{
    (void)state;
    char template[ROUTING_KEY_LEN_MAX + 2] = "{trace_id}";
    char key[ROUTING_KEY_LEN_MAX + 1];
    size_t word = strlen(template);
    memset(template + word, 'x', ROUTING_KEY_LEN_MAX - TRACE_ID_HEX_LEN);
    assert_int_equal(routing_key_check(template), SB_OK);
    assert_int_equal(routing_key_write(template, TRACE, key), ROUTING_KEY_LEN_MAX);
    template[word + ROUTING_KEY_LEN_MAX - TRACE_ID_HEX_LEN] = 'x';
    assert_int_equal(routing_key_check(template), SB_ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_as_long_as_a_key_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
