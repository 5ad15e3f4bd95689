#include "admin/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/fake_clock.h"
#include "support/http_client.h"
#include "support/random.h"
#include "support/test.h"

enum { MANY = 200, CONNECTIONS_MAX = 64, LARGE = 8 << 20 };

static struct fake_clock fake;
static struct event_base *base;
static struct admin_server *server;
static struct http_client client;

static int write_small(void *arg, struct text *out)
{
    assert_ptr_equal(arg, &fake);
    text_append_text(out, "small\n");
    return 200;
}

static int write_sick(void *arg, struct text *out)
{
    (void)arg;
    text_append_text(out, "{}\n");
    return 503;
}

static int write_large(void *arg, struct text *out)
{
    (void)arg;
    uint8_t *at = text_grow(out, LARGE);
    assert_non_null(at);
    memset(at, 'x', LARGE);
    return 200;
}

static int write_too_large(void *arg, struct text *out)
{
    (void)arg;
    while (text_grow(out, LARGE) != NULL)
        continue;
    return 200;
}

static const struct admin_page pages[] = {
    {"/small", "text/plain", write_small},
    {"/sick", "application/json", write_sick},
    {"/large", "text/plain", write_large},
    {"/too_large", "text/plain", write_too_large},
};

static void step(void *arg)
{
    (void)arg;
    event_base_loop(base, EVLOOP_ONCE);
}

static int set_up(void **state)
{
    (void)state;
    fake_clock_init(&fake);
    base = event_base_new();
    const struct admin_options options = {.base = base,
                                          .listen = "0",
                                          .pages = pages,
                                          .page_count = sizeof(pages) / sizeof(*pages),
                                          .arg = &fake,
                                          .clock = &fake.source};
    assert_int_equal(admin_server_new(&options, &server), SB_OK);
    client = (struct http_client){.address = admin_server_address(server), .step = step};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    admin_server_free(server);
    event_base_free(base);
    return 0;
}

/* The server is none the worse for what was done to it. */
static void check_it_answers(void)
{
    struct http_answer answer;
    http_get(&client, "/small", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "small\n");
    http_answer_clear(&answer);
}

static void expect(const char *request, int status)
{
    struct http_answer answer;
    http_request(&client, request, &answer);
    if (answer.status != status)
        fail_msg("%.40s: %d, not %d", request, answer.status, status);
    http_answer_clear(&answer);
}

