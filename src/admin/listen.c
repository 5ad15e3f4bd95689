#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_LEN = 256, PORT_LEN = 8, BACKLOG = 64, REASON_LEN = 128 };

/* The configuration's check has seen the text: this only takes it apart. */
static void split(const char *address, char host[HOST_LEN], char port[PORT_LEN])
{
    const char *colon = strrchr(address, ':');
    snprintf(port, PORT_LEN, "%s", colon == NULL ? address : colon + 1);
    if (colon == NULL) {
        snprintf(host, HOST_LEN, "127.0.0.1");
        return;
    }
    size_t len = (size_t)(colon - address);
    if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    }
    snprintf(host, HOST_LEN, "%.*s", (int)len, address);
}

/* errno tells why it is -1. */
static int try_open(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    info->ai_protocol);
    if (fd < 0)
        return -1;
    const int on = 1; /* a restart must not wait for connections that linger */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static enum sb_err refuse(struct log *log, const char *address, const char *reason,
                          enum sb_err err)
{
    log_event(log, LOG_ERROR, "admin", "can_not_listen", LOG_TEXT("address", address),
              LOG_TEXT("reason", reason),
              LOG_TEXT("help", "choose another admin.listen; port 0 is any free one"));
    return err;
}

enum sb_err listen_open(const char *address, struct log *log, int *ret_fd)
{
    char host[HOST_LEN];
    char port[PORT_LEN];
    split(address, host, port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    int failed = getaddrinfo(host, port, &hints, &list);
    if (failed != 0)
        return refuse(log, address, gai_strerror(failed), SB_ERR_CONFIG);
    int fd = -1;
    for (const struct addrinfo *at = list; at != NULL && fd < 0; at = at->ai_next)
        fd = try_open(at);
    int why = errno;
    freeaddrinfo(list);
    if (fd >= 0) {
        *ret_fd = fd;
        return SB_OK;
    }
    char reason[REASON_LEN];
    /* An address that this machine does not have will not come by waiting. */
    enum sb_err err = why == EADDRNOTAVAIL ? SB_ERR_CONFIG : SB_ERR_UNAVAILABLE;
    return refuse(log, address, strerror_r(why, reason, sizeof(reason)), err);
}

void listen_name(int fd, char *ret, size_t room)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);
    char host[HOST_LEN];
    char port[PORT_LEN];
    ret[0] = '\0';
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
        getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    snprintf(ret, room, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
