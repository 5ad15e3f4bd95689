#include "amqp/url.h"

#include <string.h>

#include "core/memory.h"
#include "support/test.h"

struct expected {
    const char *user;
    const char *password;
    const char *host;
    const char *vhost;
    uint16_t port;
    bool tls;
};

static void expect(const char *text, struct expected expected)
{
    struct amqp_url url;
    char why[AMQP_URL_WHY_LEN] = "";
    assert_int_equal(amqp_url_parse(text, &url, why), SB_OK);
    assert_string_equal(url.user, expected.user);
    assert_string_equal(url.password, expected.password);
    assert_string_equal(url.host, expected.host);
    assert_string_equal(url.vhost, expected.vhost);
    assert_int_equal(url.port, expected.port);
    assert_int_equal(url.tls, expected.tls);
    amqp_url_clear(&url);
    assert_null(url.password);
}

static void test_parts_may_be_left_out(void **state)
{
    (void)state;
    const struct expected plain = {"guest", "guest", "host", "/", 5672, false};
    expect("amqp://host", plain);
    expect("amqp://host/", plain);
    expect("amqp://host:/%2F", plain);
    expect("amqps://host", (struct expected){"guest", "guest", "host", "/", 5671, true});
    expect("amqp://me@host:1/v", (struct expected){"me", "guest", "host", "v", 1, false});
    expect("amqp://me:@host", (struct expected){"me", "", "host", "/", 5672, false});
    expect("amqps://me:pw@host.example:65535/%2F",
           (struct expected){"me", "pw", "host.example", "/", 65535, true});
}

static void test_percent_is_undone(void **state)
{
    (void)state;
    expect("amqp://a%40b:p%3a%2F%25@h/x%2fy",
           (struct expected){"a@b", "p:/%", "h", "x/y", 5672, false});
}

static void test_addresses_in_brackets(void **state)
{
    (void)state;
    expect("amqp://[::1]", (struct expected){"guest", "guest", "::1", "/", 5672, false});
    expect("amqp://u:p@[fe80::2]:99/v", (struct expected){"u", "p", "fe80::2", "v", 99, false});
}

static void refuse(const char *text, const char *part)
{
    struct amqp_url url = {.port = 7};
    char why[AMQP_URL_WHY_LEN] = "";
    assert_int_equal(amqp_url_parse(text, &url, why), SB_ERR_CONFIG);
    assert_non_null(strstr(why, part));
    assert_null(strstr(why, "secret"));
    assert_int_equal(url.port, 7);
}

static void test_what_is_no_url(void **state)
{
    (void)state;
    refuse("", "begin");
    refuse("http://host", "begin");
    refuse("AMQP://host", "begin");
    refuse("amqp://", "no host");
    refuse("amqp://u:secret@", "no host");
    refuse("amqp://u:secret@:5672", "no host");
    refuse("amqp://h:0", "port");
    refuse("amqp://h:65536", "port");
    refuse("amqp://h:99999999999999999999", "port");
    refuse("amqp://h:x", "port");
    refuse("amqp://u:secret%@h", "hexadecimal");
    refuse("amqp://u:secret%4@h", "hexadecimal");
    refuse("amqp://u:secret%4x@h", "hexadecimal");
    refuse("amqp://u:secret%00@h", "hexadecimal");
    refuse("amqp://u:secret@b@h", "%40");
    refuse("amqp://h/a/b", "%2F");
    refuse("amqp://u:secret@h?heartbeat=5", "'?'");
    refuse("amqp://u:secret#@h", "'#'");
    refuse("amqp://[::1", "brackets");
    refuse("amqp://[::1]x", "brackets");
}

static void test_a_long_one(void **state)
{
    (void)state;
    char text[AMQP_URL_LEN_MAX + 2];
    memset(text, 'a', sizeof(text));
    memcpy(text, "amqp://", 7);
    text[sizeof(text) - 1] = '\0';
    refuse(text, "too long");
}

static void test_memory_is_short(void **state)
{
    (void)state;
    struct amqp_url url;
    char why[AMQP_URL_WHY_LEN];
    for (uint64_t nth = 1; nth <= 4; nth++) {
        memory_fail_at(nth);
        assert_int_equal(amqp_url_parse("amqp://u:p@h/v", &url, why), SB_ERR_MEMORY);
    }
    memory_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_may_be_left_out),
        cmocka_unit_test(test_percent_is_undone),
        cmocka_unit_test(test_addresses_in_brackets),
        cmocka_unit_test(test_what_is_no_url),
        cmocka_unit_test(test_a_long_one),
        cmocka_unit_test(test_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
