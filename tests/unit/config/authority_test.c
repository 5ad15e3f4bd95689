#include "authority.h"

#include <string.h>

#include "support/test.h"

static bool is(const char *text)
{
    return authority_is(text, strlen(text));
}

static void test_hosts(void **state)
{
    (void)state;
    assert_true(authority_is_host("a-b.c_d9", 8));
    assert_true(authority_is_host("[::1]", 5));
    assert_true(authority_is_host("[fe80::1%1]", 11));
    assert_false(authority_is_host("", 0));
    assert_false(authority_is_host("[]", 2));
    assert_false(authority_is_host("::1", 3));
    assert_false(authority_is_host("a b", 3));
    assert_false(authority_is_host("[g]", 3));
    char name[257] = "";
    memset(name, 'a', sizeof(name) - 1);
    assert_true(authority_is_host(name, 255));
    assert_false(authority_is_host(name, 256));
}

static void test_ports(void **state)
{
    (void)state;
    assert_true(authority_is_port("1", 1));
    assert_true(authority_is_port("65535", 5));
    assert_false(authority_is_port("0", 1));
    assert_false(authority_is_port("65536", 5));
    assert_false(authority_is_port("", 0));
    assert_false(authority_is_port("056721", 6));
    assert_false(authority_is_port("+1", 2));
}

static void test_both(void **state)
{
    (void)state;
    assert_true(is("host"));
    assert_true(is("host:9092"));
    assert_true(is("[::1]:9092"));
    assert_false(is("host:"));
    assert_false(is("host:x"));
    assert_false(is("[::1"));
    assert_false(is("[::1]9092"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
