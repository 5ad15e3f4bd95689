/*
 * http_client: plain sockets to a server on loopback, for well-formed requests and for foul ones.
 *
 * `step` is called while there is nothing to read: it turns the server's loop where that is the
 * test's own thread; NULL waits for the socket instead.  Everything fails after half a minute.
 */
#ifndef SB_TEST_HTTP_CLIENT_H
#define SB_TEST_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

typedef void (*http_step_fn)(void *arg);

struct http_client {
    const char *address; /* 127.0.0.1:port */
    http_step_fn step;
    void *step_arg;
};

struct http_answer {
    int status;    /* 0: the connection ended without a word */
    char *content; /* head and body */
    size_t len;
    const char *body;
    size_t body_len;
};

/* A connection; the caller closes it. */
int http_connect(const struct http_client *client);
/* As much as the other end takes: it may have ended. */
void http_send(const struct http_client *client, int fd, const void *at, size_t len);
/* Until the other end closes.  Free with http_answer_clear. */
void http_receive(const struct http_client *client, int fd, struct http_answer *ret);
bool http_has_ended(int fd); /* without waiting */

/* All of these in one. */
void http_request(const struct http_client *client, const char *request,
                  struct http_answer *ret);
void http_get(const struct http_client *client, const char *path, struct http_answer *ret);

/* A header line is there, such as "Allow: GET". */
bool http_has_header(const struct http_answer *answer, const char *line);
void http_answer_clear(struct http_answer *answer);

#endif
