#include <stdio.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/log.h"
#include "grpc.h"
#include "http_answer.h"
#include "otlp_sink.h"

#define MODULE "sink"

/* What a peer lets us send before it has read anything (RFC 9113, section 6.9.2). */
enum { HTTP2_WINDOW_LEN = 65535 };
/* Unheard answers to a single span before it counts as too large. */
enum { UNHEARD_MAX = 8 };

enum sb_err lane_init(struct lane *lane, struct otlp_sink *sink)
{
    *lane = (struct lane){.sink = sink, .state = LANE_IDLE};
    request_init(&lane->request);
    return transfer_init(&lane->transfer, &sink->options, lane);
}

void lane_clear(struct lane *lane)
{
    SB_ASSERT(lane->state == LANE_IDLE);
    transfer_clear(&lane->transfer);
    request_clear(&lane->request);
    curl_slist_free_all(lane->headers);
    lane->headers = NULL;
}

/* The top range is another one than before. */
static void begin_range(struct lane *lane)
{
    lane->state = LANE_WAITING;
    lane->due_ns = 0;
    lane->failures = 0;
    lane->encoded = false;
    lane->resent = false;
}

enum sb_err lane_load(struct lane *lane, struct sink_batch *batch)
{
    SB_ASSERT(lane->state == LANE_IDLE);
    enum sb_err err = request_load(&lane->request, &lane->sink->encoder, batch);
    if (err == SB_OK)
        begin_range(lane);
    return err;
}

static void finish_batch(struct lane *lane)
{
    lane->state = LANE_IDLE;
    inlet_give_back(&lane->sink->inlet, request_unload(&lane->request));
}

static void settle(struct lane *lane, enum sink_outcome outcome, uint32_t rejected)
{
    struct otlp_sink *sink = lane->sink;
    uint32_t count = request_span_count(&lane->request);
    switch (outcome) {
    case SINK_EXPORTED:
        INLET_COUNT(&sink->inlet, spans_exported, count - rejected);
        INLET_COUNT(&sink->inlet, spans_rejected, rejected);
        break;
    case SINK_REJECTED:
        INLET_COUNT(&sink->inlet, spans_rejected, count);
        break;
    case SINK_TOO_LARGE:
        INLET_COUNT(&sink->inlet, spans_too_large, count);
        break;
    case SINK_PENDING:
    case SINK_LOST:
        SB_ASSERT(outcome == SINK_EXPORTED); /* these two are no outcomes of a request */
    }
    if (request_settle(&lane->request, outcome, rejected))
        finish_batch(lane);
    else
        begin_range(lane);
}

static void postpone(struct lane *lane, uint64_t wait_ns)
{
    lane->state = LANE_WAITING;
    lane->due_ns = otlp_sink_now_ns(lane->sink) + wait_ns;
    otlp_sink_note_wait(lane->sink, wait_ns);
}

/* Halves the range; a single span is what it is. */
static void bisect(struct lane *lane, enum sink_outcome alone)
{
    if (request_span_count(&lane->request) == 1) {
        settle(lane, alone, 0);
        return;
    }
    INLET_COUNT(&lane->sink->inlet, bisections, 1);
    request_bisect(&lane->request);
    begin_range(lane);
}

static const char *reason_of(const struct lane *lane, const struct answer *answer)
{
    return answer->message[0] != '\0' ? answer->message : lane->transfer.error;
}

static void log_failure(struct lane *lane, enum log_level level, const char *event,
                        const struct answer *answer)
{
    const struct response *response = &lane->transfer.response;
    struct otlp_sink *sink = lane->sink;
    const char *reason = reason_of(lane, answer);
    log_event(sink->options.log, level, MODULE, event, LOG_TEXT("sink", sink->options.name),
              LOG_TEXT("endpoint", sink->options.endpoints[lane->endpoint]),
              LOG_NUMBER("http_status", response->status),
              LOG_NUMBER("grpc_status", response->grpc_status),
              LOG_NUMBER("spans", request_span_count(&lane->request)),
              LOG_NUMBER("failures", lane->failures), LOG_TEXT("reason", reason));
}

