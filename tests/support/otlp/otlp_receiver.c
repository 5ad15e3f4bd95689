#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/bufferevent_ssl.h>
#include <zlib.h>
#include <zstd.h>

#include "receiver.h"

enum { WAIT_S = 30, UNFOLDED_MAX = 256 * 1024 * 1024 };

void receiver_abort(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "otlp_receiver: %s failed at %s:%d\n", condition, file, line);
    abort();
}

struct bufferevent *receiver_new_connection(struct otlp_receiver *receiver, evutil_socket_t fd)
{
    MUST(pthread_mutex_lock(&receiver->lock) == 0);
    receiver->connection_count++;
    MUST(pthread_mutex_unlock(&receiver->lock) == 0);
    struct bufferevent *event;
    if (receiver->tls == NULL) {
        event = bufferevent_socket_new(receiver->base, fd, BEV_OPT_CLOSE_ON_FREE);
    } else {
        SSL *tls = SSL_new(receiver->tls);
        MUST(tls != NULL);
        event = bufferevent_openssl_socket_new(
            receiver->base, fd, tls, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    }
    MUST(event != NULL);
    return event;
}

/* Independent of the sink's own code: a fault there must not hide itself. */
static struct bytes unfold_gzip(struct bytes in)
{
    z_stream gzip = {.next_in = (z_const Bytef *)(uintptr_t)in.at, .avail_in = (uInt)in.len};
    MUST(inflateInit2(&gzip, 15 + 16) == Z_OK);
    size_t room = in.len * 4 + 1024;
    uint8_t *out = NULL;
    int code = Z_OK;
    while (code == Z_OK) {
        room *= 2;
        MUST(room <= UNFOLDED_MAX && (out = realloc(out, room)) != NULL);
        gzip.next_out = out + gzip.total_out;
        gzip.avail_out = (uInt)(room - gzip.total_out);
        code = inflate(&gzip, Z_NO_FLUSH);
    }
    MUST(code == Z_STREAM_END);
    struct bytes unfolded = bytes_of(out, gzip.total_out);
    MUST(inflateEnd(&gzip) == Z_OK);
    return unfolded;
}

static struct bytes unfold_zstd(struct bytes in)
{
    unsigned long long len = ZSTD_getFrameContentSize(in.at, in.len);
    MUST(len <= UNFOLDED_MAX);
    uint8_t *out = malloc((size_t)len + 1);
    MUST(out != NULL && ZSTD_decompress(out, (size_t)len, in.at, in.len) == len);
    return bytes_of(out, (size_t)len);
}

/* A copy of the body without its encoding; the caller frees it. */
static struct bytes unfold(struct bytes body, const char *encoding)
{
    if (encoding != NULL && strcmp(encoding, "gzip") == 0)
        return unfold_gzip(body);
    if (encoding != NULL && strcmp(encoding, "zstd") == 0)
        return unfold_zstd(body);
    MUST(encoding == NULL || strcmp(encoding, "identity") == 0);
    uint8_t *copy = malloc(body.len + 1);
    MUST(copy != NULL);
    if (body.len > 0)
        memcpy(copy, body.at, body.len);
    return bytes_of(copy, body.len);
}

const char *receiver_header(const struct receiver_request *request, const char *name)
{
    const struct receiver_line *lines = request->headers;
    for (uint32_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(lines[i].name, name) == 0)
            return lines[i].value;
    }
    return NULL;
}

static struct span_id *scan_spans(struct otlp_receiver *receiver,
                                  struct receiver_request *request)
{
    enum otlp_fault fault = OTLP_FAULT_NONE;
    MUST(otlp_scan_request(receiver->scan, request->message, &fault) == SB_OK);
    MUST(fault == OTLP_FAULT_NONE);
    uint32_t count = 0;
    const struct otlp_span *spans = otlp_scan_spans(receiver->scan, &count);
    struct span_id *ids = calloc(count + 1, sizeof(*ids));
    MUST(ids != NULL);
    for (uint32_t i = 0; i < count; i++) {
        MUST(spans[i].span_id != NULL);
        ids[i] = span_id_load(spans[i].span_id);
    }
    request->span_count = count;
    request->span_ids = ids;
    (void)otlp_scan_envelopes(receiver->scan, &request->envelope_count);
    return ids;
}

