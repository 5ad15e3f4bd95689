#include "transfer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/assert.h"
#include "core/clock.h"

/*
 * libcurl copies a body through a buffer of this size, which it takes anew for each request.
 * Measured: up to 512 KiB it stays in the cache and costs no page faults; 2 MiB, the most there
 * is, cost 30 % more CPU per span.
 */
enum { UPLOAD_BUFFER_LEN = 256 * 1024 };
/* A CA file that is replaced on disk is noticed by connections made this much later. */
enum { CA_CACHE_S = 60 };
enum { KEEPALIVE_IDLE_S = 30, KEEPALIVE_INTERVAL_S = 10 };

static size_t on_header(char *at, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    struct bytes line = bytes_of(at, size * count);
    return response_take_header(&transfer->response, line) ? line.len : 0;
}

static size_t on_body(char *at, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    struct bytes part = bytes_of(at, size * count);
    if (response_take_body(&transfer->response, part))
        return part.len;
    return part.len == 0 ? 1 : 0; /* any other number than was offered breaks it off */
}

/*
 * A peer that vanished without a word must not hold its connection for the quarter of an
 * hour that TCP would: with HTTP/2 all requests share it, and each would run into its deadline.
 */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    const unsigned int *unacknowledged_ms = arg;
    (void)purpose;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, unacknowledged_ms,
                     sizeof(*unacknowledged_ms));
    return CURL_SOCKOPT_OK;
}

/*
 * libcurl 7.88 breaks a clear-text HTTP/2 connection when it uses it again with prior knowledge
 * (curl #10634, mended in 8.0), but not with the setting that would upgrade a new one, which
 * gRPC servers do not take.  So such a call is first tried as an upgrade that may not open a
 * connection, and when it would have to, started again with prior knowledge on a new one.
 */
static bool has_reuse_fault(void)
{
    return curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = arg;
    (void)purpose;
    if (transfer->reuse_only) {
        transfer->refused_connection = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool set_long(CURL *easy, CURLoption option, long value)
{
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

/* NULL leaves libcurl's default. */
static bool set_text(CURL *easy, CURLoption option, const char *value)
{
    return value == NULL || curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_tls(CURL *easy, const struct sink_otlp_options *options)
{
    return set_long(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
           set_long(easy, CURLOPT_SSL_VERIFYPEER, options->tls_insecure ? 0 : 1) &&
           set_long(easy, CURLOPT_SSL_VERIFYHOST, options->tls_insecure ? 0 : 2) &&
           set_long(easy, CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_S) &&
           set_text(easy, CURLOPT_CAINFO, options->tls_ca) &&
           set_text(easy, CURLOPT_SSLCERT, options->tls_certificate) &&
           set_text(easy, CURLOPT_SSLKEY, options->tls_key);
}

static bool set_connection(CURL *easy, struct transfer *transfer)
{
    return set_long(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0) &&
           /* Never wait for a name lookup that hangs, at the deadline or when stopping. */
           set_long(easy, CURLOPT_QUICK_EXIT, 1) && set_long(easy, CURLOPT_NOSIGNAL, 1) &&
           set_long(easy, CURLOPT_TCP_KEEPALIVE, 1) &&
           set_long(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S) &&
           set_long(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S) &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, &transfer->unacknowledged_ms) ==
               CURLE_OK;
}

static bool set_http(CURL *easy, const struct sink_otlp_options *options)
{
    return set_long(easy, CURLOPT_PIPEWAIT, options->protocol == SINK_OTLP_GRPC) &&
           set_long(easy, CURLOPT_POST, 1) && set_long(easy, CURLOPT_FOLLOWLOCATION, 0) &&
           set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
           set_text(easy, CURLOPT_USERAGENT, "spanbridge/" SPANBRIDGE_VERSION) &&
           set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_LEN) &&
           set_long(easy, CURLOPT_TIMEOUT_MS, (long)(options->timeout_ns / NS_PER_MS));
}

static bool set_callbacks(CURL *easy, struct transfer *transfer)
{
    return curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error) == CURLE_OK;
}

enum sb_err transfer_init(struct transfer *transfer, const struct sink_otlp_options *options,
                          void *owner)
{
    *transfer = (struct transfer){.owner = owner, .protocol = options->protocol};
    response_init(&transfer->response);
    transfer->unacknowledged_ms = (unsigned int)(options->timeout_ns / NS_PER_MS);
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL)
        return SB_ERR_MEMORY;
    CURL *easy = transfer->easy;
    bool set = set_tls(easy, options) && set_connection(easy, transfer) &&
               set_http(easy, options) && set_callbacks(easy, transfer);
    return set ? SB_OK : SB_ERR_CONFIG;
}

void transfer_clear(struct transfer *transfer)
{
    SB_ASSERT(!transfer->running);
    if (transfer->easy != NULL)
        curl_easy_cleanup(transfer->easy);
    transfer->easy = NULL;
    response_clear(&transfer->response);
}

/* One connection carries all calls of gRPC; OTLP/HTTP is cheaper on several of HTTP/1.1. */
static bool set_version(struct transfer *transfer, const char *url)
{
    bool tls = strncasecmp(url, "https:", 6) == 0;
    long version = CURL_HTTP_VERSION_1_1;
    transfer->reuse_only = false;
    if (transfer->protocol == SINK_OTLP_GRPC) {
        transfer->reuse_only = !tls && has_reuse_fault();
        version = tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
        if (transfer->reuse_only)
            version = CURL_HTTP_VERSION_2_0;
    }
    return set_long(transfer->easy, CURLOPT_HTTP_VERSION, version) &&
           set_long(transfer->easy, CURLOPT_FRESH_CONNECT, 0);
}

static enum sb_err start(struct transfer *transfer, struct loop *loop)
{
    response_reset(&transfer->response);
    transfer->error[0] = '\0';
    transfer->refused_connection = false;
    enum sb_err err = loop_add(loop, transfer->easy);
    transfer->running = err == SB_OK;
    return err;
}

enum sb_err transfer_start(struct transfer *transfer, struct loop *loop,
                           const struct transfer_post *post)
{
    SB_ASSERT(!transfer->running);
    CURL *easy = transfer->easy;
    curl_off_t len = (curl_off_t)post->body.len;
    if (!set_version(transfer, post->url) ||
        curl_easy_setopt(easy, CURLOPT_URL, post->url) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, len) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post->body.at) != CURLE_OK)
        return SB_ERR_MEMORY;
    return start(transfer, loop);
}

