/*
 * bench_receiver: the backend of the bench: takes OTLP/HTTP requests, answers at once, counts
 * spans, and judges on GET /result or at its end whether all that had to come came.
 *
 * Prints its port first, and at SIGTERM one line of JSON; exits with 1 when that is not right.
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "tally.h"

enum { RESULT_LEN = 512, BODY_BYTES_MAX = 64 << 20 };

static const char usage[] =
    "usage: bench_receiver [--load A|B|C] [--traces N] [--seed N] [--pieces] [--share]\n"
    "                      [--port N]\n"
    "  --pieces   load C without repair: each piece of a trace has a verdict of its own\n"
    "  --share    the 5 % are the only policy\n";

struct receiver {
    struct event_base *base;
    struct tally *tally;
    double first_s; /* arrival of the first and of the last request; 0: none */
    double last_s;
};

static int format_result(const struct receiver *receiver, char ret[RESULT_LEN], bool *ret_right)
{
    struct tally_result result = tally_judge(receiver->tally);
    *ret_right = tally_is_right(&result);
    return snprintf(ret, RESULT_LEN,
                    "{\"right\":%s,\"requests\":%" PRIu64 ",\"bytes\":%" PRIu64
                    ",\"spans\":%" PRIu64 ",\"expected\":%" PRIu64 ",\"missing\":%" PRIu64
                    ",\"wrong_keep\":%" PRIu64 ",\"duplicates\":%" PRIu64
                    ",\"misplaced\":%" PRIu64 ",\"torn\":%" PRIu64 ",\"foreign\":%" PRIu64
                    ",\"malformed\":%" PRIu64 ",\"first_s\":%.3f,\"last_s\":%.3f}\n",
                    *ret_right ? "true" : "false", result.requests, result.bytes, result.spans,
                    result.expected, result.missing, result.wrong_keep, result.duplicates,
                    result.misplaced, result.torn, result.foreign, result.malformed,
                    receiver->first_s, receiver->last_s);
}

static void on_traces(struct evhttp_request *request, void *arg)
{
    struct receiver *receiver = arg;
    if (evhttp_request_get_command(request) != EVHTTP_REQ_POST) {
        evhttp_send_error(request, HTTP_BADMETHOD, NULL);
        return;
    }
    struct evbuffer *body = evhttp_request_get_input_buffer(request);
    size_t len = evbuffer_get_length(body);
    tally_add(receiver->tally, bytes_of(evbuffer_pullup(body, -1), len));
    receiver->last_s = bench_now_s();
    if (receiver->first_s == 0)
        receiver->first_s = receiver->last_s;
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "application/x-protobuf");
    evhttp_send_reply(request, HTTP_OK, "OK", NULL);
}

static void on_result(struct evhttp_request *request, void *arg)
{
    char text[RESULT_LEN];
    bool right;
    int len = format_result(arg, text, &right);
    struct evbuffer *body = evbuffer_new();
    if (body == NULL || evbuffer_add(body, text, (size_t)len) != 0)
        bench_fail("memory is short");
    evhttp_send_reply(request, HTTP_OK, "OK", body);
    evbuffer_free(body);
}

static void on_signal(evutil_socket_t number, short events, void *arg)
{
    (void)number;
    (void)events;
    struct receiver *receiver = arg;
    event_base_loopbreak(receiver->base);
}

static uint16_t listen_on(struct evhttp *http, uint16_t port)
{
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", port);
    if (bound == NULL)
        bench_fail("port %u of 127.0.0.1 is not free", (unsigned)port);
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &len) != 0)
        bench_fail("getsockname failed");
    struct sockaddr_in in;
    memcpy(&in, &address, sizeof(in));
    return ntohs(in.sin_port);
}

/* Serves until SIGTERM or SIGINT. */
static void serve(struct receiver *receiver, uint16_t port)
{
    receiver->base = event_base_new();
    struct evhttp *http = receiver->base == NULL ? NULL : evhttp_new(receiver->base);
    if (http == NULL)
        bench_fail("memory is short");
    evhttp_set_max_body_size(http, BODY_BYTES_MAX);
    evhttp_set_cb(http, "/v1/traces", on_traces, receiver);
    evhttp_set_cb(http, "/result", on_result, receiver);
    struct event *term = evsignal_new(receiver->base, SIGTERM, on_signal, receiver);
    struct event *interrupt = evsignal_new(receiver->base, SIGINT, on_signal, receiver);
    if (term == NULL || interrupt == NULL || event_add(term, NULL) ||
        event_add(interrupt, NULL))
        bench_fail("signals can not be caught");
    printf("%u\n", (unsigned)listen_on(http, port));
    fflush(stdout);
    event_base_dispatch(receiver->base);
    event_free(term);
    event_free(interrupt);
    evhttp_free(http);
    event_base_free(receiver->base);
}

static struct tally_options read_options(int argc, char **argv, uint16_t *ret_port)
{
    static const struct option names[] = {{"load", required_argument, NULL, 'k'},
                                          {"traces", required_argument, NULL, 'n'},
                                          {"seed", required_argument, NULL, 'r'},
                                          {"pieces", no_argument, NULL, 'P'},
                                          {"share", no_argument, NULL, 's'},
                                          {"port", required_argument, NULL, 'p'},
                                          {0}};
    struct tally_options options = {.plan = {.kind = LOAD_A, .seed = 1, .traces = 250000}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'k' && strlen(optarg) == 1 && optarg[0] >= 'A' && optarg[0] <= 'C')
            options.plan.kind = (enum load_kind)(optarg[0] - 'A');
        else if (option == 'n')
            options.plan.traces = (uint32_t)bench_number("--traces", optarg, 1u << 30);
        else if (option == 'r')
            options.plan.seed = bench_number("--seed", optarg, UINT64_MAX);
        else if (option == 'P')
            options.pieces = true;
        else if (option == 's')
            options.share = true;
        else if (option == 'p')
            *ret_port = (uint16_t)bench_number("--port", optarg, UINT16_MAX);
        else
            bench_usage("\n%s", usage);
    }
    if (optind < argc || (options.pieces && options.share))
        bench_usage("\n%s", usage);
    return options;
}

int main(int argc, char **argv)
{
    uint16_t port = 0;
    struct tally_options options = read_options(argc, argv, &port);
    struct receiver receiver = {0};
    if (tally_new(&options, &receiver.tally) != SB_OK)
        bench_fail("memory is short");
    serve(&receiver, port);
    char text[RESULT_LEN];
    bool right;
    format_result(&receiver, text, &right);
    fputs(text, stdout);
    tally_free(receiver.tally);
    return right ? 0 : 1;
}