/* Moves the state to one that waits, and says for /health what for. */
static void wait_in(struct lane *lane, enum sink_state state, const struct answer *answer)
{
    char why[SINK_WHY_LEN];
    char status[32] = "";
    struct otlp_sink *sink = lane->sink;
    const struct response *response = &lane->transfer.response;
    const char *reason = reason_of(lane, answer);
    if (response->grpc_status != RESPONSE_NO_GRPC_STATUS)
        (void)snprintf(status, sizeof(status), ": gRPC status %d", response->grpc_status);
    else if (response->status > 0)
        (void)snprintf(status, sizeof(status), ": HTTP status %d", response->status);
    (void)snprintf(why, sizeof(why), "%s%s%s%s", sink->options.endpoints[lane->endpoint],
                   status, reason[0] == '\0' ? "" : ": ", reason);
    inlet_explain(&sink->inlet, why);
    inlet_move(&sink->inlet, state);
}

/* FNV-1a: tells messages apart, no more. */
static uint64_t hash_message(const char *message)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *message != '\0'; message++)
        hash = (hash ^ (uint8_t)*message) * UINT64_C(0x100000001b3);
    return hash;
}

static void accept_spans(struct lane *lane, const struct answer *answer)
{
    struct otlp_sink *sink = lane->sink;
    uint32_t count = request_span_count(&lane->request);
    uint32_t rejected = answer->rejected < count ? (uint32_t)answer->rejected : count;
    if (rejected > 0 || answer->message[0] != '\0') {
        INLET_COUNT(&sink->inlet, partial_successes, 1);
        uint64_t hash = hash_message(answer->message);
        if (hash != sink->last_message)
            log_failure(lane, LOG_WARN, "partial_success", answer);
        sink->last_message = hash;
    }
    sink->refusals = 0;
    inlet_move(&sink->inlet, SINK_READY);
    settle(lane, SINK_EXPORTED, rejected);
}

/* The next endpoint, unless another lane has left this one already. */
static void leave_endpoint(struct lane *lane)
{
    struct otlp_sink *sink = lane->sink;
    if (lane->endpoint == sink->endpoint)
        sink->endpoint = (sink->endpoint + 1) % sink->options.endpoint_count;
}

static void try_later(struct lane *lane, const struct answer *answer)
{
    struct otlp_sink *sink = lane->sink;
    lane->failures++;
    if (answer->kind == ANSWER_NO_RECEIVER)
        log_failure(lane, LOG_ERROR, "no_receiver", answer);
    else
        log_failure(lane, LOG_WARN, "export_failed", answer);
    leave_endpoint(lane);
    /* Waiting is for a whole round over the endpoints: the next one may well be up. */
    if (lane->failures % sink->options.endpoint_count > 0) {
        postpone(lane, 0);
        return;
    }
    wait_in(lane, SINK_BACKING_OFF, answer);
    if (answer->wait_ns > 0) {
        otlp_sink_close(sink, answer->wait_ns);
        postpone(lane, 0);
        return;
    }
    uint32_t rounds = lane->failures / sink->options.endpoint_count;
    postpone(lane, retry_wait_ns(&sink->retry, rounds));
}

/*
 * Mostly the request is too large, but it may also be bad credentials or a proxy without a
 * backend.  A request that fits into the first flow-control window is sent whole before the
 * answer comes, and then it is heard.
 */
static void send_less(struct lane *lane, const struct answer *answer)
{
    bool alone = request_span_count(&lane->request) == 1;
    bool small = lane->request.body.len <= HTTP2_WINDOW_LEN;
    if (small || (alone && lane->failures < UNHEARD_MAX)) {
        try_later(lane, answer);
        return;
    }
    log_failure(lane, LOG_WARN, "request_not_read", answer);
    bisect(lane, SINK_TOO_LARGE);
}

/* A second answer of that kind is a fault of the backend, and sending for ever no cure. */
static void resend_once(struct lane *lane, const struct answer *answer)
{
    if (lane->resent) {
        log_failure(lane, LOG_ERROR, "sink_fault", answer);
        settle(lane, SINK_REJECTED, 0);
        return;
    }
    log_failure(lane, LOG_WARN, "answer_unknown", answer);
    lane->resent = true;
    postpone(lane, retry_wait_ns(&lane->sink->retry, 1));
}

static void pause_for_credentials(struct lane *lane, const struct answer *answer)
{
    struct otlp_sink *sink = lane->sink;
    lane->failures++;
    postpone(lane, 0);
    (void)headers_read_again(&sink->headers);
    if (lane->headers_generation != sink->headers.generation)
        return; /* it was sent with older credentials than we have now: again, at once */
    if (sink->closed_until_ns > 0)
        return; /* another lane was faster */
    sink->refusals++;
    log_failure(lane, LOG_ERROR, "unauthorised", answer);
    wait_in(lane, SINK_UNAUTHORISED, answer);
    otlp_sink_close(sink, retry_wait_ns(&sink->retry, sink->refusals));
}

