#include "support/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "support/test.h"

enum { WAIT_S = 30, STEP_MS = 20, FIRST_ROOM = 1 << 16 };

static uint64_t deadline_ns(void)
{
    return clock_monotonic_ns(clock_system()) + WAIT_S * NS_PER_S;
}

static void wait_for(const struct http_client *client, int fd, short what, uint64_t until_ns)
{
    struct pollfd wait = {.fd = fd, .events = what};
    if (clock_monotonic_ns(clock_system()) > until_ns)
        fail_msg("%s does not answer", client->address);
    if (client->step != NULL)
        client->step(client->step_arg);
    else
        (void)poll(&wait, 1, STEP_MS);
}

int http_connect(const struct http_client *client)
{
    const char *colon = strrchr(client->address, ':');
    assert_non_null(colon);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

void http_send(const struct http_client *client, int fd, const void *at, size_t len)
{
    const char *rest = at;
    uint64_t until_ns = deadline_ns();
    while (len > 0) {
        ssize_t sent = send(fd, rest, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return;
        if (sent < 0) {
            wait_for(client, fd, POLLOUT, until_ns);
            continue;
        }
        rest += sent;
        len -= (size_t)sent;
    }
}

void http_receive(const struct http_client *client, int fd, struct http_answer *ret)
{
    size_t room = FIRST_ROOM;
    *ret = (struct http_answer){.content = malloc(room)};
    assert_non_null(ret->content);
    uint64_t until_ns = deadline_ns();
    for (;;) {
        ssize_t got = recv(fd, ret->content + ret->len, room - ret->len - 1, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            break;
        if (got < 0) {
            wait_for(client, fd, POLLIN, until_ns);
            continue;
        }
        ret->len += (size_t)got;
        if (room - ret->len < FIRST_ROOM / 2) {
            room *= 2;
            ret->content = realloc(ret->content, room);
            assert_non_null(ret->content);
        }
    }
    ret->content[ret->len] = '\0';
    const char *blank = strstr(ret->content, "\r\n\r\n");
    ret->body = blank == NULL ? ret->content + ret->len : blank + 4;
    ret->body_len = ret->len - (size_t)(ret->body - ret->content);
    if (strncmp(ret->content, "HTTP/1.", 7) == 0 && ret->len > 12)
        ret->status = (int)strtol(ret->content + 9, NULL, 10);
}

bool http_has_ended(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

void http_request(const struct http_client *client, const char *request,
                  struct http_answer *ret)
{
    int fd = http_connect(client);
    http_send(client, fd, request, strlen(request));
    http_receive(client, fd, ret);
    close(fd);
}

void http_get(const struct http_client *client, const char *path, struct http_answer *ret)
{
    char request[256];
    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", path);
    http_request(client, request, ret);
}

bool http_has_header(const struct http_answer *answer, const char *line)
{
    const char *at = answer->content;
    while ((at = strstr(at, "\r\n")) != NULL && at + 2 < answer->body) {
        at += 2;
        if (strncasecmp(at, line, strlen(line)) == 0)
            return true;
    }
    return false;
}

void http_answer_clear(struct http_answer *answer)
{
    free(answer->content);
    answer->content = NULL;
}
