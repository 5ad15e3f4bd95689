#include "broker_url.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

static void expect_part(struct bytes part, const char *expected)
{
    if (expected == NULL) {
        assert_null(part.at);
        return;
    }
    assert_non_null(part.at);
    if (!bytes_equal(part, bytes_text(expected)))
        fail_msg("%.*s is not %s", (int)part.len, (const char *)part.at, expected);
}

static void test_parts(void **state)
{
    (void)state;
    struct broker_url url = broker_url_parse("amqps://u:p%40w@[::1]:5671/%2Fv?x");
    expect_part(url.scheme, "amqps");
    expect_part(url.user, "u");
    expect_part(url.password, "p%40w");
    expect_part(url.host, "[::1]");
    expect_part(url.port, "5671");
    expect_part(url.vhost, "%2Fv");
    expect_part(url.rest, "?x");
    url = broker_url_parse("amqp://host");
    expect_part(url.user, NULL);
    expect_part(url.password, NULL);
    expect_part(url.host, "host");
    expect_part(url.port, NULL);
    expect_part(url.vhost, NULL);
    expect_part(url.rest, NULL);
    url = broker_url_parse("u:p@h:1/"); /* no scheme: the password is found all the same */
    expect_part(url.scheme, NULL);
    expect_part(url.password, "p");
    expect_part(url.vhost, "");
    url = broker_url_parse("");
    expect_part(url.host, "");
}

static void test_good(void **state)
{
    (void)state;
    static const char *const good[] = {
        "amqp://guest:guest@localhost:5672/",
        "amqp://localhost",
        "amqp://localhost/",
        "amqps://a.b-c:5671/vhost",
        "amqp://u:@h/%2F",
        "amqp://u%20x:p%2fw@10.0.0.1:1/%2Fproduction",
        "amqp://[::1]:65535/v",
        "amqp://u:!$&'()*+,;=-._~@h/a.b_c~",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct broker_url_fault fault = broker_url_check(good[i]);
        if (fault.text != NULL)
            fail_msg("%s: %s", good[i], fault.text);
    }
}

struct bad_example {
    const char *url;
    const char *fault; /* the message, in part */
};

static void test_bad(void **state)
{
    (void)state;
    static const struct bad_example bad[] = {
        {"", "neither amqp:// nor amqps://"},
        {"localhost:5672", "neither amqp:// nor amqps://"},
        {"http://localhost:15672/", "neither amqp:// nor amqps://"},
        {"AMQP://localhost/", "neither amqp:// nor amqps://"},
        {"amqp://", "no host"},
        {"amqp:///vhost", "no host"},
        {"amqp://u:hunter2@/v", "no host"},
        {"amqp://u:hunter2@:5672/v", "no host"},
        {"amqp://@h/", "an empty user"},
        {"amqp://:hunter2@h/", "an empty user"},
        {"amqp://u@h/", "no password"},
        {"amqp://u:hunter2@h:/", "port is missing"},
        {"amqp://u:hunter2@h:0/", "from 1 to 65535"},
        {"amqp://u:hunter2@h:65536/", "from 1 to 65535"},
        {"amqp://u:hunter2@h:56x/", "from 1 to 65535"},
        {"amqp://::1/", "no name and no address"},
        {"amqp://[::1/", "no name and no address"},
        {"amqp://a,b/", "no name and no address"},
        {"amqp://u:hunter2%@h/", "two hex digits"},
        {"amqp://u:hunter2%4@h/", "two hex digits"},
        {"amqp://u:hunter2%4g@h/", "two hex digits"},
        {"amqp://h/v%", "two hex digits"},
        {"amqp://u:hunter2%00@h/", "control character"},
        {"amqp://h/%0a", "control character"},
        {"amqp://h/%7F", "control character"},
        {"amqp://h/\n", "control character"},
        {"amqp://u:hunter 2@h/", "a blank"},
        {"amqp://u:h\xc3\xbcnter2@h/", "a blank"},
        {"amqp://h/a/b", "not percent-encoded"},
        {"amqp://u:hunter:2@h/", "not percent-encoded"},
        {"amqp://u:hunter@2@h/", "not percent-encoded"},
        {"amqp://h/v?heartbeat=5", "a query"},
        {"amqp://h/v#x", "a fragment"},
        {"amqp://u:hunter2#@h/", "a fragment"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct broker_url_fault fault = broker_url_check(bad[i].url);
        if (fault.text == NULL || strstr(fault.text, bad[i].fault) == NULL)
            fail_msg("%s: %s", bad[i].url, fault.text == NULL ? "valid" : fault.text);
        assert_null(strstr(fault.text, "hunter"));
    }
}

static void test_long(void **state)
{
    (void)state;
    char url[400];
    snprintf(url, sizeof(url), "amqp://h/%0*d", 255, 0);
    assert_null(broker_url_check(url).text);
    snprintf(url, sizeof(url), "amqp://h/%0*d", 256, 0);
    assert_non_null(broker_url_check(url).text);
}

static void test_same(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"amqp://h", "amqp://u:p@H:5672/"},
        {"amqp://h/", "amqp://h/%2F"},
        {"amqps://h/v", "amqps://h:5671/%76"},
        {"amqp://h:5671/v", "amqps://h/v"},
    };
    static const char *const other[][2] = {
        {"amqp://h/", "amqp://i/"},      {"amqp://h/", "amqps://h/"},
        {"amqp://h/a", "amqp://h/b"},    {"amqp://h/a", "amqp://h/ab"},
        {"amqp://h/a", "amqp://h/A"},    {"amqp://h/", "amqp://h/v"},
        {"amqp://h:1/", "amqp://h:11/"}, {"amqp://h", "amqp://h.x"},
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
        assert_true(broker_url_same(same[i][0], same[i][1]));
        assert_true(broker_url_same(same[i][1], same[i][0]));
    }
    for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++) {
        assert_false(broker_url_same(other[i][0], other[i][1]));
        assert_false(broker_url_same(other[i][1], other[i][0]));
    }
}

static void expect_shown(const char *url, const char *expected)
{
    struct text out;
    text_init(&out, 1 << 12);
    broker_url_show(url, &out);
    assert_string_equal(text_string(&out), expected);
    text_clear(&out);
}

static void test_show(void **state)
{
    (void)state;
    expect_shown("amqp://u:hunter2@h:1/v", "amqp://u:(redacted)@h:1/v");
    expect_shown("amqp://u:@h", "amqp://u:(redacted)@h");
    expect_shown("amqp://u@h", "amqp://u@h");
    expect_shown("amqp://h/v", "amqp://h/v");
    assert_true(broker_url_is_tls("amqps://h"));
    assert_false(broker_url_is_tls("amqp://h"));
}

/* What came from a secret place is covered by the password, or it is not. */
static void test_hides(void **state)
{
    (void)state;
    const char *url = "amqp://u:hunter2@h/";
    assert_true(broker_url_hides(url, 9, 16));
    assert_true(broker_url_hides(url, 10, 12));
    assert_false(broker_url_hides(url, 8, 16));
    assert_false(broker_url_hides(url, 9, 17));
    assert_false(broker_url_hides("amqp://h/", 7, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts), cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
        cmocka_unit_test(test_long),  cmocka_unit_test(test_same), cmocka_unit_test(test_show),
        cmocka_unit_test(test_hides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