static void refuse(struct lane *lane, const struct answer *answer)
{
    log_failure(lane, LOG_ERROR, "export_refused", answer);
    settle(lane, SINK_REJECTED, 0);
}

static void act_on(struct lane *lane, const struct answer *answer)
{
    switch (answer->kind) {
    case ANSWER_ACCEPTED:
        accept_spans(lane, answer);
        break;
    case ANSWER_RETRY:
    case ANSWER_NO_RECEIVER:
        try_later(lane, answer);
        break;
    case ANSWER_UNAUTHORISED:
        pause_for_credentials(lane, answer);
        break;
    case ANSWER_TOO_LARGE:
        log_failure(lane, LOG_WARN, "request_too_large", answer);
        bisect(lane, SINK_TOO_LARGE);
        break;
    case ANSWER_BAD_CONTENT:
        log_failure(lane, LOG_WARN, "content_refused", answer);
        bisect(lane, SINK_REJECTED);
        break;
    case ANSWER_REFUSED:
        refuse(lane, answer);
        break;
    case ANSWER_UNHEARD:
        send_less(lane, answer);
        break;
    case ANSWER_UNKNOWN:
        resend_once(lane, answer);
        break;
    }
}

void lane_on_done(struct lane *lane, CURLcode code)
{
    SB_ASSERT(lane->state == LANE_SENDING);
    struct otlp_sink *sink = lane->sink;
    struct response *response = &lane->transfer.response;
    if (!transfer_finish(&lane->transfer, &sink->loop, code))
        return;
    struct answer answer = sink->options.protocol == SINK_OTLP_GRPC
                               ? grpc_answer_read(response)
                               : http_answer_read(response, clock_wall_ns(sink->options.clock));
    if (response->end == RESPONSE_OVERFLOW)
        INLET_COUNT(&sink->inlet, response_overflows, 1);
    act_on(lane, &answer);
}

static enum sb_err prepare_headers(struct lane *lane)
{
    const struct headers *headers = &lane->sink->headers;
    if (lane->headers_generation == headers->generation)
        return SB_OK;
    struct curl_slist *list = NULL;
    enum sb_err err = headers_new_list(headers, &list);
    if (err != SB_OK)
        return err;
    curl_slist_free_all(lane->headers);
    lane->headers = list;
    lane->headers_generation = headers->generation;
    return SB_OK;
}

static enum sb_err send_request(struct lane *lane)
{
    struct otlp_sink *sink = lane->sink;
    enum sb_err err = prepare_headers(lane);
    if (err == SB_OK && !lane->encoded) {
        err = request_encode(&lane->request, &sink->encoder);
        lane->encoded = err == SB_OK;
    }
    if (err != SB_OK)
        return err;
    lane->endpoint = sink->endpoint;
    struct transfer_post post = {
        .url = sink->urls[lane->endpoint],
        .headers = lane->headers,
        .body = text_bytes(&lane->request.body),
    };
    return transfer_start(&lane->transfer, &sink->loop, &post);
}

void lane_start(struct lane *lane)
{
    SB_ASSERT(lane->state == LANE_WAITING);
    struct otlp_sink *sink = lane->sink;
    enum sb_err err = send_request(lane);
    if (err == SB_ERR_LIMIT) {
        bisect(lane, SINK_TOO_LARGE);
        return;
    }
    if (err != SB_OK) {
        log_event(sink->options.log, LOG_ERROR, MODULE, "request_not_sent",
                  LOG_TEXT("sink", sink->options.name), LOG_TEXT("error", sb_err_text(err)));
        postpone(lane, retry_wait_ns(&sink->retry, 1));
        return;
    }
    lane->state = LANE_SENDING;
    INLET_COUNT(&sink->inlet, requests, 1);
    INLET_COUNT(&sink->inlet, retries, lane->failures > 0 || lane->resent);
    INLET_COUNT(&sink->inlet, bytes_sent, lane->request.encoded_len);
}

void lane_abort(struct lane *lane)
{
    if (lane->state == LANE_IDLE)
        return;
    transfer_abort(&lane->transfer, &lane->sink->loop);
    finish_batch(lane);
}