static void test_pages(void **state)
{
    (void)state;
    struct http_answer answer;
    http_get(&client, "/small?with=query", &answer);
    assert_int_equal(answer.status, 200);
    assert_true(http_has_header(&answer, "Content-Type: text/plain\r\n"));
    assert_true(http_has_header(&answer, "Content-Length: 6\r\n"));
    assert_true(http_has_header(&answer, "Connection: close\r\n"));
    assert_true(http_has_header(&answer, "Cache-Control: no-store\r\n"));
    assert_string_equal(answer.body, "small\n");
    http_answer_clear(&answer);
    http_get(&client, "/sick", &answer);
    assert_int_equal(answer.status, 503);
    assert_true(http_has_header(&answer, "Content-Type: application/json\r\n"));
    assert_string_equal(answer.body, "{}\n");
    http_answer_clear(&answer);
    http_request(&client, "HEAD /small HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_true(http_has_header(&answer, "Content-Length: 6\r\n"));
    assert_int_equal(answer.body_len, 0);
    http_answer_clear(&answer);
    expect("GET /small HTTP/1.0\r\n\r\n", 200);
}

static void test_an_unknown_path_gets_the_list(void **state)
{
    (void)state;
    struct http_answer answer;
    http_get(&client, "/", &answer);
    assert_int_equal(answer.status, 404);
    assert_string_equal(answer.body, "There is no such path here, but these:\n"
                                     "/small\n/sick\n/large\n/too_large\n");
    http_answer_clear(&answer);
    expect("GET /small/ HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    expect("GET /small%00 HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    expect("GET /../small HTTP/1.1\r\nHost: a\r\n\r\n", 404);
}

static void test_other_methods(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        char request[128];
        struct http_answer answer;
        snprintf(request, sizeof(request),
                 "%s /small HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", methods[i]);
        http_request(&client, request, &answer);
        assert_int_equal(answer.status, 405);
        assert_true(http_has_header(&answer, "Allow: GET, HEAD\r\n"));
        http_answer_clear(&answer);
    }
}

static void test_a_large_page_comes_whole(void **state)
{
    (void)state;
    struct http_answer answer;
    http_get(&client, "/large", &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_len, LARGE);
    http_answer_clear(&answer);
}

static void test_a_page_that_finds_no_memory(void **state)
{
    (void)state;
    expect("GET /too_large HTTP/1.1\r\nHost: a\r\n\r\n", 500);
    check_it_answers();
}

static void test_large_heads_and_bodies_are_refused(void **state)
{
    (void)state;
    static char request[64 << 10];
    struct http_answer answer;
    int len = snprintf(request, sizeof(request), "GET /small HTTP/1.1\r\nHost: a\r\nX: ");
    memset(request + len, 'x', 9 << 10);
    snprintf(request + len + (9 << 10), 8, "\r\n\r\n");
    http_request(&client, request, &answer);
    assert_true(answer.status == 0 || answer.status == 400);
    http_answer_clear(&answer);
    memset(request, '/', sizeof(request) - 1); /* a first line without an end */
    http_request(&client, request, &answer);
    assert_true(answer.status == 0 || answer.status == 400);
    http_answer_clear(&answer);
    expect("GET /small HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", 413);
    check_it_answers();
}

static void test_garbage(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 11);
    for (int i = 0; i < 200; i++) {
        char foul[600];
        struct http_answer answer;
        size_t len = 1 + random_below(&random, sizeof(foul) - 1);
        random_fill(&random, foul, len);
        if (i % 2 == 0) /* close to what is well-formed */
            memcpy(foul, "GET /small HTTP/", len < 16 ? len : 16);
        int fd = http_connect(&client);
        http_send(&client, fd, foul, len);
        shutdown(fd, SHUT_WR);
        http_receive(&client, fd, &answer);
        assert_true(answer.status != 200 || i % 2 == 0);
        http_answer_clear(&answer);
        close(fd);
    }
    check_it_answers();
}

/* One byte now and then keeps any idle timeout away: the age ends it. */
static void test_half_a_request_ends_by_its_age(void **state)
{
    (void)state;
    int fd = http_connect(&client);
    http_send(&client, fd, "GET /small HTTP/1.1\r\n", 21);
    for (int second = 0; second < 9; second++) {
        fake_clock_advance_ns(&fake, NS_PER_S);
        http_send(&client, fd, "X", 1);
        step(NULL);
        step(NULL);
        assert_false(http_has_ended(fd));
    }
    fake_clock_advance_ns(&fake, NS_PER_S);
    struct http_answer answer;
    http_receive(&client, fd, &answer);
    assert_int_not_equal(answer.status, 200);
    http_answer_clear(&answer);
    close(fd);
    check_it_answers();
}

static void test_many_connections_do_not_keep_others_out(void **state)
{
    (void)state;
    static int fds[MANY];
    for (int i = 0; i < MANY; i++) {
        fds[i] = http_connect(&client);
        http_send(&client, fds[i], "GET", 3);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    check_it_answers();
    int open = 0;
    for (int i = 0; i < MANY; i++)
        open += !http_has_ended(fds[i]);
    assert_in_range(open, 1, CONNECTIONS_MAX);
    assert_true(http_has_ended(fds[0])); /* the oldest have gone */
    assert_false(http_has_ended(fds[MANY - 1]));
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    check_it_answers();
}

static void test_an_address_in_use(void **state)
{
    (void)state;
    struct admin_server *second = NULL;
    const struct admin_options options = {
        .base = base, .listen = admin_server_address(server), .clock = &fake.source};
    assert_int_equal(admin_server_new(&options, &second), SB_ERR_UNAVAILABLE);
    assert_null(second);
    check_it_answers();
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_pages),
        SERVED(test_an_unknown_path_gets_the_list),
        SERVED(test_other_methods),
        SERVED(test_a_large_page_comes_whole),
        SERVED(test_a_page_that_finds_no_memory),
        SERVED(test_large_heads_and_bodies_are_refused),
        SERVED(test_garbage),
        SERVED(test_half_a_request_ends_by_its_age),
        SERVED(test_many_connections_do_not_keep_others_out),
        SERVED(test_an_address_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