/* Locked. */
static void keep_accepted(struct otlp_receiver *receiver,
                          const struct receiver_request *request)
{
    size_t needed = receiver->accepted_count + request->span_count;
    if (needed > receiver->accepted_room) {
        receiver->accepted_room = needed * 2;
        receiver->accepted =
            realloc(receiver->accepted, receiver->accepted_room * sizeof(*receiver->accepted));
        MUST(receiver->accepted != NULL);
    }
    for (uint32_t i = 0; i < request->span_count; i++)
        receiver->accepted[receiver->accepted_count++] = request->span_ids[i];
}

static bool is_accepting(const struct receiver_answer *answer)
{
    bool says_so = answer->act == RECEIVER_ANSWER || answer->act == RECEIVER_HOLD;
    bool status_ok = answer->status == 0 || (answer->status >= 200 && answer->status < 300);
    return says_so && status_ok && answer->grpc_status == 0;
}

struct receiver_answer receiver_decide(struct otlp_receiver *receiver,
                                       struct receiver_request *request, struct bytes body,
                                       const char *encoding)
{
    struct receiver_answer answer = {0};
    request->message = unfold(body, encoding);
    struct span_id *ids = scan_spans(receiver, request);
    MUST(pthread_mutex_lock(&receiver->lock) == 0);
    request->number = receiver->request_count;
    if (receiver->answer_next < receiver->answer_count)
        answer = receiver->answers[receiver->answer_next++];
    MUST(pthread_mutex_unlock(&receiver->lock) == 0);
    if (receiver->options.on_request != NULL)
        receiver->options.on_request(receiver->options.arg, request, &answer);
    MUST(pthread_mutex_lock(&receiver->lock) == 0);
    if (is_accepting(&answer))
        keep_accepted(receiver, request);
    receiver->request_count++;
    MUST(pthread_cond_broadcast(&receiver->changed) == 0);
    MUST(pthread_mutex_unlock(&receiver->lock) == 0);
    free(ids);
    free((void *)(uintptr_t)request->message.at);
    return answer;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct otlp_receiver *receiver = arg;
    uint64_t count;
    (void)what;
    MUST(read(fd, &count, sizeof(count)) == sizeof(count));
    if (atomic_load(&receiver->stopping))
        MUST(event_base_loopbreak(receiver->base) == 0);
    else
        receiver->server->release(receiver);
}

static void *run_thread(void *arg)
{
    struct otlp_receiver *receiver = arg;
    sigset_t pipe; /* of TLS connections that the sink has closed */
    MUST(sigemptyset(&pipe) == 0 && sigaddset(&pipe, SIGPIPE) == 0);
    MUST(pthread_sigmask(SIG_BLOCK, &pipe, NULL) == 0);
    MUST(event_base_loop(receiver->base, EVLOOP_NO_EXIT_ON_EMPTY) >= 0);
    return NULL;
}

