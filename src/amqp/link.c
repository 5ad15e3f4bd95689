#include "amqp/link.h"

#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "core/assert.h"
#include "core/memory.h"
#include "reply.h"
#include "tls.h"

enum { HEARTBEAT_DEFAULT_S = 30 };
#define TIMEOUT_DEFAULT_NS (10 * NS_PER_S)

enum sb_err amqp_link_new(const struct amqp_link_options *options, struct amqp_link **ret,
                          char why[AMQP_WHY_LEN])
{
    struct amqp_link *link = memory_zalloc(1, sizeof(*link));
    if (link == NULL)
        return SB_ERR_MEMORY;
    link->options = *options;
    if (link->options.heartbeat_s == 0)
        link->options.heartbeat_s = HEARTBEAT_DEFAULT_S;
    if (link->options.timeout_ns == 0)
        link->options.timeout_ns = TIMEOUT_DEFAULT_NS;
    link->fd = -1;
    char url_why[AMQP_URL_WHY_LEN] = "";
    enum sb_err err = amqp_url_parse(options->url, &link->url, url_why);
    if (err != SB_OK) {
        if (err == SB_ERR_CONFIG)
            (void)snprintf(why, AMQP_WHY_LEN, "no AMQP URL: %s", url_why);
        memory_free(link);
        return err;
    }
    char vhost[AMQP_PLACE_LEN / 3];
    reply_clean(amqp_text(link->url.vhost), vhost, sizeof(vhost));
    (void)snprintf(link->place, sizeof(link->place), "%s:%u %s", link->url.host, link->url.port,
                   vhost);
    (void)pthread_mutex_init(&link->lock, NULL);
    *ret = link;
    return SB_OK;
}

void amqp_link_free(struct amqp_link *link)
{
    if (link == NULL)
        return;
    amqp_link_close(link, 0);
    amqp_url_clear(&link->url);
    memory_free(link->entries);
    (void)pthread_mutex_destroy(&link->lock);
    memory_free(link);
}

static enum sb_err fail_to_connect(struct amqp_link *link, int status)
{
    const char *host = link->url.host;
    unsigned port = link->url.port;
    switch (status) {
    case AMQP_STATUS_SOCKET_ERROR:
    case AMQP_STATUS_TCP_ERROR:
        return reply_fail(link, SB_ERR_UNAVAILABLE,
                          "no connection to %s:%u: refused, or not to be reached", host, port);
    case AMQP_STATUS_SSL_CONNECTION_FAILED:
    case AMQP_STATUS_SSL_ERROR:
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
        if (link->certificate_why[0] != '\0')
            return reply_fail(link, SB_ERR_CONFIG, "the certificate of %s:%u: %s", host, port,
                              link->certificate_why);
        return reply_fail(link, SB_ERR_UNAVAILABLE,
                          "no TLS with %s:%u: refused, or not spoken there", host, port);
    default:
        break;
    }
    char what[AMQP_PLACE_LEN];
    (void)snprintf(what, sizeof(what), "no connection to %s:%u", host, port);
    return reply_of_status(link, status, what);
}

static enum sb_err connect_socket(struct amqp_link *link)
{
    amqp_socket_t *socket = link->url.tls ? amqp_ssl_socket_new(link->connection)
                                          : amqp_tcp_socket_new(link->connection);
    if (socket == NULL)
        return reply_fail(link, SB_ERR_MEMORY, "no memory for a connection");
    if (link->url.tls) {
        enum sb_err err = tls_prepare(link, socket);
        if (err != SB_OK)
            return err;
    }
    struct timeval timeout = link_interval(link->options.timeout_ns);
    int status = amqp_socket_open_noblock(socket, link->url.host, link->url.port, &timeout);
    return status == AMQP_STATUS_OK ? SB_OK : fail_to_connect(link, status);
}

