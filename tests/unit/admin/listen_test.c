#include "listen.h"

#include <string.h>
#include <unistd.h>

#include "support/test.h"

enum { NAME_LEN = 80 };

static void expect_name(const char *address, const char *begin)
{
    int fd = -1;
    char name[NAME_LEN];
    assert_int_equal(listen_open(address, NULL, &fd), SB_OK);
    listen_name(fd, name, sizeof(name));
    assert_int_equal(strncmp(name, begin, strlen(begin)), 0);
    assert_string_not_equal(name + strlen(begin), "0");
    close(fd);
}

static void test_a_free_port(void **state)
{
    (void)state;
    expect_name("127.0.0.1:0", "127.0.0.1:");
    expect_name("localhost:0", "");
    expect_name("0.0.0.0:0", "0.0.0.0:");
}

static void test_a_port_alone_is_on_loopback(void **state)
{
    (void)state;
    expect_name("0", "127.0.0.1:");
}

static void test_an_address_in_use(void **state)
{
    (void)state;
    int fd = -1;
    int other = -1;
    char name[NAME_LEN];
    assert_int_equal(listen_open("0", NULL, &fd), SB_OK);
    listen_name(fd, name, sizeof(name));
    assert_int_equal(listen_open(name, NULL, &other), SB_ERR_UNAVAILABLE);
    assert_int_equal(other, -1);
    close(fd);
    assert_int_equal(listen_open(name, NULL, &fd), SB_OK);
    close(fd);
}

static void test_no_such_address(void **state)
{
    (void)state;
    int fd = -1;
    /* TEST-NET-1: nobody has it. */
    assert_int_equal(listen_open("192.0.2.1:0", NULL, &fd), SB_ERR_CONFIG);
    assert_int_equal(listen_open("[::zz]:0", NULL, &fd), SB_ERR_CONFIG);
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_free_port),
        cmocka_unit_test(test_a_port_alone_is_on_loopback),
        cmocka_unit_test(test_an_address_in_use),
        cmocka_unit_test(test_no_such_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