/* The second try of a call that may open a connection. */
static bool start_fresh(struct transfer *transfer, struct loop *loop)
{
    transfer->reuse_only = false;
    return set_long(transfer->easy, CURLOPT_HTTP_VERSION,
                    CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE) &&
           set_long(transfer->easy, CURLOPT_FRESH_CONNECT, 1) && start(transfer, loop) == SB_OK;
}

/*
 * A server that has heard enough answers, ends the stream and resets what is still to come.
 * libcurl 7.88 (lib/http2.c, http2_handle_stream_close) drops the answer when all of it comes at
 * once, goes on sending, and then fails without a word: only then the error text is empty.
 */
static enum response_end end_of(const struct transfer *transfer, CURLcode code)
{
    if (code == CURLE_OPERATION_TIMEDOUT)
        return RESPONSE_TIMED_OUT;
    if (code == CURLE_HTTP2_STREAM && transfer->error[0] == '\0' &&
        transfer->response.status == 0)
        return RESPONSE_LOST;
    return RESPONSE_DISCONNECTED;
}

bool transfer_finish(struct transfer *transfer, struct loop *loop, CURLcode code)
{
    struct response *response = &transfer->response;
    transfer->running = false;
    if (transfer->refused_connection && start_fresh(transfer, loop))
        return false;
    if (code == CURLE_OK || response->end == RESPONSE_OVERFLOW)
        return true;
    response->end = end_of(transfer, code);
    if (code == CURLE_UNSUPPORTED_PROTOCOL) /* libcurl speaks of HTTP/0.9, as nobody does */
        (void)snprintf(transfer->error, sizeof(transfer->error),
                       "it answers in another protocol than HTTP/1.1, as a gRPC port does");
    if (transfer->error[0] == '\0')
        (void)snprintf(transfer->error, sizeof(transfer->error), "%s",
                       curl_easy_strerror(code));
    return true;
}

void transfer_abort(struct transfer *transfer, struct loop *loop)
{
    if (!transfer->running)
        return;
    loop_remove(loop, transfer->easy);
    transfer->running = false;
}
