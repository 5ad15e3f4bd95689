#include "connections.h"

#include <dirent.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "support/fake_clock.h"
#include "support/http_client.h"
#include "support/test.h"

enum { COUNT_MAX = 3, OPENED = 8, ADDRESS_LEN = 32 };

static struct fake_clock fake;
static struct event_base *base;
static struct evhttp *http;
static struct connections *connections;
static struct http_client client;
static char address[ADDRESS_LEN];
static uint32_t sweeps;
static uint32_t idle_fds;

static void on_request(struct evhttp_request *request, void *arg)
{
    (void)arg;
    evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
    evhttp_send_reply(request, 200, "OK", NULL);
}

static void on_sweep(void *arg)
{
    assert_ptr_equal(arg, &sweeps);
    sweeps++;
}

static void step(void *arg)
{
    (void)arg;
    event_base_loop(base, EVLOOP_ONCE);
}

/* Descriptors of this process. */
static uint32_t count_fds(void)
{
    uint32_t count = 0;
    DIR *list = opendir("/proc/self/fd");
    assert_non_null(list);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

static int set_up(void **state)
{
    (void)state;
    fake_clock_init(&fake);
    base = event_base_new();
    http = evhttp_new(base);
    const struct connections_options options = {.base = base,
                                                .clock = &fake.source,
                                                .count_max = COUNT_MAX,
                                                .age_max_ns = NS_PER_S,
                                                .on_sweep = on_sweep,
                                                .arg = &sweeps};
    assert_int_equal(connections_new(&options, &connections), SB_OK);
    evhttp_set_bevcb(http, connections_on_accept, connections);
    evhttp_set_gencb(http, on_request, NULL);
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
    struct sockaddr_in name;
    socklen_t len = sizeof(name);
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&name, &len);
    snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)ntohs(name.sin_port));
    client = (struct http_client){.address = address, .step = step};
    idle_fds = count_fds();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    evhttp_free(http);
    connections_free(connections);
    event_base_free(base);
    return 0;
}

/* Turns the loop until so many connections are open on this side, of `opened` on the other. */
static void wait_served(uint32_t served, uint32_t opened)
{
    for (int turns = 0; count_fds() != idle_fds + opened + served; turns++) {
        assert_true(turns < 1000);
        step(NULL);
    }
}

static void test_what_has_ended_is_not_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct http_answer answer;
        http_get(&client, "/", &answer);
        assert_int_equal(answer.status, 200);
        http_answer_clear(&answer);
    }
    wait_served(0, 0);
    assert_true(sweeps > 0);
}

static void test_the_oldest_gives_way(void **state)
{
    (void)state;
    int fds[OPENED];
    for (uint32_t i = 0; i < OPENED; i++) {
        fds[i] = http_connect(&client);
        if (i < COUNT_MAX)
            wait_served(i + 1, i + 1);
        for (int turns = 0; i >= COUNT_MAX && !http_has_ended(fds[i - COUNT_MAX]); turns++) {
            assert_true(turns < 1000);
            step(NULL);
        }
        for (uint32_t j = i < COUNT_MAX ? 0 : i - COUNT_MAX + 1; j <= i; j++)
            assert_false(http_has_ended(fds[j]));
    }
    for (uint32_t i = 0; i < OPENED; i++)
        close(fds[i]);
    wait_served(0, 0);
}

static void test_age(void **state)
{
    (void)state;
    int old = http_connect(&client);
    wait_served(1, 1);
    fake_clock_advance_ns(&fake, NS_PER_S - 1);
    int young = http_connect(&client);
    wait_served(2, 2);
    fake_clock_advance_ns(&fake, 1);
    wait_served(1, 2);
    assert_true(http_has_ended(old));
    assert_false(http_has_ended(young));
    close(old);
    close(young);
    wait_served(0, 0);
}

/* With connections that still stand: sanitizers see what is left. */
static void test_free_while_connected(void **state)
{
    (void)state;
    int fd = http_connect(&client);
    wait_served(1, 1);
    close(fd);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_what_has_ended_is_not_counted),
        SERVED(test_the_oldest_gives_way),
        SERVED(test_age),
        SERVED(test_free_while_connected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