static int choose_h2(SSL *tls, const unsigned char **ret, unsigned char *ret_len,
                     const unsigned char *in, unsigned in_len, void *arg)
{
    (void)tls;
    (void)arg;
    static const unsigned char h2[] = "\2h2";
    int found =
        SSL_select_next_proto((unsigned char **)(uintptr_t)ret, ret_len, h2, 3, in, in_len);
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static void open_tls(struct otlp_receiver *receiver)
{
    const struct receiver_options *options = &receiver->options;
    if (options->tls_certificate == NULL)
        return;
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    MUST(tls != NULL);
    MUST(SSL_CTX_use_certificate_chain_file(tls, options->tls_certificate) == 1);
    MUST(SSL_CTX_use_PrivateKey_file(tls, options->tls_key, SSL_FILETYPE_PEM) == 1);
    if (options->tls_client_ca != NULL) {
        MUST(SSL_CTX_load_verify_locations(tls, options->tls_client_ca, NULL) == 1);
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    if (options->protocol == RECEIVER_GRPC)
        SSL_CTX_set_alpn_select_cb(tls, choose_h2, NULL);
    receiver->tls = tls;
}

static void wake(struct otlp_receiver *receiver)
{
    uint64_t one = 1;
    MUST(write(receiver->wake_fd, &one, sizeof(one)) == sizeof(one));
}

struct otlp_receiver *receiver_new(const struct receiver_options *options)
{
    struct otlp_receiver *receiver = calloc(1, sizeof(*receiver));
    MUST(receiver != NULL);
    receiver->options = *options;
    receiver->server =
        options->protocol == RECEIVER_GRPC ? &receiver_grpc_server : &receiver_http_server;
    MUST(pthread_mutex_init(&receiver->lock, NULL) == 0);
    MUST(pthread_cond_init(&receiver->changed, NULL) == 0);
    struct otlp_limits limits = otlp_limits_default();
    limits.record_bytes_max = UNFOLDED_MAX;
    limits.span_bytes_max = UNFOLDED_MAX;
    MUST(otlp_keys_new(&receiver->keys) == SB_OK);
    MUST(otlp_scan_new(&limits, receiver->keys, &receiver->scan) == SB_OK);
    receiver->base = event_base_new();
    receiver->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    MUST(receiver->base != NULL && receiver->wake_fd >= 0);
    receiver->wake_event =
        event_new(receiver->base, receiver->wake_fd, EV_READ | EV_PERSIST, on_wake, receiver);
    MUST(receiver->wake_event != NULL && event_add(receiver->wake_event, NULL) == 0);
    open_tls(receiver);
    receiver->server->open(receiver);
    (void)snprintf(receiver->url, sizeof(receiver->url), "%s:%d",
                   receiver->tls == NULL ? "http://127.0.0.1" : "https://localhost",
                   receiver->port);
    MUST(pthread_create(&receiver->thread, NULL, run_thread, receiver) == 0);
    return receiver;
}

void receiver_free(struct otlp_receiver *receiver)
{
    if (receiver == NULL)
        return;
    atomic_store(&receiver->stopping, true);
    wake(receiver);
    MUST(pthread_join(receiver->thread, NULL) == 0);
    receiver->server->close(receiver);
    event_free(receiver->wake_event);
    event_base_free(receiver->base);
    (void)close(receiver->wake_fd);
    SSL_CTX_free(receiver->tls);
    otlp_scan_free(receiver->scan);
    otlp_keys_free(receiver->keys);
    free(receiver->answers);
    free(receiver->accepted);
    MUST(pthread_cond_destroy(&receiver->changed) == 0);
    MUST(pthread_mutex_destroy(&receiver->lock) == 0);
    free(receiver);
}

const char *receiver_url(const struct otlp_receiver *receiver)
{
    return receiver->url;
}

uint16_t receiver_port(const struct otlp_receiver *receiver)
{
    return receiver->port;
}

void receiver_play(struct otlp_receiver *receiver, const struct receiver_answer *answers,
                   uint32_t count)
{
    MUST(pthread_mutex_lock(&receiver->lock) == 0);
    free(receiver->answers);
    receiver->answers = calloc(count + 1, sizeof(*answers));
    MUST(receiver->answers != NULL);
    memcpy(receiver->answers, answers, count * sizeof(*answers));
    receiver->answer_count = count;
    receiver->answer_next = 0;
    MUST(pthread_mutex_unlock(&receiver->lock) == 0);
}

void receiver_release(struct otlp_receiver *receiver)
{
    wake(receiver);
}

void receiver_wait_requests(struct otlp_receiver *receiver, uint32_t count)
{
    struct timespec until;
    MUST(clock_gettime(CLOCK_REALTIME, &until) == 0);
    until.tv_sec += WAIT_S;
    MUST(pthread_mutex_lock(&receiver->lock) == 0);
    while (receiver->request_count < count)
        MUST(pthread_cond_timedwait(&receiver->changed, &receiver->lock, &until) == 0);
    MUST(pthread_mutex_unlock(&receiver->lock) == 0);
}

uint32_t receiver_requests(struct otlp_receiver *receiver)
{
    MUST(pthread_mutex_lock(&receiver->lock) == 0);
    uint32_t count = receiver->request_count;
    MUST(pthread_mutex_unlock(&receiver->lock) == 0);
    return count;
}

uint32_t receiver_connections(struct otlp_receiver *receiver)
{
    MUST(pthread_mutex_lock(&receiver->lock) == 0);
    uint32_t count = receiver->connection_count;
    MUST(pthread_mutex_unlock(&receiver->lock) == 0);
    return count;
}

uint64_t receiver_spans(struct otlp_receiver *receiver)
{
    MUST(pthread_mutex_lock(&receiver->lock) == 0);
    uint64_t count = receiver->accepted_count;
    MUST(pthread_mutex_unlock(&receiver->lock) == 0);
    return count;
}

uint32_t receiver_span_count(struct otlp_receiver *receiver, struct span_id id)
{
    uint32_t count = 0;
    MUST(pthread_mutex_lock(&receiver->lock) == 0);
    for (size_t i = 0; i < receiver->accepted_count; i++)
        count += span_id_equal(receiver->accepted[i], id);
    MUST(pthread_mutex_unlock(&receiver->lock) == 0);
    return count;
}