static amqp_table_entry_t text_entry(const char *key, const char *value)
{
    return (amqp_table_entry_t){
        .key = amqp_text(key),
        .value = {.kind = AMQP_FIELD_KIND_UTF8, .value = {.bytes = amqp_text(value)}}};
}

static amqp_table_entry_t true_entry(const char *key)
{
    return (amqp_table_entry_t){
        .key = amqp_text(key),
        .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value = {.boolean = 1}}};
}

/*
 * The capabilities are said in full: by itself the library leaves out that it wants to hear of
 * consumers that the broker cancels, and would wait for ever for a queue that is gone.
 */
static amqp_rpc_reply_t send_login(struct amqp_link *link)
{
    amqp_table_entry_t capabilities[] = {
        true_entry("consumer_cancel_notify"),       true_entry("connection.blocked"),
        true_entry("publisher_confirms"),           true_entry("basic.nack"),
        true_entry("exchange_exchange_bindings"),   true_entry("per_consumer_qos"),
        true_entry("authentication_failure_close"),
    };
    amqp_table_entry_t properties[] = {
        text_entry("product", "spanbridge"),
        text_entry("connection_name", link->options.client_name),
        {.key = amqp_text("capabilities"),
         .value = {.kind = AMQP_FIELD_KIND_TABLE,
                   .value = {.table = {.num_entries =
                                           sizeof(capabilities) / sizeof(capabilities[0]),
                                       .entries = capabilities}}}},
    };
    const amqp_table_t table = {.num_entries = sizeof(properties) / sizeof(properties[0]),
                                .entries = properties};
    return amqp_login_with_properties(link->connection, link->url.vhost, AMQP_CHANNEL_MAX,
                                      AMQP_FRAME_BYTES_MAX, (int)link->options.heartbeat_s,
                                      &table, AMQP_SASL_METHOD_PLAIN, link->url.user,
                                      link->url.password);
}

static enum sb_err log_in(struct amqp_link *link)
{
    amqp_rpc_reply_t reply = send_login(link);
    char what[AMQP_PLACE_LEN + AMQP_PLACE_LEN];
    char user[AMQP_PLACE_LEN / 2];
    reply_clean(amqp_text(link->url.user), user, sizeof(user));
    (void)snprintf(what, sizeof(what), "login at %s as user %s", link->place, user);
    enum sb_err err = reply_of_rpc(link, 0, reply, what);
    /* Before the login garbage is as good a reason to try again as any. */
    return err == SB_ERR_INPUT ? SB_ERR_UNAVAILABLE : err;
}

static void lend_fd(struct amqp_link *link, int fd)
{
    (void)pthread_mutex_lock(&link->lock);
    link->fd = fd;
    if (fd < 0)
        link->interrupted = false;
    else if (link->interrupted)
        (void)shutdown(fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&link->lock);
}

enum sb_err amqp_link_open(struct amqp_link *link)
{
    SB_ASSERT(link->connection == NULL);
    link->broken = false;
    link->unreadable = false;
    link->header_unreadable = false;
    link->blocked = false;
    link->read_channel = 0;
    link->beat_ns = clock_monotonic_ns(link->options.clock);
    link->why[0] = '\0';
    struct timeval timeout = link_interval(link->options.timeout_ns);
    link->connection = amqp_new_connection();
    enum sb_err err = SB_OK;
    if (link->connection == NULL ||
        amqp_set_handshake_timeout(link->connection, &timeout) != AMQP_STATUS_OK ||
        amqp_set_rpc_timeout(link->connection, &timeout) != AMQP_STATUS_OK)
        err = reply_fail(link, SB_ERR_MEMORY, "no memory for a connection");
    if (err == SB_OK)
        err = connect_socket(link);
    if (err == SB_OK) {
        lend_fd(link, amqp_get_sockfd(link->connection));
        err = log_in(link);
    }
    if (err != SB_OK) {
        link->broken = true;
        amqp_link_close(link, 0);
    }
    return err;
}

/* Reads on until the broker agrees, so that it is not cut off in the middle of a frame. */
static void say_good_bye(struct amqp_link *link, uint64_t wait_ns)
{
    amqp_connection_close_t close = {.reply_code = AMQP_REPLY_SUCCESS,
                                     .reply_text = amqp_text("done")};
    if (amqp_send_method(link->connection, 0, AMQP_CONNECTION_CLOSE_METHOD, &close) < 0)
        return;
    uint64_t until_ns = clock_monotonic_ns(link->options.clock) + wait_ns;
    for (;;) {
        uint64_t now_ns = clock_monotonic_ns(link->options.clock);
        struct timeval left = link_interval(until_ns > now_ns ? until_ns - now_ns : 0);
        amqp_frame_t frame;
        /* It looks through all of the frames that lie ready, which may be very many. */
        if (!amqp_frames_enqueued(link->connection))
            amqp_maybe_release_buffers(link->connection);
        if (amqp_simple_wait_frame_noblock(link->connection, &frame, &left) != AMQP_STATUS_OK)
            return;
        if (frame.frame_type == AMQP_FRAME_METHOD &&
            (frame.payload.method.id == AMQP_CONNECTION_CLOSE_OK_METHOD ||
             frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD))
            return;
        if (now_ns >= until_ns)
            return; /* while frames come there is no other end */
    }
}

/*
 * What came can not be read, but what was sent, such as a reject, is to arrive: a socket that is
 * closed with bytes unread takes back what the other side has not read yet.
 */
static void linger(struct amqp_link *link, uint64_t wait_ns)
{
    int fd = amqp_get_sockfd(link->connection);
    uint64_t until_ns = clock_monotonic_ns(link->options.clock) + wait_ns;
    char scratch[4096];
    if (fd < 0 || shutdown(fd, SHUT_WR) != 0)
        return;
    for (;;) {
        uint64_t now_ns = clock_monotonic_ns(link->options.clock);
        uint64_t left_ms = until_ns > now_ns ? (until_ns - now_ns) / NS_PER_MS : 0;
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, (int)left_ms) <= 0 ||
            recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT) <= 0)
            return;
    }
}

void amqp_link_close(struct amqp_link *link, uint64_t wait_ns)
{
    if (link->connection == NULL)
        return;
    if (link->unreadable && wait_ns > 0)
        linger(link, wait_ns);
    else if (!link->broken && wait_ns > 0)
        say_good_bye(link, wait_ns);
    lend_fd(link, -1);
    (void)amqp_destroy_connection(link->connection);
    link->connection = NULL;
    link->broken = false;
    link->blocked = false;
}

bool amqp_link_is_open(const struct amqp_link *link)
{
    return link->connection != NULL && !link->broken;
}

const char *amqp_link_why(const struct amqp_link *link)
{
    return link->why;
}

const char *amqp_link_place(const struct amqp_link *link)
{
    return link->place;
}

void amqp_link_interrupt(struct amqp_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    link->interrupted = true;
    if (link->fd >= 0)
        (void)shutdown(link->fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&link->lock);
}

int amqp_link_fd(const struct amqp_link *link)
{
    return amqp_link_is_open(link) ? amqp_get_sockfd(link->connection) : -1;
}

bool amqp_link_is_blocked(const struct amqp_link *link)
{
    return link->blocked;
}

enum sb_err amqp_link_keep_alive(struct amqp_link *link)
{
    SB_ASSERT(amqp_link_is_open(link));
    uint64_t agreed_ns = (uint64_t)amqp_get_heartbeat(link->connection) * NS_PER_S;
    uint64_t now_ns = clock_monotonic_ns(link->options.clock);
    if (agreed_ns == 0 || now_ns - link->beat_ns < agreed_ns / 2)
        return SB_OK;
    link->beat_ns = now_ns;
    const amqp_frame_t frame = {.frame_type = AMQP_FRAME_HEARTBEAT};
    return reply_of_status(link, amqp_send_frame(link->connection, &frame), "heartbeat");
}
